"""Ultrasound-like pictures of no organ in particular: echo levels, speckle, and the field of view.

Levels are decibels on a grid (rows = depth, columns = beams); `picture` makes a gray screen of them.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Levels = NDArray[np.float32]
Picture = NDArray[np.uint8]

GRID: Final = (256, 160)
"""Rows (depth) and columns (beams) of a level grid."""


def smooth_field(rng: Rng, shape: tuple[int, int], cells: float) -> Levels:
    """float32 `shape`, mean 0, deviation 1: random, smooth over `cells` rows and columns."""
    noise = rng.standard_normal(shape).astype(np.float32)
    field = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=cells), np.float32)
    return np.asarray((field - field.mean()) / (field.std() + 1e-6), np.float32)


def coordinates() -> tuple[Levels, Levels]:
    """Depth and side of each grid point, 0-1."""
    rows, columns = np.mgrid[0 : GRID[0], 0 : GRID[1]].astype(np.float32)
    return rows / GRID[0], columns / GRID[1]


def ellipse(rng: Rng, radius: tuple[float, float]) -> NDArray[np.bool_]:
    """Where a random ellipse lies; radii within `radius`, in parts of the depth."""
    canvas = np.zeros(GRID, np.uint8)
    centre = (int(rng.uniform(0, GRID[1])), int(rng.uniform(0.1, 1) * GRID[0]))
    axes = tuple(max(2, int(rng.uniform(*radius) * GRID[0])) for _ in range(2))
    cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return canvas > 0


def picture(rng: Rng, levels: Levels, shape: tuple[int, int]) -> Picture:
    """A screen of `shape` showing `levels` with speckle, compressed, in a random field of view."""
    axial, lateral = rng.uniform(0.7, 2.0), rng.uniform(0.8, 3.0)
    white = rng.standard_normal((*GRID, 2)).astype(np.float32)
    field = cv2.GaussianBlur(white, (0, 0), sigmaX=lateral, sigmaY=axial)
    power = (field**2).sum(axis=2)
    speckle = 10 * np.log10(power / power.mean() + 1e-4)
    if rng.random() < 0.5:
        speckle = cv2.GaussianBlur(speckle, (0, 0), sigmaX=float(rng.uniform(0.4, 1.5)))
    depth, _ = coordinates()
    total = levels + rng.uniform(0.3, 1.0) * speckle + rng.uniform(-15, 10) * (depth - 0.5)
    share = (total + rng.uniform(-8, 8)) / rng.uniform(40, 70) + 0.45
    gray = (np.clip(share, 0, 1) ** rng.uniform(0.8, 1.4) * 255).astype(np.uint8)
    return _in_view(rng, gray, shape)


def _in_view(rng: Rng, gray: Picture, shape: tuple[int, int]) -> Picture:
    """Place the grid on a screen: convex or phased sector, or the rectangle of a linear probe."""
    height, width = shape
    if rng.random() < 0.3:
        return _rectangle(rng, gray, shape)
    half = np.radians(rng.uniform(52, 90)) / 2
    radius = rng.choice([0.02, rng.uniform(0.2, 0.6)])  # phased, or convex; in parts of the depth
    tall = 1 + radius * (1 - np.cos(half))
    scale = min(0.95 * height / tall, 0.95 * width / (2 * (1 + radius) * np.sin(half)))
    centre = width * (0.5 + rng.uniform(-0.05, 0.05))
    top = (height - tall * scale) / 2 - radius * np.cos(half) * scale
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = (columns - centre) / scale, (rows - top) / scale
    depth = np.hypot(x, y) - radius
    angle = np.arctan2(x, y) / (2 * half) + 0.5
    inside = (depth >= 0) & (depth < 1) & (angle >= 0) & (angle < 1)
    map_x = (angle * (GRID[1] - 1)).astype(np.float32)
    map_y = (depth * (GRID[0] - 1)).astype(np.float32)
    shown = cv2.remap(gray, map_x, map_y, cv2.INTER_LINEAR)
    return np.asarray(np.where(inside, shown, 0), np.uint8)


def _rectangle(rng: Rng, gray: Picture, shape: tuple[int, int]) -> Picture:
    height, width = shape
    tall = int(height * rng.uniform(0.7, 1.0))
    wide = int(width * rng.uniform(0.5, 1.0))
    screen = np.zeros(shape, np.uint8)
    top, left = (height - tall) // 2, (width - wide) // 2
    screen[top : top + tall, left : left + wide] = cv2.resize(gray, (wide, tall))
    return screen
