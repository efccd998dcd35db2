"""What is said where a data set is too small: what is needed, and what was found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main
from semc_core.model.architecture import find_preset
from tests.training.data.data_sets import picture
from tests.training.toy_folder import write_toy_folder
from training.data.enough import FoundClass, TooLittleData
from training.data.loading import load_given, load_index


@pytest.fixture
def two_patients(tmp_path: Path) -> Path:
    for number in range(3):
        picture(tmp_path / "few" / "DISC" / "p1" / f"{number}.png", number)
    picture(tmp_path / "few" / "DISC" / "p2" / "9.png", 9)
    picture(tmp_path / "few" / "NSP" / "p2" / "7.png", 7)
    return tmp_path / "few"


def test_too_few_patients_are_counted_by_class(two_patients: Path) -> None:
    with pytest.raises(
        TooLittleData, match=r"needs 3 patients or videos .* has 2 \(DISC 4 pictures of 2"
    ) as told:
        load_index([str(two_patients)], seed=1)
    assert told.value.patients == 2
    assert told.value.found == (FoundClass("DISC", 2, 4, 4), FoundClass("NSP", 1, 1, 1))


def test_too_few_pictures_are_counted_too(tmp_path: Path) -> None:
    folder = write_toy_folder(tmp_path / "toy", 60)
    for path in sorted((folder / "BAR").glob("*/*"))[3:]:
        path.unlink()
    with pytest.raises(TooLittleData, match="pictures of BAR or more, and the set has") as told:
        load_given([str(folder)], find_preset("semc_small").preprocessing, seed=1)
    (bar,) = (each for each in told.value.found if each.name == "BAR")
    assert (bar.pictures, told.value.patients) == (3, 20)
    assert bar.to_learn <= bar.pictures


def test_the_window_is_told_in_numbers(two_patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.safetensors"
    assert main(["train", "--data", str(two_patients), "--out", str(out), "--steps", "1"]) == 2
    lines = (tmp_path / "new.run" / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    told = json.loads(lines[-1])
    assert told["event"] == "failed"
    assert told["lacking"]["needed_patients"] == 3
    assert told["lacking"]["patients"] == 2
    assert told["lacking"]["classes"][0] == {"name": "DISC", "patients": 2, "pictures": 4, "to_learn": 4}
