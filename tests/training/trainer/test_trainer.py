"""A toy training from start to model file, calibration, and going on after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.file import read_model
from semc_core.runtime.load import load_runtime
from tests.training.toys import CLASSES, Rows, options, toy, toy_trainer
from training.data.frame_set import FrameSet
from training.inference import classify
from training.publish import finish
from training.schedule import Budget, Pace, rate_factor, side_at
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer


@pytest.mark.long
def test_a_toy_is_learned_and_its_file_runs(tmp_path: Path) -> None:
    train, validation = toy(0, 240, seed=1), toy(1000, 90, seed=2)
    trainer, log = Trainer(SemcModule(options(100), train, validation), tmp_path / "run"), Rows()
    assert trainer.fit([log])
    told = log.rows
    assert told[-1]["validation_accuracy"] > 0.9
    assert (tmp_path / "run" / "log.csv").read_text(encoding="utf-8").count("\n") == 1 + len(told)

    path = tmp_path / "toy.safetensors"
    network = trainer.best_network()
    spec = finish(network, trainer.module.options, train, validation, path, "toys", {"steps": trainer.step})
    assert "knows only the simulated scan" in spec.notice
    assert spec.provenance["data"] == "simulated scans of this program"
    assert spec.provenance["train_patients"] == ["00000", "00004", 5]
    assert spec.notice in path.with_suffix(".md").read_text(encoding="utf-8")
    read, arrays = read_model(path)
    assert read.classes == CLASSES
    assert arrays["novelty.mean"].shape[1] == arrays["novelty.whiten"].shape[0]

    runtime = load_runtime(path, "cpu", threads=1)
    frames = validation.frames[:12]
    inputs = (frames[:, None].numpy() / np.float32(255) - 0.2) / 0.2
    answers = runtime.classify(inputs.astype(np.float32))
    runtime.close()
    expected = classify(network, frames, spec.preprocessing).logits.argmax(1)
    assert sum(a.probabilities.argmax() == e for a, e in zip(answers, expected, strict=True)) >= 11


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    train, validation = toy(0, 30, seed=1), toy(1000, 12, seed=2)
    toy_trainer(options(2), tmp_path).fit()
    other = FrameSet(train.frames, train.labels, train.rows, ("DISC", "ROD", NON_STANDARD))
    others = FrameSet(validation.frames, validation.labels, validation.rows, other.classes)
    with pytest.raises(UsageError, match="other classes"):
        Trainer(SemcModule(options(2), other, others), tmp_path).resume()
    with pytest.raises(UsageError, match="other rate"):
        toy_trainer(options(2, rate=1e-3), tmp_path).resume()
    (tmp_path / "last.pt").write_bytes(b"damaged")
    with pytest.raises(UsageError, match="cannot be read"):
        toy_trainer(options(2), tmp_path).resume()


def test_a_budget_in_minutes_ends_when_its_time_is_trained(tmp_path: Path) -> None:
    given = replace(options(1, batch=8), budget=Budget(minutes=0.01))
    trainer, log = toy_trainer(given, tmp_path), Rows()
    assert trainer.fit([log])
    assert trainer.progress == 1
    assert trainer.elapsed_s >= 0.6
    assert log.rows[-1]["step"] == trainer.step
    more = Budget(minutes=trainer.elapsed_s / 60 + 0.01)  # on a busy machine a step may have taken longer
    longer = toy_trainer(replace(given, budget=more), tmp_path)
    assert longer.resume()
    assert longer.fit()
    assert longer.step > trainer.step
    assert longer.elapsed_s >= trainer.elapsed_s + 0.6


@pytest.mark.requirement("M4")
def test_a_patient_on_both_sides_is_refused() -> None:
    with pytest.raises(UsageError, match="training and validation"):
        SemcModule(options(2), toy(0, 30, seed=1), toy(4, 30, seed=2))


def test_the_schedule_rises_falls_and_ends_at_full_size() -> None:
    factors = [rate_factor(progress / 100) for progress in range(101)]
    assert factors.index(max(factors)) == 4
    assert factors[-1] == pytest.approx(0.01)
    assert [side_at(p, 160, True) for p in (0.0, 0.5, 0.6)] == [128, 128, 160]
    assert side_at(0.0, 224, False) == 224
    assert Budget(minutes=2).progress(step=5, elapsed_s=60) == 0.5
    with pytest.raises(UsageError):
        Budget()
    with pytest.raises(UsageError):
        Budget(steps=0)


def test_time_asleep_does_not_use_up_the_budget() -> None:
    pace = Pace()
    assert [pace.counted(took_s) for took_s in (2.0, 1.0, 3.0)] == [2.0, 1.0, 3.0]
    assert pace.counted(3600.0) < 30
