"""A training that is stopped or killed ends as if it never had been."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.toys import options, toy, toy_trainer
from tests.training.trainer.training_to_kill import STEPS, training_in
from training.losses.config import LossOptions
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.checkpoint import read_checkpoint
from training.trainer.loggers import CSV_NAME, PROGRESS_NAME, STOP_NAME, TENSORBOARD_NAME, ask_to_stop
from training.trainer.semc import SemcModule

ROOT = Path(__file__).resolve().parents[3]
CLOCKS = ("elapsed_s", "images_per_s")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert training_in(folder).fit()
    return folder


def check_same(expected: Path, got: Path) -> None:
    """Weights, average, queue, alpha, optimiser, best weights and log are equal to the last bit."""
    for name in ("last.pt", "best.pt"):
        check_equal(read_checkpoint(expected / name), read_checkpoint(got / name), name)
    logs = []
    for folder in (expected, got):
        with (folder / CSV_NAME).open(newline="", encoding="utf-8") as table:
            logs.append([{k: v for k, v in row.items() if k not in CLOCKS} for row in csv.DictReader(table)])
    assert logs[0] == logs[1]
    assert len(logs[0]) == 2


def check_equal(expected: Any, got: Any, where: str) -> None:
    if isinstance(expected, dict):
        assert expected.keys() == got.keys(), where
        for name in expected:
            if name not in CLOCKS:
                check_equal(expected[name], got[name], f"{where} {name}")
    elif isinstance(expected, list):
        assert len(expected) == len(got), where
        for number, (one, other) in enumerate(zip(expected, got, strict=True)):
            check_equal(one, other, f"{where} {number}")
    elif isinstance(expected, torch.Tensor):
        assert torch.equal(expected, got), where
    else:
        assert expected == got, where


def events(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / PROGRESS_NAME).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.long
@pytest.mark.parametrize("step", [5, 7], ids=["before a validation", "between two"])
def test_a_killed_training_goes_on_to_the_same_end(step: int, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    arguments = [sys.executable, "-m", "tests.training.trainer.training_to_kill", str(folder)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == step:  # validations are after step 5 and step 9
                process.kill()
                break
    assert process.returncode != 0
    again = training_in(folder)
    assert again.resume()
    assert step - 1 <= again.step < STEPS  # the checkpoint is of this step or the last
    assert again.fit()
    check_same(whole, folder)

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder / TENSORBOARD_NAME))
    board.Reload()
    assert [each.step for each in board.Scalars("validation_f1")] == [5, 9]
    assert [each["event"] for each in events(folder)].count("started") == 2


def test_another_program_can_stop_a_training_and_let_it_go_on(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    first = training_in(folder)

    class Wish(Callback):
        def on_train_batch_end(self, state: FitState, metrics: Metrics) -> None:
            if state.step == 2:
                ask_to_stop(folder)

    assert not first.fit([Wish()])
    assert first.step == 3
    assert events(folder)[-1]["event"] == "stopped"
    assert not (folder / STOP_NAME).exists()
    second = training_in(folder)
    assert second.resume()
    assert second.step == 3
    assert second.fit()
    check_same(whole, folder)
    told = events(folder)
    assert [each["f1"] is not None for each in told if each["event"] == "validated"] == [True, True]
    assert told[-1]["progress"] == 1
    assert told[-1]["eta_s"] == 0


def test_a_run_that_begins_anew_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    for steps in (4, 2):
        assert toy_trainer(options(steps, batch=8), tmp_path).fit()
    with (tmp_path / CSV_NAME).open(newline="", encoding="utf-8") as table:
        assert [row["step"] for row in csv.DictReader(table)] == ["1", "2"]
    assert [each["event"] for each in events(tmp_path)].count("started") == 1


def test_training_ends_early_when_nothing_gets_better(tmp_path: Path) -> None:
    idle = options(12, batch=8, validations=6, patience=2, rate=1e-12, average=0.0)
    training = toy_trainer(idle, tmp_path)
    assert training.fit()
    with (tmp_path / CSV_NAME).open(newline="", encoding="utf-8") as table:
        scores = [float(row["validation_f1"]) for row in csv.DictReader(table)]
    assert len(scores) == scores.index(max(scores)) + 3 < 6  # two that are not better than the best
    assert training.step == 2 * len(scores)
    again = toy_trainer(idle, tmp_path)
    assert again.resume()
    assert again.fit()
    assert again.step == training.step


def test_parts_of_a_batch_give_the_gradient_of_the_whole() -> None:
    """Of the cross-entropy, and as far as BatchNorm does not look at the batch."""
    train, validation = toy(0, 30, seed=1), toy(1000, 12, seed=2)
    losses = LossOptions(contrast="none", class_weights="inverse")
    gradients = []
    for parts in (1, 3):
        given = options(
            1, batch=8, accumulate=parts, recipe="none", losses=losses, precision="64", method="resnet"
        )
        learner = SemcModule(given, train, validation)
        for module in learner.network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.register_forward_pre_hook(lambda norm, _: norm.train(False) and None)
        told = learner.gradient(0, 0.0)
        taken = {n: p.grad.clone() for n, p in learner.network.named_parameters() if p.grad is not None}
        gradients.append((told["loss"], taken))
    (loss, one), (same_loss, many) = gradients
    assert same_loss == pytest.approx(loss, abs=1e-6)
    assert len(one) > 20
    assert all(torch.allclose(many[name], value, atol=1e-6) for name, value in one.items())


def test_half_precision_learns_nearly_the_same_and_keeps_whole_weights() -> None:
    train, validation = toy(0, 30, seed=1), toy(1000, 12, seed=2)
    losses = {}
    for precision in ("32", "bf16"):
        learner = SemcModule(options(1, batch=8, precision=precision), train, validation)
        losses[precision] = learner.training_step(0, 0.5)["loss"]
        assert {parameter.dtype for parameter in learner.network.parameters()} == {torch.float32}
    assert losses["bf16"] == pytest.approx(losses["32"], rel=0.05)
    assert losses["bf16"] != losses["32"]
