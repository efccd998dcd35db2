"""The frames that were saved for planes, read back from their files. No Qt here."""

from __future__ import annotations

import time

from app.review.opened import OpenReview
from semc_core.errors import SourceError
from semc_core.session.files import read_png
from semc_core.types import FramePacket


def saved_frame(opened: OpenReview, plane_id: int) -> FramePacket:
    """The frame that was saved for a plane, read from its PNG.

    Raises:
        SourceError: There is none.
        SaveError: It is not there any more, or damaged.
        SessionError: There is no such plane.
    """
    plane = opened.session.plane(plane_id)
    if plane.png is None:
        raise SourceError(f"The picture of {plane.plane} is missing; semc session verify says more.")
    pixels = read_png(opened.session.folder / plane.png)
    source_id = opened.session.source.source_id
    return FramePacket(source_id, plane.frame_index, plane.time_s, time.monotonic(), pixels)
