"""Simulated scans as they are, mirrored, on a desktop, beside a frozen picture, beside a wide panel.

What the shipped model finds in them, by the program's own way from frames to saved planes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.paths import ASSETS
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.pipeline.batch import review
from semc_core.runtime.load import load_runtime
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.types import Crop, HoldEvent, SourceInfo
from training.evaluation.scans import FoundHold, match, true_holds
from training.region import elements

Gray = NDArray[np.uint8]

PATIENTS: Final = (2007, 2011, 2012)
SECONDS: Final = 40.0
FRAME_RATE: Final = 20.0


def _desktop(frame: Gray, still: Gray) -> Gray:
    """The scanner's screen as a window, smaller, on a wallpaper with another window of text."""
    canvas = still.copy()
    canvas[150 : 150 + 432, 560 : 560 + 576] = cv2.resize(frame, (576, 432), interpolation=cv2.INTER_AREA)
    return canvas


def _desktop_still() -> Gray:
    rng = np.random.default_rng(3)
    canvas = np.zeros((800, 1280, 3), np.uint8)
    elements.photograph(rng, canvas, Crop(0, 0, 1280, 800), ())
    light = elements.Theme((240, 240, 240), (225, 225, 225), (30, 30, 30), (40, 90, 200), "", dark=False)
    elements.rectangle(canvas, Crop(30, 60, 480, 560), light.back)
    elements.text_block(rng, canvas, Crop(30, 90, 480, 530), light, size=14, dense=True)
    elements.rectangle(canvas, Crop(558, 122, 580, 462), light.panel)
    elements.write(canvas, "Scanner", 570, 128, 14, light.ink, "")
    elements.rectangle(canvas, Crop(0, 762, 1280, 38), (28, 30, 36))
    return np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), np.uint8)


def _panel_still() -> Gray:
    rng = np.random.default_rng(4)
    canvas = np.zeros((480, 1060, 3), np.uint8)
    dark = elements.Theme((44, 46, 50), (52, 55, 60), (215, 215, 215), (90, 160, 230), "", dark=True)
    elements.rectangle(canvas, Crop(640, 0, 420, 480), dark.panel)
    elements.text_block(rng, canvas, Crop(650, 10, 400, 200), dark, size=13)
    elements.buttons(rng, canvas, Crop(650, 220, 400, 250), dark)
    return np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), np.uint8)


def _placings(frozen: Gray) -> dict[str, Callable[[Gray], Gray]]:
    desktop, panel = _desktop_still(), _panel_still()
    return {
        "as it is": lambda frame: frame,
        "on a desktop": lambda frame: _desktop(frame, desktop),
        "beside a frozen picture": lambda frame: np.hstack([frame, frozen]),
        "beside a wide panel": lambda frame: np.hstack([frame, panel[:, 640:]]),
        "mirrored": lambda frame: np.ascontiguousarray(frame[:, ::-1]),
    }


class _Frames(BaseSource):
    """Frames from memory, each placed on its screen."""

    def __init__(self, frames: list[Gray], place: Callable[[Gray], Gray]) -> None:
        height, width = place(frames[0]).shape
        info = SourceInfo("placed scan", "simulated", width, height, FRAME_RATE, len(frames), live=False)
        super().__init__(info)
        self._frames, self._place = frames, place

    def _grab(self) -> Grabbed | None:
        if self._next_index >= len(self._frames):
            return None
        return Grabbed(Picture(self._place(self._frames[self._next_index])), self._next_index / FRAME_RATE)

    def _release(self) -> None:
        """Nothing is held."""


def compare() -> None:
    """Print for each placing the holds that were found, and the regions."""
    cv2.setNumThreads(1)
    runtime = load_runtime(ASSETS / "models" / "semc_live.safetensors", "cpu", threads=1)
    try:
        for patient in PATIENTS:
            scan = SimulatedScan(patient, SECONDS, frame_rate=FRAME_RATE)
            count = scan.frame_count or 0
            frames = [scan.frame(index) for index in range(count)]
            held = true_holds([scan.truth(index) for index in range(count)])
            for name, place in _placings(frames[count // 3]).items():
                events: dict[int, HoldEvent] = {}
                crops: dict[Crop, int] = {}
                for batch in review(_Frames(frames, place), runtime):
                    events |= {event.hold_id: event for event in batch.events}
                    for result in batch.results:
                        crops[result.crop] = crops.get(result.crop, 0) + 1
                found = [FoundHold(e.plane, e.start_s, e.end_s, e.best.packet.pts_s) for e in events.values()]
                right = sum(counts.right for counts in match(held, found).values())
                most = max(crops, key=lambda crop: crops[crop])
                said = f"{right} of {len(held)} holds, {len(found)} saved, {most}, {len(crops)} regions"
                print(f"patient {patient} {name}: {said}", flush=True)
    finally:
        runtime.close()
