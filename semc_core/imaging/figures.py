"""Arrows and body marks as lines: outlines of an abdomen, a neck and a fetus, with a probe. Pure functions.

A figure is drawn in a box of side 1 round (0, 0), y downwards; the paths are this program's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]
"""float64 (N, 2): corners (x, y) of an open line."""
Place = tuple[float, float]

FIGURES: Final = MappingProxyType({"abdomen": "Abdomen", "neck": "Neck", "fetus": "Fetus"})
"""Names of the figures, and what they are called."""
COLOUR: Final = (190, 235, 255)
"""RGB of what is drawn: it is seen on gray and in colour Doppler, and is not that of measurements."""
LETTER: Final = 0.045
"""Size of a text's letters, as a share of the picture's shorter side."""
SIDE: Final = 0.22
"""Of a figure, as a share of the picture's shorter side."""
_STEPS: Final = 8
_HEAD: Final = 0.055
"""Length of an arrow's head, as a share of the picture's shorter side."""
_OPENING: Final = math.radians(26)

_HALVES: Final = MappingProxyType({
    "abdomen": (
        ((-0.36, -0.50), (-0.38, -0.32), (-0.30, -0.05), (-0.31, 0.12), (-0.39, 0.32), (-0.40, 0.50)),
        ((0.00, -0.34), (-0.11, -0.26), (-0.20, -0.12), (-0.25, 0.02)),
        ((-0.37, 0.36), (-0.20, 0.44), (-0.05, 0.50)),
    ),
    "neck": (
        ((-0.22, -0.50), (-0.21, -0.33), (-0.12, -0.18), (0.00, -0.13)),
        ((-0.17, -0.24), (-0.15, 0.00), (-0.18, 0.13), (-0.36, 0.24), (-0.47, 0.38), (-0.50, 0.50)),
        ((-0.38, 0.33), (-0.18, 0.30), (-0.04, 0.38)),
    ),
    "fetus": (),
})  # fmt: skip
"""Lines of the left half; the right one is its mirror image."""
_WHOLE: Final = MappingProxyType({
    "abdomen": (),
    "neck": (),
    "fetus": (
        ((0.04, -0.16), (0.22, -0.06), (0.31, 0.14), (0.25, 0.34), (0.06, 0.44)),
        ((-0.18, -0.11), (-0.14, 0.02), (-0.18, 0.13)),
        ((0.06, 0.44), (-0.12, 0.36), (-0.30, 0.12)),
        ((-0.30, 0.12), (-0.25, 0.34), (-0.38, 0.42)),
        ((-0.10, -0.04), (-0.26, 0.04), (-0.33, -0.08)),
    ),
})  # fmt: skip
_ROUND: Final = MappingProxyType({
    "abdomen": ((0.0, 0.14, 0.025, 0.025),),
    "neck": ((-0.06, 0.14, 0.04, 0.085), (0.06, 0.14, 0.04, 0.085)),
    "fetus": ((-0.12, -0.29, 0.21, 0.19), (-0.22, -0.29, 0.015, 0.015)),
})  # fmt: skip
"""Ellipses: middle and half axes."""
_PROBE: Final = ((-0.05, -0.10), (0.05, -0.10), (0.05, 0.10), (-0.05, 0.10), (-0.05, -0.10))
_NOTCH: Final = ((0.05, -0.10), (0.09, -0.06), (0.05, -0.02))
"""The side of the probe that is marked."""


def figure_lines(figure: str, middle: Place, shorter: float) -> list[Line]:
    """A figure round `middle`, in a picture whose shorter side has `shorter` pixels. Raises KeyError."""
    halves = [_smooth(points) for points in _HALVES[figure]]
    lines = [*halves, *(line * (-1, 1) for line in halves)]
    lines += [_smooth(points) for points in _WHOLE[figure]]
    lines += [_ellipse(*each) for each in _ROUND[figure]]
    return [line * (SIDE * shorter) + middle for line in lines]


def probe_lines(place: Place, turn: int, shorter: float) -> list[Line]:
    """A probe at `place`, turned clockwise by `turn` degrees."""
    angle = math.radians(turn)
    turned = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return [np.array(each, np.float64) @ turned * (SIDE * shorter) + place for each in (_PROBE, _NOTCH)]


def arrow_lines(tail: Place, head: Place, shorter: float) -> list[Line]:
    """An arrow from `tail` to `head`, where it points."""
    length = math.dist(tail, head)
    back = math.atan2(tail[1] - head[1], tail[0] - head[0])
    arm = min(_HEAD * shorter, length)
    barbs = [
        (head[0] + arm * math.cos(back + side), head[1] + arm * math.sin(back + side))
        for side in (-_OPENING, _OPENING)
    ]
    return [_line([tail, head]), _line([barbs[0], head, barbs[1]])]


def _line(points: Iterable[Place]) -> Line:
    return np.array(list(points), np.float64)


def _ellipse(x: float, y: float, across: float, down: float) -> Line:
    turn = np.linspace(0, 2 * np.pi, 4 * _STEPS + 1)
    return np.stack([x + across * np.cos(turn), y + down * np.sin(turn)], axis=1)


def _smooth(points: Sequence[Place]) -> Line:
    """A line through all points without corners (Catmull-Rom, uniform)."""
    given = np.array([points[0], *points, points[-1]], np.float64)
    t = np.linspace(0, 1, _STEPS, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(given, given[1:], given[2:], given[3:], strict=False):
        cubic = (3 * b - a - 3 * c + d) * t**3 + (2 * a - 5 * b + 4 * c - d) * t**2 + (c - a) * t + 2 * b
        parts.append(cubic / 2)
    return np.concatenate([*parts, given[-1:]])
