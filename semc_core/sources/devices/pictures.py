"""Makes pictures of what a capture device gives: BGR, gray, or packed as it came."""

from __future__ import annotations

from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.picture import Picture, in_8_bits
from semc_core.picture_options import PictureOptions, Range
from semc_core.sources.decoded import expanded, picture_of
from semc_core.sources.devices.base import Capture
from semc_core.sources.upright import Upright

_PACKED: Final = {"YUYV": "yuyv422", "UYVY": "uyvy422"}
"""What comes as it is where it is asked for: FFmpeg's name for it."""
_PLANES: Final = "yuv422p"
_GIVES_PACKED: Final = (cv2.CAP_ANY, cv2.CAP_V4L2)
"""Back ends that hand out packed pictures. The others would give their own form of RGB, or nothing."""
_LIMITED: Final = ("YUYV", "UYVY", "YVYU", "NV12", "NV21", "YU12", "YV12")
"""Uncompressed light and colour: black is 16 by the rules of video, and back ends make RGB of it by them."""


def ask_for_packed(capture: Capture, back_end: int) -> str:
    """Ask that pictures be handed out as they come, where that is better.

    RGB that OpenCV makes of them has lost what lies below 16 and above 235, which a card sends whose range
    is full.

    Returns:
        FFmpeg's name for their form; "" where RGB comes.
    """
    form = _PACKED.get(_format(capture), "")
    if form and back_end in _GIVES_PACKED and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0.0):
        return form
    return ""


class CardPictures:
    """For one thread.

    Attributes:
        form: What `ask_for_packed` said; "" where RGB comes.
        source_range: "limited" or "full": what the levels are taken for unless the user says otherwise.
    """

    def __init__(self, options: PictureOptions) -> None:
        self._options = options
        self.form = ""
        self.source_range: Range = "full"

    def begin(self, capture: Capture, form: str) -> None:
        """The device was opened, and what it gives is of this `form`."""
        self.form = form
        self.source_range = "limited" if _format(capture) in _LIMITED else "full"

    @property
    def lost_levels(self) -> bool:
        """Whether the user says that the range is full, and the back end took it for limited all the same."""
        return self._options.range == "full" and self.source_range == "limited" and not self.form

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that are shown of such a picture."""
        shown_height, shown_width = Upright().wished(self._options, height, width).shape(height, width)
        return shown_width, shown_height

    def of(self, given: NDArray[np.generic]) -> Picture:
        """What is shown of `given`, unsigned (H, W), (H, W, 3) BGR, or (H, W, 2) packed."""
        pixels = in_8_bits(given)
        height, width = pixels.shape[:2]
        upright = Upright().wished(self._options, height, width)
        if self.form and pixels.shape == (height, width, 2):
            levels = self.source_range if self._options.range == "auto" else self._options.range
            return picture_of(self._planes(pixels), upright=upright, levels=levels)
        shown = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8) if pixels.ndim == 3 else pixels
        if self._options.range == "limited" and self.source_range == "full":
            shown = expanded(shown)
        shown = upright.apply(shown)
        return Picture(shown.copy() if shown is given else shown)

    def _planes(self, pixels: NDArray[np.uint8]) -> av.VideoFrame:
        """Light and colours apart."""
        height, width = pixels.shape[:2]
        frame = av.VideoFrame(width, height, self.form)
        lines = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(height, -1)
        lines[:, : 2 * width] = pixels.reshape(height, 2 * width)
        return frame.reformat(format=_PLANES)


def _format(capture: Capture) -> str:
    """The format in force, in four letters; "" where the driver does not say."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    return code.to_bytes(4, "little").decode("latin-1") if 0 < code < 2**32 else ""
