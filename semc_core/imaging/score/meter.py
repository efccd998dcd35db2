"""Measuring the quality of frame after frame of a scan, motion too; each when somebody asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Outline
from semc_core.imaging.score.measures import Measures, Shrunk, measure, shrink
from semc_core.types import Crop, FramePacket

_NEAR_S: Final = 0.2  # a frame further back says nothing of motion
_FRAME_S: Final = 1 / 30  # motion is per frame of such a scan


class _Region:
    """The region of interest of a frame; shrunk once, when first asked for. For one thread at a time."""

    def __init__(self, gray: NDArray[np.uint8], crop: Crop) -> None:
        self._gray, self._crop = gray, crop
        self.frame = (gray.shape[0], gray.shape[1])
        self._shrunk: Shrunk | None = None

    def shrunk(self) -> Shrunk:
        """See `measures.shrink`."""
        if self._shrunk is None:
            self._shrunk = shrink(self._gray, self._crop)
        return self._shrunk


class FrameMeasures:
    """What can be measured of one frame: a millisecond's work, done when first asked for."""

    def __init__(
        self,
        region: _Region,
        outline: Outline,
        *,
        before: _Region | None = None,
        elapsed_s: float = 0.0,
        repeats: FrameMeasures | None = None,
    ) -> None:
        """Of a region.

        Args:
            region: Of the frame.
            outline: The sector.
            before: That of the frame before, if it is near enough to tell of motion.
            elapsed_s: How far back that is.
            repeats: The frame of which this is the same picture once more: its motion is this one's.
        """
        self._region, self._outline = region, outline
        self._before, self._elapsed_s, self._repeats = before, elapsed_s, repeats
        self._found: Measures | None = None

    def measures(self) -> Measures:
        """Measured now, or before. Called by one thread."""
        if self._found is None:
            before = None if self._before is None else self._before.shrunk()
            found = measure(self._region.shrunk(), self._region.frame, self._outline, before)
            if self._repeats is not None:
                found = replace(found, motion=self._repeats.measures().motion)
            elif found.motion is not None:
                # Of sources with fewer frames a second each step is longer; of what is blurred, it is not.
                found = replace(found, motion=found.motion / max(1.0, self._elapsed_s / _FRAME_S))
            self._found, self._before, self._repeats = found, None, None
        return self._found


class QualityMeter:
    """Looks at frame after frame, each against the last that differed: a source may repeat its frames."""

    def __init__(self) -> None:
        self._last: tuple[_Region, FrameMeasures, float] | None = None

    def update(self, packet: FramePacket, crop: Crop, outline: Outline, *, moving: bool) -> FrameMeasures:
        """The next frame; `moving` says whether it differs from the one before."""
        region = _Region(packet.gray, crop)
        if self._last is not None and not moving:
            return FrameMeasures(region, outline, repeats=self._last[1])
        before, elapsed_s = None, 0.0
        if self._last is not None:
            elapsed_s = packet.pts_s - self._last[2]
            before = self._last[0] if 0 < elapsed_s <= _NEAR_S else None
        taken = FrameMeasures(region, outline, before=before, elapsed_s=elapsed_s)
        self._last = region, taken, packet.pts_s
        return taken
