"""`semc session forget` and its like: taking out of sessions what is not to be kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from typer import Argument

from semc_core.cli.options import PLACE
from semc_core.text import counted

SESSION: Final = Argument(click_type=PLACE, metavar="SESSION", help="a session's folder")

FORGET: Final = (
    "erase from a session what may name a patient: the source's name and place, and all that persons typed"
)

DELETE: Final = "delete a session's recording to free the disk; its log says so, and the rest stays proven"


def forget(session: Annotated[Path, SESSION]) -> int:
    """Erase, and say what is left to look at. Returns 0.

    Raises:
        SemcError: It could not be done.
    """
    from semc_core.session.forget import forget as forget_session

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


def folder_of(given: Path) -> Path:
    """The folder of a session, also where its database was named."""
    from semc_core.session.database import DATABASE_NAME

    return given.parent if given.name == DATABASE_NAME else given
