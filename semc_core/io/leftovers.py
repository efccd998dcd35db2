"""Hidden files and folders, `.NAME.PID.part`, in which something is prepared, and what kills leave of them.

A program that is killed cannot remove what it was preparing: the next one does, at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from semc_core.io.process import is_running

_IN_WORK: Final[set[Path]] = set()
"""Of this process: an earlier one may have had its number, as the first of a container always has."""
_NAME: Final = re.compile(r"\.(.+)\.(\d{1,9})\.(part|old)", re.DOTALL)


def work_path(target: Path) -> Path:
    """Where this process prepares `target`, beside it. No leftover until `work_done`."""
    work = target.with_name(f".{target.name}.{os.getpid()}.part")
    _IN_WORK.add(work)
    return work


def work_done(work: Path) -> None:
    """What is still there of this name is a leftover."""
    _IN_WORK.discard(work)


def leftovers(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """What programs that no longer run left in `folder`.

    Yields:
        Path, name of the target, and "part", or "old" for what was being replaced.

    Raises:
        OSError: The folder could not be read.
    """
    for path in sorted(folder.glob(".*")):
        match = _NAME.fullmatch(path.name)
        if match is None or path.is_symlink() or path in _IN_WORK:
            continue
        pid = int(match[2])
        if pid == os.getpid() or not is_running(pid):
            yield path, match[1], match[3]
