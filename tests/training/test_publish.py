"""What a model says of the data that it learned from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.training.toys import toy
from training.data.frame_set import FrameSet
from training.publish import data_facts, is_simulated, notice_of


def of_patients(data: FrameSet) -> FrameSet:
    """The same frames, as if they had been read from a hospital's files, named after persons."""
    rows = [replace(row, source="hospital", group=f"Doe^Jane {row.group}") for row in data.rows]
    return FrameSet(data.frames, data.labels, rows, data.classes)


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
