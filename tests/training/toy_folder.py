"""The toy data set as a folder of images: a folder per class, in it one per patient."""

from __future__ import annotations

from pathlib import Path

import cv2

from tests.training.toys import toy

_FIRST = (0, 5, 10, 15)


def write_toy_folder(folder: Path, count: int = 240) -> Path:
    """Discs, bars and nothing of twenty patients. Returns the folder."""
    for first in _FIRST:
        data = toy(first, count // len(_FIRST), seed=first + 1)
        for number, (picture, row) in enumerate(zip(data.frames.numpy(), data.rows, strict=True)):
            path = folder / row.plane / f"patient{row.group}" / f"{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), picture)
    return folder
