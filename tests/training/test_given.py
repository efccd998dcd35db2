"""The data sets that a training is given, as one."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.training.toy_folder import write_toy_folder
from training.given import load_index


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
