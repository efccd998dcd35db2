"""Turning the jumpy probabilities of single frames into steady ones."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESET_GAP_S: Final = 1.0
"""After a longer gap between frames the past says nothing of the present."""


class ProbabilitySmoother:
    """Exponential smoothing over presentation time, so that the frame rate does not matter.

    p_s(t) = p_s(t') + (1 - exp(-(t - t') / tau)) (p(t) - p_s(t')), with tau in seconds. The first frame, and
    the first after a gap of more than `RESET_GAP_S`, is taken as it is. Convex, so sums stay 1.
    """

    def __init__(self, time_constant_s: float) -> None:
        self._time_constant_s = time_constant_s
        self._state: NDArray[np.float64] | None = None
        self._time_s = 0.0

    def update(self, probabilities: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """The smoothed probabilities at `time_s`.

        Args:
            probabilities: float32 (K,), of the frame at `time_s` alone.
            time_s: Presentation time; a time that does not advance leaves the state as it is.

        Returns:
            float32 (K,), read-only.
        """
        new = probabilities.astype(np.float64)
        elapsed_s = time_s - self._time_s
        if self._state is None or elapsed_s > RESET_GAP_S or elapsed_s < -RESET_GAP_S:
            self._state = new
        elif elapsed_s > 0:
            self._state = self._state + self._gain(elapsed_s) * (new - self._state)
        self._time_s = time_s
        return self._output()

    def set(self, probabilities: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """Forget the past: from now on the state is `probabilities`."""
        self._state, self._time_s = probabilities.astype(np.float64), time_s
        return self._output()

    def hold(self, time_s: float) -> NDArray[np.float32] | None:
        """Keep the state over a frame that adds nothing (a frozen picture); None before the first frame."""
        self._time_s = time_s
        return None if self._state is None else self._output()

    def _gain(self, elapsed_s: float) -> float:
        if self._time_constant_s <= 0:
            return 1.0
        return 1.0 - math.exp(-elapsed_s / self._time_constant_s)

    def _output(self) -> NDArray[np.float32]:
        assert self._state is not None
        smoothed = self._state.astype(np.float32)
        smoothed.flags.writeable = False
        return smoothed
