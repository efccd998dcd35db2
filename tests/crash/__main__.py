"""Kills the program at random moments, and prints what that cost.

    python -m tests.crash [KIND ...] --kills N --seed SEED

Returns 1 where more than a second is lost, or a plane, an export, a step or an object that was there, or
where something is left over or does not open.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import tests.own_data  # noqa: F401 - before the program looks for its folder
from tests.crash.kinds import KINDS, Kept

_MOST_LOST_S: Final = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row of a table for each kind."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--kills", type=int, default=20, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    print("| killed | kills | seconds lost, at most | lost that was there | left over | not whole |")
    print("|---|---:|---:|---:|---:|---:|")
    fine = True
    for name in given.kinds or KINDS:
        with tempfile.TemporaryDirectory() as place:
            kept = KINDS[name](Path(place), given.kills, random.Random(f"{name} {given.seed}"))
        print(row(name, kept), flush=True)
        fine = fine and is_fine(kept)
    return 0 if fine else 1


def row(name: str, kept: Kept) -> str:
    """A line of the table."""
    return f"| {name} | {kept.kills} | {kept.lost_s:.2f} | {kept.lost} | {kept.left_over} | {kept.bad} |"


def is_fine(kept: Kept) -> bool:
    """Whether the kills cost no more than is promised."""
    return kept.lost_s <= _MOST_LOST_S and not (kept.lost or kept.left_over or kept.bad)


if __name__ == "__main__":
    sys.exit(main())
