"""Thresholds are chosen by the holds they find, on validation patients only."""

from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import UsageError
from semc_core.labels import LIVER_CLASSES, NON_STANDARD
from semc_core.model.file import read_model
from semc_core.phantom.trajectory import Truth
from semc_core.types import Thresholds
from training.evaluation.scans import EvaluationOptions, PatientResult, replay, tune
from training.model_card import restate


def scanned(confidence: float) -> PatientResult:
    """4 s at 25 frames/s: FHP1 is held from 1 s to 3 s, and seen with `confidence`; else NSP is certain."""
    truths = [Truth(i, i / 25, "FHP1" if 25 <= i < 75 else NON_STANDARD, 0.0) for i in range(100)]
    probabilities = np.zeros((100, len(LIVER_CLASSES)), np.float32)
    for row, truth in zip(probabilities, truths, strict=True):
        share = confidence if truth.plane == "FHP1" else 0.0
        row[0], row[LIVER_CLASSES.index(NON_STANDARD)] = share, 1 - share
    return PatientResult(1000, truths, [], probabilities)


def test_a_replay_finds_the_hold_whose_confidence_reaches_the_threshold() -> None:
    strict, mild = Thresholds(enter=0.9, leave=0.6), Thresholds(enter=0.6, leave=0.4)
    surely, hardly = scanned(0.97), scanned(0.75)
    assert replay([surely, hardly], LIVER_CLASSES, strict).right == 1
    found = replay([surely, hardly], LIVER_CLASSES, mild)
    assert (found.held, found.saved, found.right, found.inside) == (2, 2, 2, 2)


def test_a_hold_shorter_than_asked_for_is_not_saved() -> None:
    assert replay([scanned(0.97)], LIVER_CLASSES, Thresholds(min_hold_s=2.5)).saved == 0


def test_thresholds_are_never_chosen_on_test_patients(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no validation patient"):
        tune(tmp_path / "model.safetensors", [1000, 2000], EvaluationOptions())


def test_a_model_file_takes_new_thresholds_and_metrics_and_keeps_its_weights(
    tiny_model_path: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(tiny_model_path.read_bytes())
    before, weights = read_model(path)
    restate(path, {"test_holds": {"held": 3}}, Thresholds(enter=0.9, leave=0.6))
    after, same = read_model(path)
    assert (after.thresholds.enter, after.metrics["test_holds"]) == (0.9, {"held": 3})
    assert after.classes == before.classes
    assert after.sha256 != before.sha256
    assert all(np.array_equal(same[name], weights[name]) for name in weights)
    assert "entered at 0.9" in path.with_suffix(".md").read_text(encoding="utf-8")
