"""Judging the model file of a training, in the runtime that ships, and keeping the best of each method.

A network is judged as users run it: calibrated, from its model file. Thresholds are chosen on the validation
patients; the test patients are looked at once by each network, and that is counted (`held_out.readings`).
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from semc_core.errors import RuntimeFault
from semc_core.io.atomic import write_atomically
from semc_core.model.architecture import parameter_count
from semc_core.model.comparison import run_folder
from semc_core.model.file import read_model, read_spec
from training.ablation.measures import best_thresholds
from training.compare.plan import Run, RunResult, kept_model
from training.data.frame_set import FrameSet
from training.data.index import DataIndex
from training.evaluation.predictions import Predictor, inputs_of
from training.held_out.readings import (
    METRIC,
    Answers,
    count_reading,
    identity,
    keep_answers,
    kept_answers,
)
from training.model_card import restate
from training.promotion import held_out_frames
from training.run_folder import make_folder, saving_to
from training.trainer.trainer import BEST, LAST

_TIMED: Final = 30
_WARM: Final = 3
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a model says of the frames that are clearly standard or clearly not.

    Attributes:
        validation: float32 (n, K), of the validation frames.
        test: float32 (N, K), of the test frames.
        milliseconds: Median for one frame.
        ran_on: What ran it.
    """

    validation: NDArray[np.float32]
    test: NDArray[np.float32]
    milliseconds: float
    ran_on: str


def write_result(run: Run, out: Path, index: DataIndex, plan: str, threads: int) -> RunResult:
    """Judge the model file that a run wrote, and write the run's result, whole or not at all.

    Args:
        run: Its model file is there.
        out: Folder of the comparison.
        index: The data set that it was trained on, with its splits.
        plan: Digest of the plan.
        threads: CPU threads.

    Raises:
        ModelFileError: The model file is damaged.
        RuntimeFault: It cannot be run.
        UsageError: There are no clear frames to judge it on.
        SaveError: The result cannot be written.
    """
    model = run.model(out)
    spec = read_spec(model)
    validation, test = (held_out_frames(index, spec, split) for split in ("validation", "test"))
    judged = _judged(model, validation.frames, test.frames, threads)
    _remember(model, index, test, judged.test)
    truth = validation.labels.numpy()
    thresholds = best_thresholds(judged.validation, truth)
    spec = read_spec(model)
    place = {group: number for number, group in enumerate(test.groups)}
    result = RunResult(
        plan=plan,
        method=run.method,
        seed=run.seed,
        steps=int(spec.provenance["steps"]),
        seconds=float(spec.provenance["seconds"]),
        validation_f1=float(spec.metrics["validation"]["f1"]),
        thresholds=thresholds.tolist(),
        parameters=parameter_count(spec.architecture, len(spec.classes)),
        milliseconds=round(judged.milliseconds, 3),
        ran_on=judged.ran_on,
        model_sha256=spec.sha256,
        truth=test.labels.tolist(),
        group_of=[place[row.group] for row in test.rows],
        probabilities=np.round(judged.test.astype(np.float64), _DIGITS).tolist(),
    )
    make_folder(run.path(out).parent)
    write_atomically(run.path(out), json.dumps(result).encode())
    return result


def _judged(model: Path, validation: Tensor, test: Tensor, threads: int) -> Judged:
    """By OpenVINO; a network that it cannot run, by PyTorch."""
    try:
        opened = Predictor(model, "cpu", threads)
    except RuntimeFault:
        opened = Predictor(model, "torch-cpu", threads)
    with closing(opened) as predictor:
        return Judged(
            predictor.answer(validation).probabilities,
            predictor.answer(test).probabilities,
            milliseconds(predictor, test),
            predictor.runtime.device_name,
        )


def milliseconds(predictor: Predictor, frames: Tensor) -> float:
    """Median time for one frame, with the copies to and from the device, on the machine as busy as it is.

    Args:
        predictor: Ready.
        frames: uint8 (N, h, w), one or more.

    Raises:
        RuntimeFault: The model could not be run.
    """
    inputs = inputs_of(frames[:_TIMED], predictor.spec.preprocessing)
    took = []
    for number in range(_WARM + _TIMED):
        one = inputs[number % len(inputs)][None]
        begun_s = time.perf_counter()
        predictor.runtime.raw(one)
        took.append(time.perf_counter() - begun_s)
    return 1000 * float(np.median(took[_WARM:]))


def _remember(model: Path, index: DataIndex, test: FrameSet, probabilities: NDArray[np.float32]) -> None:
    """Count that the test pictures were looked at, and keep the answers beside the model, for a promotion."""
    spec, arrays = read_model(model)
    which, folder = identity(spec, arrays, test.frames.numpy()), run_folder(model)
    if kept_answers(folder, which) is not None:
        return  # The run was killed before its result was written.
    readings = count_reading(index)
    restate(model, {METRIC: readings})
    keep_answers(folder, which, Answers(probabilities, readings))


def settle(run: Run, of: Mapping[int, RunResult], out: Path, *, keep: bool) -> None:
    """Remove what a run with a result has worked with; its model file stays if it is its method's best.

    Args:
        run: Has a result; what it worked with may be gone already, or in part.
        of: The results of its method, by seed.
        out: Folder of the comparison.
        keep: Whether model files are kept.

    Raises:
        SaveError: The folder cannot be changed.
    """
    model, target = run.model(out), kept_model(out, run.method)
    best = max(of, key=lambda seed: (of[seed]["validation_f1"], -seed))
    with saving_to(out):
        if keep and run.seed == best and model.exists():
            make_folder(target.parent)
            for name in (LAST, BEST):
                (run_folder(model) / name).unlink(missing_ok=True)
            if run_folder(model).exists():
                shutil.rmtree(run_folder(target), ignore_errors=True)
                run_folder(model).rename(run_folder(target))
            if _card(model).exists():
                _card(model).replace(_card(target))
            model.replace(target)  # the last: while it is there, the rest is done again after a kill
        model.unlink(missing_ok=True)
        _card(model).unlink(missing_ok=True)
    shutil.rmtree(run_folder(model), ignore_errors=True)


def _card(model: Path) -> Path:
    return model.with_suffix(".md")


def kept_seed(out: Path, method: str) -> int | None:
    """Whose model file is kept of a method; None where none is.

    Raises:
        ModelFileError: It is damaged.
    """
    path = kept_model(out, method)
    if not path.exists():
        return None
    options: dict[str, Any] = read_spec(path).provenance["options"]
    return int(options["seed"])
