"""Who is left out of which training: a country at a time, patients of Spain in five parts, or nobody.

Beside each country or part, half of the sources without a fetus is left out too, so that "none of these" is
always judged on scanners and organs that were not learned.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from training.fetal.pictures import COUNTRIES, HEADS, NEGATIVES, SPAIN
from training.fetal.versions import Row

PARTS: Final = 5
EVERYTHING: Final = "everything"
RUNS: Final = (*COUNTRIES, *(f"part{number}" for number in range(PARTS)), EVERYTHING)
"""By name: a country that is left out, a fifth of the patients of Spain and of the heads, or nobody."""
HALVES: Final[dict[str, tuple[str, ...]]] = {"half0": ("Algeria", "Uganda"), "half1": ("Egypt", "Ghana")}
"""What the sentry is judged on: several countries, a fifth, and half of the sources left out at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """bool (N,) each: the pictures that are learned from, and those that are judged."""

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]


def split_of(run: str, rows: list[Row]) -> Split:
    """Which rows a run learns from and is judged on.

    Raises:
        UsageError: There is no such run.
    """
    if run not in (*RUNS, *HALVES):
        raise UsageError(f"There is no run {run!r}; choose one of {', '.join((*RUNS, *HALVES))}.")
    if run == EVERYTHING:
        return Split(np.ones(len(rows), bool), np.zeros(len(rows), bool))
    left_out = np.array([_is_left_out(run, row) for row in rows])
    return Split(~left_out, left_out)


def _is_left_out(run: str, row: Row) -> bool:
    number = int(run[-1]) if run in HALVES else RUNS.index(run)
    if row.source in NEGATIVES[(number + 1) % 2]:
        return True
    if run in COUNTRIES:
        return row.country == run
    if row.country in HALVES.get(run, ()):
        return True
    return row.country in (SPAIN, HEADS) and zlib.crc32(row.group.encode()) % PARTS == int(run[-1])
