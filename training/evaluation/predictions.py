"""What a runtime says of stored frames: the runtime that ships, so that what is judged is what runs.

Shapes: N frames, K classes, F features, h x w pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.imaging.preprocess import Preprocessing, prepare, whole
from semc_core.model.file import read_model
from semc_core.runtime.base import RawRuntime
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.runtime.load import load_runtime
from semc_core.types import Prediction

_BATCH: Final = 16

Progress = Callable[[int, int], None]
"""Told how many frames are done, of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model says of N frames.

    Attributes:
        probabilities: float32 (N, K), calibrated, as the program shows them, not smoothed over time.
        logits: float32 (N, K), before calibration; None if unknown.
        features: float32 (N, F), pooled; None if unknown.
        novelties: float32 (N,), 1 at the limit; None if the model has no such measure.
    """

    probabilities: NDArray[np.float32]
    logits: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None
    novelties: NDArray[np.float32] | None = None

    def subset(self, kept: NDArray[np.bool_]) -> Predictions:
        """Those of the frames where `kept`, bool (N,), is true."""
        chosen = (self.probabilities, self.logits, self.features, self.novelties)
        first, *others = (None if one is None else one[kept] for one in chosen)
        assert first is not None
        return Predictions(first, *others)


class Predictor:
    """A model file in the runtime that live uses, asked about stored frames. One caller at a time.

    Args:
        path: Model file.
        device: See `load_runtime`.
        threads: See `load_runtime`.
        precision: See `load_runtime`.

    Raises:
        ModelFileError: The file is missing, damaged, or not one of ours.
        RuntimeFault: The device is not there, or cannot run the model.
    """

    def __init__(
        self, path: Path, device: str = "auto", threads: int | None = None, precision: str = "auto"
    ) -> None:
        self.spec, arrays = read_model(path)
        self._calibrator = Calibrator(self.spec, arrays)
        self._measures_novelty = "novelty.limit" in arrays
        self.runtime: RawRuntime = load_runtime(path, device, threads, precision)

    def close(self) -> None:
        """Release the device."""
        self.runtime.close()

    def answer(self, frames: Tensor, progress: Progress | None = None) -> Predictions:
        """Classify stored frames.

        Args:
            frames: uint8 (N, h, w), gray, cropped and fitted as `load_frames` does; of another size than the
                model's they are fitted again.
            progress: Told of each batch.

        Raises:
            RuntimeFault: The model could not be run.
        """
        parts: list[RawOutput] = []
        predictions: list[Prediction] = []
        for start in range(0, len(frames), _BATCH):
            raw = self.runtime.raw(inputs_of(frames[start : start + _BATCH], self.spec.preprocessing))
            predictions += [replace(one, maps=_NO_MAPS) for one in self._calibrator.predictions(raw)]
            parts.append(replace(raw, maps=_NO_MAPS))
            if progress is not None:
                progress(min(start + _BATCH, len(frames)), len(frames))
        return Predictions(
            np.stack([one.probabilities for one in predictions]),
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.pooled for part in parts]),
            np.array([one.novelty for one in predictions], np.float32) if self._measures_novelty else None,
        )

    def predictions(self, frames: Tensor) -> list[Prediction]:
        """The whole answers to a few frames, uint8 (N, h, w), with their activation maps."""
        return self.runtime.classify(inputs_of(frames, self.spec.preprocessing))


_NO_MAPS: Final = np.zeros((0, 0, 0, 0), np.float32)
"""In place of activation maps, which of thousands of frames would fill the memory."""


@contextmanager
def open_predictor(
    path: Path, device: str = "auto", threads: int | None = None, precision: str = "auto"
) -> Iterator[Predictor]:
    """A `Predictor` that is closed at the end."""
    with closing(Predictor(path, device, threads, precision)) as opened:
        yield opened


def inputs_of(frames: Tensor, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Stored frames, uint8 (N, h, w), as the network's input, float32 (N, C, H, W).

    They were cropped, and CLAHE applied, when they were stored (`load_frames`).
    """
    rest = replace(preprocessing, clahe=False)
    pictures = np.asarray(frames.numpy() if isinstance(frames, torch.Tensor) else frames)
    return np.stack([prepare(picture, whole(picture), rest) for picture in pictures])
