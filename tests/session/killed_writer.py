"""Saves planes in a loop until it is killed. Started by test_store.py as a process of its own."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import numpy as np

from semc_core.model.architecture import new_spec
from semc_core.picture import Picture
from semc_core.session.files import Origin
from semc_core.session.writer import SessionWriter
from semc_core.types import Crop, FramePacket, FrameResult, HoldEvent, Prediction, SourceInfo, read_only

CLASSES = ("A", "B", "NSP")


def origin() -> Origin:
    """A scan by a camera with an untrained model."""
    spec = new_spec("semc_tiny", CLASSES)
    return Origin(SourceInfo("camera 0", "camera", 320, 240, 30.0, None, True), spec, spec.thresholds, "CPU")


def event(
    hold_id: int, index: int, *, plane: str = "A", final: bool = False, colour: bool = False
) -> HoldEvent:
    """A hold whose best frame is noise made from `index`."""
    shape = (240, 320, 3) if colour else (240, 320)
    pixels = read_only(np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8))
    values = np.array([0.9, 0.04, 0.06], np.float32)
    answer = Prediction(values, 0.5, np.zeros((3, 2, 2), np.float32), np.ones(1, np.float32))
    packet = FramePacket("camera 0", index, index / 30, 0.0, Picture(pixels))
    best = FrameResult(packet, answer, values, plane, 0.9, Crop(10, 20, 200, 180), "live", 0.0)
    return HoldEvent(hold_id, plane, best, 0.9, 1.0, 2.0, final)


def main() -> None:
    """Each hold is saved, and a better frame of it replaces the first."""
    store = SessionWriter(Path(sys.argv[1]), origin(), fresh=False)
    for number in itertools.count(1):
        store.submit(event(number // 3 + 1, number))
        while not store.take_saved():
            time.sleep(0.001)  # the writer needs the interpreter
        print(number, flush=True)


if __name__ == "__main__":
    main()
