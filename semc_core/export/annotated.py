"""What a person wrote and drew on a plane's picture: burnt into a copy of it, and listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semc_core.imaging.figures import COLOUR, LETTER, Line
from semc_core.paths import ASSETS
from semc_core.session.annotations import Annotation
from semc_core.session.records import PlaneEntry

_HALO: Final = (0, 0, 0)
_SHIFT: Final = 4
"""Bits of a pixel's fraction in which OpenCV draws."""
_FONT: Final = ASSETS / "fonts" / "NotoSans-Bold.ttf"


def of_plane(annotations: Sequence[Annotation], plane: PlaneEntry) -> tuple[Annotation, ...]:
    """Those on the frame that is the plane's picture: another may have been chosen since."""
    size = plane.width, plane.height
    return tuple(
        each
        for each in annotations
        if each.frame_index == plane.frame_index and (each.width, each.height) == size
    )


def burnt_in(pixels: NDArray[np.uint8], annotations: Sequence[Annotation]) -> NDArray[np.uint8]:
    """A copy of a picture with annotations over it.

    Args:
        pixels: uint8 (H, W) or (H, W, 3), RGB. Stays as it is.
        annotations: Whose places are pixels of this picture.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    made = np.array(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2), np.uint8)
    thick = max(1, round(min(made.shape[:2]) / 300))
    for colour, wide in ((_HALO, 3 * thick), (COLOUR, thick)):
        for each in annotations:
            for line in each.lines:
                cv2.polylines(made, [_fixed(line)], False, colour, wide, cv2.LINE_AA, _SHIFT)
    texts = [each for each in annotations if each.kind == "text"]
    return _with_texts(made, texts, thick) if texts else made


def annotation_record(annotation: Annotation) -> dict[str, Any]:
    """An annotation as plain JSON values."""
    return {
        "kind": annotation.kind,
        "points": [list(point) for point in annotation.points],
        "text": annotation.text,
        "figure": annotation.figure,
        "turn": annotation.turn,
    }


def _fixed(line: Line) -> NDArray[np.int32]:
    """In the fixed point that OpenCV takes: its pixel 0 has its middle at 0, ours at 0.5."""
    return np.round((line - 0.5) * 2**_SHIFT).astype(np.int32)


def _with_texts(pixels: NDArray[np.uint8], texts: Sequence[Annotation], halo: int) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(_FONT, max(8, round(LETTER * min(pixels.shape[:2]))))
    for each in texts:
        draw.text(each.points[0], each.text, COLOUR, font, anchor="ls", stroke_width=halo, stroke_fill=_HALO)
    return np.asarray(image)
