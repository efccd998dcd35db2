"""A clip of the scan round each plane: VP9 in MP4 (docs/handover.md says what plays it)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from semc_core.export.deidentified import DeidentifiedClip
from semc_core.io.atomic import save_error

_TICKS: Final = Fraction(1, 90_000)
# Hardly to be told from the original; no frame waits for later ones, which saves time and little is lost.
_QUALITY: Final = {"crf": "27", "b": "0", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
_KEY_EVERY_FRAMES: Final = 30


def write_clip(path: Path, clip: DeidentifiedClip) -> None:
    """Write a new MP4 file with the frames' own times, beginning at 0.

    Raises:
        SaveError: It could not be written.
    """
    first_s, last = None, -1
    try:
        path.parent.mkdir(exist_ok=True)
        with av.open(f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libvpx-vp9", rate=Fraction(30), options=_QUALITY)
            # yuv420p wants even sizes: a column or row that is missing is black.
            stream.width, stream.height = clip.width + clip.width % 2, clip.height + clip.height % 2
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = stream.time_base = _TICKS
            stream.codec_context.gop_size = _KEY_EVERY_FRAMES
            stream.codec_context.thread_count = 2
            for each in clip.frames():
                first_s = each.time_s if first_s is None else first_s
                pixels = _even(each.pixels)
                frame = av.VideoFrame.from_ndarray(pixels, "gray" if pixels.ndim == 2 else "rgb24")
                # Two frames of one time are one after the other all the same.
                last = max(last + 1, round((each.time_s - first_s) / _TICKS))
                frame.pts, frame.time_base = last, _TICKS
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except (FFmpegError, OSError) as error:
        raise save_error(path.parent, OSError(error.errno, error.strerror)) from error


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return pixels
    added = [(0, height % 2), (0, width % 2), (0, 0)][: pixels.ndim]
    return np.pad(pixels, added)
