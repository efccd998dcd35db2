"""Intervals by drawing whole groups (patients, series, videos) again, all draws at once.

Frames of one patient are alike, so frames must not be drawn one by one. Every measure here is computed from
sums over groups, or from weights of frames, so that a draw costs a product and not a pass over the frames.

Shapes: N frames, G groups, D draws, K classes, M columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS: Final = 1000
_TAILS: Final = (2.5, 97.5)
_DRAWS_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure with its 95 % interval.

    Attributes:
        value: On the frames as they are; None where it is not defined (a class without frames).
        low: Lower end; None where fewer than two groups, or less than half of the draws, define it.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        between = "" if self.low is None else f" ({self.low:.3f} to {self.high:.3f})"
        return f"{self.value:.3f}{between}"


class GroupDraws:
    """D draws of G groups with replacement.

    Args:
        groups: The group of each of N frames.
        draws: D.
        seed: The same seed, groups and D give the same draws.
    """

    def __init__(self, groups: Sequence[str], draws: int = DRAWS, seed: int = 1) -> None:
        names, places = np.unique(np.array(groups, dtype=str), return_inverse=True)
        self.count = len(names)
        self.of_frame: NDArray[np.int64] = places.astype(np.int64)
        """int64 (N,), which group each frame is of."""
        rng = np.random.default_rng(seed)
        self.weights = np.empty((draws, self.count), np.float32)
        """float32 (D, G), how often each group was drawn. Whole numbers."""
        for row in self.weights:
            row[:] = np.bincount(rng.integers(0, self.count, self.count), minlength=self.count)

    def sums(self, columns: Floats) -> tuple[Floats, Floats]:
        """Sums over all frames (1, M), and over the frames of each draw (D, M).

        Args:
            columns: float64 (N, M), one row per frame.
        """
        grouped = np.zeros((self.count, columns.shape[1]))
        np.add.at(grouped, self.of_frame, columns)
        return grouped.sum(axis=0, keepdims=True), self.weights.astype(np.float64) @ grouped

    def cells(self, cells: NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
        """How many frames fall into each cell: in all (1, count), and in each draw (D, count).

        Args:
            cells: int64 (N,), the cell of each frame, 0 to `count` - 1.
            count: Cells.
        """
        flat = np.bincount(self.of_frame * count + cells, minlength=self.count * count)
        grouped = flat.reshape(self.count, count).astype(np.float64)
        return grouped.sum(axis=0, keepdims=True), self.weights.astype(np.float64) @ grouped

    def share(self, these: NDArray[np.bool_], among: NDArray[np.bool_]) -> Estimate:
        """What share of the frames `among`, bool (N,), are in `these`, too."""
        own, drawn = self.sums(np.stack([these & among, among], axis=1).astype(np.float64))
        return self.estimate(ratio(own[:, 0], own[:, 1]), ratio(drawn[:, 0], drawn[:, 1]))

    def estimate(self, value: Floats, drawn: Floats) -> Estimate:
        """One measure of all frames, (1,), and of every draw, (D,); NaN where it is not defined."""
        point = float(value[0])
        if not np.isfinite(point):
            return Estimate(None)
        known = drawn[np.isfinite(drawn)]
        # With one group every draw is the same, and an interval would only look certain.
        if self.count < 2 or len(known) < len(drawn) / 2:
            return Estimate(point)
        low, high = np.percentile(known, _TAILS)
        return Estimate(point, float(low), float(high))


def area_under_roc(scores: Floats, positive: NDArray[np.bool_], draws: GroupDraws) -> tuple[Floats, Floats]:
    """The chance that a positive frame scores above a negative one, ties counting half.

    Args:
        scores: float64 (N,).
        positive: bool (N,).
        draws: Of the N frames.

    Returns:
        Of all frames (1,), and of each draw (D,); NaN without positive or without negative frames.
    """
    order = np.argsort(scores, kind="stable")
    ordered, positives = scores[order], positive[order]
    if not positives.any() or positives.all():
        return np.full(1, np.nan), np.full(len(draws.weights), np.nan)
    at = ordered[positives]
    first = np.searchsorted(ordered[~positives], at, side="left")
    last = np.searchsorted(ordered[~positives], at, side="right")
    own, other = draws.of_frame[order][positives], draws.of_frame[order][~positives]

    def areas(weights: NDArray[np.float32]) -> Floats:
        """float64 (d,) of d draws; counts below 2^24 are exact in float32."""
        won, below = weights[:, own], np.zeros((len(weights), len(other) + 1), np.float32)
        np.cumsum(weights[:, other], axis=1, out=below[:, 1:])
        pairs = (won * (below[:, first] + below[:, last])).sum(axis=1, dtype=np.float64) / 2
        count = won.sum(axis=1, dtype=np.float64) * below[:, -1]
        found: Floats = np.divide(pairs, count, out=np.full(len(weights), np.nan), where=count > 0)
        return found

    parts = np.split(draws.weights, range(_DRAWS_AT_ONCE, len(draws.weights), _DRAWS_AT_ONCE))
    return areas(np.ones((1, draws.count), np.float32)), np.concatenate([areas(part) for part in parts])


def ratio(above: Floats, below: Floats) -> Floats:
    """`above / below`, NaN where `below` is 0."""
    found: Floats = np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)
    return found
