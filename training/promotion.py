"""Holds a newly trained model against the one in use, on the same held-out frames.

Both are run by the runtime that live uses. Neither may have learned from these frames: they are of the test
split, or of the validation split where there is no other.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from semc_core.errors import UsageError
from semc_core.groups.bootstrap import Estimate, Floats, GroupDraws
from semc_core.io.atomic import write_atomically
from semc_core.model.comparison import (
    CHOSEN_ON,
    COMPARISON_NAME,
    FEW,
    OTHER_PLANES,
    Comparison,
    Measured,
)
from semc_core.model.file import read_spec
from semc_core.model.spec import ModelSpec
from training.data.frame_set import FrameSet
from training.data.index import DataIndex
from training.data.loading import load_frames
from training.evaluation.evaluate import matched
from training.evaluation.metrics import measures
from training.evaluation.predictions import Predictions, open_predictor
from training.evaluation.reliability import reliability

_FEW: Final = 5


def compare(candidate: Path, current: Path, index: DataIndex, threads: int | None = None) -> Comparison:
    """Hold two model files against each other.

    Args:
        candidate: The new one.
        current: The one in use.
        index: The data set that the new one was trained on, with its splits.
        threads: Most CPU threads.

    Raises:
        ModelFileError: A file is missing or damaged.
        UsageError: There are no held-out pictures, or the new model does not know the data's classes.
    """
    split = "test" if index.of_split("test") else "validation"
    new, old = read_spec(candidate), read_spec(current)
    first = _Judged(candidate, new, index, split, threads)
    comparison = Comparison(
        candidate=first.measured(),
        current=None,
        current_sha256=old.sha256,
        difference=None,
        low=None,
        high=None,
        split=split,
        frames=len(first.data.rows),
        groups=first.draws.count,
        note=OTHER_PLANES.format(planes=", ".join(old.planes)),
    )
    if set(new.planes) != set(old.planes):
        return comparison
    second = _Judged(current, old, index, split, threads)
    difference = first.f1_minus(second)
    notes = [CHOSEN_ON] if split == "validation" else []
    if first.draws.count < _FEW:
        notes.append(FEW)
    return replace(
        comparison,
        current=second.measured(),
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        note=" ".join(notes),
    )


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """Write it into the folder of the training run.

    Raises:
        SaveError: It cannot be written.
    """
    write_atomically(folder / COMPARISON_NAME, json.dumps(comparison.as_json(), indent=2).encode())


class _Judged:
    """A model's answers to the held-out frames that are clearly standard or clearly not."""

    def __init__(
        self, path: Path, spec: ModelSpec, index: DataIndex, split: str, threads: int | None
    ) -> None:
        whole = load_frames(matched(index, spec), split, spec.preprocessing)
        self.data: FrameSet = whole.subset(~whole.is_ambiguous())
        if not self.data.rows:
            raise UsageError("No held-out picture is clearly a plane or clearly none; add pictures.")
        with open_predictor(path, "cpu", threads) as runtime:
            self._answers: Predictions = runtime.answer(self.data.frames)
        self._sha256, self._classes = spec.sha256, len(spec.classes)
        self._labels = self.data.labels.numpy().astype(np.int64)
        self.draws = GroupDraws([row.group for row in self.data.rows])

    def measured(self) -> Measured:
        """The numbers of this model."""
        here, _ = self._measures()
        error = reliability(self._answers.probabilities, self._labels, self.draws).error.value
        return Measured(self._sha256, float(here["accuracy"][0]), float(here["f1"][0]), float(error or 0.0))

    def f1_minus(self, other: _Judged) -> Estimate:
        """The difference in macro F1; the same patients are drawn for both."""
        (mine, mine_drawn), (theirs, theirs_drawn) = self._measures(), other._measures()
        return self.draws.estimate(mine["f1"] - theirs["f1"], mine_drawn["f1"] - theirs_drawn["f1"])

    def _measures(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        count = self._classes
        called = self._answers.probabilities.argmax(axis=1)
        own, drawn = self.draws.cells(self._labels * count + called, count * count)
        return measures(own.reshape(-1, count, count)), measures(drawn.reshape(-1, count, count))
