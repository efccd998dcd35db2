"""Judging the models of all folds as one: each answers to the patients that it never saw."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.table import Table

from semc_core.errors import UsageError
from training.data.frame_set import FrameSet
from training.data.index import DataIndex, Sample
from training.data.loading import Progress, load_frames
from training.evaluation.evaluate import evaluate_answers, matched
from training.evaluation.predictions import Predictions, open_predictor
from training.evaluation.result import Result


@dataclass(frozen=True, slots=True, eq=False)
class FoldsJudged:
    """What came of all folds.

    Attributes:
        result: Of all pictures, each answered by the model of its fold; intervals by group.
        each: Of each fold alone, in order.
        data: What is known of all pictures; without the pictures.
        answers: To them, in the same order.
        samples: Where they lie.
    """

    result: Result
    each: tuple[Result, ...]
    data: FrameSet
    answers: Predictions
    samples: tuple[Sample, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values: that of `result`, and of each fold the main figures."""
        keys = ("accuracy", "f1")
        folds = [
            {"fold": number, "frames": one.frames, "groups": one.groups}
            | {key: getattr(one.scores, key).value for key in keys}
            | {"calibration_error": one.reliability.error.value}
            for number, one in enumerate(self.each, 1)
        ]
        return self.result.as_json() | {"folds": folds}

    def table(self) -> Table:
        """Each fold in a line, then their mean and standard deviation."""
        table = Table("fold", "frames", "groups", "accuracy", "F1", "calibration error", title="Each fold")
        rows = [
            (one.scores.accuracy.value, one.scores.f1.value, one.reliability.error.value) for one in self.each
        ]
        for number, (one, values) in enumerate(zip(self.each, rows, strict=True), 1):
            table.add_row(str(number), str(one.frames), str(one.groups), *map(_number, values))
        table.add_row("mean ± SD", "", "", *(_spread(column) for column in zip(*rows, strict=True)))
        return table


def judge_folds(
    models: Sequence[Path],
    folds: Sequence[DataIndex],
    threads: int | None = None,
    progress: Callable[[str], Progress] = lambda name: lambda done, total: None,
) -> FoldsJudged:
    """Let the model of each fold answer to the test pictures of its fold.

    Args:
        models: Model file of each fold.
        folds: See `training.data.folds.folds_of`.
        threads: Most CPU threads.
        progress: Named after what goes on; told how much is done.

    Raises:
        ModelFileError: A file is missing or damaged.
        RuntimeFault: A model could not be run.
        UsageError: The models are of other classes than the data.
    """
    parts: list[tuple[FrameSet, Predictions]] = []
    each: list[Result] = []
    samples: list[Sample] = []
    for number, (model, fold) in enumerate(zip(models, folds, strict=True), 1):
        with open_predictor(model, "cpu", threads) as judge:
            spec, index = judge.spec, matched(fold, judge.spec)
            data = load_frames(index, "test", spec.preprocessing)
            answers = judge.answer(data.frames, progress(f"Judging fold {number}"))
            ran_on = judge.runtime.device_name
        about = {"name": fold.name, "split": f"fold {number}", "notes": []}
        each.append(evaluate_answers(answers, data, spec, about=about, ran_on=ran_on))
        parts.append((data, answers))
        samples += index.of_split("test")
    if len({data.classes for data, _ in parts}) > 1:
        raise UsageError("The models of the folds have other classes; train all folds anew.")
    data, answers = _together(parts)
    about = {
        "name": folds[0].name,
        "split": f"{len(folds)} folds",
        "notes": ["Each picture is answered by a model that saw no picture of its patient or video."],
    }
    result = evaluate_answers(answers, data, spec, about=about, ran_on=ran_on)
    own = {"name": f"{spec.architecture.preset}, {len(folds)} models", "sha256": ""}
    result = replace(result, model=result.model | own)
    return FoldsJudged(result, tuple(each), data, answers, tuple(samples))


def _together(parts: Sequence[tuple[FrameSet, Predictions]]) -> tuple[FrameSet, Predictions]:
    sets, answers = [data for data, _ in parts], [told for _, told in parts]
    data = FrameSet(
        sets[0].frames[:0],
        torch.cat([one.labels for one in sets]),
        [row for one in sets for row in one.rows],
        sets[0].classes,
    )
    # Logits of different networks, calibrated differently, are not of one scale: only what is shown is.
    return data, Predictions(np.concatenate([one.probabilities for one in answers]))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return "-"
    return f"{statistics.mean(known):.3f} ± {statistics.stdev(known):.3f}"
