"""The toy data set as a folder of images: a folder per class, in it one per patient."""

from __future__ import annotations

from pathlib import Path

import cv2

from tests.training.toys import toy

_AT_ONCE = 5  # patients of one `toy`


def write_toy_folder(folder: Path, count: int = 240, patients: int = 20, seed: int = 0) -> Path:
    """Discs, bars and nothing. Returns the folder.

    Args:
        folder: Is made.
        count: Pictures in all; a third of each class.
        patients: A multiple of five; each has as many pictures as any other.
        seed: Of the pictures.
    """
    for first in range(0, patients, _AT_ONCE):
        data = toy(first, count * _AT_ONCE // patients, seed=1000 * seed + first + 1)
        for number, (picture, row) in enumerate(zip(data.frames.numpy(), data.rows, strict=True)):
            path = folder / row.plane / f"patient{row.group}" / f"{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), picture)
    return folder
