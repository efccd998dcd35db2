"""Plays the file of a raw tap: what decoded it when it came decodes it again, so pictures are the same."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from PIL import Image

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.sources.decoded import picture_of
from semc_core.sources.raw.buffers import picture_of_pixels, pixels_of
from semc_core.sources.raw.file import TapFile
from semc_core.sources.raw.records import Coding, Raw
from semc_core.sources.upright import Uprights, pixel_aspect
from semc_core.types import SourceInfo

_MOST_PIXELS: Final = 1 << 27


class TapSource(BaseSource):
    """The pictures of a raw tap, at the times at which they came. Waits for its reader, as a video does.

    Raises:
        SourceError: It cannot be read, is none, or holds no picture.
    """

    def __init__(self, path: Path) -> None:
        self._file = TapFile(path)
        self._pictures = _pictures(self._file)
        try:
            first = next(self._pictures, None)
            if first is None:
                raise SourceError(f"{path.name} holds no picture that can be decoded; ask for it again.")
        except BaseException:
            self._file.close()
            raise
        self._first: Grabbed | None = first
        picture = first.picture
        super().__init__(
            SourceInfo(path.name, "video", picture.width, picture.height, None, None, live=False)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened, as far as it was read: "-0.213 s: asked for MJPG"."""
        return tuple(f"{note.time_s:.3f} s: {note.words}" for note in self._file.notes)

    def _grab(self) -> Grabbed | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        following = next(self._pictures, None)
        if following is None and self._file.cut_short:
            self._add_notice(f"{self._info.source_id} is cut short or damaged; what comes before is shown.")
        return following

    def _release(self) -> None:
        self._file.close()


def _pictures(file: TapFile) -> Iterator[Grabbed]:
    decoder: _Packets | None = None
    time_s = 0.0
    for raw in file.data():
        time_s = max(time_s, raw.time_s)
        if raw.coding.kind == "buffer":
            if (picture := _of_buffer(raw)) is not None:
                yield Grabbed(picture, time_s)
            continue
        if decoder is None or decoder.coding != raw.coding:
            decoder = _Packets(raw.coding)
        for picture in decoder.pictures(raw):
            yield Grabbed(picture, time_s)
    for picture in () if decoder is None else decoder.pictures(None):
        yield Grabbed(picture, time_s)


def _of_buffer(raw: Raw) -> Picture | None:
    """The picture of a card's buffer; None where it is none, or far larger than any card sends."""
    coding = raw.coding
    if raw.data.ndim == 1 or 1 in raw.data.shape:
        # Who made the file is not known: what a JPEG unpacks to is looked at before.
        try:
            with Image.open(io.BytesIO(raw.data.tobytes())) as jpeg:
                too_large = jpeg.width * jpeg.height > _MOST_PIXELS
        except (OSError, ValueError, Image.DecompressionBombError):
            return None
        if too_large:
            return None
    pixels = pixels_of(raw.data, coding.codec, coding.width, coding.height)
    return None if pixels is None else picture_of_pixels(pixels)


class _Packets:
    """The decoder of a stream's packets."""

    def __init__(self, coding: Coding) -> None:
        self.coding = coding
        try:
            context = av.CodecContext.create(coding.codec, "r")
        except (av.FFmpegError, ValueError) as error:
            raise SourceError("The raw recording is coded in a way that is not known here.") from error
        if not isinstance(context, VideoCodecContext):
            raise SourceError("The raw recording holds no pictures; ask for it again.")
        if coding.extra:
            context.extradata = bytes.fromhex(coding.extra)
        context.width, context.height = coding.width, coding.height
        if coding.pixel_format:
            context.pix_fmt = coding.pixel_format
        context.thread_type = "SLICE"
        context.options = {"max_pixels": str(_MOST_PIXELS)}
        self._context = context
        self._uprights = Uprights(pixel_aspect(None if coding.aspect is None else Fraction(*coding.aspect)))

    def pictures(self, raw: Raw | None) -> Iterator[Picture]:
        """What comes of this packet; of None, what the decoder still holds."""
        with suppress(av.FFmpegError):
            for frame in self._context.decode(None if raw is None else _packet(raw)):
                if not frame.is_corrupt:
                    yield picture_of(frame, upright=self._uprights.of(frame))


def _packet(raw: Raw) -> av.Packet[Any]:
    packet = av.Packet(np.ascontiguousarray(raw.data).tobytes())
    packet.pts, packet.dts = raw.pts, raw.dts
    packet.is_keyframe, packet.is_corrupt = raw.key, raw.corrupt
    if raw.coding.time_base is not None:
        packet.time_base = Fraction(*raw.coding.time_base)
    return packet
