"""What the time line draws: the largest share in each stretch of a lane, and the planes as boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.review.time_scale import TimeScale, TimeSpan
from app.widgets import theme
from semc_core.session.records import PERSON, FrameTable, PlaneEntry

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


def named_lanes(count: int, high_em: float, first: Iterable[int], name_em: float) -> frozenset[int]:
    """The lanes whose names are written: all, or where they are too low for that, those that fit.

    Args:
        count: How many lanes there are.
        high_em: How high each is, in heights of a line.
        first: The lanes that are named before others.
        name_em: What a name needs.
    """
    apart = max(1, math.ceil(name_em / high_em - 1e-6))
    named: set[int] = set()
    for lane in (*first, *range(count)):
        if all(abs(lane - other) >= apart for other in named - {lane}):
            named.add(lane)
    return frozenset(named)


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


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where the lanes are.

    Attributes:
        box: Around all of them, pixels.
        colours: "#rrggbb" by the plane of each lane, from top to bottom; at least one.
        em: Height of a line of text, pixels.
    """

    box: QRectF
    colours: dict[str, str]
    em: float

    @property
    def high(self) -> float:
        """Height of a lane, pixels."""
        return self.box.height() / len(self.colours)


def paint_planes(
    painter: QPainter, planes: Iterable[PlaneEntry], lanes: Lanes, scale: TimeScale, *, chosen: bool = False
) -> None:
    """Paint holds as boxes, and over them saved frames: a disc, a square if a person chose it, or a cross
    if it was rejected. Planes without a lane are left out.

    There may be hundreds, so what they have in common is done once.

    Args:
        painter: Paints on the lanes only, smoothly.
        planes: In order of time.
        lanes: Where they are.
        scale: Where times lie.
        chosen: Whether they are those that keys act on.
    """
    tops = {name: lanes.box.top() + at * lanes.high for at, name in enumerate(lanes.colours)}
    placed = [(plane, tops[plane.plane]) for plane in planes if plane.plane in tops]
    _paint_holds(painter, placed, lanes, scale, chosen)
    size = min(lanes.high * 0.72, 0.8 * lanes.em) * (1.15 if chosen else 1.0)
    down = (lanes.high - size) / 2 - 0.5
    edge, cross = QPen(QColor(theme.GROUND), 1.0), QPen(QColor(theme.TEXT), 1.8)
    painter.setBrush(QColor(theme.TEXT))
    for plane, top in placed:
        mark = QRectF(scale.x(plane.time_s) - size / 2, top + down, size, size)
        painter.setPen(cross if plane.rejected else edge)
        if plane.rejected:
            painter.drawLine(mark.topLeft(), mark.bottomRight())
            painter.drawLine(mark.topRight(), mark.bottomLeft())
        elif plane.chosen_by == PERSON:
            painter.drawRect(mark)
        else:
            painter.drawEllipse(mark)


def _paint_holds(
    painter: QPainter,
    placed: list[tuple[PlaneEntry, float]],
    lanes: Lanes,
    scale: TimeScale,
    chosen: bool,
) -> None:
    alike: dict[tuple[str, bool], list[QRectF]] = {}
    for plane, top in placed:
        left = scale.x(plane.start_s)
        hold = QRectF(left, top + 0.5, max(3.0, scale.x(plane.end_s) - left), lanes.high - 2.5)
        alike.setdefault((plane.plane, plane.rejected), []).append(hold)
    painter.save()
    # A hold may go on after the last frame of the recording, or beyond the stretch that is shown.
    painter.setClipRect(lanes.box.adjusted(-1, -1, 1, 1), Qt.ClipOperation.IntersectClip)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for (name, rejected), holds in alike.items():
        colour = theme.TEXT if chosen else theme.DIM if rejected else lanes.colours[name]
        style = Qt.PenStyle.DotLine if rejected else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(colour), 2.0 if chosen else 1.2, style))
        painter.drawRects(holds)
    painter.restore()
