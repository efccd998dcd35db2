"""A plane that was saved: what the window's strip shows and what the files on disk say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SavedPlane:
    """One saved standard plane, or a frame captured by hand.

    Attributes:
        hold_id: Number of the hold within the scan, from 1. A later `SavedPlane` with the same number
            replaces this one: a better frame of the same hold was found.
        plane: Class name.
        confidence: Smoothed probability of `plane` at the saved frame, 0-1.
        frame_index: Index of the saved frame in its source.
        time_s: Its presentation time, seconds.
        hold_start_s: Time at which the hold began.
        hold_end_s: Time of the newest frame of the hold.
        final: True when the hold is over and this will not change again.
        by_hand: Captured with the key, not found by the detector.
        png: The saved frame; None if nothing is written (saving is off).
        thumbnail: uint8 (h, w) or (h, w, 3), at most 160 px wide, made from the saved frame. Read-only.
    """

    hold_id: int
    plane: str
    confidence: float
    frame_index: int
    time_s: float
    hold_start_s: float
    hold_end_s: float
    final: bool
    by_hand: bool
    png: Path | None
    thumbnail: NDArray[np.uint8]
