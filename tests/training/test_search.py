"""The search for choices of a training: what may vary, what is chosen, and how it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from main import main
from semc_core.errors import UsageError
from tests.training.toy_folder import write_toy_folder
from training.config_file import read_config
from training.search import Range, read_space

SPACE = """\
optimiser = ["adamw", "sgd"]
rate = {low = 1e-4, high = 1e-1, log = true}
batch = {low = 8, high = 12}
[losses]
alpha = [0.3, "learned"]
self_weight = {low = 0.0, high = 0.5}
[augment]
scale = [[0.8, 1.2], [0.9, 1.1]]
"""
SHORT = ["--steps", "4", "--threads", "1", "--set", "preset=semc_tiny", "--set", "validations=2"]


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "space.toml"
    path.write_text(SPACE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_folder(tmp_path_factory.mktemp("data") / "toy", 90, patients=10)


def test_lists_are_choices_and_low_and_high_a_range(space: Path) -> None:
    assert read_space(space) == {
        "optimiser": ("adamw", "sgd"),
        "rate": Range(1e-4, 1e-1, log=True),
        "batch": Range(8, 12),
        "losses.alpha": (0.3, "learned"),
        "losses.self_weight": Range(0.0, 0.5),
        "augment.scale": ((0.8, 1.2), (0.9, 1.1)),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names nothing that may vary"),
        ("rate = 0.1", "neither a list of choices nor a range"),
        ("rate = []", "neither a list of choices nor a range"),
        ("rate = {low = 2, high = 1}", "neither a list of choices nor a range"),
        ("rate = {low = 0, high = 1, log = true}", "with log = true only above 0"),
        ("rate = {low = true, high = 3}", "neither a list of choices nor a range"),
        ("rates = [1, 2]", r"perhaps rate is meant\."),
        ("[losses", "cannot be read"),
    ],
)
def test_a_space_that_is_none_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=problem):
        read_space(path)


def test_what_cannot_be_used_is_known_before_the_first_trial(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "space.toml"
    asked = ["search", "--data", str(folder), "--space", str(path), "--out", str(tmp_path / "found"), *SHORT]
    for text, problem in (
        ('optimiser = ["adamw", "none"]', "no optimiser 'none'"),
        ("losses.temperature = {low = -1.0, high = 1.0}", "must be above 0"),
        ('preset = ["semc_tiny", "semc_live"]', "preset cannot vary within a search"),
    ):
        path.write_text(text, encoding="utf-8")
        assert main(asked) == 2
        assert problem in capsys.readouterr().err
    assert not (tmp_path / "found" / "trials").exists()


@pytest.mark.long
def test_a_search_finds_its_best_goes_on_after_a_kill_and_trains_by_it(
    folder: Path, space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found"
    asked = ["search", "--data", str(folder), "--space", str(space), "--out", str(out), *SHORT]
    killed = subprocess.Popen(
        [sys.executable, "main.py", *asked, "--trials", "50"],
        cwd=Path(__file__).resolve().parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (out / "trials" / "0002").exists():
        assert killed.poll() is None
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = json.loads((out / "trials.json").read_text(encoding="utf-8"))
    assert main([*asked, "--trials", "4"]) == 0
    said = capsys.readouterr().out
    assert "too good" in said
    rows = json.loads((out / "trials.json").read_text(encoding="utf-8"))
    assert rows[: len(before)] == before
    assert len(rows) == 4
    for row in rows:
        assert 8 <= row["settings"]["batch"] <= 12
        assert row["settings"]["losses.alpha"] in (0.3, "learned")
        assert 1e-4 <= row["settings"]["rate"] <= 1e-1
    best = max((row for row in rows if not row["given_up"]), key=lambda row: row["f1"])
    found = read_config(out / "best.toml")
    assert {key: found[key] for key in best["settings"]} == best["settings"]
    assert found["preset"] == "semc_tiny"
    assert not list(out.glob("trials/*/*.pt"))
    model = tmp_path / "m.safetensors"
    assert (
        main(["train", "--data", str(folder), "--config", str(out / "best.toml"), "--out", str(model)]) == 0
    )
    capsys.readouterr()
    assert main([*asked, "--trials", "4", "--seed", "2"]) == 2
    assert "a search of other choices or data" in capsys.readouterr().err
