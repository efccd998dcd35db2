"""`semc model add` and `semc model list`: what is offered was checked, and is listed with what it knows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import main
from semc_core.model.comparison import Comparison, Measured
from semc_core.model.file import VERIFY, read_model, read_spec, write_model
from semc_core.model.registry import ModelRegistry
from tests.model.verified import write_verified


@pytest.fixture
def good(tiny_model_path: Path, tmp_path: Path) -> Path:
    return write_verified(tmp_path / "My liver.safetensors", tiny_model_path, notice="Good.")


def test_a_model_that_passes_its_own_check_is_taken_in_and_can_be_named(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["model", "add", str(good)]) == 0
    assert "version 1 is called My-liver: 6 planes" in capsys.readouterr().out
    good.unlink()
    assert main.main(["model", "verify", "my-liver", "--json"]) == 0
    capsys.readouterr()
    assert main.main(["model", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["in_use"] == 0
    mine = next(each for each in found["models"] if each["name"] == "My-liver")
    assert (mine["number"], mine["shipped"], mine["protocol"]) == (1, False, "lp2025-liver")
    assert [each["name"] for each in found["models"] if each["in_use"]] == ["live"]
    assert main.main(["model", "use", "My-liver"]) == 0
    assert main.main(["model", "list"]) == 0
    out = capsys.readouterr().out
    for words in ("My-liver", "live", "Liver, six planes"):
        assert words in out


def test_what_it_was_compared_with_stays_known_when_it_is_added_again(good: Path) -> None:
    own = Measured(read_spec(good).sha256, 0.9, 0.9, 0.02)
    compared = Comparison(own, None, "0" * 64, None, None, None, "test", 10, 2, "they differ")
    ModelRegistry().add(good, "trained", compared, forced=True)
    assert main.main(["model", "add", str(good), "--name", "mine"]) == 0
    (version,) = ModelRegistry().versions()
    assert (version.name, version.note, version.forced) == ("mine", "trained", True)
    assert version.compared == compared


def test_a_model_that_gives_something_else_here_is_not_taken_in(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, arrays = read_model(good)
    wrong = tmp_path / "wrong.safetensors"
    write_model(wrong, spec, arrays | {VERIFY[1]: arrays[VERIFY[1]] + np.float32(0.5)})
    assert main.main(["model", "add", str(wrong)]) == 1
    assert "does not give here what it gave when it was made" in capsys.readouterr().err
    assert ModelRegistry().versions() == ()


def test_a_model_without_a_check_of_its_own_is_not_taken_in(
    tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["model", "add", str(tiny_model_path)]) == 1
    assert "holds no inputs and outputs to verify it with" in capsys.readouterr().err


def test_of_a_folder_every_good_model_is_taken_in_and_the_others_are_told(
    good: Path, tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_verified(tmp_path / "second.safetensors", tiny_model_path, notice="Second.")
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing")
    assert main.main(["model", "add", str(tmp_path)]) == 1
    assert "damaged.safetensors cannot be used as a model" in capsys.readouterr().err
    assert [each.name for each in ModelRegistry().versions()] == ["My-liver", "second"]


def test_nothing_to_add_is_said(tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main.main(["model", "add", str(tmp_path / "empty")]) == 2
    assert "holds no model file" in capsys.readouterr().err
    (tmp_path / "other.safetensors").write_bytes(good.read_bytes())
    assert main.main(["model", "add", str(tmp_path), "--name", "x"]) == 2
    assert "one by one" in capsys.readouterr().err
    assert main.main(["model", "add", str(good), "--name", "live"]) == 2
    assert "came with the program is called live" in capsys.readouterr().err


def test_a_model_that_was_changed_since_is_listed_with_what_is_wrong(
    good: Path, own_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["model", "add", str(good)]) == 0
    (path,) = own_models.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    capsys.readouterr()
    assert main.main(["model", "list", "--json"]) == 0
    mine = json.loads(capsys.readouterr().out)["models"][-1]
    assert "was changed" in mine["fault"]
    assert mine["planes"] == []
    assert main.main(["model", "list"]) == 0
