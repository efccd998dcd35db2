"""What a video decoder gave, as a picture: its planes, upright, and what gray and RGB are made of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from semc_core.picture import Picture, sampled_of
from semc_core.picture_options import Range
from semc_core.sources.frames.upright import Upright, upright_of

_PLANAR: Final = frozenset(
    f"yuv{letter}{colours}p" for letter in ("", "j") for colours in (410, 411, 420, 422, 440, 444)
)
"""Luma and two planes of colour, 8 bits each: what nearly all video is."""
_GRAY_LIKE: Final = ("gray", "mono")
_MPEG_RANGE: Final = 1
"""`VideoFrame.color_range` of pixels whose black is 16 and whose white is 235."""
_FULL_RANGE: Final = 2
_WITHOUT_COLOUR: Final = 128
_HAS_COLOUR_FORMAT: Final = (100, 110, 122, 144, 244)
"""Profiles of H.264 that say which colours there are."""
_MONOCHROME: Final = 0b11111100
"""Six bits that are always set, then the colour format: none."""

_OPAQUE: Final = 255

_BLACK: Final = np.full(4, 16.0)
_STRETCH: Final = 255 / 219
"""From a range in which black is 16 and white 235 to the full one: (luma - 16) * 255 / 219, 0 at least."""


def is_monochrome(context: VideoCodecContext) -> bool:
    """Whether the stream says that it has no colour although its decoder will give frames that could have.

    Of H.264 only, where the container holds the decoder's configuration (ISO/IEC 14496-15, 5.3.3.1.2).
    """
    return context.name == "h264" and says_monochrome(context.extradata or b"")


def says_monochrome(configuration: bytes) -> bool:
    """Whether an H.264 decoder's configuration record tells of no colour; False if it is cut short."""
    if len(configuration) < 6 or configuration[0] != 1 or configuration[1] not in _HAS_COLOUR_FORMAT:
        return False
    at = 5
    for mask in (0x1F, 0xFF):
        # The sets of parameters for sequences, then those for pictures: how many, then each with its length.
        if at >= len(configuration):
            return False
        count, at = configuration[at] & mask, at + 1
        for _ in range(count):
            at += 2 + int.from_bytes(configuration[at : at + 2], "big")
    return configuration[at : at + 1] == bytes([_MONOCHROME])


def is_full(frame: av.VideoFrame) -> bool:
    """Whether black is 0 and white 255 in the frame's planes, by its own words."""
    name = frame.format.name
    if name.startswith(_GRAY_LIKE):
        return bool(frame.color_range != _MPEG_RANGE)
    return frame.color_range == _FULL_RANGE or name.startswith("yuvj") or not _has_luma(frame.format)


def luma_of(frame: av.VideoFrame) -> NDArray[np.uint8] | None:
    """The plane of light of 8 bits as it was decoded, uint8 (H, W), not copied; None where there is none."""
    name = frame.format.name
    return _plane(frame, 0) if name in _PLANAR or name in ("gray", "nv12", "nv21") else None


def picture_of(
    frame: av.VideoFrame,
    *,
    monochrome: bool = False,
    upright: Upright | None = None,
    levels: Range = "auto",
    lent: bool = False,
) -> Picture:
    """The frame upright, at square pixels.

    Args:
        frame: As decoded; where `levels` are not "auto", it says them from then on.
        monochrome: What `is_monochrome` says of its stream.
        upright: What `upright.Uprights` says of it; None looks at this frame alone.
        levels: What black and white are, whatever the frame says.
        lent: Whether the picture may keep the decoder's own memory, which FFmpeg then does not use again
            before the picture is gone; else all is copied, as of a camera, which has only so many buffers.
    """
    upright = upright or upright_of(frame)
    name = frame.format.name
    if levels != "auto":
        frame.color_range = _FULL_RANGE if levels == "full" else _MPEG_RANGE
    if name in _PLANAR:
        full = is_full(frame) if levels == "auto" else levels == "full"
        planes = _Planes(frame, upright, full, lent=lent)
        if monochrome and planes.neutral:
            return Picture(planes.gray())
        if frame.interlaced_frame and not name.startswith("yuvj"):
            # FFmpeg makes its RGB field by field, and only of the decoder's own frame.
            return Picture(_Apart(planes.gray(), upright.apply(_converted(frame, "rgb24"))))
        return Picture(planes)
    if name.startswith(_GRAY_LIKE):
        gray = _converted(frame, "gray")
        return Picture(upright.apply(expanded(gray) if frame.color_range == _MPEG_RANGE else gray))
    if frame.format.has_palette or any(component.is_alpha for component in frame.format.components):
        seen = over_black(_converted(frame, "rgba"))
        return Picture(upright.apply(expanded(seen) if levels == "limited" else seen))
    rgb = upright.apply(_converted(frame, "rgb24"))
    if not _has_luma(frame.format):
        return Picture(expanded(rgb) if levels == "limited" else rgb)
    # More than 8 bits, or luma and colour in one plane: FFmpeg takes the luma out, at the full range.
    return Picture(_Apart(upright.apply(_converted(frame, "gray")), rgb))


