"""The frames that were saved for planes, read back from their files. No Qt here."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.opened import OpenReview
from semc_core.errors import SourceError
from semc_core.frames import FramePacket, read_only


def read_png(path: Path) -> NDArray[np.uint8] | None:
    """The picture in a file, uint8 (H, W) or (H, W, 3) RGB, read-only; None if it cannot be read."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return None
    return read_only(np.asarray(pixels if pixels.ndim == 2 else pixels[..., 2::-1], np.uint8))


def saved_frame(opened: OpenReview, plane_id: int) -> FramePacket:
    """The frame that was saved for a plane, read from its PNG.

    Raises:
        SourceError: It is not there or damaged.
        SessionError: There is no such plane.
    """
    plane = opened.session.plane(plane_id)
    pixels = None if plane.png is None else read_png(opened.session.folder / plane.png)
    if pixels is None:
        raise SourceError(f"The saved frame of {plane.plane} cannot be read; semc session verify says more.")
    source_id = opened.session.source.source_id
    return FramePacket(source_id, plane.frame_index, plane.time_s, time.monotonic(), read_only(pixels))
