"""Signed distances to the anatomy's shapes, negative inside.

Arrays are float32 (samples, lines), millimetres: a part of one frame's polar grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semc_core.phantom.anatomy import Ellipsoid, Tube, Vector

Grid = NDArray[np.float32]


def ellipsoid_mm(body: Ellipsoid, x: Grid, y: Grid, z: Grid) -> Grid:
    """Signed distance to an ellipsoid, first-order exact near its surface."""
    rows = (body.axes / body.radii[:, None]).astype(np.float32)
    shifts = -(rows.astype(np.float64) @ body.centre)
    inner = np.zeros_like(x)
    outer = np.full_like(x, 1e-12)
    for row, shift, radius in zip(rows, shifts, body.radii, strict=True):
        share = _weighted_sum(row, (x, y, z))
        share += np.float32(shift)
        share *= share
        inner += share
        share *= np.float32(1 / radius**2)
        outer += share
    np.sqrt(inner, out=inner)
    np.sqrt(outer, out=outer)
    distance: Grid = inner - 1
    distance *= inner
    distance /= outer
    return distance


def cylinder_mm(centre: Vector, radius_mm: float, x: Grid, y: Grid) -> Grid:
    """Signed distance to an upright cylinder; `centre` is (x, y)."""
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    dx *= dx
    dy *= dy
    dx += dy
    np.sqrt(dx, out=dx)
    dx -= np.float32(radius_mm)
    return dx


def tube_mm(tube: Tube, x: Grid, y: Grid, z: Grid) -> Grid:
    """Signed distance to a tapered capsule."""
    along = (tube.end - tube.start).astype(np.float32)
    start = tube.start.astype(np.float32)
    dx, dy, dz = x - start[0], y - start[1], z - start[2]
    share = _weighted_sum(along / (along @ along), (dx, dy, dz))
    np.clip(share, 0, 1, out=share)
    dx -= share * along[0]
    dy -= share * along[1]
    dz -= share * along[2]
    distance: Grid = np.sqrt(dx * dx + dy * dy + dz * dz)
    distance -= np.float32(tube.start_mm) + share * np.float32(tube.end_mm - tube.start_mm)
    return distance


def _weighted_sum(weights: NDArray[np.float32], parts: tuple[Grid, Grid, Grid]) -> Grid:
    """Sum of the parts times their weights; most shapes stand upright, so most weights are 0."""
    terms = [part * weight for weight, part in zip(weights, parts, strict=True) if weight]
    for term in terms[1:]:
        terms[0] += term
    total: Grid = terms[0]
    return total
