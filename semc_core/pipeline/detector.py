"""Deciding when a standard plane was held, and which frame of the hold is the best.

Runs on the inference thread (or the command's, for files) and never in the window.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.labels import NON_STANDARD
from semc_core.types import FrameResult, HoldEvent, Thresholds

RESET_GAP_S: Final = 1.0
"""After a longer gap between frames the past says nothing of the present."""


CONFIDENCE_MARGIN: Final = 0.03
"""Frames this close to the highest confidence of the hold are equally sure; the best picture of them wins."""

IMPROVEMENT_EVERY_S: Final = 1.0
"""A better frame of a hold still going on is announced at most this often."""


class PlaneHysteresis:
    """Which plane the steady label names: entered at one probability, left at a lower one."""

    def __init__(
        self, classes: tuple[str, ...], thresholds: Thresholds, none_class: str = NON_STANDARD
    ) -> None:
        self._planes = np.array([name != none_class for name in classes])
        self._thresholds = thresholds
        self._current: int | None = None

    def update(self, smoothed: NDArray[np.float32]) -> int | None:
        """Index of the plane named now, or None for NSP. `smoothed` is float32 (K,)."""
        planes = np.where(self._planes, smoothed, -1.0)
        top = int(planes.argmax())
        current = self._current
        if current is not None and planes[current] < self._thresholds.leave:
            current = None
        if planes[top] >= self._thresholds.enter and (current is None or planes[top] > planes[current]):
            current = top
        self._current = current
        return current


@dataclass(slots=True)
class _Hold:
    """A stretch of time in which one plane was named; the only frame it keeps is the best."""

    plane: int
    start_s: float
    end_s: float
    best: FrameResult
    best_confidence: float
    best_quality: float
    highest_confidence: float
    moving_s: float = 0.0
    hold_id: int = 0
    announced_s: float = 0.0
    announced_best: FrameResult | None = None

    def offer(self, result: FrameResult, confidence: float, quality: float) -> None:
        """Keep `result` if it is better: sure enough, then the best picture (see `CONFIDENCE_MARGIN`)."""
        self.highest_confidence = max(self.highest_confidence, confidence)
        least = self.highest_confidence - CONFIDENCE_MARGIN
        if self.best_confidence < least or (confidence >= least and quality > self.best_quality):
            self.best, self.best_confidence, self.best_quality = result, confidence, quality


class PlaneDetector:
    """Find holds of standard planes in a sequence of results.

    A hold begins when a plane is named by `PlaneHysteresis` in a live picture and counts once the picture has
    *moved* for `min_hold_s` within it: a picture that only repeats is evidence of nothing. It ends when the
    plane is no longer named or the picture is not live. The same plane named again within `merge_gap_s`
    continues the hold.

    The score of a frame is the lesser of its own and its smoothed probability (the smoothed one lags, and is
    still high when the probe has already left). Among frames within `CONFIDENCE_MARGIN` of the highest score
    the one with the best quality is kept. This is done as frames pass, so at most one frame per plane stays
    in memory.
    """

    def __init__(
        self,
        classes: tuple[str, ...],
        thresholds: Thresholds,
        *,
        numbers: Iterator[int] | None = None,
        quality_of: Callable[[FrameResult], float] | None = None,
    ) -> None:
        """Start with no hold.

        Args:
            classes: Names in the order of the probabilities.
            thresholds: When a plane counts as held.
            numbers: Where hold numbers come from; 1, 2, ... unless shared with captures by hand.
            quality_of: Replaces the result's own quality; without one it is 0.
        """
        self._classes = classes
        self._thresholds = thresholds
        self._numbers = itertools.count(1) if numbers is None else numbers
        self._quality_of = quality_of or _own_quality
        self._open: _Hold | None = None
        self._ended: dict[int, _Hold] = {}
        self._moved_s: float | None = None
        self._time_s = 0.0

    def update(self, result: FrameResult, *, moving: bool = True) -> list[HoldEvent]:
        """Take the next result.

        Args:
            result: In order of presentation time. Its label is the hysteresis's.
            moving: Whether its picture differs from the one before.

        Returns:
            What is new: a hold found, a better frame of one, or one that is over.
        """
        time_s = result.packet.pts_s
        if self._open is not None and not 0 <= time_s - self._time_s <= RESET_GAP_S:
            self._end_open()
        self._time_s = time_s
        plane = self._savable_plane(result)
        if self._open is not None and self._open.plane != plane:
            self._end_open()
        # Before the plane may come back: a hold that ended too long ago is not continued.
        events = self._expire(time_s)
        if plane is not None:
            self._extend(plane, result, moving)
            events += self._announce(time_s)
        return events

    def finish(self) -> list[HoldEvent]:
        """The scan is over: everything that was held becomes final."""
        self._end_open()
        over = sorted(self._ended.values(), key=lambda hold: hold.hold_id)
        self._ended.clear()
        return [self._event(hold, final=True) for hold in over]

    def _savable_plane(self, result: FrameResult) -> int | None:
        """The class index of the named plane if a frame like this may be saved."""
        prediction = result.prediction
        if result.picture != "live" or prediction is None or result.label == NON_STANDARD:
            return None
        return self._classes.index(result.label)

    def _extend(self, plane: int, result: FrameResult, moving: bool) -> None:
        assert result.prediction is not None
        time_s = result.packet.pts_s
        confidence = float(min(result.prediction.probabilities[plane], result.smoothed[plane]))
        quality = self._quality_of(result)
        if self._open is None:
            self._open = self._ended.pop(plane, None)
            self._moved_s = time_s
        if self._open is None:
            self._open = _Hold(plane, time_s, time_s, result, confidence, quality, confidence)
            return
        hold = self._open
        if moving and self._moved_s is not None:
            hold.moving_s += time_s - self._moved_s
            self._moved_s = time_s
        hold.end_s = time_s
        hold.offer(result, confidence, quality)

    def _announce(self, time_s: float) -> list[HoldEvent]:
        hold = self._open
        assert hold is not None
        if hold.hold_id == 0:
            # Sums of frame times miss the round number by rounding.
            if hold.moving_s < self._thresholds.min_hold_s - 1e-6:
                return []
            hold.hold_id = next(self._numbers)
        elif hold.best is hold.announced_best or time_s - hold.announced_s < IMPROVEMENT_EVERY_S:
            return []
        hold.announced_best, hold.announced_s = hold.best, time_s
        return [self._event(hold, final=False)]

    def _end_open(self) -> None:
        """Set the open hold aside, in case the plane comes back; forget it if it was too short."""
        if self._open is not None and self._open.hold_id:
            self._ended[self._open.plane] = self._open
        self._open = None

    def _expire(self, time_s: float) -> list[HoldEvent]:
        gap_s = self._thresholds.merge_gap_s
        over = [hold for hold in self._ended.values() if not 0 <= time_s - hold.end_s <= gap_s]
        for hold in over:
            del self._ended[hold.plane]
        return [self._event(hold, final=True) for hold in sorted(over, key=lambda hold: hold.hold_id)]

    def _event(self, hold: _Hold, *, final: bool) -> HoldEvent:
        return HoldEvent(
            hold_id=hold.hold_id,
            plane=self._classes[hold.plane],
            best=hold.best,
            confidence=float(hold.best.smoothed[hold.plane]),
            start_s=hold.start_s,
            end_s=hold.end_s,
            final=final,
        )


def _own_quality(result: FrameResult) -> float:
    return 0.0 if result.quality is None else result.quality.score
