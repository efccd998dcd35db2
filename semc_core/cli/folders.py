"""Folders of results: which are ours, how a new one takes the place of an old one, what a kill leaves.

Nothing is deleted that this program did not write: the old results are those that their planes.json lists.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from semc_core.cli.inputs import RESULTS_NAME, Wanted
from semc_core.errors import SaveError, UsageError
from semc_core.io.atomic import save_error
from semc_core.io.lock import LOCK_NAME, WriterLock
from semc_core.session.database import DATABASE_FILES, DATABASE_NAME
from semc_core.session.session import Session

FRAMES_NAME: Final = "frames.csv"
_LEFT_OVER: Final = re.compile(r"\.(.+)\.(\d{1,9})\.(part|old)")
_LEFT_OVER_AFTER_S: Final = 60.0


def check_targets(wanted: Iterable[Wanted], targets: Iterable[Path]) -> None:
    """Make sure that writing to `targets` touches nothing that is to be analysed.

    Raises:
        UsageError: A target is an input, holds one, or lies in one.
    """
    paths = [each.path for each in wanted if not each.problem]
    inputs = _identities(paths)
    # A link lies in one place and what it names in another; both must stay.
    places = [place for path in paths for place in (path.resolve(), path.parent.resolve())]
    around = _identities(above for place in places for above in (place, *place.parents))
    for target in targets:
        resolved = target.resolve()
        if _identities([resolved]) & (inputs | around) or _identities(resolved.parents) & inputs:
            raise UsageError(
                f"{target} is, holds or lies in what is to be analysed; choose another folder with --out."
            )


def check_replaceable(wanted: Iterable[Wanted], out: Path) -> None:
    """Make sure that the folders of `wanted` in `out` are new, or hold earlier results that nobody corrected.

    Raises:
        UsageError: One holds something else, or a person's corrections.
        SessionError: One holds a session that is open elsewhere or cannot be read.
    """
    for each in wanted:
        target = out / each.name
        if not each.problem and target.exists() and result_names(target) is None:
            raise UsageError(
                f"{target} is there and holds no earlier results; choose another folder with --out."
            )
        if not each.problem and _is_corrected(target):
            raise UsageError(
                f"{target} holds corrections that a person made; choose another folder with --out."
            )


def work_folder(target: Path) -> Path:
    """The hidden folder in which the results for `target` are prepared."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def result_names(folder: Path) -> set[str] | None:
    """Names of the results in `folder`, as its planes.json lists them; None if it has none of ours."""
    try:
        found = json.loads((folder / RESULTS_NAME).read_text(encoding="utf-8"))
        ours = "semc" in found["versions"]
        pngs = [Path(plane["png"]) for plane in found["planes"] if plane["png"] is not None]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The bare names only: what lies elsewhere is not a result of this folder.
    pairs = [name for png in pngs if png.suffix == ".png" for name in (png.name, f"{png.stem}.json")]
    return {RESULTS_NAME, FRAMES_NAME, *DATABASE_FILES, LOCK_NAME, *pairs} if ours else None


def replace_folder(work: Path, target: Path) -> None:
    """Rename `work` to `target`. What is somebody's own in an older `target` moves over.

    Raises:
        SaveError: There is a `target` that holds no results of ours, or a person's corrections.
        SessionError: The session in `target` is open elsewhere or cannot be read.
        OSError: It could not be renamed; an older `target` is as it was.
    """
    if not target.exists():
        work.rename(target)
        return
    if result_names(target) is None:
        raise SaveError(f"{target} holds no earlier results and was left alone; choose another folder.")
    if _is_corrected(target):
        raise SaveError(f"{target} was corrected meanwhile and was left alone; choose another folder.")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    target.rename(old)
    try:
        work.rename(target)
    except OSError:
        old.rename(target)
        raise
    _carry_over(old, target)


def clear_leftovers(out: Path, older_than_s: float = _LEFT_OVER_AFTER_S) -> None:
    """Remove folders that a killed program was preparing in `out`; put back what it was replacing.

    Those of a program that still runs stay, and young ones.

    Raises:
        SaveError: `out` could not be read, or a leftover could not be removed.
    """
    newest_s = time.time() - older_than_s
    try:
        for path in sorted(out.glob(".*")):
            match = _LEFT_OVER.fullmatch(path.name)
            if match is None or not path.is_dir() or is_running(int(match[2])):
                continue
            if path.stat().st_mtime > newest_s:
                continue
            target = out / match[1]
            if match[3] == "part":
                shutil.rmtree(path)
            elif target.exists():
                _carry_over(path, target)
            else:
                path.rename(target)
    except OSError as error:
        raise save_error(out, error) from error


def _is_corrected(target: Path) -> bool:
    """Whether the session in `target`, if there is one, holds work of a person."""
    if not (target / DATABASE_NAME).is_file():
        return False
    # Somebody who has it open for writing may be correcting it now.
    lock = WriterLock(target)
    try:
        with Session.open(target, read_only=True) as session:
            return session.corrections > 0
    finally:
        lock.release()


def _carry_over(old: Path, target: Path) -> None:
    """Move what is somebody's own from `old` to `target`, then delete the old results."""
    names = result_names(old) or set()
    for path in sorted(old.iterdir()):
        if path.name not in names:
            path.rename(_free(target / path.name))
    # planes.json last: as long as it is there, a kill leaves nothing that is not understood.
    for name in sorted(names, key=lambda name: name == RESULTS_NAME):
        (old / name).unlink(missing_ok=True)
    old.rmdir()


def _free(wanted: Path) -> Path:
    """`wanted`, or with a number added if the name is taken."""
    if not wanted.exists():
        return wanted
    numbered = (wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}") for number in itertools.count(2))
    return next(path for path in numbered if not path.exists())


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What is equal for two names of one file, by links or by upper and lower case; of those there are."""
    found = set()
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            found.add((status.st_dev, status.st_ino))
    return found


def is_running(pid: int) -> bool:
    """Whether there is a process of this number."""
    if sys.platform == "win32":
        # os.kill would end it there.
        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
