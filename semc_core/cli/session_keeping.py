"""`semc session forget` and its like: taking out of sessions what is not to be kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from semc_core.cli.shared.options import FOLDER, PLACE
from semc_core.errors import UsageError
from semc_core.io.regular import is_folder
from semc_core.paths import data_folder, default_output_folder, log_folder
from semc_core.text import counted, readable

SESSION: Final = Argument(click_type=PLACE, metavar="SESSION", help="a session's folder")

_USUAL: Final = default_output_folder()

FORGET: Final = (
    "erase from a session what may name a patient: the source's name and place, and all that persons typed"
)

DELETE: Final = "delete a session's recording to free the disk; its log says so, and the rest stays proven"

RETAIN: Final = (
    "delete sessions that are old, or of which there is too much; none that is open, and none that was never "
    "exported unless told so"
)


def forget(session: Annotated[Path, SESSION]) -> int:
    """Erase, and say what is left to look at. Returns 0.

    Raises:
        SemcError: It could not be done.
    """
    from semc_core.session.erasing.forget import forget as forget_session

    done = forget_session(folder_of(session))
    files = f", and from {counted(done.files, 'file')}" if done.files else ""
    print(
        f"{done.folder.name}: the source's name and place and all notes are erased from the session{files}."
    )
    print(
        "Pictures, clips and recordings are as they were: a name that is burned into them stays. "
        "Exports and copies that were made before are not touched."
    )
    return 0


def delete_recording(session: Annotated[Path, SESSION]) -> int:
    """Delete the recording, and say what is gone. Returns 0.

    Raises:
        SemcError: It could not be done.
    """
    from semc_core.session.session import Session

    with Session.open(folder_of(session)) as opened:
        names = opened.delete_recordings()
    if names:
        print(f"{opened.folder.name}: {', '.join(names)} deleted; the log says so. Planes and clips stay.")
    else:
        print(f"{opened.folder.name} has no recording.")
    return 0


def retain(
    folder: Annotated[Path, Argument(click_type=FOLDER, help="folder that holds the sessions")] = _USUAL,
    older_than: Annotated[
        float | None, Option("--older-than", metavar="DAYS", help="those that were changed last so long ago")
    ] = None,
    larger_than: Annotated[
        float | None,
        Option("--larger-than", metavar="GB", help="the oldest, until all together are no larger than this"),
    ] = None,
    unexported: Annotated[bool, Option("--unexported", help="also those that were never exported")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="only say what would be deleted")] = False,
) -> int:
    """Delete old sessions, or say which. Returns 0.

    Raises:
        UsageError: Nothing says which are to go.
        SaveError: The folder cannot be read, or one could not be deleted.
        PacsError: What waits to be sent cannot be read.
    """
    from semc_core.pacs.queue import sessions_that_wait
    from semc_core.session.erasing.retention import carry_out, clear_half_deleted, plan
    from semc_core.session.erasing.rule import Retention

    if older_than is None and larger_than is None:
        raise UsageError("semc session retain needs --older-than DAYS or --larger-than GB.")
    if min(each for each in (older_than, larger_than) if each is not None) <= 0:
        raise UsageError("--older-than and --larger-than must be more than 0.")
    if not is_folder(folder):
        raise UsageError(f"There is no folder {folder}; give the one that holds the sessions.")
    most = None if larger_than is None else round(larger_than * 1e9)
    waiting = sessions_that_wait(data_folder())
    planned = plan(folder, Retention(older_than, most, unexported), waiting=waiting)
    for each in planned:
        if each.why and not each.goes:
            print(f"{readable(each.folder.name)} stays: {each.why}.")
    done = "would be deleted" if dry_run else "deleted"
    if dry_run:
        gone = [each for each in planned if each.goes]
    else:
        clear_half_deleted(folder)
        gone = carry_out(planned, log_folder())
    for each in gone:
        print(f"{readable(each.folder.name)} {done}: {each.why}.")
    freed = sum(each.size for each in gone) / 1e6
    print(f"{counted(len(gone), 'session')} {done}, {freed:.1f} MB.")
    return 0


def folder_of(given: Path) -> Path:
    """The folder of a session, also where its database was named."""
    from semc_core.session.database import DATABASE_NAME

    return given.parent if given.name == DATABASE_NAME else given
