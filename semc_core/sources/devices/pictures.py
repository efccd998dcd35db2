"""Makes pictures of what a capture device gives, decoded or as it came; live, and played again."""

from __future__ import annotations

from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.language import joined
from semc_core.picture import Picture, in_8_bits
from semc_core.picture_options import PictureOptions, Range
from semc_core.sources.devices.buffers import PACKED, BufferForm
from semc_core.sources.devices.stamps import Came
from semc_core.sources.frames.decoded import expanded, luma_of, picture_of
from semc_core.sources.frames.deinterlace import Deinterlacer
from semc_core.sources.frames.upright import Upright
from semc_core.sources.frames.watched import ReadingWatch

_PLANES: Final = "yuv422p"


class CardPictures:
    """For one thread.

    Attributes:
        form: How the driver hands them over.
        told: What the user should know of the pictures, or "".
    """

    def __init__(self, options: PictureOptions) -> None:
        self._options = options
        self.form, self.told = BufferForm(), ""
        self._watch = ReadingWatch(options)
        self._start_s: float | None = None
        self._deinterlacer: Deinterlacer[Came] = Deinterlacer("on")

    def begin(self, form: BufferForm) -> None:
        """The device was opened, and what it gives is of this `form`."""
        self.form = form
        # What was there before it was away is no neighbour.
        self._deinterlacer = Deinterlacer("on")

    @property
    def source_range(self) -> Range:
        """What the levels are taken for unless the user says otherwise."""
        return self.form.levels

    @property
    def lost_levels(self) -> bool:
        """Whether the user says that the range is full, and the back end took it for limited all the same."""
        return self._options.range == "full" and self.source_range == "limited" and not self._packed

    @property
    def _packed(self) -> bool:
        return self.form.codec in PACKED

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that are shown of such a picture; 0, 0 where its own are not known."""
        if min(width, height) < 1:
            return 0, 0
        shown_height, shown_width = self._upright(height, width).shape(height, width)
        return shown_width, shown_height

    def of(self, given: NDArray[np.generic], came: Came) -> list[tuple[Picture, Came]]:
        """What is to be shown now, and when it came: `given`, what was held back to be deinterlaced, or both.

        Args:
            given: What `pixels_of` says: unsigned (H, W), (H, W, 3) BGR, or (H, W, 2) packed.
            came: When it came.
        """
        pixels = in_8_bits(given)
        height, width = pixels.shape[:2]
        packed = self._packed and pixels.shape == (height, width, 2)
        if self._options.deinterlace == "on":
            frame = self._planes(pixels) if packed else _frame_of(pixels)
            ready = self._deinterlacer.put(frame, came)
            return [(self._of_frame(each, then), then) for then, each in ready]
        if packed:
            return [(self._of_frame(self._planes(pixels), came), came)]
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels.copy()
        picture = self._of_rgb(np.asarray(rgb, np.uint8))
        self._look_at(picture.gray, came)
        return [(picture, came)]

    def ended(self) -> list[tuple[Picture, Came]]:
        """What was still held back."""
        return [(self._of_frame(each, then), then) for then, each in self._deinterlacer.gap()]

    def _of_frame(self, frame: av.VideoFrame, came: Came) -> Picture:
        packed = frame.format.name == _PLANES
        picture = self._of_planes(frame) if packed else self._of_rgb(_rgb_of(frame))
        self._look_at(luma_of(frame) if packed else picture.gray, came)
        return picture

    def _look_at(self, luma: NDArray[np.uint8] | None, came: Came) -> None:
        """Note what the user should know of it."""
        self._start_s = came.arrived_s if self._start_s is None else self._start_s
        if luma is not None:
            seen = self._watch.saw(luma, self.source_range == "full", came.arrived_s - self._start_s)
            self.told = joined((self.told, seen))

    def _of_planes(self, frame: av.VideoFrame) -> Picture:
        levels = self.source_range if self._options.range == "auto" else self._options.range
        return picture_of(frame, upright=self._upright(frame.height, frame.width), levels=levels)

    def _of_rgb(self, shown: NDArray[np.uint8]) -> Picture:
        if self._options.range == "limited" and self.source_range == "full":
            shown = expanded(shown)
        return Picture(self._upright(*shown.shape[:2]).apply(shown))

    def _upright(self, height: int, width: int) -> Upright:
        return Upright().wished(self._options, height, width)

    def _planes(self, pixels: NDArray[np.uint8]) -> av.VideoFrame:
        """Light and colours apart."""
        height, width = pixels.shape[:2]
        frame = av.VideoFrame(width, height, PACKED[self.form.codec])
        lines = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(height, -1)
        lines[:, : 2 * width] = pixels.reshape(height, 2 * width)
        return frame.reformat(format=_PLANES)


def _frame_of(pixels: NDArray[np.uint8]) -> av.VideoFrame:
    """Of uint8 (H, W) or (H, W, 3) BGR, in planes."""
    if pixels.ndim == 2:
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="gray")
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="bgr24").reformat(format="gbrp")


def _rgb_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Of a frame of `_frame_of`: uint8 (H, W), or (H, W, 3) RGB."""
    form = "gray" if frame.format.name == "gray" else "rgb24"
    return np.asarray(frame.to_ndarray(format=form), np.uint8).copy()
