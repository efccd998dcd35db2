"""A toy data set that a tiny network learns in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from semc_core.labels import NON_STANDARD
from training.config import TrainOptions
from training.data.frame_set import FrameSet, patient_row
from training.schedule import Budget
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer

CLASSES = ("DISC", "BAR", NON_STANDARD)


def toy(first_patient: int, count: int, seed: int) -> FrameSet:
    """Discs, bars, and noise alone, at random places; 64 x 64 pixels; five patients."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:64, 0:64]
    frames, labels, described = [], [], []
    for i in range(count):
        label = i % 3
        picture = rng.normal(40, 20, (64, 64))
        y, x = rng.uniform(20, 44, 2)
        if label == 0:
            picture[np.hypot(rows - y, columns - x) < rng.uniform(9, 13)] += 120
        elif label == 1:
            picture[:, (np.abs(columns - x) < 4)[0]] += 120
        frames.append(np.clip(picture, 0, 255).astype(np.uint8))
        labels.append(label)
        distance = float("inf") if label == 2 else 0.3
        described.append(patient_row(first_patient + i % 5, i, CLASSES[label], distance, "scan"))
    return FrameSet(torch.from_numpy(np.stack(frames)), torch.tensor(labels), described, CLASSES)


def options(steps: int, **changed: object) -> TrainOptions:
    """How a tiny network learns the toy."""
    # One thread: where other work shares the cores, two threads spend their time waiting for each other.
    given: dict[str, object] = {"batch": 32, "validations": 2, "average": 0.98, "threads": 1}
    given["progressive"] = False
    return TrainOptions(Budget(steps=steps), "semc_tiny", **(given | changed))  # type: ignore[arg-type]


def toy_trainer(given: TrainOptions, folder: Path) -> Trainer[SemcModule]:
    """A training on ten frames of each class, judged on four."""
    return Trainer(SemcModule(given, toy(0, 30, seed=1), toy(1000, 12, seed=2)), folder)


class Rows(Callback):
    """Keeps the rows of the log."""

    def __init__(self) -> None:
        self.rows: list[Metrics] = []

    def on_validation_end(self, state: FitState, row: Metrics) -> None:
        """Keep it."""
        self.rows.append(row)
