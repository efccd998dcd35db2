"""Holds a newly trained model against the one in use, on the same held-out frames.

Both are run by the runtime that live uses. Neither may have learned from these frames: they are of the test
split, or of the validation split where there is no other, and of patients of whom neither model knows. A set
that was not split is dealt by each training's seed, and the model in use may have learned from some of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.groups.bootstrap import Estimate, Floats, GroupDraws
from semc_core.io.atomic import write_atomically
from semc_core.model.comparison import (
    CHOSEN_ON,
    COMPARISON_NAME,
    FEW,
    KNOWN,
    OTHER_PLANES,
    TOO_FEW,
    UNCLEAR,
    Comparison,
    Measured,
)
from semc_core.model.file import read_model, read_spec
from semc_core.model.spec import ModelSpec
from semc_core.text import counted
from training.data.frame_set import FrameSet
from training.data.index import DataIndex
from training.data.loading import load_frames
from training.evaluation.evaluate import matched
from training.evaluation.metrics import measures
from training.evaluation.predictions import open_predictor
from training.evaluation.reliability import reliability
from training.held_out.learned_from import known_groups, learned_from
from training.held_out.readings import (
    METRIC,
    Answers,
    count_reading,
    identity,
    keep_answers,
    kept_answers,
    sentence,
)
from training.model_card import restate
from training.publish import is_simulated

_FEW: Final = 5
_LEAST: Final = 2
"""Groups that must be left where some were left out: of fewer there is no interval."""


def compare(
    candidate: Path, current: Path, index: DataIndex, threads: int | None = None, run: Path | None = None
) -> Comparison:
    """Hold two model files against each other.

    The new model looks at the test pictures once: its answers are kept in `run`, and its file and card get
    the number of looks that anybody had at them (`held_out.readings`), so that the file's hash changes.

    Args:
        candidate: The new one.
        current: The one in use.
        index: The data set that the new one was trained on, with its splits.
        threads: Most CPU threads.
        run: The folder of the new one's training; None counts and keeps nothing.

    Raises:
        ModelFileError: A file is missing or damaged.
        UsageError: There are no held-out pictures, or the new model does not know the data's classes.
        SaveError: What was looked at cannot be written down.
    """
    split = "test" if index.of_split("test") else "validation"
    old, current_arrays = read_model(current)
    first = _looked_at(candidate, index, split, threads, run)
    if set(first.spec.planes) != set(old.planes):
        return _not_compared(first, old, split, OTHER_PLANES.format(planes=", ".join(old.planes)))
    held_out = Counter(row.group for row in first.data.rows)
    known, unclear = _known(index, held_out, split, (read_model(candidate)[1], current_arrays))
    of = counted(len(held_out), "held-out patient or video", "held-out patients or videos")
    if known and len(held_out) - len(known) < _LEAST:
        left = counted(len(held_out) - len(known), "patient or video", "patients or videos")
        return _not_compared(first, old, split, TOO_FEW.format(of=of, known=len(known), left=left))
    second = _Judged.by(current, old, held_out_frames(index, old, split), threads)
    first, second = first.without(known), second.without(known)
    difference = first.f1_minus(second)
    notes = [CHOSEN_ON] if split == "validation" else []
    if known:
        notes.append(KNOWN.format(of=of, known=len(known)))
    if unclear and not is_simulated(first.data):
        notes.append(UNCLEAR)
    if first.draws.count < _FEW:
        notes.append(FEW)
    notes.append(sentence(first.readings))
    return replace(
        _not_compared(first, old, split, " ".join(note for note in notes if note)),
        current=second.measured(),
        difference=difference.value,
        low=difference.low,
        high=difference.high,
    )


def _not_compared(first: _Judged, old: ModelSpec, split: str, note: str) -> Comparison:
    return Comparison(
        candidate=first.measured(),
        current=None,
        current_sha256=old.sha256,
        difference=None,
        low=None,
        high=None,
        split=split,
        frames=len(first.data.rows),
        groups=first.draws.count,
        note=note,
    )


def _known(
    index: DataIndex, groups: Collection[str], split: str, models: Sequence[Mapping[str, NDArray[np.float32]]]
) -> tuple[set[str], bool]:
    """Those of the held-out groups that a model knows, and whether one of the models does not say.

    On the validation split, on which every model was chosen, only those count that one was trained on.
    """
    learned = [learned_from(arrays) for arrays in models]
    found: set[str] = set()
    for each in learned:
        if each is not None:
            found |= known_groups(index, groups, each, only_trained=split == "validation")
    return found, learned[-1] is None


def _looked_at(path: Path, index: DataIndex, split: str, threads: int | None, run: Path | None) -> _Judged:
    """The new model's answers: those that were kept, or new ones, which are counted and kept."""
    spec, arrays = read_model(path)
    data = held_out_frames(index, spec, split)
    if split != "test" or run is None:
        return _Judged.by(path, spec, data, threads)
    which = identity(spec, arrays, data.frames.numpy())
    answers = kept_answers(run, which)
    readings = count_reading(index) if answers is None else answers.readings
    if spec.metrics.get(METRIC) != readings:
        restate(path, {METRIC: readings})
        spec = read_spec(path)
    if answers is None:
        answers = Answers(_Judged.by(path, spec, data, threads).probabilities, readings)
        keep_answers(run, which, answers)
    return _Judged(data, answers.probabilities, spec, readings)


