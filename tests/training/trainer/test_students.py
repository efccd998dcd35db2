"""Learning from frames without labels: what is learned, what is not touched, and going on after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from semc_core.errors import UsageError
from tests.training.toys import options, toy
from training.config import TrainOptions
from training.losses.config import UnlabelledOptions
from training.trainer.callbacks import Callback
from training.trainer.students import StudentsModule, statistics_kept
from training.trainer.trainer import Trainer

ALL = UnlabelledOptions(ramp=0.0, least_sure=0.0)


def module(given: TrainOptions, unlabelled: UnlabelledOptions = ALL) -> StudentsModule:
    return StudentsModule(
        replace(given, unlabelled=unlabelled), toy(0, 30, seed=1), toy(1000, 12, seed=2), toy(500, 40, seed=3)
    )


def weights(network: nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in network.parameters()])


def test_a_step_teaches_both_students_and_the_teacher_follows_the_first() -> None:
    learned = module(options(4, batch=8))
    parts = learned.network, learned.students.other, learned.students.teacher.module
    before = [weights(each).clone() for each in parts]
    told = learned.training_step(0, 0.0)
    assert {"cross", "agreement", "mixed", "sure"} <= set(told)
    assert told["sure"] == 1
    moved = [float((weights(each) - old).abs().max()) for each, old in zip(parts, before, strict=True)]
    assert all(moved)
    assert moved[2] < moved[0]
    assert not any(each.requires_grad for each in learned.students.teacher.module.parameters())


@pytest.mark.parametrize(
    ("given", "differs"),
    [(UnlabelledOptions(ramp=0.0, least_sure=0.0), True), (replace(ALL, weight=0.0), False),
     (replace(ALL, least_sure=1.0), False)],
)  # fmt: skip
def test_frames_without_labels_change_what_is_learned_unless_their_weight_or_doubt_forbids_it(
    given: UnlabelledOptions, differs: bool
) -> None:
    steps = options(2, batch=8)
    one, other = module(steps, given), module(steps, replace(ALL, weight=0.0))
    for each in (one, other):
        each.training_step(0, 0.0)
    assert torch.equal(weights(one.network), weights(other.network)) is not differs


def test_the_running_statistics_are_those_of_the_labelled_frames() -> None:
    layer = nn.BatchNorm2d(2).train()
    with statistics_kept(layer):
        layer(torch.full((3, 2, 4, 4), 9.0) + torch.rand(3, 2, 4, 4))
    assert layer.momentum == 0.1
    assert layer.running_mean is not None
    assert layer.running_mean.tolist() == [0, 0]
    layer(torch.ones(3, 2, 4, 4))
    assert layer.running_mean.tolist() == pytest.approx([0.1, 0.1])


class StopAt(Callback):
    def __init__(self, step: int) -> None:
        self._left = step

    def should_stop(self) -> bool:
        self._left -= 1
        return self._left == 0


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    def run(folder: Path, *callbacks: Callback) -> StudentsModule:
        trainer = Trainer(module(options(6, batch=8, validations=3)), folder)
        trainer.resume()
        assert trainer.fit(callbacks) is not bool(callbacks)
        return trainer.module

    whole = run(tmp_path / "whole").state_dict()
    run(tmp_path / "parts", StopAt(3))
    parts = run(tmp_path / "parts").state_dict()
    for name in ("network", "other", "teacher", "average"):
        assert all(torch.equal(value, parts[name][key]) for key, value in whole[name].items()), name


def test_a_run_does_not_go_on_with_other_frames(tmp_path: Path) -> None:
    assert Trainer(module(options(2, batch=8)), tmp_path).fit()
    others = StudentsModule(
        replace(options(2, batch=8), unlabelled=ALL), toy(0, 30, seed=1), toy(1000, 12, seed=2),
        toy(600, 20, seed=4),
    )  # fmt: skip
    with pytest.raises(UsageError, match="other frames without labels"):
        Trainer(others, tmp_path).resume()


def test_a_patient_to_be_judged_by_is_refused() -> None:
    with pytest.raises(UsageError, match="validation and without labels"):
        StudentsModule(options(2), toy(0, 30, seed=1), toy(1000, 12, seed=2), toy(1004, 20, seed=3))
