"""Names and folders of sessions."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from pathlib import Path, PureWindowsPath

from semc_core.capture.source import SourceInfo
from semc_core.session.atomic import save_error


def scan_folder(root: Path, source: SourceInfo, now: datetime | None = None) -> Path:
    """A folder name for one scan: date, time, kind and name of the source. Nothing is made."""
    moment = (now or datetime.now().astimezone()).strftime("%Y%m%d-%H%M%S")
    return root / f"{moment}_{safe_name(source.kind)}_{safe_name(source.source_id)}"


def safe_name(text: str, longest: int = 60) -> str:
    """`text` as part of a file name on any system: letters, digits, `.`, `_` and `-`; never empty."""
    kept = re.sub(r"[^\w.-]+", "-", text, flags=re.ASCII).strip(".-")
    return kept[:longest].rstrip(".-") or "unnamed"


def is_inside(name: str) -> bool:
    """Whether what a log calls a file is one of the session's folder: "x.png", or "clips/x.mkv".

    A session may come from a stranger, and such names are read, and removed where a better picture came. What
    any system takes for a way out of the folder is none.
    """
    path = PureWindowsPath(name)
    return not path.anchor and ".." not in path.parts


def claim_folder(wanted: Path, *, fresh: bool) -> Path:
    """Make the folder `wanted`; with `fresh`, one with a number added if there is one already.

    Raises:
        SaveError: It could not be made.
    """
    try:
        if fresh:
            return _new_folder(wanted)
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise save_error(wanted, error) from error
    return wanted


def _new_folder(wanted: Path) -> Path:
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("unreachable")
