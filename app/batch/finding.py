"""Which loops are meant by what was chosen or dropped. Reads the disk: not for the window. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from semc_core.io.regular import is_folder
from semc_core.session.listing import is_session
from semc_core.sources.kinds import DICOM_SUFFIXES, VIDEO_SUFFIXES
from semc_core.sources.pictures import SUFFIXES as PICTURE_SUFFIXES


def may_be_several(paths: Sequence[Path]) -> bool:
    """Whether `loops_in` has to be asked; not for one file, one session, or what is no path here."""
    return len(paths) > 1 or (len(paths) == 1 and is_folder(paths[0]) and not is_session(paths[0]))


def loops_in(paths: Sequence[Path]) -> list[Path]:
    """The loops among files and in folders, absolute, in order and each once.

    A folder that has pictures and no other loop is one loop, or one set of stills, as it is for `semc
    analyse`. Of files that were named each is one, so that what cannot be read is said of it. A session, and
    what lies in one, was analysed before, and is none.
    """
    found: dict[Path, None] = {}
    for path in (each.expanduser().absolute() for each in paths):
        if is_session(path):
            continue
        if not is_folder(path) or _is_one_loop(path):
            found[path] = None
        else:
            found.update(dict.fromkeys(_below(path)))
    return list(found)


def _is_one_loop(folder: Path) -> bool:
    """Whether a folder holds pictures, and nothing that its name calls a loop."""
    try:
        suffixes = {each.suffix.lower() for each in folder.iterdir() if not each.name.startswith(".")}
    except OSError:
        return True  # opening it says why
    return bool(suffixes & PICTURE_SUFFIXES) and not suffixes & {*VIDEO_SUFFIXES, *DICOM_SUFFIXES}


def _below(folder: Path) -> list[Path]:
    from semc_core.cli.shared.inputs import wanted_inputs

    found = [each.path for each in wanted_inputs([str(folder)]) if not each.problem]
    return [path for path in found if not _in_session(path, folder)]


def _in_session(path: Path, folder: Path) -> bool:
    holders = takewhile(lambda holder: holder != folder.parent, (path, *path.parents))
    return any(is_session(holder) for holder in holders)
