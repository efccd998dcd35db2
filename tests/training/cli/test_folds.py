"""`semc train --folds`: every patient is tested once, by a model that never saw the patient."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.model.file import read_spec
from tests.training.toy_folder import write_toy_folder
from training.data.folds import folds_of
from training.data.index import DataIndex
from training.data.loading import for_classification, open_index

SHORT = ["--steps", "2", "--validations", "1", "--batch", "8", "--threads", "1", "--preset", "semc_tiny"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs, bars and nothing of ten patients."""
    return write_toy_folder(tmp_path_factory.mktemp("data") / "toy", 90, patients=10)


@pytest.fixture
def index(folder: Path) -> DataIndex:
    return for_classification(open_index([str(folder)]))


def groups_of(index: DataIndex, split: str) -> set[str]:
    return {sample.group for sample in index.of_split(split)}


def test_every_group_is_tested_once_and_validates_once_and_is_in_one_split(index: DataIndex) -> None:
    folds = folds_of(index, 5, seed=3)
    tested = [group for fold in folds for group in groups_of(fold, "test")]
    validating = [group for fold in folds for group in groups_of(fold, "validation")]
    assert sorted(tested) == sorted(validating) == sorted(index.groups)
    for number, fold in enumerate(folds):
        assert groups_of(fold, "validation") == groups_of(folds[(number + 1) % 5], "test")
        assert groups_of(fold, "train") | groups_of(fold, "validation") | groups_of(fold, "test") == set(
            index.groups
        )
        assert len(fold.samples) == len(index.samples)
        for label in index.classes[:2]:
            assert sum(sample.label == label for sample in fold.of_split("test")) == 6
    assert [one.samples for one in folds] == [one.samples for one in folds_of(index, 5, seed=3)]
    assert folds[0].samples != folds_of(index, 5, seed=4)[0].samples


def test_the_test_pictures_of_a_set_that_is_split_are_in_no_fold(index: DataIndex) -> None:
    split = index.split(1)
    kept_out = groups_of(split, "test")
    folds = folds_of(split, 3)
    assert kept_out
    assert {group for fold in folds for group in fold.groups} == set(index.groups) - kept_out


def test_folds_that_cannot_be_are_refused(
    index: DataIndex, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="3 folds or more"):
        folds_of(index, 2)
    with pytest.raises(UsageError, match=r"10 patients or videos .* too few for 11 folds"):
        folds_of(index, 11)
    asked = ["train", "--data", str(folder), "--folds", "3", "--out", str(tmp_path / "m.safetensors")]
    assert main([*asked, "--promote"]) == 2
    assert "--promote says nothing to folds" in capsys.readouterr().err


@pytest.mark.long
def test_all_folds_are_trained_judged_together_and_go_on_after_a_kill(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m.folds"
    asked = ["train", "--data", str(folder), "--folds", "3", "--out", str(tmp_path / "m.safetensors"), *SHORT]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "Fold 3 of 3" in said
    assert "90 frames, 10 groups" in said
    assert "mean ± SD" in said
    assert not (tmp_path / "m.safetensors").exists()
    first = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert first["frames"] == 90
    assert [fold["fold"] for fold in first["folds"]] == [1, 2, 3]
    assert sum(fold["frames"] for fold in first["folds"]) == 90
    assert (out / "report.html").exists()
    assert len((out / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 91
    hashes = [read_spec(out / f"fold{number}.safetensors").sha256 for number in (1, 2, 3)]
    assert len(set(hashes)) == 3
    # As after a kill in the second fold.
    (out / "fold2.safetensors").unlink()
    shutil.rmtree(out / "fold2.run")
    assert main([*asked, "--resume"]) == 0
    said = capsys.readouterr().out
    assert "Fold 1 of 3 is there." in said
    assert "Fold 2 of 3:" in said
    again = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert again["scores"] == first["scores"]
    assert main([*asked, "--resume", "--seed", "2"]) == 2
    assert "folds of other data or options" in capsys.readouterr().err
