"""How the pictures of a source are shown: as it says itself, and as the user wants them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from semc_core.picture import Picture
from semc_core.picture_options import PictureOptions
from semc_core.sources.frames.decoded import expanded, is_monochrome, picture_of
from semc_core.sources.frames.upright import Upright, Uprights, pixel_aspect


class StreamPictures:
    """Makes pictures of the frames of one stream of video. For one thread at a time."""

    def __init__(self, context: VideoCodecContext, aspect: Fraction | None, options: PictureOptions) -> None:
        """`aspect` is width over height of a pixel, as the stream claims."""
        self._monochrome = is_monochrome(context)
        self._uprights = Uprights(pixel_aspect(aspect), options)
        self._options = options

    def of(self, frame: av.VideoFrame) -> Picture:
        """What is shown of a frame, upright and at square pixels."""
        upright = self._uprights.of(frame)
        # Of a file: its decoder has as many buffers as are held.
        return picture_of(
            frame, monochrome=self._monochrome, upright=upright, levels=self._options.range, lent=True
        )


def stored_as(pixels: NDArray[np.uint8], options: PictureOptions) -> NDArray[np.uint8]:
    """uint8 (H, W) or (H, W, 3) that needs no decoder -> as the user wants it; the same array where it is so.

    Its range is full unless the user says otherwise; nothing is deinterlaced.
    """
    if options.range == "limited":
        pixels = expanded(pixels)
    return Upright().wished(options, *pixels.shape[:2]).apply(pixels)
