"""The data sets that a training is given, as one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.model.architecture import find_preset
from tests.training.toy_folder import write_toy_folder
from training.data.loading import load_given, load_index


def test_a_set_without_splits_is_dealt_beside_one_that_has_them(tmp_path: Path) -> None:
    whole = write_toy_folder(tmp_path / "whole", 60)
    dealt = tmp_path / "dealt"
    for patient in sorted(whole.glob("*/patient*")):
        split = ("train", "validation", "test")[int(patient.name[-2:]) % 3]
        shutil.copytree(patient, dealt / split / patient.parent.name / patient.name, dirs_exist_ok=True)
    index = load_index([str(dealt), str(whole)], seed=1)
    assert index.of_split("") == ()
    assert len(index.samples) == 120
    for sample in index.samples:
        if sample.path.is_relative_to(dealt):
            assert sample.split == sample.path.relative_to(dealt).parts[0]
    mine = {sample.split for sample in index.samples if sample.path.is_relative_to(whole)}
    assert "train" in mine


def test_what_is_lacking_is_said_by_the_check_and_before_a_training_reads_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write_toy_folder(tmp_path / "whole", 60)
    preprocessing = find_preset("semc_small").preprocessing
    one, few, none = tmp_path / "one", tmp_path / "few", tmp_path / "none"
    (one / "DISC").mkdir(parents=True)
    for number, path in enumerate((whole / "DISC").glob("*/*")):
        shutil.copy(path, one / "DISC" / f"{number}.png")
    shutil.copytree(whole, few)
    for patient in sorted((few / "BAR").iterdir())[7:]:
        shutil.rmtree(patient)
    shutil.copytree(whole / "DISC", none / "unlabelled")
    for folder, sentence in (
        (one, "There is one class only"),
        (few, "pictures of BAR or more, and the set has"),
        (none, "No picture has a label"),
    ):
        assert main(["data", "check", str(folder)]) == 0
        said = capsys.readouterr().out
        assert "It cannot be trained on yet." in said
        assert sentence in said
        with pytest.raises(UsageError, match=sentence):
            load_given([str(folder)], preprocessing, seed=1)
