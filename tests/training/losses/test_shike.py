"""The losses of SHIKE: the formulas written out class by class, and the last part of a training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from semc_core.errors import UsageError
from tests.training.toys import toy
from training.config import TrainOptions
from training.losses.config import LossOptions
from training.losses.semc import SemcLoss
from training.losses.shike import balanced, excavation, hardest_wrong, mutual
from training.schedule import Budget
from training.trainer.semc import SemcModule

pytestmark = pytest.mark.usefixtures("one_thread")
Numbers = npt.NDArray[np.float64]


def _logits(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(6, 3, 5, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, 5, (6,), generator=generator)


def _shares(logits: Numbers) -> Numbers:
    found: Numbers = np.exp(logits) / np.exp(logits).sum()
    return found


def _divergence(of: Numbers, from_: Numbers) -> float:
    return sum(float(p * np.log(p / q)) for p, q in zip(of, from_, strict=True))


def test_the_losses_are_those_of_the_formulas() -> None:
    logits, labels = _logits()
    hardest, each_other, whole, even = [], [], [], []
    drawn = np.array([1.0, 2, 3, 4, 10])
    for frame, label in zip(logits.numpy(), labels.tolist(), strict=True):
        wrong = [c for c in range(5) if c != label]
        worst = max(wrong, key=lambda c: sum(z[c] for z in frame))
        teacher = np.array(
            [np.mean([z[c] for z in frame]) if c == worst else max(z[c] for z in frame) for c in wrong]
        )
        hardest.append(sum(_divergence(_shares(teacher), _shares(z[wrong])) for z in frame) / 5)
        pairs = [(k, q) for k in range(3) for q in range(3) if k != q]
        each_other.append(sum(_divergence(_shares(frame[q]), _shares(frame[k])) for k, q in pairs) / 5)
        own = -sum(float(np.log(_shares(z)[label])) for z in frame)
        whole.append(own + 10 * hardest[-1] + each_other[-1])
        even.append(-sum(float(np.log(_shares(z + np.log(drawn))[label])) for z in frame))
    np.testing.assert_allclose(hardest_wrong(logits, labels).numpy(), hardest, rtol=1e-5)
    np.testing.assert_allclose(mutual(logits).numpy(), each_other, rtol=1e-5)
    np.testing.assert_allclose(excavation(logits, labels).numpy(), whole, rtol=1e-5)
    np.testing.assert_allclose(balanced(logits, labels, torch.from_numpy(drawn)).numpy(), even, rtol=1e-5)


def test_experts_of_one_mind_teach_each_other_nothing() -> None:
    logits, labels = _logits()
    alike = logits[:, :1].expand(-1, 3, -1)
    assert float(mutual(alike).abs().max()) < 1e-9
    assert float(hardest_wrong(alike, labels).abs().max()) < 1e-9


def _module(batch: int = 8) -> SemcModule:
    options = TrainOptions(Budget(steps=10), method="shike", preset="semc_tiny", batch=batch, threads=1)
    return SemcModule(options, toy(0, 24, seed=1), toy(5, 12, seed=2))


def test_in_the_last_part_the_classifiers_alone_learn() -> None:
    module = _module()
    learned = []
    for progress in (0.5, 0.95):
        before = {name: each.detach().clone() for name, each in module.network.named_parameters()}
        module.training_step(0, progress)
        after = dict(module.network.named_parameters())
        learned.append(
            {name.split(".")[0] for name, each in after.items() if not torch.equal(each, before[name])}
        )
    assert {"conv1", "layer1", "experts", "ace", "classifiers"} <= learned[0]
    assert learned[1] == {"classifiers"}


def test_the_balance_is_of_how_often_classes_are_drawn() -> None:
    module = _module()
    data, drawn = module.train_set, module.objective.loss.drawn
    assert isinstance(drawn, torch.Tensor)
    share = drawn / drawn.sum()
    assert float(share[data.classes.index("NSP")]) == pytest.approx(0.45, abs=1e-5)


def test_it_needs_to_know_how_many_frames_a_class_has() -> None:
    with pytest.raises(UsageError, match="shike need"):
        SemcLoss(16, LossOptions(contrast="none", experts="shike"))
    with pytest.raises(UsageError, match="not taught"):
        LossOptions(experts="all")
