"""Where a picture, or something that is tracked, was in space, as the sender of the picture said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Matrix = tuple[
    float, float, float, float, float, float, float, float, float, float, float, float
]  # fmt: skip
"""The upper three rows of a 4 x 4 matrix, one after the other, in millimetres; the fourth is 0 0 0 1."""


@dataclass(frozen=True, slots=True)
class Pose:
    """One of a frame's.

    Attributes:
        name: Of the transform, as its sender calls it; "" of the picture itself, whose matrix leads from the
            middle of its pixel (column, row, 0), counted from 0, to millimetres.
        matrix: Finite; rotated, mirrored and scaled along its axes, which stand at right angles.
        coordinates: "RAS" or "LPS", as sent; "" where the sender does not say, as of every transform.
        stamp_s: When it was measured, by the sender's clock, seconds; 0 where it does not say.
        age_s: How much older than the picture it is, seconds; below 0 where it is newer.
    """

    name: str
    matrix: Matrix
    coordinates: str = ""
    stamp_s: float = 0.0
    age_s: float = 0.0

    @property
    def rows(self) -> list[list[float]]:
        """The whole 4 x 4 matrix, row by row."""
        m = self.matrix
        return [list(m[:4]), list(m[4:8]), list(m[8:]), [0.0, 0.0, 0.0, 1.0]]

    @property
    def of(self) -> str:
        """What it is of: "picture" or "transform"."""
        return "transform" if self.name else "picture"

    def plain(self) -> dict[str, Any]:
        """As JSON values. Without its stamp, which is a date."""
        return {
            "of": self.of,
            "name": self.name,
            "coordinates": self.coordinates,
            "age_s": round(self.age_s, 6),
            "matrix": self.rows,
        }


FramePoses = tuple[int, tuple[Pose, ...]]
"""Index of a frame in its source, and its poses."""
