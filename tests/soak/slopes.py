"""How a value of the program changes with time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_MOST: Final = 600
"""Samples that are held against each other."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a value may do.

    Attributes:
        name: Of the value, with its unit.
        per_minute: The most by which it may rise in a minute.
    """

    name: str
    per_minute: float


AT_REST: Final = (Bound("memory at rest, MiB", 8.0), Bound("handles", 1.0), Bound("threads", 0.5))
"""What is looked at between two rounds, while only the scan runs. A live scan keeps a few numbers of each
frame; pictures that stayed would be hundreds of MiB a minute."""

LATENCY: Final = Bound("latency p95, times the control's", 0.5)
"""The latency itself follows what else the machine does, and so does the control."""


@dataclass(frozen=True, slots=True)
class Course:
    """A value over a run.

    Attributes:
        first: Median of the first tenth.
        last: Median of the last tenth.
        per_minute: Its slope.
    """

    first: float
    last: float
    per_minute: float


def course(times_s: Sequence[float], values: Sequence[float]) -> Course:
    """What a value did.

    The slope is the median of those between any two samples (Theil and Sen): a single peak does not tilt it.

    Args:
        times_s: Of the samples after the warming up, in order, seconds; at least 2.
        values: As many.
    """
    at, value = np.asarray(times_s, float), np.asarray(values, float)
    some = np.linspace(0, len(at) - 1, min(len(at), _MOST)).astype(int)
    one, other = np.triu_indices(len(some), 1)
    rises = (value[some][other] - value[some][one]) / (at[some][other] - at[some][one])
    tenth = max(1, len(at) // 10)
    return Course(
        float(np.median(value[:tenth])), float(np.median(value[-tenth:])), 60 * float(np.median(rises))
    )
