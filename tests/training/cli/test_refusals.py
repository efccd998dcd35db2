"""What a training command cannot work with is said in a sentence, before the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from main import main
from semc_core.errors import UsageError
from tests.training.toy_folder import write_toy_folder
from training.calibration import fit_novelty
from training.data.checks import what_is_lacking
from training.data.index import Sample, make_index, read_splits
from training.data.readers import open_data
from training.evaluation.scans import EvaluationOptions
from training.pretrain.module import read_coarse


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "columns file and label"),
        (b"file,label\n\xe9.png,A\n", "in UTF-8"),
        (b"file,label,frame\na.png,A,x\n", "frame, a whole number"),
        (b"file,label\na.png\n", "columns file and label"),
        (b"file,label\n", "lists no pictures"),
        (b"", "lists no pictures"),
    ],
)
def test_a_table_that_is_none_of_pictures_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(UsageError, match=words):
        open_data(tmp_path / "table.csv")


def test_a_file_in_place_of_a_data_set_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file; name the folder"):
        open_data(tmp_path / "model.safetensors")


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError, match=r"cannot be read \(Permission denied\)"):
        open_data(tmp_path)


def test_lists_and_tables_beside_a_data_set_that_are_damaged_are_named(tmp_path: Path) -> None:
    (tmp_path / "camus" / "patient0001").mkdir(parents=True)
    (tmp_path / "camus" / "patient0001" / "patient0001_2CH_ED.mhd").write_bytes(b"x")
    (tmp_path / "camus" / "subgroup_training.txt").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"subgroup_training\.txt cannot be read"):
        open_data(tmp_path / "camus")
    with pytest.raises(UsageError, match="There is no table of splits"):
        read_splits(tmp_path / "none.csv")
    for content in ("", "label,anatomy\n", "label,anatomy\nA\n", "a,b\n1,2\n"):
        (tmp_path / "coarse.csv").write_text(content, encoding="utf-8")
        with pytest.raises(UsageError, match="columns label and anatomy"):
            read_coarse(tmp_path / "coarse.csv")


def test_shares_must_be_numbers_that_can_be_shared(tmp_path: Path) -> None:
    toy = open_data(write_toy_folder(tmp_path / "toy", 60))
    for wrong in (float("inf"), float("nan"), -1.0):
        with pytest.raises(UsageError, match="three numbers of 0 or more"):
            toy.split(1, (1.0, wrong, 1.0))


@pytest.mark.parametrize("command", [["data", "split"], ["train", "--out", "x.safetensors", "--data"]])
def test_a_seed_below_zero_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command, "set", "--seed", "-1"])
    assert "must be a whole number, 0 or more" in capsys.readouterr().err


@pytest.mark.parametrize("seed", [str(2**63), "9" * 5000])
def test_a_seed_that_is_too_large_is_refused(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "split", "set", "--seed", seed])
    assert f"the largest is {2**63 - 1}" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("option", ["--encoder", "--compare-with"])
def test_a_model_that_is_none_is_refused_before_pictures_are_read(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.safetensors").write_text("hello", encoding="utf-8")
    given = ["train", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "new.safetensors")]
    assert main([*given, option, str(tmp_path / "text.safetensors")]) in (1, 2)
    assert "text.safetensors cannot be" in capsys.readouterr().err


def test_a_place_of_the_wrong_kind_is_refused_before_the_evaluation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "folder.json").mkdir()
    for name, words in (("file", "is a file; name a folder"), ("folder.json", "is a folder; name a file")):
        with pytest.raises(SystemExit):
            main(["eval", "none.safetensors", "none", "--out", str(tmp_path / name)])
        assert words in capsys.readouterr().err


def test_scans_that_cannot_be_are_refused() -> None:
    for size in ({"width": 0}, {"height": 5000}, {"frame_rate": 1e9}, {"seconds": 0.01}, {"seconds": 1e7}):
        with pytest.raises(UsageError):
            EvaluationOptions(**size)
    assert EvaluationOptions().frame_rate == 25


def test_a_validation_split_without_planes_is_said_before_the_training(tmp_path: Path) -> None:
    samples = [Sample(tmp_path, name, f"p{i}", split="train") for i in range(9) for name in ("A", "NSP")]
    held_out = [Sample(tmp_path, name, "v", split="validation") for name in ("A", "NSP")]
    assert what_is_lacking(make_index("set", [*samples, *held_out], tmp_path)) == ""
    said = what_is_lacking(make_index("set", [*samples, held_out[1]], tmp_path))
    assert said.startswith("No validation picture shows a plane")


def test_features_that_are_all_the_same_are_told() -> None:
    same = np.ones((40, 8), np.float32)
    with pytest.raises(UsageError, match="tells no two pictures of planes apart"):
        fit_novelty(same, np.repeat([0, 1], 20), same)
