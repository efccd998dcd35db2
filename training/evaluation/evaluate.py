"""Judging answers to labelled frames, after data and model are brought to the same classes.

Shapes: N frames, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.groups.bootstrap import DRAWS, Estimate, GroupDraws
from semc_core.model.spec import ModelSpec
from semc_core.text import counted
from training.data.frame_set import FrameSet, Row
from training.data.index import SPLITS, DataIndex
from training.evaluation.metrics import score
from training.evaluation.predictions import Predictions
from training.evaluation.reliability import operating_point, reliability, risk_curve
from training.evaluation.result import UNKNOWN_SOURCE, Part, Result

_FEW_GROUPS: Final = 10


def evaluate_answers(
    answers: Predictions,
    data: FrameSet,
    spec: ModelSpec,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    about: dict[str, Any] | None = None,
    ran_on: str = "",
) -> Result:
    """Judge answers to labelled frames. Frames neither clearly standard nor clearly not are counted apart.

    Args:
        answers: To the N frames; without logits, calibration is not compared with what was before.
        data: The N frames; their classes are the model's (`matched`).
        spec: Of the model.
        draws: Of the bootstrap, by group.
        seed: Of the bootstrap.
        about: Plain JSON values for `Result.data`: name, split, notes.
        ran_on: What ran the model.

    Raises:
        UsageError: There are no clear frames, or their classes are not the model's.
    """
    if data.classes != spec.classes:
        raise UsageError(
            f"The data has the classes {', '.join(data.classes)}, and the model {', '.join(spec.classes)}; "
            "choose data with the model's classes."
        )
    clear = ~data.is_ambiguous()
    if not clear.any():
        raise UsageError("No frame is clearly a plane or clearly none; choose other data.")
    everything = _Judged(answers, data.labels.numpy().astype(np.int64), data.rows)
    kept = everything.only(clear)
    drawn = GroupDraws(kept.groups, draws, seed)
    scores, per_class, matrix = score(kept.probabilities, kept.labels, spec.classes, drawn)
    none = spec.classes.index(spec.none_class)
    logits = kept.answers.logits
    by_kind = everything.parts(kinds_of(data), spec, draws, seed)
    return Result(
        model=_facts(spec) | {"ran_on": ran_on},
        data=(about or {}) | {"frames_between": int((~clear).sum())},
        classes=spec.classes,
        none_class=spec.none_class if (kept.labels == none).any() else None,
        frames=len(kept.labels),
        groups=drawn.count,
        sources=len(set(kept.sources)),
        draws=draws,
        scores=scores,
        per_class=per_class,
        confusion=tuple(tuple(int(cell) for cell in row) for row in matrix),
        reliability=reliability(kept.probabilities, kept.labels, drawn),
        reliability_before=None if logits is None else reliability(softmax(logits), kept.labels, drawn),
        risk=risk_curve(kept.probabilities, kept.labels),
        point=operating_point(kept.probabilities, kept.labels, none, spec.thresholds.enter, drawn),
        by_source=kept.parts(kept.sources, spec, draws, seed),
        by_kind=by_kind,
        notes=_notes(kept, drawn.count, clear, spec.classes),
    )


class _Judged:
    """Answers to n frames with what is known of the frames, to be judged as a whole or in parts."""

    def __init__(self, answers: Predictions, labels: NDArray[np.int64], rows: Sequence[Row]) -> None:
        self.answers, self.labels, self._rows = answers, labels, rows
        self.probabilities = answers.probabilities
        self.groups = [row.group for row in rows]
        self.sources = [row.source or UNKNOWN_SOURCE for row in rows]

    def only(self, kept: NDArray[np.bool_]) -> _Judged:
        """Some of them, bool (n,)."""
        rows = [self._rows[int(i)] for i in np.flatnonzero(kept)]
        return _Judged(self.answers.subset(kept), self.labels[kept], rows)

    def parts(self, names: Sequence[str], spec: ModelSpec, draws: int, seed: int) -> tuple[Part, ...]:
        """Judge the frames of each name apart; `names` has one for each frame, "" belongs to none."""
        each = np.array(names, dtype=str)
        return tuple(
            self.only(each == name)._part(str(name), spec, draws, seed) for name in np.unique(each) if name
        )

    def _part(self, name: str, spec: ModelSpec, draws: int, seed: int) -> Part:
        drawn = GroupDraws(self.groups, draws, seed)
        scores, _, _ = score(self.probabilities, self.labels, spec.classes, drawn)
        none = spec.classes.index(spec.none_class)
        empty = self.labels == none
        novelties = self.answers.novelties
        every = np.ones_like(empty)
        return Part(
            name,
            len(self.labels),
            drawn.count,
            scores.accuracy,
            scores.f1 if len(set(self.labels.tolist())) > 1 else Estimate(None),
            reliability(self.probabilities, self.labels, drawn).error,
            drawn.share(empty & (self.probabilities.argmax(axis=1) != none), empty),
            Estimate(None) if novelties is None else drawn.share(novelties > 1, every),
        )


def kinds_of(data: FrameSet) -> list[str]:
    """What each frame is, in words, where the data says so; "" elsewhere."""
    between, words = data.is_ambiguous(), data.families()
    return [
        "" if not row.kind else "between standard and not" if unclear else _KINDS.get(word, "standard plane")
        for row, unclear, word in zip(data.rows, between, words, strict=True)
    ]


_KINDS: Final = {
    "near": "beside a standard plane",
    "far": "far from every plane",
    "negative": "no scan of these planes",
}


def _facts(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.architecture.preset,
        "sha256": spec.sha256,
        "notice": spec.notice,
        "temperature": spec.calibration.temperature,
        "novelty_slope": spec.calibration.novelty_slope,
        "enter": spec.thresholds.enter,
        "leave": spec.thresholds.leave,
        "min_hold_s": spec.thresholds.min_hold_s,
    }


def _notes(kept: _Judged, groups: int, clear: NDArray[np.bool_], classes: tuple[str, ...]) -> tuple[str, ...]:
    notes = []
    absent = [name for i, name in enumerate(classes) if not (kept.labels == i).any()]
    if absent:
        notes.append(f"No frame is of {', '.join(absent)}; the means over classes leave that out.")
    if groups == 1:
        notes.append("All frames are of one group, so there are no intervals.")
    elif groups < _FEW_GROUPS:
        notes.append(f"There are only {groups} groups; the intervals are too narrow with so few.")
    elif groups == len(kept.groups):
        notes.append(
            "Every frame is a group of its own: if frames of one patient are among them, the intervals are "
            "too narrow."
        )
    if not clear.all():
        between = counted(int((~clear).sum()), "frame")
        notes.append(f"Only the table by kind counts the {between} neither clearly standard nor clearly not.")
    return tuple(notes)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of logits (N, K), over the classes."""
    return np.asarray(torch.softmax(torch.from_numpy(logits), 1).numpy(), np.float32)


