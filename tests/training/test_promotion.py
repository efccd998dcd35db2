"""A new model against the one in use, from the command that trains it."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from main import main
from semc_core.errors import UsageError
from semc_core.model.architecture import random_weights
from semc_core.model.comparison import COMPARISON_NAME, MARGIN, Comparison, Measured
from semc_core.model.file import read_model, read_spec, write_model
from semc_core.model.registry import ModelRegistry, current_model
from semc_core.paths import DEFAULT_MODEL
from tests.training.toy_folder import write_toy_folder
from training.data.index import DataIndex
from training.data.loading import load_frames, load_index
from training.evaluation.evaluate import matched
from training.evaluation.predictions import open_predictor
from training.promotion import compare
from training.trainer.loggers import PROGRESS_NAME

SEED = 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_folder(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def index(folder: Path) -> DataIndex:
    return load_index([str(folder)], SEED)


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file that `semc train` made of the toy."""
    path = tmp_path_factory.mktemp("trained") / "toy.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semc_core.model.registry.data_folder", lambda: path.parent / "user")
        given = ["--preset", "semc_tiny", "--steps", "50", "--batch", "32", "--validations", "2"]
        given += ["--threads", "1", "--seed", str(SEED), "--full-size"]
        assert main(["train", "--data", str(folder), "--out", str(path), *given]) == 0
    return path


@pytest.fixture
def untrained(trained: Path, tmp_path: Path) -> Path:
    """The same network with weights that know nothing."""
    spec, arrays = read_model(trained)
    path = tmp_path / "untrained.safetensors"
    write_model(path, spec, arrays | random_weights(spec.architecture, len(spec.classes)))
    return path


@pytest.mark.long
def test_training_ends_by_comparing(trained: Path) -> None:
    run = trained.with_suffix(".run")
    events = [json.loads(line) for line in (run / PROGRESS_NAME).read_text(encoding="utf-8").splitlines()]
    assert [each["event"] for each in events[-3:]] == ["calibrated", "compared", "finished"]
    assert "the model in use knows other planes" in events[-2]["message"]
    compared = json.loads((run / COMPARISON_NAME).read_bytes())
    assert compared["verdict"] == "not compared"
    assert compared["split"] == "test"
    assert compared["candidate"]["sha256"] == read_spec(trained).sha256
    assert compared["current_sha256"] == read_spec(DEFAULT_MODEL).sha256


def test_what_was_learned_is_better_than_nothing_and_the_other_way_round(
    trained: Path, untrained: Path, index: DataIndex
) -> None:
    better = compare(trained, untrained, index, threads=1)
    assert better.verdict == "better"
    assert better.current is not None
    assert better.difference is not None
    assert better.difference == pytest.approx(better.candidate.f1 - better.current.f1)
    assert better.low is not None
    assert better.high is not None
    assert 0 < better.low <= better.difference <= better.high
    worse = compare(untrained, trained, index, threads=1)
    assert worse.verdict == "worse"
    assert worse.difference == pytest.approx(-better.difference)
    assert worse.refusal(worse.candidate.sha256, worse.current_sha256) == worse.sentence
    library = ModelRegistry()
    library.add(trained, use=True)
    with pytest.raises(UsageError, match="is worse than the one in use"):
        library.promote(untrained, worse)
    assert read_spec(current_model()).sha256 == read_spec(trained).sha256


def test_the_interval_is_over_patients_and_not_over_their_frames(
    trained: Path, untrained: Path, index: DataIndex
) -> None:
    found = compare(trained, untrained, index, threads=1)
    spec = read_spec(trained)
    data = load_frames(matched(index, spec), "test", spec.preprocessing)
    groups = [row.group for row in data.rows]
    assert found.groups == len(set(groups)) == 3
    assert found.frames == len(groups) == 36
    called = []
    for path in (trained, untrained):
        with open_predictor(path, "cpu", threads=1) as judged:
            called.append(judged.answer(data.frames).probabilities.argmax(axis=1))
    # All draws of three patients, so that no chance is left: 27, and how often each difference comes.
    members = [np.flatnonzero(np.array(groups) == name) for name in sorted(set(groups))]
    differences = []
    for draw in itertools.product(range(3), repeat=3):
        places = np.concatenate([members[i] for i in draw])
        labels = data.labels.numpy()[places]
        new, old = (f1_of(labels, each[places]) for each in called)
        differences.append(new - old)
    assert found.low is not None
    assert found.high is not None
    assert min(abs(found.low - each) for each in differences) < 1e-6
    assert min(abs(found.high - each) for each in differences) < 1e-6


