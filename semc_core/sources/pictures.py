"""One image file: its pictures, whatever their depth, colours and orientation, as they are seen."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.sources import jpeg
from semc_core.sources.containers import check_file
from semc_core.sources.frames.decoded import over_black

SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".jp2", ".j2k", ".jpx", ".jpf", ".apng"}
)
# No other: some of Pillow's formats run programs, or only name the file that holds the picture.
_FORMATS: Final = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "JPEG2000", "GIF", "PPM")
MOST_PIXELS: Final = 1 << 27
"""A picture of more is refused before it is unpacked."""
_MS: Final = 1000
_UNSAID_MS: Final = 100
"""How long a picture of an animation is shown that does not say so, as browsers have it."""
_DAMAGED: Final = (OSError, UnidentifiedImageError, SyntaxError, ValueError, TypeError, EOFError, LookupError)
"""What Pillow raises of a file that is no image, or of one with a damaged head."""
# Tags of TIFF.
_BITS_PER_SAMPLE: Final = 258
_PHOTOMETRIC: Final = 262
_MAX_SAMPLE: Final = 281
_WHITE_IS_ZERO: Final = 0


class PictureFile:
    """An open image file with one picture or several. For one thread at a time.

    Attributes:
        count: Pictures in it.
        size: Width and height of the first as it is stored, pixels.
    """

    def __init__(self, path: Path, unsaid_bits: int = 0) -> None:
        """Open it.

        Args:
            path: Where it is.
            unsaid_bits: How many bits of a PNG file of 16 count, where it does not say so itself; 0 for all.

        Raises:
            SourceError: It is not there, is no image, or would unpack to more than is reasonable.
        """
        check_file(path)
        self._path = path
        try:
            with warnings.catch_warnings():
                # The bound is ours; Pillow's warning would be printed.
                warnings.simplefilter("ignore")
                self._open()
                pages = self._pages()
        except Image.DecompressionBombError as error:
            raise self._too_large(_said_size(error)) from error
        except _DAMAGED as error:
            raise self._unreadable() from error
        self.size = self._image.size
        try:
            self._check_size()
        except SourceError:
            self._image.close()
            raise
        # A picture that stands for an animation, where that cannot be shown, is none of it; nor are the
        # thumbnails and depths of a photograph.
        self._begin = int(bool(getattr(self._image, "default_image", False)) and pages > 1)
        self.count = 1 if self._image.format == "MPO" else pages - self._begin
        said = significant_bits(path) if self._image.format == "PNG" else None
        if said is not None and 8 < said <= _DEEPEST:
            self._image.info[_SIGNIFICANT] = said
        elif said is None and unsaid_bits and self._image.format == "PNG":
            self._image.info[_SIGNIFICANT] = unsaid_bits

    @property
    def format(self) -> str:
        """What the file is: "PNG", "TIFF", ..."""
        return self._image.format or ""

    @property
    def mode(self) -> str:
        """Channels and bits, in Pillow's words."""
        return self._image.mode

    @property
    def animated(self) -> bool:
        """Whether the pictures have times: an animation, not pages."""
        return self.count > 1 and self._image.format != "TIFF"

    def times_s(self) -> list[float]:
        """When each picture of an animation is shown, seconds from 0.

        Raises:
            SourceError: It cannot be read.
        """
        times_s, now_ms = [], 0.0
        for index in range(self.count):
            self._go_to(index)
            times_s.append(now_ms / _MS)
            if self._image.format == "WEBP":
                self._guarded(self._image.load)
            shown_ms = float(self._image.info.get("duration", 0) or 0)
            now_ms += shown_ms if shown_ms > 0 else _UNSAID_MS
        return times_s

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """Picture `index`: uint8 (H, W) gray or (H, W, 3) RGB, upright, without what is hidden.

        Raises:
            SourceError: It cannot be read.
        """
        self._go_to(index)
        self._check_size()
        pixels: list[NDArray[np.uint8]] = []
        self._guarded(lambda: pixels.append(self._jpeg() if self.format == "JPEG" else _seen(self._image)))
        return pixels[0]

    def _jpeg(self) -> NDArray[np.uint8]:
        """The picture, also where the marker of its end is missing; not where some of it is."""
        images: list[Image.Image] = []

        def decode(data: bytes) -> NDArray[np.uint8]:
            image = Image.open(BytesIO(data), formats=_FORMATS)
            image.load()
            images.append(image)
            return np.asarray(image)

        jpeg.decoded(self._path.read_bytes(), decode)
        return _seen(images[-1])

    def close(self) -> None:
        """Let go of the file."""
        self._image.close()

    def _go_to(self, index: int) -> None:
        if self.animated and self._begin + index < self._image.tell():
            # Pillow does not find its way back in every animation.
            self._image.close()
            self._guarded(self._open)
        if self.animated:
            # A picture that shows only what changed is put onto the one before, which must be there.
            for passed in range(self._image.tell(), self._begin + index):
                self._guarded(partial(self._image.seek, passed))
                self._guarded(self._image.load)
        self._guarded(lambda: self._image.seek(self._begin + index))

    def _check_size(self) -> None:
        width, height = self._image.size
        if width * height > MOST_PIXELS:
            raise self._too_large(f"{width} x {height}")

    def _pages(self) -> int:
        try:
            return int(getattr(self._image, "n_frames", 1))
        except BaseException:
            self._image.close()
            raise

    def _open(self) -> None:
        self._image = Image.open(self._path, formats=_FORMATS)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                act()
        except Image.DecompressionBombError as error:
            raise self._too_large(_said_size(error)) from error
        except (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError) as error:
            raise self._unreadable() from error
        except (MemoryError, OverflowError, AttributeError, RuntimeError, ZeroDivisionError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> SourceError:
        return SourceError(_("{name} cannot be read as an image; check the file.", name=self._path.name))

    def _too_large(self, size: str) -> SourceError:
        most = MOST_PIXELS // 10**6
        if size:
            return SourceError(
                _(
                    "{name} would unpack to more than {most} million pixels ({size}); save a smaller "
                    "picture.",
                    name=self._path.name,
                    most=most,
                    size=size,
                )
            )
        return SourceError(
            _(
                "{name} would unpack to more than {most} million pixels; save a smaller picture.",
                name=self._path.name,
                most=most,
            )
        )


def _said_size(error: Image.DecompressionBombError) -> str:
    """How many pixels Pillow says that the picture has: it refuses before the sides can be asked for."""
    said = re.search(r"\d{6,}", str(error))
    return _("{count} million", count=int(said[0]) // 10**6) if said else ""


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels of a file with one picture; see `PictureFile.pixels`.

    Raises:
        SourceError: It cannot be read, or holds several pictures.
    """
    picture = PictureFile(path)
    try:
        if picture.count > 1:
            raise SourceError(
                _(
                    "{name} holds {count} images; save each in a file of its own.",
                    name=path.name,
                    count=picture.count,
                )
            )
        return picture.pixels(0)
    finally:
        picture.close()


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height out of the file's header; None where that cannot be read: reading it says why."""
    try:
        picture = PictureFile(path)
    except SourceError:
        return None
    picture.close()
    return picture.size


def is_picture(head: bytes) -> bool:
    """Whether a file that begins so is an image."""
    return head.startswith(_MAGIC) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


_MAGIC: Final = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
)


def _seen(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels as they are seen: upright, in 8 bits, on black where they are transparent."""
    image.load()
    tags = dict(getattr(image, "tag_v2", {}))
    image = ImageOps.exif_transpose(image)
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return _of_depth(image, tags)
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        seen = over_black(np.asarray(image.convert("RGBA"), np.uint8))
        return np.ascontiguousarray(seen[..., 0]) if mode in ("1", "L", "LA", "La") else seen
    return np.array(image.convert("L" if mode in ("1", "L") else "RGB"), np.uint8)


def _of_depth(image: Image.Image, tags: dict[int, Any]) -> NDArray[np.uint8]:
    """Gray of more than 8 bits, in 8; `tags` are those of TIFF."""
    values: NDArray[Any] = np.asarray(image)
    if values.dtype.kind == "f":
        most = float(values.max(initial=0)) or 1.0
        seen = np.clip(np.nan_to_num(values) * (255 / most), 0, 255).astype(np.uint8)
    else:
        most = _most(image.info, tags, int(values.max(initial=0)))
        wide = values.clip(0, most).astype(np.int64)
        seen = (wide >> 8 if most == 0xFFFF else (wide * 510 + most) // (2 * most)).astype(np.uint8)
    if isinstance(hidden := image.info.get("transparency"), int):
        seen[values == hidden] = 0
    return np.asarray(~seen if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else seen, np.uint8)


def _most(info: dict[Any, Any], tags: dict[int, Any], highest: int) -> int:
    """The value of white by what the file says, else of 16 bits; `highest` is the highest that there is."""
    if tags:
        bits = max(tags.get(_BITS_PER_SAMPLE) or (16,))
        said = tags.get(_MAX_SAMPLE)
        said = max(said) if isinstance(said, tuple) else said
        # Nobody fills 32 bits: values of more than 16 are scaled by the highest that there is.
        most = int(said) if said else (1 << min(bits, _DEEPEST)) - 1
    else:
        most = (1 << int(info.get(_SIGNIFICANT, _DEEPEST))) - 1
    # Values above what is said to be significant were scaled to all bits already, as PNG demands.
    return most if highest <= most and most > 0 else max(0xFFFF, highest)


_SIGNIFICANT: Final = "significant bits"
_DEEPEST: Final = 16


def significant_bits(path: Path) -> int | None:
    """What a PNG file says how many of its bits are significant (chunk sBIT); None where it does not."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8 and head[4:] not in (b"IDAT", b"IEND"):
            length = int.from_bytes(head[:4], "big")
            if head[4:] == b"sBIT":
                return max(file.read(length)[:3], default=None)
            file.seek(length + 4, 1)
    return None
