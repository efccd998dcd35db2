"""From trained weights to the one model file: calibration, thresholds, metrics, provenance, model card.

What a model says of the data that it learned from. Of real patients no name or number, only how many.
"""

from __future__ import annotations

import datetime
import importlib.metadata
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.labels import NON_STANDARD
from semc_core.model.file import Arrays, write_model
from semc_core.model.spec import Calibration, ModelSpec
from semc_core.model.weights import AnyNetwork, network_arrays, verification_tensors
from semc_core.runtime.calibration import Calibrator, RawOutput
from semc_core.text import counted
from semc_core.version import VERSION
from training.calibration import Novelty, fit_novelty, fit_temperature, fit_thresholds
from training.config import TrainOptions, plain
from training.data.frame_set import SOURCE, FrameSet
from training.inference import Classified, classify
from training.metrics import frame_metrics
from training.model_card import write_card
from training.models import new_spec_as

_NOVELTY_SLOPE: Final = 16.0  # beyond 1.2 of the limit hardly any plane is left, below 0.8 hardly any is lost
_FRAMES_FOR_NOVELTY: Final = 4000
_PRECISION: Final = 0.97


def finish(
    network: AnyNetwork,
    options: TrainOptions,
    train: FrameSet,
    validation: FrameSet,
    path: Path,
    data_name: str,
    run: dict[str, Any],
    learned: Arrays | None = None,
) -> ModelSpec:
    """Calibrate a trained network and write its model file and card.

    Args:
        network: Trained, in evaluation mode.
        options: How it was trained.
        train: Frames it was trained on; what it knows is measured on its standard planes.
        validation: Frames on which everything else is fitted.
        path: Of the model file; the card lies beside it with the ending .md.
        data_name: Of the data set, for the provenance; see `training.publish`.
        run: Facts of the run for the provenance: steps, seconds, the encoder that it started from.
        learned: The tensors that say which patients it learned from; see `training.held_out.learned_from`.

    Raises:
        ModelFileError: The file cannot be written.
    """
    spec = new_spec_as(options, train.classes)
    clear = validation.subset(~validation.is_ambiguous())
    answers = classify(network, clear.frames, spec.preprocessing)
    temperature = fit_temperature(answers.logits, clear.labels)
    novelty = _fit_novelty(network, spec, train, clear, answers)
    calibration = Calibration(temperature, _NOVELTY_SLOPE)
    spec = replace(spec, calibration=calibration, notice=notice_of(train, validation))
    probabilities, novelties = _final(answers, spec, novelty)
    spec = replace(
        spec,
        thresholds=fit_thresholds(probabilities, clear, _PRECISION),
        provenance=data_facts(data_name, train, validation) | _how(options) | run,
        metrics={"validation": _metrics(answers, probabilities, novelties, clear)},
    )
    tensors = network_arrays(network) | novelty.tensors() | verification_tensors(network, spec)
    write_model(path, spec, tensors | (learned or {}))
    write_card(path.with_suffix(".md"), spec)
    return spec


def _fit_novelty(
    network: AnyNetwork, spec: ModelSpec, train: FrameSet, clear: FrameSet, answers: Classified
) -> Novelty:
    none = train.classes.index(NON_STANDARD)
    places = np.flatnonzero((train.labels != none).numpy() & ~train.is_ambiguous())
    rng = np.random.default_rng(1)
    if len(places) > _FRAMES_FOR_NOVELTY:
        places = rng.choice(places, _FRAMES_FOR_NOVELTY, replace=False)
    kept = np.zeros(len(train.rows), bool)
    kept[places] = True
    planes = train.subset(kept)
    known = classify(network, planes.frames, spec.preprocessing).features
    held_out = answers.features[clear.labels != none]
    return fit_novelty(known.numpy(), planes.labels.numpy(), held_out.numpy())


def _final(
    answers: Classified, spec: ModelSpec, novelty: Novelty
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities (N, K) and novelties (N,) as a runtime gives them."""
    count, classes = answers.logits.shape
    nothing = np.zeros((count, classes, 1, 1), np.float32)
    raw = RawOutput(answers.logits.numpy(), nothing[:, :, 0, 0], nothing, answers.features.numpy())
    predictions = Calibrator(spec, novelty.tensors()).predictions(raw)
    probabilities = np.stack([prediction.probabilities for prediction in predictions])
    return probabilities, np.array([prediction.novelty for prediction in predictions], np.float32)


def _metrics(
    answers: Classified, probabilities: NDArray[np.float32], novelties: NDArray[np.float32], clear: FrameSet
) -> dict[str, Any]:
    before = frame_metrics(torch.softmax(answers.logits, 1), clear.labels, clear.classes)
    after = frame_metrics(torch.from_numpy(probabilities), clear.labels, clear.classes)
    families = np.array(clear.families())
    none = clear.classes.index(NON_STANDARD)
    called_plane = probabilities.argmax(axis=1) != none
    return after | {
        "calibration_error_before": before["calibration_error"],
        "called_a_plane": {
            name: float(called_plane[families == name].mean())
            for name in ("near", "far", "negative")
            if (families == name).any()
        },
        "beyond_novelty_limit": {
            str(name): float((novelties[families == name] > 1).mean()) for name in np.unique(families)
        },
    }


def _how(options: TrainOptions) -> dict[str, Any]:
    """Options, program versions, date."""
    return {
        "options": plain(options),
        "versions": {"semc": VERSION}
        | {name: importlib.metadata.version(name) for name in ("torch", "lightning", "numpy")},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


_SIMULATED: Final = "simulated scans of this program"
_SIMULATED_NOTICE: Final = (
    "This model knows only the simulated scan: "
    "it was trained on simulated patients and must not be used on real ones."
)


def is_simulated(*data: FrameSet) -> bool:
    """Whether no frame is of a patient."""
    return all(row.source == SOURCE for each in data for row in each.rows)


def notice_of(train: FrameSet, validation: FrameSet) -> str:
    """The sentence that the window always shows."""
    if is_simulated(train, validation):
        return _SIMULATED_NOTICE
    pictures = counted(len(train.rows), "picture")
    groups = counted(len(train.groups), "patient or video", "patients or videos")
    return f"This model was trained on {pictures} of {groups} and has not been tested on others."


def data_facts(name: str, train: FrameSet, validation: FrameSet) -> dict[str, Any]:
    """For the provenance.

    Args:
        name: Of the data set; simulated scans are called what they are.
        train: Frames that were learned from.
        validation: Frames that everything else was chosen on.

    Returns:
        Plain JSON values. Of simulated patients the first, the last and how many; of others only how many:
        names of real groups may be names of files, and those of persons.
    """
    simulated = is_simulated(train, validation)

    def groups(data: FrameSet) -> Any:
        return [data.groups[0], data.groups[-1], len(data.groups)] if simulated else len(data.groups)

    return {
        "data": _SIMULATED if simulated else name,
        "train_patients": groups(train),
        "train_frames": len(train.rows),
        "validation_patients": groups(validation),
        "validation_frames": len(validation.rows),
    }