EVERYTHING = "all"


def matched(index: DataIndex, spec: ModelSpec) -> DataIndex:
    """The same pictures with the model's classes, in the model's order.

    The class for "none of these" may have another name in the data than in the model.

    Raises:
        UsageError: The data has classes that the model does not know.
    """
    names = {index.none_class: spec.none_class} if index.none_class is not None else {}
    samples = tuple(replace(one, label=names.get(one.label, one.label)) for one in index.samples)
    unknown = sorted({sample.label for sample in samples} - set(spec.classes))
    if unknown:
        raise UsageError(
            f"{index.name} has pictures of {', '.join(unknown)}, which the model does not know; choose other "
            "data, or, if none of its pictures shows one of the model's planes, give it as --no-planes."
        )
    return replace(index, samples=samples, classes=spec.classes, none_class=spec.none_class)


def chosen_split(index: DataIndex, wanted: str | None) -> tuple[str, str]:
    """Which split to judge on: its name for `load_frames`, and a sentence if it is not the test split.

    Args:
        index: The data.
        wanted: "train", "validation", "test", "all"; None takes test, or all where nothing is split.
    """
    has_splits = any(sample.split for sample in index.samples)
    if wanted is None and has_splits:
        return "test", ""
    if wanted is None or wanted == EVERYTHING:
        if has_splits and any(sample.split == "train" for sample in index.samples):
            return "", "Training pictures are among them: the model may know these."
        return "", "The data is not split: if the model was trained on some of it, the results are too good."
    if wanted == SPLITS[0]:
        return wanted, "These are training pictures: the model may know them."
    if wanted == SPLITS[1]:
        return (
            wanted,
            "These are validation pictures: weights, calibration and thresholds were chosen on them.",
        )
    return wanted, ""
