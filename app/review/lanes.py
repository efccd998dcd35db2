"""What the lanes of the time line are drawn from: the largest share in each stretch of time. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.review.time_scale import TimeSpan
from semc_core.session.records import FrameTable

ShareReader = Callable[[TimeSpan, int], NDArray[np.float32]]
"""A span and a number of bins -> float32 (lanes, bins): the largest share in each; NaN where not analysed."""

_LEAST_HOLD_S: Final = 0.1
_HOLD_FRAMES: Final = 2.5


def lane_shares(
    table: FrameTable | None, planes: tuple[str, ...], classes: tuple[str, ...]
) -> ShareReader | None:
    """A reader of the smoothed probabilities of `planes`, one lane each; None without a frame."""
    if table is None or not len(table):
        return None
    columns = [classes.index(name) for name in planes]
    times_s, shares = table.pts_s, table.smoothed[:, columns]
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    hold_s = max(_LEAST_HOLD_S, _HOLD_FRAMES * step_s)
    return lambda span, bins: binned(times_s, shares, span, bins, hold_s)


def binned(
    times_s: NDArray[np.float64], shares: NDArray[np.float32], span: TimeSpan, bins: int, hold_s: float
) -> NDArray[np.float32]:
    """The largest of `shares` in each of `bins` equal parts of `span`.

    Args:
        times_s: float64 (N,), ascending.
        shares: float32 (N, L).
        span: What is asked for.
        bins: How many parts, at least 1.
        hold_s: A part without a frame shows the frame before, unless that is longer ago than this.

    Returns:
        float32 (L, bins), NaN where there is nothing to show.
    """
    edges = np.linspace(span.start_s, span.end_s, bins + 1)
    bounds = np.searchsorted(times_s, edges, "left")
    first, last = bounds[:-1], bounds[1:]
    found = np.full((shares.shape[1], bins), np.nan, np.float32)
    filled = last > first
    if filled.any():
        starts = first[filled]
        largest = np.maximum.reduceat(shares[: last[filled][-1]], starts, axis=0)
        found[:, filled] = largest.T
    before = first - 1
    held = ~filled & (before >= 0)
    held[held] = edges[1:][held] - times_s[before[held]] <= hold_s
    found[:, held] = shares[before[held]].T
    return found
