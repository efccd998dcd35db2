"""Measuring the quality of frame after frame of a scan, motion too."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from semc_core.imaging.preprocess import Outline
from semc_core.imaging.score.measures import Measures, Shrunk, measure, shrink
from semc_core.types import Crop, FramePacket

_NEAR_S: Final = 0.2  # a frame further back says nothing of motion
_FRAME_S: Final = 1 / 30  # motion is per frame of such a scan


class QualityMeter:
    """Measures frame after frame, each against the last that differed: a source may repeat its frames."""

    def __init__(self) -> None:
        self._before: Shrunk | None = None
        self._before_s = 0.0
        self._motion: float | None = None

    def update(self, packet: FramePacket, crop: Crop, outline: Outline, *, moving: bool) -> Measures:
        """Measure the next frame; `moving` says whether it differs from the one before."""
        shape = (packet.picture.height, packet.picture.width)
        picture = shrink(packet.gray, crop)
        if not moving and self._before is not None:
            return replace(measure(picture, shape, outline), motion=self._motion)
        elapsed_s = packet.pts_s - self._before_s
        near = self._before is not None and 0 < elapsed_s <= _NEAR_S
        found = measure(picture, shape, outline, self._before if near else None)
        if found.motion is not None:
            # Of sources with fewer frames a second each step is longer; of what is blurred, it is not.
            found = replace(found, motion=found.motion / max(1.0, elapsed_s / _FRAME_S))
        self._before, self._before_s, self._motion = picture, packet.pts_s, found.motion
        return found
