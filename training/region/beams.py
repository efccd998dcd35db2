"""How the beams of a probe run: for each pixel of a picture, which beam passes it and how deep.

u runs across the beams and v along them; inside of the sector both are 0-1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pair = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Geometry:
    """A sector in units of its depth.

    Attributes:
        top: Its least y.
        bottom: Its greatest y.
        left: Its least x.
        right: Its greatest x.
        beams: Gives u and v of x and y.
    """

    top: float
    bottom: float
    left: float
    right: float
    beams: Callable[[Floats, Floats], Pair]


def make_beams(rng: np.random.Generator, kind: str, height: int, width: int) -> tuple[Floats, Floats]:
    """u and v of each pixel, float32 (height, width): a sector of some size, or cut off by the borders."""
    shape = _geometry(rng, kind)
    fits = min(height / (shape.bottom - shape.top), width / (shape.right - shape.left))
    clipped = rng.random() < 0.45
    scale = fits * (rng.uniform(1.05, 1.8) if clipped else rng.uniform(0.72, 1.0))
    stretch = rng.uniform(0.85, 1.18) if rng.random() < 0.25 else 1.0
    spare_x = width - (shape.right - shape.left) * scale
    spare_y = height - (shape.bottom - shape.top) * scale
    at_x = spare_x * (rng.uniform(0.3, 0.7) if clipped else rng.random())
    # A picture that is cut off mostly begins at the probe.
    share_y = rng.choice([0.0, rng.random() * 0.5, 1.0], p=[0.6, 0.25, 0.15]) if clipped else rng.random()
    x = _axis(width, at_x, scale, shape.left) * np.float32(stretch)
    y = _axis(height, spare_y * share_y, scale, shape.top)
    across, down = np.broadcast_arrays(x[None], y[:, None])
    u, v = shape.beams(across, down)
    return u.astype(np.float32), v.astype(np.float32)


def _axis(count: int, start: float, scale: float, least: float) -> Floats:
    pixels = (np.arange(count, dtype=np.float32) - np.float32(start)) / np.float32(scale)
    return (pixels + np.float32(least)).astype(np.float32)


def _geometry(rng: np.random.Generator, kind: str) -> Geometry:
    if kind in ("convex", "phased", "endocavity"):
        return _fan(rng, kind)
    wide = float(rng.uniform(0.35, 1.9))
    if kind == "virtual convex":
        return _virtual(rng, wide)
    lean = 0.0
    if kind == "steered":
        lean = float(np.tan(np.radians(rng.uniform(8, 22)))) * float(rng.choice([-1, 1]))

    def straight(x: Floats, y: Floats) -> Pair:
        return (x - y * np.float32(lean)) / np.float32(wide) + np.float32(0.5), y

    return Geometry(0.0, 1.0, -wide / 2 + min(lean, 0), wide / 2 + max(lean, 0), straight)


def _fan(rng: np.random.Generator, kind: str) -> Geometry:
    """Beams from an apex, at (0, 0): v is 0 at radius `inner` and 1 at radius 1."""
    inner, half_deg = {
        "convex": (rng.uniform(0.12, 0.6), rng.uniform(22, 48)),
        "phased": (rng.uniform(0.0, 0.06), rng.uniform(28, 50)),
        "endocavity": (rng.uniform(0.06, 0.25), rng.uniform(50, 82)),
    }[kind]
    half = float(np.radians(half_deg))
    lean = float(np.radians(rng.uniform(-20, 20))) if rng.random() < 0.1 else 0.0

    def fan(x: Floats, y: Floats) -> Pair:
        angle = np.arctan2(x, y) - lean
        return (angle + half) / (2 * half), (np.hypot(x, y) - inner) / (1 - inner)

    sides = np.linspace(lean - half, lean + half, 33)
    top = float((inner * np.cos(sides)).min())
    return Geometry(
        top, float(np.cos(sides).max()), float(np.sin(sides).min()), float(np.sin(sides).max()), fan
    )


def _virtual(rng: np.random.Generator, wide: float) -> Geometry:
    """A straight probe whose beams spread, as from an apex behind it; the lower edge straight or round."""
    half = float(np.radians(rng.uniform(7, 26)))
    behind = wide / 2 / float(np.tan(half))
    straight = bool(rng.random() < 0.4)

    def spread(x: Floats, y: Floats) -> Pair:
        angle = np.arctan2(x, y + behind)
        if straight:
            return (angle + half) / (2 * half), y
        start = behind / np.cos(angle)
        depth = (np.hypot(x, y + behind) - start) / np.maximum(behind + 1 - start, 0.05)
        return (angle + half) / (2 * half), depth

    side = (behind + 1) * float(np.tan(half) if straight else np.sin(half))
    return Geometry(0.0, 1.0, -side, side, spread)
