"""What a card's driver handed over, as pixels: the same for a live scan and for one that is played again."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.picture import Picture, in_8_bits

_COMPRESSED: Final = ("MJPG", "JPEG")
_PACKED: Final = {
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


def pixels_of(buffer: NDArray[np.generic], codec: str, width: int, height: int) -> NDArray[np.generic] | None:
    """(H, W, 3) BGR or (H, W) gray, as the system would have decoded it; None where that cannot be done.

    Args:
        buffer: As the driver gave it; whatever has three channels is pixels already.
        codec: Its format in four capitals.
        width: Of the mode, pixels.
        height: Of the mode, pixels.
    """
    if buffer.ndim == 3 and buffer.shape[2] == 3:
        return buffer
    try:
        if codec in _COMPRESSED and buffer.dtype == np.uint8:
            found = cv2.imdecode(np.asarray(buffer, np.uint8).reshape(-1), cv2.IMREAD_COLOR)
            return None if found is None else np.asarray(found)
        if codec in _PACKED and buffer.nbytes == 2 * width * height:
            return np.asarray(cv2.cvtColor(_bytes(buffer, height, width, 2), _PACKED[codec]))
        if codec in _PLANES and 2 * buffer.nbytes == 3 * width * height:
            return np.asarray(cv2.cvtColor(_bytes(buffer, height * 3 // 2, width), _PLANES[codec]))
    except cv2.error:
        return None
    if codec in (*_COMPRESSED, *_PACKED, *_PLANES) or buffer.ndim != 2 or min(buffer.shape) < 2:
        return None
    return buffer  # gray, of 8 or 16 bits: also what a system decodes to


def picture_of_pixels(pixels: NDArray[np.generic]) -> Picture:
    """(H, W, 3) BGR or (H, W) gray, of 8 or 16 bits, as the picture that a scan goes on with."""
    narrow = in_8_bits(pixels)
    shown = cv2.cvtColor(narrow, cv2.COLOR_BGR2RGB) if narrow.ndim == 3 else narrow.copy()
    return Picture(np.asarray(shown, np.uint8))


def _bytes(buffer: NDArray[np.generic], *shape: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(buffer).view(np.uint8).reshape(shape)
