"""What a training tells the window: which weights it keeps, and how long it takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.toys import options, toy_trainer
from training.schedule import side_at, work_at
from training.trainer.loggers import PROGRESS_NAME
from training.trainer.semc import SemcModule


def test_the_validation_whose_weights_are_kept_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small pictures at first are validated, too, and none of their weights are kept."""
    monkeypatch.setattr(SemcModule, "is_comparable", lambda _module, progress: progress >= 0.55)
    trainer = toy_trainer(options(10, batch=8, validations=10), tmp_path)
    assert trainer.fit()
    lines = (tmp_path / PROGRESS_NAME).read_text(encoding="utf-8").splitlines()
    told = [each for each in map(json.loads, lines) if each["event"] == "validated"]
    assert len(told) == 10
    assert not any(each["kept"] for each in told if each["progress"] < 0.55)
    kept = [each for each in told if each["kept"]]
    assert kept
    assert [each["f1"] for each in kept] == sorted({each["f1"] for each in kept}), (
        "each is better than the last"
    )
    assert kept[-1]["f1"] == pytest.approx(trainer.best_score, abs=1e-6)
    assert kept[-1]["f1"] == max(each["f1"] for each in told if each["progress"] >= 0.55)
    assert all(each["kept"] is None for each in map(json.loads, lines) if each["event"] != "validated")


@pytest.mark.parametrize("progressive", [True, False])
def test_the_time_left_is_reckoned_by_the_pixels(progressive: bool) -> None:
    """On a machine that takes as long for each pixel the first estimate is right, and so is every other."""
    steps, full = 200, 160
    took = [side_at(step / steps, full, progressive) ** 2 * 1e-3 for step in range(steps)]
    for step in (1, 50, 109, 110, 111, 150, 199):
        part, elapsed = work_at(step / steps, full, progressive), sum(took[:step])
        assert elapsed / part * (1 - part) == pytest.approx(sum(took[step:]), rel=0.01, abs=1e-6)
    assert work_at(0.0, full, progressive) == 0
    assert work_at(1.0, full, progressive) == 1
