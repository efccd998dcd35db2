"""Which pictures of a clip are looked at for text: its mean, and a few of the moments at which text appears.

Text stands still, so a mean of frames shows it better than any frame does. The mean of the whole clip shows
what stays; what is there for a moment only is faint in it. So the clip is cut into stretches of 0.25 s, of
which those are looked at as well that hold thin bright lines, standing still, that no picture chosen before
shows. Whatever stands still for 0.5 s fills one stretch at least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

STRETCH_S: Final = 0.25
MOST_MOMENTS: Final = 4
"""With the clip's mean and the plane's own picture, six pictures are read at most."""

_LEAST_STEP: Final = 32
_LEAST_PIXELS: Final = 40
_STROKE_PX: Final = 15

T = TypeVar("T", bound=np.generic)

Shown = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


@dataclass(slots=True, eq=False)
class _Stretch:
    """Some frames: how many, their sum, and the darkest that each pixel was."""

    number: int
    count: int
    total: NDArray[np.uint32]
    darkest: NDArray[np.uint8]

    @property
    def mean(self) -> NDArray[np.uint8]:
        return np.rint(self.total / self.count).astype(np.uint8)


class ClipLook:
    """Takes the frames of a clip one by one, and then gives the pictures to be read."""

    def __init__(self) -> None:
        """No frame is there yet."""
        self._first_s = 0.0
        self._now: _Stretch | None = None
        self._total: NDArray[np.uint32] | None = None
        self._count = 0
        self._stretches: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []

    def add(self, pixels: NDArray[np.uint8], time_s: float) -> None:
        """Take the next frame; one of another size than the first is left out, as it is of the clip.

        Args:
            pixels: uint8 (H, W) or (H, W, 3), as it is; colour may come and go.
            time_s: Its presentation time.
        """
        if self._total is None:
            self._first_s, self._total = time_s, np.zeros(pixels.shape, np.uint32)
        if self._total.shape[:2] != pixels.shape[:2]:
            return
        if pixels.ndim > self._total.ndim:
            self._end_stretch()
            self._total = _coloured(self._total)
        elif pixels.ndim < self._total.ndim:
            pixels = _coloured(pixels)
        self._count += 1
        # Times are rounded: what lies on the border belongs to the stretch that begins there.
        number = int((time_s - self._first_s) / STRETCH_S + 1e-3)
        if self._now is None or self._now.number != number:
            self._end_stretch()
            self._now = _Stretch(number, 1, pixels.astype(np.uint32), pixels.copy())
            return
        self._now.count += 1
        self._now.total += pixels
        np.minimum(self._now.darkest, pixels, out=self._now.darkest)

    def pictures(self, shown: Shown) -> list[NDArray[np.uint8]]:
        """The pictures to be read, as they are; the mean of the clip first. None without a frame.

        Args:
            shown: Makes of a picture what will be exported of it: text elsewhere does not matter.
        """
        self._end_stretch()
        if self._total is None:
            return []
        mean = np.rint(self._total / self._count).astype(np.uint8)
        seen = _lines(shown(mean))
        lines = [_lines(shown(darkest)) for _, darkest in self._stretches]
        chosen = [mean]
        for _ in range(min(MOST_MOMENTS, len(lines))):
            # What stands out by little more than in the pictures before is no news.
            limit = np.minimum(seen, 255 - _LEAST_STEP) + _LEAST_STEP
            news = [int(np.count_nonzero(each > limit)) for each in lines]
            most = int(np.argmax(news))
            if news[most] < _LEAST_PIXELS:
                break
            chosen.append(self._stretches[most][0])
            seen = np.maximum(seen, _spread(lines[most]))
        return chosen

    def _end_stretch(self) -> None:
        done, self._now = self._now, None
        if done is not None and self._total is not None:
            self._total += done.total
            self._stretches.append((done.mean, done.darkest))


def _coloured(gray: NDArray[T]) -> NDArray[T]:
    """(H, W) as (H, W, 3)."""
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


def _lines(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How far each pixel of a thin bright line stands out, 0 where that is little; uint8 (H, W)."""
    bright = pixels if pixels.ndim == 2 else pixels.max(axis=2)
    letters = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_STROKE_PX, _STROKE_PX))
    return _uint8(cv2.morphologyEx(bright, cv2.MORPH_TOPHAT, letters))


def _spread(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same, a pixel wider."""
    return _uint8(cv2.dilate(lines, np.ones((3, 3), np.uint8)))


def _uint8(values: Any) -> NDArray[np.uint8]:
    return np.asarray(values, np.uint8)
