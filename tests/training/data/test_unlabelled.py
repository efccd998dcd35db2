"""Which frames are learned from without their labels."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.errors import UsageError
from tests.export.scans import RATE, video_session
from tests.training.toy_folder import write_toy_folder
from training.data.index import DataIndex
from training.data.readers import open_data
from training.data.unlabelled import UNLABELLED, unlabelled_index

NOTHING = DataIndex("none", (), ())


def test_a_data_set_gives_its_pictures_but_those_of_patients_to_be_judged_by(tmp_path: Path) -> None:
    toys = open_data(write_toy_folder(tmp_path / "toys", 60, 20)).split(1)
    held = {sample.group for sample in toys.samples if sample.split in ("validation", "test")}
    found = unlabelled_index([str(tmp_path / "toys")], "", toys)
    assert {sample.label for sample in found.samples} == {UNLABELLED}
    assert {sample.split for sample in found.samples} == {"train"}
    assert len(found.samples) == len(toys.of_split("train"))
    assert not held & {sample.group.removeprefix("toys/") for sample in found.samples}
    assert found.notes[1].startswith(f"Left out: {60 - len(found.samples)} frames of patients")


def test_the_same_patient_in_another_folder_is_left_out_too(tmp_path: Path) -> None:
    toys = open_data(write_toy_folder(tmp_path / "toys", 60, 20)).split(1)
    more = shutil.copytree(tmp_path / "toys", tmp_path / "more")
    found = unlabelled_index([str(more)], "", toys)
    assert len(found.samples) == len(toys.of_split("train"))
    with pytest.raises(UsageError, match="may be learned from"):
        unlabelled_index([str(more)], "", replace(toys, samples=tuple(
            replace(sample, split="test") for sample in toys.samples
        )))  # fmt: skip


def test_a_session_gives_its_loop_ten_frames_a_second_and_a_folder_its_loops(tmp_path: Path) -> None:
    (tmp_path / "sessions").mkdir()
    with video_session(tmp_path / "sessions" / "one") as session:
        name = session.source.sha256
    found = unlabelled_index([str(tmp_path / "sessions" / "one")], "", NOTHING)
    assert [sample.frame for sample in found.samples] == list(range(0, 50, RATE // 10))
    assert {sample.group for sample in found.samples} == {f"one/{name}"}
    folder = tmp_path / "loops"
    folder.mkdir()
    shutil.move(tmp_path / "sessions" / "loop.mkv", folder / "loop.mkv")
    loops = unlabelled_index([str(folder)], "", NOTHING)
    assert [sample.frame for sample in loops.samples] == [sample.frame for sample in found.samples]
    with pytest.raises(UsageError, match="no picture or loop"):
        unlabelled_index([str(tmp_path / "sessions" / "one")], "", NOTHING)
