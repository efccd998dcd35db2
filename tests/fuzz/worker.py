"""The process in which files are opened: what it does not survive is a find, too.

    python -m tests.fuzz.worker TARGET SEED FIRST LAST

It prints "at N" before each input and "find N WHAT" for what should not have come.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from random import Random
from typing import Final

from semc_core.errors import SemcError
from tests.fuzz.targets import TARGETS

CORPUS: Final = Path(__file__).with_name("corpus")
_MOST_BYTES: Final = 6 << 30


def made(target: str, seed: int, number: int) -> tuple[str, bytes]:
    """Name and content of one input."""
    files = sorted(CORPUS.glob(TARGETS[target].pattern))
    contents = [file.read_bytes() for file in files]
    random = Random(f"{target} {seed} {number}")
    which = random.randrange(len(files))
    return files[which].name, TARGETS[target].change(contents[which], contents, random)


def fault_of(target: str, path: Path) -> str:
    """What came of opening `path` that is none of our errors, with its place; or ""."""
    try:
        TARGETS[target].open_it(path)
    except SemcError as error:
        return "" if str(error).strip() else "an error without words"
    except Exception as error:  # noqa: BLE001 - whatever comes is told
        frames = traceback.extract_tb(error.__traceback__)
        ours = [
            f"{Path(each.filename).name}:{each.lineno}"
            for each in frames
            if not {"semc_core", "app"}.isdisjoint(Path(each.filename).parts)
        ]
        return f"{type(error).__name__} at {ours[-1] if ours else '?'} {str(error)[:100]!r}"
    return ""


def _bound_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))


def main(target: str, seed: int, first: int, last: int) -> None:
    """Open the inputs `first` to `last`, the last one not included."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    _bound_memory()
    with tempfile.TemporaryDirectory() as place:
        for number in range(first, last):
            name, content = made(target, seed, number)
            path = Path(place, name)
            path.write_bytes(content)
            print(f"at {number}", flush=True)
            fault = fault_of(target, path)
            path.unlink(missing_ok=True)
            if fault:
                print(f"find {number} {fault}".replace("\n", " "), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
