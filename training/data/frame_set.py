"""Frames with their labels, as training and evaluation take them.

Shapes: N frames, h x w pixels, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.labels import NON_STANDARD

AMBIGUOUS: Final = (0.85, 1.3)
"""Distances at which a frame is neither clearly standard nor clearly not."""

_NEAR: Final = 2.5


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one frame.

    Attributes:
        group: Patient, series or video; all frames of a group are in one split.
        source: Scanner, hospital or collection; "" if unknown.
        plane: Class name.
        kind: Of a simulated frame "scan", "posed" (a pose beside the scan's path), or "negative:..." with the
            maker's name; else "".
        distance: Of a simulated frame, to the nearest plane in units of tolerance; at most 1 is standard.
            Infinite where there is no plane, or it is unknown.
        frame: Index in its scan or file; -1 for a picture that is not part of one.
    """

    group: str
    source: str
    plane: str
    kind: str = ""
    distance: float = float("inf")
    frame: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class FrameSet:
    """Frames with their labels.

    Attributes:
        frames: uint8 (N, h, w), gray; of a large set on the disk, read as it is used.
        labels: int64 (N,), index into the classes.
        rows: N of them, what is known of each frame.
        classes: K names.
    """

    frames: Tensor
    labels: Tensor
    rows: list[Row]
    classes: tuple[str, ...]

    @property
    def groups(self) -> list[str]:
        """The groups in it, sorted."""
        return sorted({row.group for row in self.rows})

    def subset(self, kept: NDArray[np.bool_]) -> FrameSet:
        """Only the frames where `kept`, bool (N,), is true. Copies them, unless it is all."""
        if kept.all():
            return self
        places = np.flatnonzero(kept)
        chosen = torch.from_numpy(places)
        rows = [self.rows[int(i)] for i in places]
        return FrameSet(self.frames[chosen], self.labels[chosen], rows, self.classes)

    def is_ambiguous(self) -> NDArray[np.bool_]:
        """bool (N,): which frames lie in the band of `AMBIGUOUS`."""
        low, high = AMBIGUOUS
        return np.array([low <= row.distance <= high for row in self.rows], bool)

    def families(self) -> list[str]:
        """For each frame its plane, or for NSP "near", "far" or "negative"."""
        return [_family(row) for row in self.rows]


def _family(row: Row) -> str:
    if row.plane != NON_STANDARD:
        return row.plane
    if row.kind.startswith("negative"):
        return "negative"
    return "near" if row.distance <= _NEAR else "far"
