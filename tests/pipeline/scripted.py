"""Made-up predictions and results where a test must say exactly what the model answers."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semc_core.model.spec import ModelSpec
from semc_core.picture import Picture
from semc_core.types import Crop, FramePacket, FrameResult, Prediction, read_only

CLASSES = ("A", "B", "NSP")


def probabilities(plane: str, share: float) -> NDArray[np.float32]:
    """`share` for one class of `CLASSES`, the rest for NSP (for NSP itself: the rest for A)."""
    values = np.zeros(3, np.float32)
    values[CLASSES.index("A" if plane == "NSP" else "NSP")] = 1 - share
    values[CLASSES.index(plane)] = share
    return values


def prediction(values: NDArray[np.float32]) -> Prediction:
    return Prediction(values, 0.0, np.zeros((len(values), 2, 2), np.float32), np.ones(1, np.float32))


def textured(index: int, size: int = 64) -> NDArray[np.uint8]:
    """A picture of noise, another for each index: live for the guard."""
    pixels = np.random.default_rng(index).integers(0, 256, (size, size), dtype=np.uint8)
    return read_only(pixels)


def packet(index: int, time_s: float, pixels: NDArray[np.uint8] | None = None) -> FramePacket:
    return FramePacket("test", index, time_s, 0.0, Picture(textured(index) if pixels is None else pixels))


def result(
    index: int, time_s: float, plane: str, share: float, *, alone: float | None = None, picture: str = "live"
) -> FrameResult:
    """A result labelled `plane`; `alone` is the probability of the frame without smoothing."""
    smoothed = probabilities(plane, share)
    own = prediction(probabilities(plane, share if alone is None else alone))
    return FrameResult(packet(index, time_s), own, smoothed, plane, share, Crop(0, 0, 64, 64), picture, 0.0)


class ScriptedRuntime:
    """Answers what a function says, with the timing a test needs. Not a model."""

    def __init__(self, spec: ModelSpec, answer: Callable[[int], NDArray[np.float32]]) -> None:
        self._spec = spec
        self._answer = answer
        self.calls: list[int] = []
        self.asked = 0
        self.closed = threading.Event()

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    @property
    def device_name(self) -> str:
        return "scripted"

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        self.calls.append(len(inputs))
        answers = []
        for _ in inputs:
            answers.append(prediction(self._answer(self.asked)))
            self.asked += 1
        return answers

    def close(self) -> None:
        self.closed.set()
