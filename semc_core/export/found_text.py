"""Text that was found in pictures, and what a person said of it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semc_core.types import Crop

Answer = Literal["mask", "keep"]
"""What a person said of text in a picture: black it out, or keep it, as it is no name."""


@dataclass(frozen=True, slots=True)
class FoundText:
    """Text in a picture.

    Attributes:
        box: Where, in pixels of the frame, with a small margin.
        words: What it seems to say; "" where only the place was kept.
        score: How sure the reader is of the letters, 0 to 1.
    """

    box: Crop
    words: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class TextFinding:
    """A picture or clip that holds text.

    Attributes:
        plane_id: Of the plane.
        plane: What a sentence calls it.
        found: The texts.
    """

    plane_id: int
    plane: str
    found: tuple[FoundText, ...]
