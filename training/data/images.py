"""Reading the pictures of samples, each with the region that shows the scan.

Formats: images, videos, DICOM, frames of rendered sets, NIfTI and MetaImage, frames of a session's loop.

Loops and stills of research data sets: NIfTI and MetaImage, as gray pictures with square pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError, UsageError
from semc_core.imaging.crop import find_crop
from semc_core.imaging.preprocess import whole
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.picture import Picture
from semc_core.review.loop import loop_of
from semc_core.session.session import Session
from semc_core.sources.pictures import PictureFile
from semc_core.types import Crop
from training.data.frame_set import read_shard
from training.data.loops import is_loop, read_loop


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class WithCrop:
    """What is read of the JSON that the program writes beside a picture."""

    crop: Crop


WITH_CROP: Final = Document(WithCrop, most_bytes=1_000_000)


@dataclass(frozen=True, slots=True, eq=False)
class SamplePicture:
    """One picture.

    Attributes:
        picture: Its gray is what a network sees, the same as live (docs/gray.md).
        crop: The region that shows the scan.
        kind: See `Row`.
        distance: See `Row`.
        scan_frame: See `Row.frame`.
    """

    picture: Picture
    crop: Crop
    kind: str = ""
    distance: float = float("inf")
    scan_frame: int = -1


def read_pictures(path: Path, frames: Sequence[int], bits: int = 0) -> Iterator[SamplePicture]:
    """The pictures of one file, in the order asked for.

    Args:
        path: An image, a file of many pictures, or a session's folder.
        frames: Places in the file, from 0; of a session the frames' indices in its scan.
        bits: See `Sample`.

    Raises:
        SourceError: The file cannot be read, or has no such frame.
        SessionError: The session cannot be opened.
    """
    reader = _reader_of(path, bits)
    try:
        yield from reader(path, frames)
    except UsageError as error:
        raise SourceError(str(error)) from error


def _reader_of(path: Path, bits: int) -> Callable[[Path, Sequence[int]], Iterator[SamplePicture]]:
    if path.name.lower().endswith(VOLUME_SUFFIXES):
        return _from_volume
    if path.suffix == ".npy":
        return _from_shard
    if path.is_dir():
        return _from_session
    return _from_loop if is_loop(path) else partial(_from_image, bits=bits)


def _from_image(path: Path, frames: Sequence[int], bits: int) -> Iterator[SamplePicture]:
    with closing(PictureFile(path, bits)) as file:
        for frame in frames:
            _check_frame(path, frame, file.count)
            picture = Picture(file.pixels(frame))
            crop = _stored_crop(path, picture.gray) if file.count == 1 else None
            yield _sample(picture, crop, frame if file.count > 1 else -1)


def _from_loop(path: Path, frames: Sequence[int]) -> Iterator[SamplePicture]:
    for frame, picture in zip(frames, read_loop(path, frames), strict=True):
        yield _sample(picture, scan_frame=frame)


def _from_volume(path: Path, frames: Sequence[int]) -> Iterator[SamplePicture]:
    pictures = read_volume(path)
    for frame in frames:
        _check_frame(path, frame, len(pictures))
        yield _sample(Picture(pictures[frame]), scan_frame=frame)


def _from_shard(path: Path, frames: Sequence[int]) -> Iterator[SamplePicture]:
    """Stored as live crops them already."""
    pictures, rows = read_shard(path.with_suffix(".csv"))
    for frame in frames:
        _check_frame(path, frame, len(rows))
        picture, row = Picture(np.array(pictures[frame])), rows[frame]
        yield SamplePicture(picture, whole(picture.gray), row.kind, row.distance, row.frame)


def _from_session(path: Path, frames: Sequence[int]) -> Iterator[SamplePicture]:
    with Session.open(path, read_only=True) as session:
        loop = loop_of(session)
        if loop is None:
            raise SourceError(f"The loop of {path.name} is gone; put it back, or remove the marks.")
        try:
            table = session.frames()
            rows = {int(index): row for row, index in enumerate(table.index)}
            for frame in frames:
                if frame not in rows:
                    raise SourceError(f"{path.name} has no frame {frame}; index the data set again.")
                packet = loop.frame(loop.at(float(table.pts_s[rows[frame]])))
                if packet.index != frame:
                    raise SourceError(f"Frame {frame} of {path.name} was not recorded; remove the mark.")
                yield _sample(packet.picture, Crop(*map(int, table.crop[rows[frame]])), frame)
        finally:
            loop.close()


def _sample(picture: Picture, crop: Crop | None = None, scan_frame: int = -1) -> SamplePicture:
    """A picture with its region, which is found as live does where it is not known."""
    return SamplePicture(picture, crop or find_crop(picture) or whole(picture.gray), scan_frame=scan_frame)


def _check_frame(path: Path, frame: int, count: int) -> None:
    if not 0 <= frame < count:
        raise SourceError(f"{path.name} has no picture {frame}; it holds {count}.")


def _stored_crop(path: Path, pixels: NDArray[np.uint8]) -> Crop | None:
    """The region that the program classified, from the JSON that it wrote beside the picture."""
    try:
        crop = WITH_CROP.read(path.with_suffix(".json")).crop
    except (OSError, DocumentFault):
        return None  # None, or another program's file.
    inside = crop.left >= 0 and crop.top >= 0 and crop.width > 0 and crop.height > 0
    fits = crop.left + crop.width <= pixels.shape[1] and crop.top + crop.height <= pixels.shape[0]
    return crop if inside and fits else None


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