class _Planes:
    """See `Planes`: a frame's luma and colour of 8 bits, as they were decoded."""

    def __init__(self, frame: av.VideoFrame, upright: Upright, full: bool, *, lent: bool) -> None:
        # A form whose name says that it is full may be said not to be.
        self._format, self._upright = frame.format.name.replace("yuvj", "yuv"), upright
        self._colorspace, self._color_range = frame.colorspace, frame.color_range
        self._full = full
        planes = [_plane(frame, number) for number in range(3)]
        self._planes = planes if lent else [plane.copy() for plane in planes]
        # Of lent ones the padding of the lines, too.
        self.nbytes = sum(plane.strides[0] * plane.shape[0] for plane in self._planes)

    @property
    def shape(self) -> tuple[int, int]:
        """See `Planes`."""
        height, width = self._planes[0].shape
        return self._upright.shape(height, width)

    @property
    def neutral(self) -> bool:
        """Whether no pixel has a colour: a stream may change its mind."""
        return all(bool((plane == _WITHOUT_COLOUR).all()) for plane in self._planes[1:])

    def gray(self) -> NDArray[np.uint8]:
        """See `Planes`: the luma, at the full range."""
        luma = self._planes[0]
        return self._upright.apply(luma if self._full else expanded(luma))

    def rgb(self) -> NDArray[np.uint8]:
        """See `Planes`: by FFmpeg, with the frame's own matrix and range."""
        planes, form = self._planes, self._format
        height, width = planes[0].shape
        frame = av.VideoFrame(width, height, form)
        for number, plane in enumerate(planes):
            _plane(frame, number)[:] = plane
        frame.colorspace = self._colorspace
        frame.color_range = _FULL_RANGE if self._full else self._color_range
        return self._upright.apply(_converted(frame, "rgb24"))

    def sampled(self, rows: int, columns: int) -> NDArray[np.uint8]:
        """See `Planes`: of the planes as they were decoded."""
        upright = replace(self._upright, aspect=Fraction(1))
        size = (rows, columns) if upright.transposed else (columns, rows)
        luma, blue, red = (cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST) for plane in self._planes)
        return upright.apply(np.dstack([luma, red, blue]))


class _Apart:
    """See `Planes`: luma and RGB of a frame whose own form is not kept."""

    def __init__(self, luma: NDArray[np.uint8], rgb: NDArray[np.uint8]) -> None:
        self._luma, self._rgb = luma, rgb
        self.nbytes = luma.nbytes + rgb.nbytes

    @property
    def shape(self) -> tuple[int, int]:
        """See `Planes`."""
        height, width = self._luma.shape
        return height, width

    def gray(self) -> NDArray[np.uint8]:
        """See `Planes`."""
        return self._luma

    def rgb(self) -> NDArray[np.uint8]:
        """See `Planes`."""
        return self._rgb

    def sampled(self, rows: int, columns: int) -> NDArray[np.uint8]:
        """See `Planes`."""
        return sampled_of(self._rgb, rows, columns)


def over_black(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, W, 4) -> (H, W, 3) as it is seen on black: a colour that is hidden is not shown."""
    alpha = rgba[..., 3]
    if int(alpha.min()) == _OPAQUE:
        return np.ascontiguousarray(rgba[..., :3])
    seen = rgba[..., :3].astype(np.uint16) * alpha[..., None] + _OPAQUE // 2
    return np.asarray(seen // _OPAQUE, np.uint8)


def _has_luma(form: av.VideoFormat) -> bool:
    """Whether there is luma beside colour: neither RGB, palette, XYZ, nor gray with or without alpha."""
    return not (form.is_rgb or form.has_palette or form.name.startswith("xyz") or len(form.components) < 3)


def _converted(frame: av.VideoFrame, form: str) -> NDArray[np.uint8]:
    """A copy of the pixels, as "gray" or "rgb24"."""
    # One thread: starting several takes longer than converting a frame does.
    pixels = np.asarray(frame.to_ndarray(format=form, threads=1), np.uint8)
    # What has this form already is handed out as it lies in the decoder's buffer.
    return pixels.copy() if frame.format.name == form else pixels


def expanded(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (H, W) or (H, W, 3) whose black is 16 and white 235 -> at the full range, 0 to 255."""
    above = cv2.subtract(luma, _BLACK, dtype=cv2.CV_8U)  # 0 where it would be negative
    return np.asarray(cv2.convertScaleAbs(above, above, _STRETCH), np.uint8)


def _plane(frame: av.VideoFrame, number: int) -> NDArray[np.uint8]:
    """One plane, not copied, without the padding of its lines."""
    plane = frame.planes[number]
    lines = np.frombuffer(memoryview(plane), np.uint8, plane.line_size * plane.height)
    return lines.reshape(plane.height, plane.line_size)[:, : plane.width]
