"""How colours look to people who see fewer, and how far apart they are.

G. M. Machado, M. M. Oliveira, L. A. F. Fernandes: A Physiologically-based Model for Simulation of Color
Vision Deficiency. IEEE Transactions on Visualization and Computer Graphics 15(6), 2009, 1291-1298: matrices
for severity 1.0, which act on linear RGB.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

VISIONS: Final[dict[str, Floats]] = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
"""Rows give red, green and blue of what is seen, linear 0-1, from those of what is shown."""

_TO_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Of sRGB (IEC 61966-2-1) with the white of D65."""
_WHITE: Final = _TO_XYZ.sum(axis=1)


def seen(rgb: Floats, vision: str) -> Floats:
    """Colours as they are seen.

    Args:
        rgb: float64 (..., 3), sRGB, 0-1.
        vision: One of `VISIONS`.

    Returns:
        float64 (..., 3), sRGB, 0-1.
    """
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    changed = np.clip(linear @ VISIONS[vision].T, 0, 1)
    return np.where(changed <= 0.0031308, changed * 12.92, 1.055 * changed ** (1 / 2.4) - 0.055)


def lab(rgb: Floats) -> Floats:
    """CIELAB (D65) of sRGB 0-1, float64 (..., 3) both."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    bent = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = bent[..., 0], bent[..., 1], bent[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def rgb_of(colour: str) -> Floats:
    """Of "#rrggbb", float64 (3,), 0-1."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def apart(one: str, other: str, vision: str) -> float:
    """Difference of two colours "#rrggbb" as they are seen: CIE 1976, the distance in CIELAB."""
    first, second = (lab(seen(rgb_of(each), vision)) for each in (one, other))
    return float(np.linalg.norm(first - second))
