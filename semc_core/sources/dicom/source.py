"""A DICOM file as a source of frames, in sequence and at random."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import FrameDamaged, SourceError
from semc_core.language import _, joined, plural
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.dicom.colour import to_rgb
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.frames import DamagedFrame, StoredFrames
from semc_core.sources.dicom.gray import GrayTable, loop_range
from semc_core.sources.dicom.header import OpenedFile, open_dicom
from semc_core.sources.dicom.open_frames import frames_of
from semc_core.sources.dicom.palette import Palette
from semc_core.sources.dicom.region import tissue_region
from semc_core.sources.dicom.times import frame_times
from semc_core.sources.dicom.video import VideoFrames
from semc_core.types import Crop, SourceInfo

_NAMED: Final = 8
"""Damaged frames that a notice names one by one."""


class DicomSource(BaseSource):
    """The frames of a DICOM cine loop, still or video, decoded one by one.

    Times come from the first of these that is there and makes sense: what FrameIncrementPointer names,
    FrameTimeVector, FrameTime, CineRate, RecommendedDisplayFrameRate, a video's own rate; else 30 frames/s.
    Gray becomes uint8 (H, W): through the window of the header; without one, 8-bit pixels are kept as they
    are and deeper ones are scaled by the least and greatest value of the whole loop. MONOCHROME1 is inverted.
    Colour becomes uint8 (H, W, 3) RGB.

    What the header leaves out, or the data proves wrong, is assumed or mended, and told in `info.notice`.
    A frame that is damaged is left out, and told; the others keep their numbers and times.

    `hinted_crop` is the header's largest region of 2D tissue, if it lies inside the picture.

    Raises:
        SourceError: Not DICOM, without pictures, damaged, or compressed in a way that is not known here.
    """

    def __init__(self, path: Path | str, options: PictureOptions = AS_IT_IS) -> None:
        self._name = Path(path).name
        self._damaged: set[int] = set()
        self._next = 0
        self._told: list[str] = []
        if options != AS_IT_IS:
            self._tell(_("A DICOM file says itself how it is shown; the picture options do not change it."))
        self._opened = opened = open_dicom(Path(path))
        self._frames: StoredFrames | VideoFrames | None = None
        try:
            self._open(opened)
        except BaseException:
            self._let_go()
            raise

    def _open(self, opened: OpenedFile) -> None:
        try:
            frames = self._frames = frames_of(opened, self._tell)
        except SourceError as error:
            # Translators: {problem} says what the file holds, lacks or is.
            raise SourceError(_("{name} {problem}.", name=self._name, problem=error)) from error
        own_rate = frames.rate if isinstance(frames, VideoFrames) else None
        times = frame_times(opened.elements, frames.count, own_rate)
        self._times_s = times.times_s
        self._palette = self._made_palette()
        self._table: GrayTable | None = None
        self._table_made = False
        width, height = self._size()
        self._hinted_crop, region = tissue_region(opened.elements, width, height)
        for sentence in (*times.notices, *_mistyped(opened), *_aspect(opened), region):
            self._tell(sentence)
        super().__init__(
            SourceInfo(
                source_id=self._name,
                kind="dicom",
                width=width,
                height=height,
                frame_rate=times.rate,
                frame_count=frames.count,
                live=False,
                notice=joined(self._told),
            )
        )

    def _tell(self, sentence: str) -> None:
        if sentence and sentence not in self._told:
            self._told.append(sentence)

    def _size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        if isinstance(self._frames, VideoFrames):
            if (size := self._frames.size()) is None:
                raise SourceError(
                    _(
                        "{name} holds a video that cannot be decoded; it is damaged or cut short.",
                        name=self._name,
                    )
                )
            return size
        assert self._frames is not None
        return self._frames.form.columns, self._frames.form.rows

    def _grab(self) -> Grabbed | None:
        while self._next < len(self._times_s):
            index, self._next = self._next, self._next + 1
            try:
                return Grabbed(self._picture(index), self._times_s[index], index=index)
            except DamagedFrame:
                self._tell_damaged(index)
        return None

    def _release(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        if isinstance(self._frames, VideoFrames):
            self._frames.close()

    @property
    def damaged(self) -> Sequence[int]:
        """See `BaseSource.damaged`."""
        return sorted(self._damaged)

    @property
    def hinted_crop(self) -> Crop | None:
        """See `FrameSource.hinted_crop`."""
        return self._hinted_crop

    def times_s(self) -> list[float]:
        """The time of every frame, damaged or not, seconds."""
        return list(self._times_s)

    def grab_at(self, index: int) -> Grabbed:
        """The frame `index`, whatever was read before.

        Raises:
            SourceError: It is damaged.
        """
        try:
            return Grabbed(self._picture(index), self._times_s[index], index=index)
        except DamagedFrame as error:
            self._tell_damaged(index)
            raise FrameDamaged(
                _("Frame {index} of {name} is damaged; choose another.", index=index, name=self._name)
            ) from error

    def _tell_damaged(self, index: int) -> None:
        self._damaged.add(index)
        numbers = sorted(self._damaged)
        named = ", ".join(str(number) for number in numbers[:_NAMED])
        named += ", ..." if len(numbers) > _NAMED else ""
        total = len(self._times_s)
        if total == 1:
            damaged = _("1 of 1 frame is damaged and left out: number {numbers}.", numbers=named)
        else:
            damaged = plural(
                "{count} of {total} frames is damaged and left out: number {numbers}.",
                "{count} of {total} frames are damaged and left out: number {numbers}.",
                len(numbers),
                total=total,
                numbers=named,
            )
        self._info = replace(self._info, notice=joined([*self._told, damaged]))

    def _picture(self, index: int) -> Picture:
        """Raises DamagedFrame where it cannot be read."""
        frames = self._frames
        assert frames is not None
        if isinstance(frames, VideoFrames):
            return frames.picture(index)
        if not self._table_made:
            self._table, self._table_made = self._gray_table(frames), True
        return Picture(self._pixels(frames, frames.values(index)))

    def _pixels(self, frames: StoredFrames, values: NDArray[Any]) -> NDArray[np.uint8]:
        if self._table is not None:
            return self._table.apply(values)
        if self._palette is not None:
            return self._palette.apply(values)
        return to_rgb(values, frames.form.colour, frames.form.stored)

    def _made_palette(self) -> Palette | None:
        frames, opened = self._frames, self._opened
        if frames is None or isinstance(frames, VideoFrames) or frames.form.colour != "PALETTE COLOR":
            return None
        try:
            return Palette.from_header(opened.dataset, frames.form, opened.little, self._tell)
        except UNREADABLE as error:
            raise SourceError(
                _("{name} has a damaged colour palette; export it again.", name=self._name)
            ) from error

    def _gray_table(self, frames: StoredFrames) -> GrayTable | None:
        """None for colour."""
        if not frames.form.gray:
            return None
        try:
            table = GrayTable.from_window(self._opened.dataset, frames.form)
        except UNREADABLE as error:
            raise SourceError(
                _("{name} has gray values that cannot be shown; {reason}.", name=self._name, reason=error)
            ) from error
        if table is not None:
            return table
        return GrayTable.from_range(frames.form, loop_range(_undamaged(frames), self._check_interrupted))


def _undamaged(frames: StoredFrames) -> Generator[NDArray[Any], None, None]:
    for index in range(frames.count):
        try:
            yield frames.values(index)
        except DamagedFrame:
            continue


def _mistyped(opened: OpenedFile) -> list[str]:
    if not opened.elements.mistyped:
        return []
    named = ", ".join(opened.elements.mistyped)
    return [_("The header declares a wrong type for {names}; the value is read all the same.", names=named)]


def _aspect(opened: OpenedFile) -> list[str]:
    ratio = opened.elements.numbers("PixelAspectRatio")
    if len(ratio) != 2 or ratio[0] == ratio[1] or min(ratio) <= 0:
        return []
    return [
        _(
            "The pixels are not square ({height}:{width}, height to width); the picture is shown as it is "
            "stored.",
            height=f"{ratio[0]:g}",
            width=f"{ratio[1]:g}",
        )
    ]
