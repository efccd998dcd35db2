"""Where in the loop the review is, and how it moves: frame by frame, or by the clock. No Qt here."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.sources.seek.base import index_at

SPEEDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


class Playhead:
    """A place in a loop whose frames have the times `times_s`, ascending.

    Attributes:
        playing: Whether `tick` moves on.
        speed: One of `SPEEDS`.
        loop: First and last frame between which it plays again and again; None plays to the end.
    """

    def __init__(self, times_s: NDArray[np.float64]) -> None:
        """Stand at the first frame.

        Args:
            times_s: float64 (N,), presentation times; may be empty.
        """
        self._times_s = times_s
        self._index = 0
        self._clock: tuple[float, float] | None = None
        self.playing = False
        self.speed = 1.0
        self.loop: tuple[int, int] | None = None

    @property
    def times_s(self) -> NDArray[np.float64]:
        """The times of all frames."""
        return self._times_s

    @property
    def count(self) -> int:
        """How many frames there are."""
        return len(self._times_s)

    @property
    def index(self) -> int:
        """The frame it stands at; 0 in an empty loop."""
        return self._index

    @property
    def time_s(self) -> float:
        """The time of that frame."""
        return float(self._times_s[self._index]) if self.count else 0.0

    def extend(self, times_s: NDArray[np.float64]) -> None:
        """More frames of the same loop are known, or their times better; the place stays."""
        self._times_s = times_s
        self._index = min(self._index, max(0, self.count - 1))

    def go(self, index: int) -> None:
        """Stand at this frame, or at the nearest there is. Goes on playing from there."""
        self._index = min(max(index, 0), max(0, self.count - 1))
        self._clock = None

    def go_to_time(self, time_s: float) -> None:
        """Stand at the frame that is shown at this time."""
        self.go(self.at(time_s))

    def step(self, frames: int) -> None:
        """Hold the picture, so many frames on (or back)."""
        self.playing = False
        self.go(self._index + frames)

    def skip(self, seconds: float) -> None:
        """Go so many seconds on or back, at least one frame."""
        target = self.at(self.time_s + seconds)
        self.go(target if target != self._index else self._index + (1 if seconds > 0 else -1))

    def at(self, time_s: float) -> int:
        """The frame that is shown at a time: the last that is not later."""
        return index_at(self._times_s, time_s)

    def loop_over(self, first: int, last: int) -> None:
        """Play from frame `first` to `last`, again and again."""
        self.loop = first, last
        self.go(first)
        self.play(True)

    def play(self, on: bool) -> None:
        """Move on by the clock, from the start if this is the end; or hold. In a loop, from its start."""
        if on and self.loop is not None:
            if not self.loop[0] <= self._index < self.loop[1]:
                self.go(self.loop[0])
        elif on and self._index >= self.count - 1:
            self.go(0)
        self.playing = on and self.count > 1
        self._clock = None

    def change_speed(self, steps: int) -> None:
        """Play faster by so many of the `SPEEDS`, or slower."""
        at = SPEEDS.index(self.speed) + steps
        self.set_speed(SPEEDS[min(max(at, 0), len(SPEEDS) - 1)])

    def set_speed(self, speed: float) -> None:
        """Play at one of the `SPEEDS`."""
        self.speed = speed
        self._clock = None

    def tick(self, now_s: float) -> bool:
        """Move on to where the clock is. Returns whether the frame is another."""
        if not self.playing:
            return False
        if self._clock is None:
            self._clock = (now_s, self.time_s)
        began_s, from_s = self._clock
        before = self._index
        time_s = from_s + (now_s - began_s) * self.speed
        self._index = self.at(time_s)
        if self.loop is not None:
            self._go_round(time_s)
        elif self._index >= self.count - 1:
            self.playing = False
            self._clock = None
        return self._index != before

    def _go_round(self, time_s: float) -> None:
        """After the last frame of the loop, which is seen as long as the others, comes its first."""
        assert self.loop is not None
        first, last = self.loop[0], min(self.loop[1], self.count - 1)
        each_s = float(self._times_s[last] - self._times_s[first]) / max(1, last - first)
        if time_s >= float(self._times_s[last]) + each_s:
            self.go(first)
        self._index = min(self._index, last)
