"""What a scanner writes round a picture and over it: words, rulers, scales, body marks, the probe's side."""

from __future__ import annotations

import cv2
import numpy as np

from semc_core.types import Crop
from training.region import elements
from training.region.elements import Canvas, Theme


def draw_marks(rng: np.random.Generator, canvas: Canvas, cell: Crop, theme: Theme, few: bool = False) -> None:
    """Draw what stands round a picture in `cell` and over it; few: only what may stand on it."""
    size = max(8, int(cell.height * rng.uniform(0.014, 0.034)))
    ink = theme.ink if theme.dark or few else (230, 230, 230)
    bright = elements.Theme(theme.back, theme.panel, ink, theme.accent, theme.font, dark=True)
    _words_in_corners(rng, canvas, cell, bright, size, 0.2 if few else 0.5)
    if not few:
        _beside(rng, canvas, cell, bright)
    if rng.random() < 0.3:  # the mark of the probe's side
        x = cell.left + int(rng.uniform(0.2, 0.8) * cell.width)
        y = cell.top + int(rng.uniform(0, 0.08) * cell.height)
        filled = -1 if rng.random() < 0.5 else 1
        cv2.circle(canvas, (x, y), max(2, size // 2), bright.accent, filled, cv2.LINE_AA)


def _words_in_corners(
    rng: np.random.Generator, canvas: Canvas, cell: Crop, theme: Theme, size: int, share: float
) -> None:
    for corner in range(4):
        if rng.random() < share:
            wide, tall = int(cell.width * rng.uniform(0.1, 0.3)), int(cell.height * rng.uniform(0.05, 0.3))
            x = cell.left + (2 if corner % 2 == 0 else cell.width - wide - 2)
            y = cell.top + (2 if corner < 2 else cell.height - tall - 2)
            elements.text_block(rng, canvas, Crop(x, y, wide, tall), theme, size)


def _beside(rng: np.random.Generator, canvas: Canvas, cell: Crop, theme: Theme) -> None:
    """A ruler, a body mark, the gray or colour scale, each sometimes."""
    if rng.random() < 0.45:
        wide, tall = max(4, int(cell.width * 0.012)), int(cell.height * rng.uniform(0.5, 0.95))
        elements.ruler(rng, canvas, _at_a_side(rng, cell, wide, tall), theme)
    if rng.random() < 0.2:
        wide, tall = int(cell.width * rng.uniform(0.06, 0.12)), int(cell.height * rng.uniform(0.08, 0.15))
        elements.body_mark(rng, canvas, _at_a_side(rng, cell, wide, tall), theme)
    if rng.random() < 0.45:
        wide, tall = (
            max(4, int(cell.width * rng.uniform(0.008, 0.03))),
            int(cell.height * rng.uniform(0.15, 0.5)),
        )
        x = cell.left + int(rng.choice([rng.uniform(0, 0.06), rng.uniform(0.92, 0.97)]) * cell.width)
        y = cell.top + int(rng.uniform(0.03, 0.4) * cell.height)
        elements.scale_bar(rng, canvas, Crop(x, y, wide, tall))


def _at_a_side(rng: np.random.Generator, cell: Crop, width: int, height: int) -> Crop:
    """A box at the left or right end of `cell`, at any height."""
    off = int(rng.uniform(0, 0.05) * cell.width)
    x = cell.left + (off if rng.random() < 0.5 else cell.width - width - off)
    return Crop(x, cell.top + int((cell.height - height) * rng.random()), width, height)
