"""What transforms are called in an export: a sender's device may be called after somebody."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from semc_core.pose import Pose

_PLACES: Final = (
    "Image|Probe|Transducer|TransducerOrigin|TransducerOriginPixel|Reference|Tracker|TrackerBase|World|Ras|RAS|"
    "Stylus|StylusTip|Needle|NeedleTip|Patient|Phantom"
)
_USUAL: Final = re.compile(f"(?:{_PLACES})To(?:{_PLACES})")
"""Names by the custom of PLUS and 3D Slicer, "ProbeToTracker": they name nobody."""


class PoseNames:
    """What transforms are called in one export: usual names stay, others name a sender's device.

    Of a frame's transforms the same has the same name all through the export.
    """

    def __init__(self, deidentify: bool) -> None:
        self._deidentify = deidentify
        self._numbers: dict[str, int] = {}

    def of(self, poses: tuple[Pose, ...]) -> tuple[Pose, ...]:
        """The poses of a frame under those names, without the times of their sender's clock."""
        return tuple(replace(each, name=self._name(each.name), stamp_s=0.0) for each in poses)

    def _name(self, name: str) -> str:
        if not name or not self._deidentify or _USUAL.fullmatch(name):
            return name
        return f"transform {self._numbers.setdefault(name, len(self._numbers) + 1)}"
