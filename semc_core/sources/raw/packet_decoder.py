"""Decodes packets as they were kept, or as they come where no container holds them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from semc_core.errors import SourceError
from semc_core.io.packets import packet_of
from semc_core.language import _
from semc_core.picture_options import PictureOptions
from semc_core.sources.frames.live_frames import LiveFrames, Received
from semc_core.sources.frames.shown import StreamPictures
from semc_core.sources.frames.times import FrameClock
from semc_core.sources.raw.records import Coding, Raw

MOST_PIXELS: Final = 1 << 27


class PacketDecoder:
    """The decoder of the packets of one connection."""

    def __init__(self, coding: Coding, options: PictureOptions) -> None:
        """Prepare; raises SourceError where the coding is not known."""
        try:
            context = av.CodecContext.create(coding.codec, "r")
        except (av.FFmpegError, ValueError) as error:
            raise SourceError(_("The raw recording is coded in a way that is not known here.")) from error
        if not isinstance(context, VideoCodecContext):
            raise SourceError(_("The raw recording holds no pictures; ask for it again."))
        if coding.extra:
            context.extradata = bytes.fromhex(coding.extra)
        context.width, context.height = coding.width, coding.height
        if coding.pixel_format:
            context.pix_fmt = coding.pixel_format
        context.thread_type = "SLICE"
        context.options = {"max_pixels": str(MOST_PIXELS)}
        self._context = context
        clock = FrameClock(_number(coding.time_base), _number(coding.rate))
        self._frames = LiveFrames(StreamPictures(context, _number(coding.aspect), options), clock, options)
        self._last_s = 0.0

    @property
    def told(self) -> str:
        """What the user should know of its pictures, or ""."""
        return self._frames.told

    def pictures(self, raw: Raw) -> Iterator[Received]:
        """What comes of this packet."""
        self._last_s = raw.time_s
        yield from self._decoded(_packet(raw))

    def ended(self) -> Iterator[Received]:
        """What the decoder still holds."""
        yield from self._decoded(None)
        yield from self._frames.ended()

    def _decoded(self, packet: av.Packet[Any] | None) -> Iterator[Received]:
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError:
            return
        yield from self._frames.of(frames, self._last_s)


def _number(pair: tuple[int, int] | None) -> Fraction | None:
    return None if pair is None else Fraction(*pair)


def _packet(raw: Raw) -> av.Packet[Any]:
    packet = packet_of(np.ascontiguousarray(raw.data).tobytes())
    packet.pts, packet.dts = raw.pts, raw.dts
    packet.is_keyframe, packet.is_corrupt = raw.key, raw.corrupt
    if raw.coding.time_base is not None:
        packet.time_base = Fraction(*raw.coding.time_base)
    return packet
