"""Calibrating a model file anew on validation frames: the temperature, and thresholds for a precision.

Shapes: N frames, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.groups.bootstrap import Estimate, GroupDraws
from semc_core.model.file import read_model, write_model
from semc_core.model.spec import ModelSpec
from semc_core.runtime.calibration import Calibrator, RawOutput
from training.calibration import ThresholdChoice, choose_thresholds, fit_temperature
from training.data.frame_set import FrameSet
from training.evaluation.predictions import Predictions
from training.evaluation.reliability import reliability
from training.model_card import write_card


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """What changed.

    Attributes:
        spec: With the new temperature, thresholds and the facts of this in its metrics.
        before: Calibration error with the old temperature.
        after: The same with the new one.
        choice: The thresholds.
    """

    spec: ModelSpec
    before: Estimate
    after: Estimate
    choice: ThresholdChoice


def recalibrate(
    model: Path, out: Path, answers: Predictions, data: FrameSet, precision: float, about: dict[str, Any]
) -> Recalibrated:
    """Fit temperature and thresholds, and write the model with them under another name, with its card.

    Args:
        model: Model file.
        out: Model file to write; its weights are those of `model`.
        answers: Of the model to validation frames, with logits and features.
        data: These N frames.
        precision: Wanted of the found frames, 0-1.
        about: Plain JSON values, kept in the file's metrics: name and split of the data.

    Raises:
        UsageError: There are no logits, or no clear frames.
        ModelFileError: A file cannot be read or written.
    """
    spec, arrays = read_model(model)
    clear = ~data.is_ambiguous()
    kept = answers.subset(clear)
    if kept.logits is None or kept.features is None or not clear.any():
        raise UsageError("There are no frames to calibrate the model on; choose other data.")
    labels = data.labels.numpy()[clear].astype(np.int64)
    draws = GroupDraws([row.group for row, own in zip(data.rows, clear, strict=True) if own])
    temperature = fit_temperature(torch.from_numpy(kept.logits), torch.from_numpy(labels))
    spec = replace(spec, calibration=replace(spec.calibration, temperature=temperature), sha256="")
    probabilities = _probabilities(Calibrator(spec, arrays), kept.logits, kept.features)
    none = spec.classes.index(spec.none_class)
    choice = choose_thresholds(probabilities, labels, none, precision, spec.thresholds)
    before = reliability(kept.probabilities, labels, draws).error
    after = reliability(probabilities, labels, draws).error
    facts = about | {
        "frames": len(labels),
        "groups": draws.count,
        "calibration_error_before": before.value,
        "calibration_error": after.value,
        "precision_wanted": precision,
        "precision": choice.precision,
        "found": choice.found,
    }
    spec = replace(spec, thresholds=choice.thresholds, metrics=spec.metrics | {"calibration": facts})
    write_model(out, spec, arrays)
    write_card(out.with_suffix(".md"), spec)
    return Recalibrated(spec, before, after, choice)


def _probabilities(
    calibrator: Calibrator, logits: NDArray[np.float32], features: NDArray[np.float32]
) -> NDArray[np.float32]:
    """float32 (N, K), as a runtime gives them."""
    nothing = np.zeros((*logits.shape, 1, 1), np.float32)
    raw = RawOutput(logits, nothing[:, :, 0, 0], nothing, features)
    return np.stack([one.probabilities for one in calibrator.predictions(raw)])
