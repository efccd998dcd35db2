"""Reading a recorded loop at random: what every such loop promises, and the only place that chooses one.

What every loop has whose frames and times are known from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semc_core.types import FramePacket, SourceInfo

GiveUp = Callable[[], bool]
"""Whether what is being decoded is no longer wanted."""

Passed = Callable[[Callable[[], FramePacket | None]], None]
"""Told of a frame that came up on the way to the wanted one; the function given makes it a packet."""


class SeekableSource(Protocol):
    """A loop whose frames can be had in any order. For any thread.

    Frame k has the pixels and the time of the frame with the index k in a sequential read of the same file.
    One that is left out there, because it is damaged, raises.
    """

    @property
    def info(self) -> SourceInfo:
        """What is known of the file; `frame_count` is filled in once `settled`."""
        ...

    @property
    def count(self) -> int:
        """Number of frames; while not `settled` the best estimate, which may change."""
        ...

    @property
    def times_s(self) -> NDArray[np.float64]:
        """Presentation time of every frame, float64 (count,), seconds from 0, never decreasing, read-only."""
        ...

    @property
    def settled(self) -> bool:
        """Whether `count` and `times_s` are final. Few files need decoding for that, in the background."""
        ...

    def number_of(self, index: int) -> int:
        """`FramePacket.index` of frame `index`: the same, save in a recording, which has those of its scan.

        Of an `index` that is not there, `index` itself.
        """
        ...

    def frame(self, index: int, give_up: GiveUp | None = None, passed: Passed | None = None) -> FramePacket:
        """The frame `index`, from 0. Waits for its decoding.

        Args:
            index: Which.
            give_up: Asked while decoding goes on; True ends it. Who can give up goes ahead of who cannot.
            passed: Called on this thread with frames before `index` that come up meanwhile: something to see
                while a frame far into a group of pictures is decoded.

        Raises:
            SourceInterrupted: It was given up.
            SourceError: There is no such frame, it is damaged, or the source is closed.
        """
        ...

    def at(self, time_s: float) -> int:
        """Index of the frame shown at `time_s`: the last that began by then, within 0 and `count` - 1."""
        ...

    def confirm(
        self, numbers: NDArray[np.int64], times_s: NDArray[np.float64], *, complete: bool = False
    ) -> None:
        """A sequential read gave the first frames `numbers`, int64 (n,), and their times, float64 (n,).

        With `complete` it came to the end: there are no others. Returns at once. Should the file's packets
        have promised others (some could not be decoded), it is indexed anew, in the background; it is not
        `settled` until then.
        """
        ...

    def close(self) -> None:
        """Release the file and end the background work. May be called twice."""
        ...


def index_at(times_s: NDArray[np.float64], time_s: float) -> int:
    """Index of the last of the ascending `times_s` that is not after `time_s`; 0 before the first.

    A nanosecond is allowed for rounding, so that a frame's own time always finds it.
    """
    return max(0, int(np.searchsorted(times_s, time_s + 1e-9, side="right")) - 1)


class KnownTimes:
    """The part of a `SeekableSource` that follows from its times; they never change."""

    def __init__(self, times_s: ArrayLike) -> None:
        """Take the time of every frame as stored, float64 (count,), seconds."""
        # As a sequential read gives them: never decreasing.
        self._times_s: NDArray[np.float64] = np.maximum.accumulate(np.asarray(times_s, np.float64))
        self._times_s.flags.writeable = False

    @property
    def count(self) -> int:
        """See `SeekableSource`."""
        return len(self._times_s)

    @property
    def times_s(self) -> NDArray[np.float64]:
        """See `SeekableSource`."""
        return self._times_s

    @property
    def settled(self) -> bool:
        """Always True."""
        return True

    def at(self, time_s: float) -> int:
        """See `SeekableSource`."""
        return index_at(self._times_s, time_s)

    def confirm(
        self, numbers: NDArray[np.int64], times_s: NDArray[np.float64], *, complete: bool = False
    ) -> None:
        """Does nothing: there is nothing to be learnt."""
