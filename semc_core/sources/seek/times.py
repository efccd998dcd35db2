"""What every loop has whose frames and times are known from the start."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semc_core.sources.seek.base import index_at


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

    def confirm(self, times_s: NDArray[np.float64]) -> None:
        """Does nothing: there is nothing to be learnt."""
