"""A training that an older program began is found by the window and goes on."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.train.presenter import Phase
from app.train.process import TrainingProcess
from tests.old_files.places import unpack
from tests.training.toy_folder import write_toy_folder

ROOT = Path(__file__).resolve().parents[2]


def test_the_window_finds_the_training_and_what_it_told(tmp_path: Path) -> None:
    process = TrainingProcess(unpack("trainings", tmp_path))
    state = process.poll()
    assert state.phase is Phase.FINISHED
    assert process.model is not None
    comparison = process.comparison()
    assert comparison is not None
    assert comparison.verdict == "not compared"
    assert comparison.candidate.f1 == pytest.approx(1 / 6, abs=1e-3)


@pytest.mark.long
def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    (folder,) = unpack("trainings", tmp_path).iterdir()
    toys = write_toy_folder(tmp_path / "toys", 60, 20)
    given = json.loads((folder / "run.json").read_text(encoding="utf-8"))["arguments"]
    places = {"--data": toys, "--out": folder / "model.safetensors", "--epochs": 3}
    for option, value in places.items():
        given[given.index(option) + 1] = str(value)
    before = _losses(folder)
    command = [sys.executable, "-m", "tests.old_files.small", "train", *given, "--resume"]
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "Goes on at step 10." in done.stdout
    after = _losses(folder)
    assert list(after)[: len(before)] == list(before)
    assert all(after[step] == loss for step, loss in before.items())
    assert max(after, key=int) == "16"


def _losses(folder: Path) -> dict[str, str]:
    with (folder / "model.run" / "log.csv").open(newline="", encoding="utf-8") as file:
        return {row["step"]: row["loss"] for row in csv.DictReader(file)}
