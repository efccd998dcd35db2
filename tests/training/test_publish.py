"""What a model says of the data that it learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from semc_core.labels import NON_STANDARD
from semc_core.model.file import read_model
from semc_core.model.weights import AnyNetwork
from semc_core.runtime.load import load_runtime
from tests.training.toys import CLASSES, options, toy
from training.calibration import choose_thresholds, fit_temperature
from training.data.frame_set import FrameSet
from training.inference import classify
from training.metrics import frame_metrics
from training.models import build
from training.publish import data_facts, finish, is_simulated, notice_of


def of_patients(data: FrameSet) -> FrameSet:
    """The same frames, as if they had been read from a hospital's files, named after persons."""
    rows = [replace(row, source="hospital", group=f"Doe^Jane {row.group}") for row in data.rows]
    return FrameSet(data.frames, data.labels, rows, data.classes)


@pytest.fixture
def sure_network() -> AnyNetwork:
    """Untrained, and far too sure of what it says."""
    torch.manual_seed(4)
    network = build("semc", "semc_tiny", CLASSES).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith("classifiers."):
                parameter.mul_(40)
    return network


@pytest.mark.usefixtures("one_thread")
def test_what_was_fitted_on_the_validation_frames_is_in_the_file(
    sure_network: AnyNetwork, tmp_path: Path
) -> None:
    train, validation = toy(0, 30, seed=1), toy(1000, 45, seed=2)
    path = tmp_path / "model.safetensors"
    finish(sure_network, options(2), train, validation, path, "toys", {})
    spec, _ = read_model(path)
    logits = classify(sure_network, validation.frames, spec.preprocessing).logits
    temperature = fit_temperature(logits, validation.labels)
    assert temperature > 1.5
    assert spec.calibration.temperature == pytest.approx(temperature)
    runtime = load_runtime(path, "cpu", threads=1)
    mean, std = spec.preprocessing.mean[0], spec.preprocessing.std[0]
    inputs = (validation.frames[:, None].numpy() / np.float32(255) - mean) / std
    shown = np.stack([one.probabilities for one in runtime.classify(inputs.astype(np.float32))])
    runtime.close()
    none = CLASSES.index(NON_STANDARD)
    expected = choose_thresholds(shown, validation.labels.numpy(), none, 0.97).thresholds
    assert (spec.thresholds.enter, spec.thresholds.leave) == (expected.enter, expected.leave)
    measured = spec.metrics["validation"]
    theirs = frame_metrics(torch.from_numpy(shown), validation.labels, CLASSES)
    assert measured["f1"] == pytest.approx(theirs["f1"], abs=1e-6)
    assert measured["calibration_error"] == pytest.approx(theirs["calibration_error"], abs=1e-3)
    before = frame_metrics(torch.softmax(logits, 1), validation.labels, CLASSES)["calibration_error"]
    assert measured["calibration_error_before"] == pytest.approx(before)


def test_a_model_of_simulated_patients_says_so() -> None:
    train, validation = toy(0, 30, seed=1), toy(1000, 15, seed=2)
    assert is_simulated(train, validation)
    assert data_facts("set", train, validation) == {
        "data": "simulated scans of this program",
        "train_patients": ["00000", "00004", 5],
        "train_frames": 30,
        "validation_patients": ["01000", "01004", 5],
        "validation_frames": 15,
    }
    assert "must not be used on real" in notice_of(train, validation)


@pytest.mark.parametrize("real", [("train",), ("validation",), ("train", "validation")])
def test_a_model_of_any_other_data_does_not(real: tuple[str, ...]) -> None:
    given = {"train": toy(0, 30, seed=1), "validation": toy(1000, 15, seed=2)}
    given |= {name: of_patients(given[name]) for name in real}
    train, validation = given["train"], given["validation"]
    facts, notice = data_facts("liver", train, validation), notice_of(train, validation)
    assert facts["data"] == "liver"
    assert (facts["train_patients"], facts["validation_patients"]) == (5, 5)
    assert "trained on 30 pictures of 5 patients or videos" in notice
    for said in (str(facts), notice):
        assert "simulated" not in said
        assert "Jane" not in said
