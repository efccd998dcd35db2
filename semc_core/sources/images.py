"""A folder of still images, or one image, as a source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.types import STILLS_RATE, SourceInfo

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sorts names as people count: img2 before img10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def open_images(path: Path, frame_rate: float | None, images: str) -> ImageFolderSource:
    """A folder of images, or one image: a loop at this rate, or as `images` says ("loop", "stills", "auto").

    Raises:
        SourceError: See `ImageFolderSource`.
    """
    if frame_rate is None:
        why = "" if images == "loop" else _ASKED if images == "stills" else are_stills(_images_of(path))
        frame_rate = STILLS_RATE if why else _LOOP_RATE
    else:
        why = _ASKED if frame_rate <= STILLS_RATE else ""
    source = ImageFolderSource(path, frame_rate)
    count = source.info.frame_count or 0
    if why and count > 1:
        source.tell(f"The {count} pictures are taken as stills, each judged by itself: {why}.")
    return source


_LOOP_RATE: Final = 30.0
_ASKED: Final = "so it was asked"


def are_stills(paths: Sequence[Path]) -> str:
    """Why images are stills and not the frames of a loop, words for a sentence; "" where they are a loop.

    Frames have one size, and names that are alike but for a number, which counts up by one.

    Args:
        paths: In natural order.
    """
    if len(paths) == 1:
        return "there is only one"
    if not _count_up([natural_key(path.name) for path in paths]):
        return "their names do not count up by one"
    sizes = {size for size in map(_size_of, paths) if size is not None}
    return "they differ in size" if len(sizes) > 1 else ""


def _count_up(names: list[list[tuple[int, str]]]) -> bool:
    """Whether names, of `natural_key`, are alike but for one number, which counts up by one."""
    first, second = names[:2]
    differs = [place for place, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]]
    if len(differs) != 1:
        return False
    (place,) = differs
    number, _ = first[place]
    return number >= 0 and all(
        name == [*first[:place], (number + steps, ""), *first[place + 1 :]]
        for steps, name in enumerate(names)
    )


def _size_of(path: Path) -> tuple[int, int] | None:
    """Width and height out of the file's header; None where that cannot be read: reading it says why."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


class ImageFolderSource(BaseSource):
    """The images of a folder in natural order, or a single image file; 16-bit pixels are reduced to 8.

    Every image keeps its own size; that sizes differ is told in `info.notice`.

    Args:
        folder: Folder, or one image file.
        frame_rate: Images have no times; this gives them some, frames per second.

    Raises:
        SourceError: Nothing there, no image in it, or (from `read` too) an image that cannot be read.
    """

    def __init__(self, folder: Path | str, frame_rate: float = 30.0) -> None:
        folder = Path(folder)
        self._paths = _images_of(folder)
        self._frame_rate = frame_rate
        self._shape = read_image(self._paths[0]).shape[:2]
        super().__init__(
            SourceInfo(
                source_id=folder.name or folder.resolve().name,
                kind="images",
                width=self._shape[1],
                height=self._shape[0],
                frame_rate=frame_rate,
                frame_count=len(self._paths),
                live=False,
            )
        )

    def _grab(self) -> Grabbed | None:
        index = self._next_index
        return None if index == len(self._paths) else self.grab_at(index)

    def tell(self, sentence: str) -> None:
        """Add to what the user should know of it."""
        self._add_notice(sentence)

    def times_s(self) -> list[float]:
        """The time of every image, seconds."""
        return [index / self._frame_rate for index in range(len(self._paths))]

    def grab_at(self, index: int) -> Grabbed:
        """The image `index`, whatever was read before.

        Raises:
            SourceError: It cannot be read.
        """
        pixels = read_image(self._paths[index])
        if pixels.shape[:2] != self._shape:
            self._add_notice("The images differ in size; each is used as it is.")
        return Grabbed(Picture(pixels), index / self._frame_rate)

    def _release(self) -> None:
        """Nothing is held."""


def _images_of(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    except FileNotFoundError as error:
        raise SourceError(f"{folder.name} was not found; check the name.") from error
    except OSError as error:
        raise SourceError(f"{folder.name} cannot be read; check its permissions.") from error
    if not found:
        raise SourceError(f"{folder.name} holds no image (png, jpg, bmp, tif); choose another folder.")
    return sorted(found, key=lambda path: natural_key(path.name))


def read_image(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The pixels of an image file, uint8 (H, W) gray or (H, W, 3) RGB; 16 bits are reduced to 8.

    Raises:
        SourceError: It cannot be read, or holds several images.
    """
    try:
        # Read by Python, not by OpenCV, which on Windows cannot open every name.
        data = np.frombuffer(path.read_bytes(), np.uint8)
        decoded = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR) if data.size else None
    except (OSError, cv2.error) as error:
        raise SourceError(f"{path.name} cannot be read as an image; check the file.") from error
    if decoded is None:
        raise SourceError(f"{path.name} cannot be read as an image; check the file.")
    pages = cv2.imcount(str(path)) if path.suffix.lower() in (".tif", ".tiff") else 1
    if pages > 1:
        raise SourceError(f"{path.name} holds {pages} images; save each in a file of its own.")
    image = np.asarray(decoded, np.uint8)
    return image if image.ndim == 2 else np.ascontiguousarray(image[:, :, ::-1])