def f1_of(labels: NDArray[np.int64], called: NDArray[np.int64]) -> float:
    """Mean over the classes that there are."""
    f1s = []
    for label in np.unique(labels):
        right = ((labels == label) & (called == label)).sum()
        f1s.append(2 * right / ((labels == label).sum() + (called == label).sum()))
    return float(np.mean(f1s))


def test_a_model_is_as_good_as_itself(trained: Path, index: DataIndex) -> None:
    same = compare(trained, trained, index, threads=1)
    assert same.verdict == "as good"
    assert (same.difference, same.low, same.high) == (0.0, 0.0, 0.0)
    assert same.refusal(same.candidate.sha256, same.current_sha256) == ""


@pytest.mark.parametrize(
    ("difference", "low", "verdict"),
    [
        (0.05, 0.01, "better"),
        (0.05, -MARGIN, "better"),
        (0.05, -MARGIN - 0.001, "not shown"),
        (0.05, None, "not shown"),
        (-0.002, -0.008, "as good"),
        (0.0, -0.005, "as good"),
        (0.0, -0.02, "not shown"),
        (-0.002, -0.02, "worse"),
        (-0.002, None, "worse"),
        (0.0, None, "as good"),
    ],
)
def test_a_model_may_be_used_where_the_interval_excludes_that_it_loses_more_than_the_margin(
    difference: float, low: float | None, verdict: str
) -> None:
    measured = Measured("a" * 64, 0.9, 0.9 + difference, 0.02)
    old = Measured("b" * 64, 0.9, 0.9, 0.02)
    high = None if low is None else 0.1
    told = Comparison(measured, old, old.sha256, difference, low, high, "test", 100, 9)
    assert told.verdict == verdict
    may = verdict in ("better", "as good")
    assert (told.refusal(measured.sha256, old.sha256) == "") == may
    if verdict == "not shown":
        assert "is not shown to be as good as the one in use" in told.sentence
        assert "add patients" in told.sentence


def test_classes_in_another_order_change_nothing(trained: Path, index: DataIndex, tmp_path: Path) -> None:
    spec, arrays = read_model(trained)
    order = np.array([1, 0, 2])
    turned = {
        name: value[order] if name.startswith("classifiers") else value
        for name, value in arrays.items()
        if not name.startswith("verify")
    }
    path = tmp_path / "turned.safetensors"
    write_model(path, replace(spec, classes=tuple(spec.classes[i] for i in order)), turned)
    same = compare(trained, path, index, threads=1)
    assert same.difference == pytest.approx(0.0, abs=1e-9)


def test_without_test_pictures_the_validation_pictures_are_taken_and_it_is_said(
    trained: Path, untrained: Path, index: DataIndex
) -> None:
    samples = tuple(sample for sample in index.samples if sample.split != "test")
    found = compare(trained, untrained, replace(index, samples=samples), threads=1)
    assert found.split == "validation"
    assert "were chosen on these pictures" in found.sentence


@pytest.mark.long
@pytest.mark.requirement("M2")
def test_a_refused_model_stays_a_file_and_force_takes_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.safetensors"
    given = ["--preset", "semc_tiny", "--steps", "2", "--batch", "8", "--validations", "1", "--threads", "1"]
    given += ["--full-size", "--data", str(folder), "--out", str(path)]
    assert main(["train", *given, "--promote"]) == 2
    assert "was not compared: the model in use knows other planes" in capsys.readouterr().err
    assert path.exists()
    assert current_model() == DEFAULT_MODEL
    assert main(["model", "use", str(path), "--force"]) == 0
    assert read_spec(current_model()).sha256 == read_spec(path).sha256
