"""Loops and stills of research data sets: NIfTI and MetaImage, as gray pictures with square pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError

VOLUME_SUFFIXES: Final = (".nii", ".nii.gz", ".mhd", ".mha")
_SQUARE: Final = 1.02
"""Pixels whose sides differ by less than this factor are square."""


def frame_count(path: Path) -> int:
    """How many pictures the file holds; only its header is read.

    Raises:
        SourceError: It cannot be read.
    """
    size = _reader(path).GetSize()
    return int(size[2]) if len(size) > 2 else 1


def read_volume(path: Path) -> NDArray[np.uint8]:
    """All pictures of a file.

    Returns:
        uint8 (N, H, W), rows from the probe downwards. Wider gray scales are brought to 0-255. Where pixels
        are not square, the picture is enlarged along their longer side, as a scanner's screen shows it.

    Raises:
        SourceError: It cannot be read.
    """
    import SimpleITK

    reader = _reader(path)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise _unreadable(path) from error
    values = SimpleITK.GetArrayFromImage(image)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or not values.size:
        raise SourceError(f"{path.name} holds no gray pictures; leave it out.")
    spacing = image.GetSpacing()
    return _square(_to_bytes(values), float(spacing[0]), float(spacing[1]))


def _reader(path: Path) -> Any:
    """A reader that has read the header."""
    import SimpleITK

    if path.suffix.lower() == ".mhd":
        _check_header(path)
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(path) from error
    return reader


def _check_header(path: Path) -> None:
    """Pixels are read from a file beside the header only, whatever the header names."""
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise _unreadable(path) from error
    for line in text.splitlines():
        key, _, value = line.partition("=")
        name = value.strip()
        if key.strip().lower() == "elementdatafile" and (Path(name).name != name or "\\" in name):
            raise SourceError(f"{path.name} names pixels in another folder; put them beside it.")


def _unreadable(path: Path) -> SourceError:
    return SourceError(f"{path.name} cannot be read; it is damaged, or was not copied completely.")


def _to_bytes(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return cast("NDArray[np.uint8]", values)
    numbers = np.nan_to_num(values.astype(np.float32))
    low, high = min(0.0, float(numbers.min())), max(255.0, float(numbers.max()))
    return np.asarray(np.rint((numbers - low) * (255 / (high - low))), np.uint8)


def _square(pictures: NDArray[np.uint8], along_x: float, along_y: float) -> NDArray[np.uint8]:
    """Spacings in any unit; only their ratio counts."""
    if not (along_x > 0 and along_y > 0) or max(along_x / along_y, along_y / along_x) < _SQUARE:
        return pictures
    height, width = pictures.shape[1:]
    if along_x > along_y:
        size = (round(width * along_x / along_y), height)
    else:
        size = (width, round(height * along_y / along_x))
    return np.stack(
        [np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_LINEAR), np.uint8) for each in pictures]
    )
