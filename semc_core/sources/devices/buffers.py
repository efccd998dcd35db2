"""How a card's driver hands its pictures over, and what they are in pixels: live, and played again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.sources.devices.base import Asked

DECODED: Final = "BGR3"
"""The format of what the system has decoded."""
PACKED: Final = {"YUYV": "yuyv422", "UYVY": "uyvy422"}
"""What is taken as it is wherever it can be had: FFmpeg's name for it. RGB that OpenCV makes of it has lost
what lies below 16 and above 235, which a card sends whose range is full."""
_UNDECODED_FROM: Final = (cv2.CAP_ANY, cv2.CAP_V4L2)
"""Back ends that hand out what the device sends. The others would give their own form of RGB, or nothing."""
_LIMITED: Final = ("YUYV", "UYVY", "YVYU", "NV12", "NV21", "YU12", "YV12")
"""Uncompressed light and colour: black is 16 by the rules of video, and back ends make RGB of it by them."""
COMPRESSED: Final = ("MJPG", "JPEG")
_DEEP: Final = {"Y10": 10, "Y12": 12}
"""Gray of so many bits, the lowest of 16."""
_ONE_PLANE: Final = {
    "YUYV": cv2.COLOR_YUV2BGR_YUYV,
    "UYVY": cv2.COLOR_YUV2BGR_UYVY,
    "YVYU": cv2.COLOR_YUV2BGR_YVYU,
}
_PLANES: Final = {
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "NV21": cv2.COLOR_YUV2BGR_NV21,
    "YU12": cv2.COLOR_YUV2BGR_I420,
    "YV12": cv2.COLOR_YUV2BGR_YV12,
}


@dataclass(frozen=True, slots=True)
class BufferForm:
    """How a driver hands pictures over.

    Attributes:
        codec: Their format in four capitals; `DECODED` where the system decodes them.
        levels: What black and white are of what the device sends, by its format: "limited", 16 and 235.
        width: Of the mode, pixels.
        height: Of the mode, pixels.
    """

    codec: str = DECODED
    levels: Literal["full", "limited"] = "full"
    width: int = 0
    height: int = 0


def asked_for(capture: Asked, back_end: int, width: int, height: int, *, undecoded: bool) -> BufferForm:
    """Ask that pictures be handed over as the device sends them, where that is better or is wanted.

    Args:
        capture: Its mode is in force.
        back_end: OpenCV's number of how it was opened.
        width: Of the mode.
        height: Of the mode.
        undecoded: Whether whatever the format is shall come as it is, not only what is in `PACKED`.
    """
    sent = _format(capture)
    levels: Literal["full", "limited"] = "limited" if sent in _LIMITED else "full"
    if (
        (undecoded or sent in PACKED)
        and back_end in _UNDECODED_FROM
        and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0.0)
    ):
        return BufferForm(_format(capture) or DECODED, levels, width, height)
    return BufferForm(DECODED, levels, width, height)


def pixels_of(buffer: NDArray[np.generic], form: BufferForm) -> NDArray[np.generic] | None:
    """(H, W, 3) BGR or (H, W) gray, as the system would have decoded it; (H, W, 2) of what is in `PACKED`.

    Args:
        buffer: As the driver gave it; whatever has three channels is pixels already.
        form: What it says that it is.

    Returns:
        None where it is no picture of that form.
    """
    if buffer.size == 0:
        return None
    if buffer.ndim == 3 and buffer.shape[2] == 3:
        return buffer
    codec, width, height = form.codec, form.width, form.height
    if codec in PACKED and buffer.ndim == 3 and buffer.shape[2] == 2 and buffer.dtype == np.uint8:
        return buffer
    try:
        if codec in COMPRESSED and buffer.dtype == np.uint8:
            found = cv2.imdecode(np.asarray(buffer, np.uint8).reshape(-1), cv2.IMREAD_COLOR)
            return None if found is None else np.asarray(found)
        if codec in _ONE_PLANE and buffer.nbytes == 2 * width * height:
            packed = _bytes(buffer, height, width, 2)
            return packed if codec in PACKED else np.asarray(cv2.cvtColor(packed, _ONE_PLANE[codec]))
        if codec in _PLANES and 2 * buffer.nbytes == 3 * width * height:
            return np.asarray(cv2.cvtColor(_bytes(buffer, height * 3 // 2, width), _PLANES[codec]))
    except cv2.error:
        return None
    if codec in (*COMPRESSED, *_ONE_PLANE, *_PLANES) or buffer.ndim != 2 or min(buffer.shape) < 2:
        return None
    if codec in _DEEP and buffer.dtype == np.uint16:
        return np.asarray(buffer, np.uint16) << np.uint16(16 - _DEEP[codec])
    return buffer  # gray, of 8 or 16 bits: also what a system decodes to


def _bytes(buffer: NDArray[np.generic], *shape: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(buffer).view(np.uint8).reshape(shape)


def _format(capture: Asked) -> str:
    """The format in force in four capitals; "" where the driver does not say."""
    return fourcc_text(capture.get(cv2.CAP_PROP_FOURCC)).strip()


def fourcc_text(value: float) -> str:
    """ "MJPG"; "" of a number that is none."""
    code = int(value) if 0 < value < 2**32 else 0
    text = code.to_bytes(4, "little").decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""
