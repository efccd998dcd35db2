"""Brightness and contrast of a picture on the screen: pure arithmetic. No Qt here.

Only what is painted is changed. The model, what is saved and what is exported never see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.language import _

STEP: Final = 10
"""Of a key."""
_MOST: Final = 100
_MIDDLE: Final = 127.5


@dataclass(frozen=True, slots=True)
class Levels:
    """How a picture is painted.

    Attributes:
        brightness: -100 to 100; 100 makes black middle gray.
        contrast: -100 to 100, about middle gray; 100 is four times as much, -100 a quarter.
    """

    brightness: int = 0
    contrast: int = 0

    def changed(self, brightness: int = 0, contrast: int = 0) -> Levels:
        """So much more of each, within their bounds."""
        return Levels(_within(self.brightness + brightness), _within(self.contrast + contrast))

    @property
    def text(self) -> str:
        """ "Display: brightness +10, contrast −20"; "" where both are neutral."""
        brightness, contrast = _signed(self.brightness), _signed(self.contrast)
        if self.brightness and self.contrast:
            return _(
                "Display: brightness {brightness}, contrast {contrast}",
                brightness=brightness,
                contrast=contrast,
            )
        if self.brightness:
            return _("Display: brightness {brightness}", brightness=brightness)
        return _("Display: contrast {contrast}", contrast=contrast) if self.contrast else ""

    def applied(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Another array like `pixels`, uint8 (H, W) or (H, W, 3); the same one where both are neutral."""
        if self == NEUTRAL:
            return pixels
        steep = 4.0 ** (self.contrast / _MOST)
        gray = (np.arange(256) - _MIDDLE) * steep + _MIDDLE * (1 + self.brightness / _MOST)
        table = np.clip(np.round(gray), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(pixels, table), np.uint8)


NEUTRAL: Final = Levels()
"""The picture as it is."""


def _signed(value: int) -> str:
    return f"{value:+d}".replace("-", "\N{MINUS SIGN}")


def _within(value: int) -> int:
    return min(max(value, -_MOST), _MOST)
