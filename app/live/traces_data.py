"""The confidences of the last seconds, thinned so that drawing them stays cheap. No Qt here."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW_S: Final = 20.0
_STEP_S: Final = 0.05


class TraceHistory:
    """Times and smoothed probabilities of the last 20 s of presentation time, at most one in 50 ms."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, NDArray[np.float32]]] = deque()

    def add(self, time_s: float, smoothed: NDArray[np.float32]) -> None:
        """Put in the next point: float32 (K,). One that is too close to the last replaces it."""
        points = self._points
        if points and (time_s < points[-1][0] or smoothed.shape != points[-1][1].shape):
            points.clear()
        # The last point moves along until it is a step away from the one before.
        if len(points) > 1 and points[-1][0] - points[-2][0] < _STEP_S - 1e-9:
            points.pop()
        points.append((time_s, smoothed))
        while time_s - points[0][0] > WINDOW_S + 1.0:
            points.popleft()

    @property
    def newest_s(self) -> float:
        """Time of the newest point; 0 before the first."""
        return self._points[-1][0] if self._points else 0.0

    def curves(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Times before the newest, seconds, float64 (N,), all at most 0; probabilities float32 (N, K)."""
        if not self._points:
            return np.empty(0), np.empty((0, 0), np.float32)
        times = np.array([time for time, _ in self._points]) - self.newest_s
        return times, np.stack([values for _, values in self._points])

    def clear(self) -> None:
        """Forget everything."""
        self._points.clear()
