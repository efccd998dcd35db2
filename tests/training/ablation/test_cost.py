"""What trainings cost is told from timed steps: more steps cost more, and `--list` adds them up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from main import main
from tests.training.test_ablation import SMALL, TRAINING
from training.ablation import cost
from training.ablation.runs import Run, planned
from training.ablation.variants import VARIANTS

PATIENTS = "[patients]\ntrain = '0:2'\nvalidation = '1000:1002'\ntest = '2000:2002'\n"


def test_it_grows_with_the_steps_and_with_what_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(
        "training.ablation.cost.monotonic", lambda: float(next(ticks))
    )  # a step, and a look, last 1 s
    runs = [Run(VARIANTS["plain"], 1)]
    looked = cost.judged_frames(SMALL)
    assert looked == 5 * 10 * (4 + 1)
    takes = cost.estimated_s(runs, SMALL, threads=1)["plain"]
    assert takes == pytest.approx(SMALL.steps * 4 + looked / 16)  # of a step of 12 frames 3 were timed
    more = cost.estimated_s(runs, replace(SMALL, steps=104), threads=1)["plain"]
    assert more - takes == pytest.approx(400)


def test_a_network_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[str] = []

    def timing(run: Run, *_given: object) -> float:
        timed.append(run.variant.name)
        return 7.0

    monkeypatch.setattr(cost, "_timed", timing)
    found = cost.estimated_s(planned(SMALL, ["all", "alpha-0.1", "start-authors", "gate-top1"]), SMALL, 1)
    assert found == dict.fromkeys(("all", "alpha-0.1", "start-authors", "gate-top1"), 7.0)
    assert timed == ["all", "gate-top1"]


def test_the_list_adds_it_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "_timed", lambda *_given: 1800.0)
    path = tmp_path / "own.toml"
    path.write_text(f"name='own'\n{PATIENTS}[pictures]\nframes=10\nsize=64\n{TRAINING}", encoding="utf-8")
    given = ["ablate", "--benchmark", str(path), "--data", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main([*given, "--table", "parts", "--seeds", "1,2", "--list"]) == 0
    said = capsys.readouterr().out
    assert "10 trainings to come, about 5.0 hours on this machine" in said
    assert main([*given, "--only", "plain,best-expert", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(each["variant"], each["estimated_s"]) for each in listed] == [("plain", 1800), ("all", 1800)]
