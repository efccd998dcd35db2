"""A model file is judged as users run it, patients stay unnamed, and only the best of a method is kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from main import main
from semc_core.errors import RuntimeFault
from semc_core.model.comparison import run_folder
from semc_core.runtime import load
from tests.training.compare.test_tables import result
from tests.training.toy_folder import write_toy_folder
from training.ablation.measures import best_thresholds
from training.compare.plan import Run, RunResult, kept_model, read_result
from training.compare.runs import kept_seed, settle, write_result
from training.data.index import DataIndex
from training.data.loading import for_classification, load_index
from training.evaluation.predictions import open_predictor
from training.promotion import held_out_frames
from training.trainer.trainer import BEST, LAST

RUN = Run("semc", 1)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DataIndex:
    folder = write_toy_folder(tmp_path_factory.mktemp("data") / "toy", 120, patients=20)
    return for_classification(load_index([str(folder)], 1))


@pytest.fixture(scope="module")
def trained(index: DataIndex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a run is trained and not yet judged."""
    out = tmp_path_factory.mktemp("out")
    model = RUN.model(out)
    model.parent.mkdir()
    typed = ["train", "--data", str(index.folder), "--out", str(model), "--preset", "semc_tiny"]
    assert main([*typed, "--steps", "3", "--batch", "8", "--validations", "1", "--threads", "1"]) == 0
    return out


@pytest.fixture
def out(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(trained, tmp_path / "out")
    return tmp_path / "out"


@pytest.mark.long
def test_thresholds_are_chosen_on_the_validation_patients(index: DataIndex, out: Path) -> None:
    found = write_result(RUN, out, index, "p", threads=1)
    with open_predictor(RUN.model(out), "cpu", 1) as predictor:
        validation, test = (held_out_frames(index, predictor.spec, name) for name in ("validation", "test"))
        chosen = best_thresholds(predictor.answer(validation.frames).probabilities, validation.labels.numpy())
        said = predictor.answer(test.frames).probabilities
    assert found["thresholds"] == pytest.approx(chosen.tolist())
    assert np.abs(np.array(found["probabilities"]) - said).max() < 1e-5
    assert found["truth"] == test.labels.tolist()
    names = [row.group for row in test.rows]
    assert [names.index(name) for name in names] == [
        found["group_of"].index(number) for number in found["group_of"]
    ]
    assert found["milliseconds"] > 0
    assert "OpenVINO" in found["ran_on"]
    text = RUN.path(out).read_text(encoding="utf-8")
    assert not any(name in text for name in names)
    assert read_result(RUN, "p", out) == found


@pytest.mark.long
def test_what_openvino_cannot_run_is_run_by_pytorch(
    index: DataIndex, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = write_result(RUN, out, index, "p", threads=1)

    def cannot(*_given: object) -> Any:
        raise RuntimeFault("OpenVINO cannot run this network.")

    monkeypatch.setitem(load.RUNTIMES, "cpu", cannot)
    again = write_result(RUN, out, index, "p", threads=1)
    assert "PyTorch" in again["ran_on"]
    assert again["probabilities"] == [pytest.approx(row, abs=1e-3) for row in found["probabilities"]]
    # Judged anew after a kill, the test pictures were not looked at once more.
    assert again["model_sha256"] == found["model_sha256"]


def worked(out: Path, run: Run) -> None:
    """What a training leaves, in small."""
    model = run.model(out)
    run_folder(model).mkdir(parents=True)
    model.write_text(run.title, encoding="utf-8")
    model.with_suffix(".md").write_text("card", encoding="utf-8")
    for name in (LAST, BEST, "log.csv"):
        (run_folder(model) / name).write_text(run.title, encoding="utf-8")


def results_of(scores: Mapping[int, float]) -> dict[int, RunResult]:
    return {seed: result("semc", seed, 0.0, f1) for seed, f1 in scores.items()}


def test_the_model_of_the_best_seed_is_kept(tmp_path: Path) -> None:
    scores: dict[int, float] = {}
    for seed, f1, kept in ((1, 0.5, 1), (2, 0.7, 2), (3, 0.7, 2), (4, 0.6, 2)):
        scores[seed] = f1
        worked(tmp_path, Run("semc", seed))
        settle(Run("semc", seed), results_of(scores), tmp_path, keep=True)
        kept_here = kept_model(tmp_path, "semc")
        assert kept_here.read_text(encoding="utf-8") == f"semc, seed {kept}"
        assert (run_folder(kept_here) / "log.csv").read_text(encoding="utf-8") == f"semc, seed {kept}"
        assert not (run_folder(kept_here) / LAST).exists()
        assert not list((tmp_path / "work").iterdir())
    assert kept_here.with_suffix(".md").exists()


def test_a_kill_while_a_model_is_put_away_loses_nothing(tmp_path: Path) -> None:
    run, target = Run("semc", 1), kept_model(tmp_path, "semc")
    worked(tmp_path, run)
    target.parent.mkdir()
    run_folder(run.model(tmp_path)).rename(run_folder(target))  # so far it came
    settle(run, results_of({1: 0.5}), tmp_path, keep=True)
    assert target.read_text(encoding="utf-8") == run.title
    assert (run_folder(target) / "log.csv").exists()
    settle(run, results_of({1: 0.5}), tmp_path, keep=True)
    assert target.exists()


def test_without_a_wish_to_keep_nothing_is_left(tmp_path: Path) -> None:
    worked(tmp_path, RUN)
    settle(RUN, results_of({1: 0.5}), tmp_path, keep=False)
    assert not list((tmp_path / "work").iterdir())
    assert kept_seed(tmp_path, "semc") is None
