"""A folder of images, one image, or a file of several, as a source."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.io.regular import is_file
from semc_core.language import N_, _, plural
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.containers import check_file
from semc_core.sources.frames.shown import stored_as
from semc_core.sources.left_out import left_out_sentence
from semc_core.sources.pictures import SUFFIXES, PictureFile, read_image, size_of
from semc_core.types import STILLS_RATE, SourceInfo


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sorts names as people count: img2 before img10."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def open_images(
    path: Path, frame_rate: float | None, images: str, options: PictureOptions = AS_IT_IS
) -> StoredPictures:
    """A folder of images, or one image: a loop at this rate, or as `images` says ("loop", "stills", "auto").

    Raises:
        SourceError: See `ImageFolderSource`.
    """
    asked = frame_rate is not None
    if frame_rate is None:
        why = "" if images == "loop" else _ASKED if images == "stills" else are_stills(_images_of(path))
        frame_rate = STILLS_RATE if why else _LOOP_RATE
    else:
        why = _ASKED if frame_rate <= STILLS_RATE else ""
    if is_file(path):
        picture = PictureFile(path)
        if picture.count > 1:
            pages_rate = _LOOP_RATE if not asked and images != "stills" else frame_rate
            return _pages(path, picture, pages_rate, options)
        picture.close()
    source = ImageFolderSource(path, frame_rate, options)
    count = source.info.frame_count or 0
    if why and count > 1:
        source.tell(
            _(
                "The {count} pictures are taken as stills, each judged by itself: {reason}.",
                count=count,
                reason=_(why),
            )
        )
    return source


def _pages(path: Path, picture: PictureFile, frame_rate: float, options: PictureOptions) -> PagesSource:
    try:
        return PagesSource(path, picture, frame_rate, options)
    except BaseException:
        picture.close()
        raise


_MOST_NAMED: Final = 8
_LOOP_RATE: Final = 30.0
_ASKED: Final = N_("so it was asked")


def are_stills(paths: Sequence[Path]) -> str:
    """Why images are stills and not the frames of a loop, words for a sentence; "" where they are a loop.

    Frames have one size, and names that are alike but for a number, which counts up by one.

    Args:
        paths: In natural order.
    """
    if len(paths) == 1:
        return N_("there is only one")
    if not _count_up([natural_key(path.name) for path in paths]):
        return N_("their names do not count up by one")
    sizes = {size for size in map(size_of, paths) if size is not None}
    return N_("they differ in size") if len(sizes) > 1 else ""


def _count_up(names: list[list[tuple[int, str]]]) -> bool:
    """Whether names, of `natural_key`, are alike but for one number, which counts up by one."""
    first, second = names[:2]
    differs = [place for place, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]]
    if len(differs) != 1:
        return False
    (place,) = differs
    number = first[place][0]
    return number >= 0 and all(
        name == [*first[:place], (number + steps, ""), *first[place + 1 :]]
        for steps, name in enumerate(names)
    )


class StoredPictures(BaseSource):
    """Pictures that are stored one by one, each of its own size; what cannot be read is left out and told."""

    def __init__(self, info: SourceInfo, times_s: list[float], options: PictureOptions) -> None:
        """Find the first that can be read; its size becomes that of the source.

        Raises:
            SourceError: None can be read.
        """
        super().__init__(info, options)
        self._options = options
        self._times_s = times_s
        self._unread: list[int] = []
        self._told = ""
        self._shape: tuple[int, ...] | None = None
        failure: SourceError | None = None
        for index in range(len(times_s)):
            try:
                height, width = self.grab_at(index).picture.gray.shape
            except SourceError as error:
                failure = failure or error
                continue
            self._info = replace(self._info, width=width, height=height)
            return
        self._release()
        raise failure or SourceError(_("{name} holds no picture; choose another.", name=info.source_id))

    @abstractmethod
    def _pixels(self, index: int) -> NDArray[np.uint8]:
        """Picture `index`. Raises SourceError."""

    @abstractmethod
    def _left_out(self, numbers: list[int]) -> str:
        """What is said of pictures that cannot be read."""

    def _grab(self) -> Grabbed | None:
        for index in range(self._next_index, len(self._times_s)):
            with suppress(SourceError):
                return self.grab_at(index)
        return None

    @property
    def damaged(self) -> Sequence[int]:
        """See `BaseSource.damaged`."""
        return self._unread

    def tell(self, sentence: str) -> None:
        """Add to what the user should know of it."""
        self._add_notice(sentence)

    def times_s(self) -> list[float]:
        """The time of every picture, seconds."""
        return self._times_s

    def grab_at(self, index: int) -> Grabbed:
        """The picture `index`, whatever was read before.

        Raises:
            SourceError: It cannot be read.
        """
        try:
            pixels = stored_as(self._pixels(index), self._options)
        except SourceError:
            if index not in self._unread:
                self._unread = sorted([*self._unread, index])
                told = self._left_out(self._unread)
                self._replace_notice(self._told, told)
                self._told = told
            raise
        if self._shape is None:
            self._shape = pixels.shape[:2]
        if pixels.shape[:2] != self._shape:
            self._add_notice(_("The images differ in size; each is used as it is."))
        return Grabbed(Picture(pixels), self._times_s[index], index=index)

    def _release(self) -> None:
        """Nothing is held."""


class ImageFolderSource(StoredPictures):
    """The images of a folder in natural order, or a single image file; more than 8 bits are reduced to 8.

    Every image keeps its own size and number; that sizes differ, or that some cannot be read, is told in
    `info.notice`.

    Args:
        folder: Folder, or one image file.
        frame_rate: Images have no times; this gives them some, frames per second.
        options: How they are read.

    Raises:
        SourceError: Nothing there, no image in it, or none that can be read.
    """

    def __init__(
        self, folder: Path | str, frame_rate: float = 30.0, options: PictureOptions = AS_IT_IS
    ) -> None:
        folder = Path(folder)
        self._paths = _images_of(folder)
        name = folder.name or folder.resolve().name
        count = len(self._paths)
        super().__init__(
            SourceInfo(name, "images", 1, 1, frame_rate, count, live=False),
            [index / frame_rate for index in range(count)],
            options,
        )

    def _pixels(self, index: int) -> NDArray[np.uint8]:
        return read_image(self._paths[index])

    def _left_out(self, numbers: list[int]) -> str:
        named = ", ".join(self._paths[number].name for number in numbers[:_MOST_NAMED])
        if len(numbers) > _MOST_NAMED:
            named = _("{names} and others", names=named)
        return plural(
            "{count} of {total} pictures cannot be read and is left out: {names}.",
            "{count} of {total} pictures cannot be read and are left out: {names}.",
            len(numbers),
            total=len(self._paths),
            names=named,
        )


class PagesSource(StoredPictures):
    """One file of several pictures: an animation, with its own times, or pages.

    Args:
        path: The file.
        picture: The same, open; closed with the source.
        frame_rate: Of pages, which have no times, per second.
        options: How they are read.
    """

    def __init__(
        self, path: Path, picture: PictureFile, frame_rate: float, options: PictureOptions = AS_IT_IS
    ) -> None:
        self._picture = picture
        count = picture.count
        if picture.animated:
            times_s = picture.times_s()
            rate = (count - 1) / times_s[-1] if times_s[-1] > 0 else None
            # An animation is a video, whatever it is stored in; pictures far apart are stills.
            info = SourceInfo(path.name, "video", 1, 1, rate, count, live=False)
        else:
            times_s = [index / frame_rate for index in range(count)]
            info = SourceInfo(path.name, "images", 1, 1, frame_rate, count, live=False)
        super().__init__(info, times_s, options)
        if not picture.animated:
            self.tell(
                _(
                    "Its {count} pages have no times; they are shown at {rate} per second.",
                    count=count,
                    rate=f"{frame_rate:g}",
                )
            )

    def _pixels(self, index: int) -> NDArray[np.uint8]:
        return self._picture.pixels(index)

    def _left_out(self, numbers: list[int]) -> str:
        return left_out_sentence(numbers)

    def _release(self) -> None:
        self._picture.close()


def _images_of(folder: Path) -> list[Path]:
    if is_file(folder):
        return [folder]
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    except FileNotFoundError as error:
        raise SourceError(_("{folder} was not found; check the name.", folder=folder.name)) from error
    except OSError as error:
        if folder.exists() and not folder.is_dir():
            check_file(folder)
        raise SourceError(_("{folder} cannot be read; check its permissions.", folder=folder.name)) from error
    if not found:
        raise SourceError(
            _(
                "{folder} holds no image (png, jpg, bmp, tif, webp, jp2); choose another folder.",
                folder=folder.name,
            )
        )
    return sorted(found, key=lambda path: natural_key(path.name))
