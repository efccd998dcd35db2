"""Whether the bundle's window opens as fast as that of the program that pip installed: in turns, in one run.

    python -m bundle.speed

Run by a Python into which the program is installed. Ends with 1 where the bundle's takes longer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.quick.starts import OPENED, start_of
from bundle.make import FOLDER

TURNS: Final = 7
MOST: Final = 1.25
"""Times as long the bundle's window may take: a busy machine makes even the quickest starts differ."""


def in_turns(first: Sequence[str], second: Sequence[str], turns: int) -> tuple[list[float], list[float]]:
    """Seconds until the first painted window of two programs, after one start of each that is not counted."""
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 1):
        for program, kept in zip((first, second), took, strict=True):
            painted = start_of([*program, *OPENED, "--offscreen"], 1).painted
            if turn:
                kept.append(painted.wall_s)
    return took


def compare(bundled: Sequence[str], installed: Sequence[str], turns: int = TURNS) -> None:
    """Print both, and end this program where the first takes longer than it may."""
    own, other = (min(each) for each in in_turns(bundled, installed, turns))
    said = f"Until the window: the bundle {own:.2f} s, installed {other:.2f} s: {own / other:.2f} times"
    print(f"{said} (the quickest of {turns} starts in turns).")
    if own > MOST * other:
        sys.exit(f"The bundle's window takes more than {MOST:g} times as long.")


if __name__ == "__main__":
    compare([str(FOLDER / "semc")], [str(Path(sys.executable).with_name("semc"))])
