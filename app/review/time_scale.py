"""Which stretch of time the time line shows, and where a time lies on it. No Qt here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

LEAST_SPAN_S: Final = 0.5
"""Zooming in ends here."""

_TICKS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A stretch of time, seconds; `end_s` is after `start_s`."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class TimeScale:
    """A stretch of time laid over pixels `left` to `left + width`."""

    span: TimeSpan
    left: float
    width: float

    def x(self, time_s: float) -> float:
        """Where a time lies; may be outside."""
        return self.left + (time_s - self.span.start_s) / self.span.length_s * self.width

    def time_s(self, x: float) -> float:
        """The time at a place, moved into the span if it is beside it."""
        share = min(max((x - self.left) / max(1.0, self.width), 0.0), 1.0)
        return self.span.start_s + share * self.span.length_s


def whole_span(start_s: float, end_s: float) -> TimeSpan:
    """All of a loop, however short it is."""
    return TimeSpan(start_s, max(end_s, start_s + LEAST_SPAN_S))


def zoomed(span: TimeSpan, factor: float, at_s: float, whole: TimeSpan) -> TimeSpan:
    """`span` made `factor` times as long; the time `at_s` stays where it is. Inside of `whole`."""
    length_s = min(max(span.length_s * factor, min(LEAST_SPAN_S, whole.length_s)), whole.length_s)
    share = (min(max(at_s, span.start_s), span.end_s) - span.start_s) / span.length_s
    return _inside(at_s - share * length_s, length_s, whole)


def panned(span: TimeSpan, by_s: float, whole: TimeSpan) -> TimeSpan:
    """`span` moved by so many seconds, inside of `whole`."""
    return _inside(span.start_s + by_s, span.length_s, whole)


def following(span: TimeSpan, playhead_s: float, whole: TimeSpan) -> TimeSpan:
    """`span`, or the one that shows the playhead when that has left it: it comes in a tenth from the edge."""
    if span.start_s <= playhead_s <= span.end_s:
        return span
    lead_s = 0.1 * span.length_s if playhead_s > span.end_s else 0.9 * span.length_s
    return _inside(playhead_s - lead_s, span.length_s, whole)


def _inside(start_s: float, length_s: float, whole: TimeSpan) -> TimeSpan:
    start_s = min(max(start_s, whole.start_s), whole.end_s - length_s)
    return TimeSpan(start_s, start_s + length_s)


def ticks(span: TimeSpan, width_px: float, apart_px: float) -> list[tuple[float, str]]:
    """Round times to write below the time line, at least `apart_px` from each other: (seconds, text)."""
    least_s = span.length_s * apart_px / max(1.0, width_px)
    step_s = next((step for step in _TICKS_S if step >= least_s), _TICKS_S[-1])
    first = math.ceil(span.start_s / step_s - 1e-9)
    last = math.floor(span.end_s / step_s + 1e-9)
    return [(i * step_s, _tick_text(i * step_s, step_s)) for i in range(first, last + 1)]


def _tick_text(time_s: float, step_s: float) -> str:
    if step_s < 1:
        tenths = round(time_s * 10)
        return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
    seconds = round(time_s)
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