def held_out_frames(index: DataIndex, spec: ModelSpec, split: str) -> FrameSet:
    """The frames of a split that are clearly standard or clearly not.

    Raises:
        UsageError: There are none.
    """
    whole = load_frames(matched(index, spec), split, spec.preprocessing)
    data = whole.subset(~whole.is_ambiguous())
    if not data.rows:
        raise UsageError("No held-out picture is clearly a plane or clearly none; add pictures.")
    return data


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """Write it into the folder of the training run.

    Raises:
        SaveError: It cannot be written.
    """
    write_atomically(folder / COMPARISON_NAME, json.dumps(comparison.as_json(), indent=2).encode())


class _Judged:
    """A model's answers to the held-out frames that are clearly standard or clearly not."""

    def __init__(
        self, data: FrameSet, probabilities: NDArray[np.float32], spec: ModelSpec, readings: int = 0
    ) -> None:
        self.data, self.probabilities, self.spec, self.readings = data, probabilities, spec, readings
        self._labels = data.labels.numpy().astype(np.int64)
        self.draws = GroupDraws([row.group for row in data.rows])

    @classmethod
    def by(cls, path: Path, spec: ModelSpec, data: FrameSet, threads: int | None) -> _Judged:
        """Ask the model in a file."""
        with open_predictor(path, "cpu", threads) as runtime:
            return cls(data, runtime.answer(data.frames).probabilities, spec)

    def without(self, groups: Collection[str]) -> _Judged:
        """The same without the frames of some groups."""
        kept = np.array([row.group not in groups for row in self.data.rows], bool)
        return _Judged(self.data.subset(kept), self.probabilities[kept], self.spec, self.readings)

    def measured(self) -> Measured:
        """The numbers of this model."""
        here, _ = self._measures()
        error = reliability(self.probabilities, self._labels, self.draws).error.value
        return Measured(
            self.spec.sha256, float(here["accuracy"][0]), float(here["f1"][0]), float(error or 0.0)
        )

    def f1_minus(self, other: _Judged) -> Estimate:
        """The difference in macro F1; the same patients are drawn for both."""
        (mine, mine_drawn), (theirs, theirs_drawn) = self._measures(), other._measures()
        return self.draws.estimate(mine["f1"] - theirs["f1"], mine_drawn["f1"] - theirs_drawn["f1"])

    def _measures(self) -> tuple[dict[str, Floats], dict[str, Floats]]:
        count = len(self.spec.classes)
        called = self.probabilities.argmax(axis=1)
        own, drawn = self.draws.cells(self._labels * count + called, count * count)
        return measures(own.reshape(-1, count, count)), measures(drawn.reshape(-1, count, count))
