"""What a step learns, by what rate, from which frames, and what is judged and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.training.toys import CLASSES, options, toy, toy_trainer
from training.config import train_recipe
from training.data.frame_set import FrameSet
from training.inference import classify
from training.losses.config import LossOptions
from training.losses.moe import inverse_frequency
from training.metrics import frame_metrics
from training.schedule import rate_factor
from training.trainer.checkpoint import read_checkpoint
from training.trainer.semc import SemcModule
from training.trainer.trainer import BEST

pytestmark = pytest.mark.usefixtures("one_thread")
PLAIN = LossOptions(contrast="none", smoothing=0.0)


def module_of(train: FrameSet | None = None, **changed: object) -> SemcModule:
    """A module that learns from frames that are not changed."""
    given = {"batch": 8, "recipe": "none"} | changed
    return SemcModule(options(10, **given), train or toy(0, 30, seed=1), toy(1000, 12, seed=2))


def unbalanced(noise: int) -> FrameSet:
    """Two discs, two bars, and `noise` frames of neither."""
    data = toy(0, 3 * noise, seed=1)
    ranks = torch.tensor([int((data.labels[:i] == label).sum()) for i, label in enumerate(data.labels)])
    return data.subset(((data.labels == 2) | (ranks < 2)).numpy())


def weights_of(module: SemcModule) -> dict[str, Tensor]:
    return {name: each.detach().clone() for name, each in module.objective.named_parameters()}


def gradients_of(module: SemcModule) -> dict[str, Tensor]:
    return {
        name: each.grad.clone() for name, each in module.objective.named_parameters() if each.grad is not None
    }


def test_a_step_changes_every_weight_that_may_learn() -> None:
    module = module_of(second_task="simclr", losses=LossOptions(alpha=None))
    before = weights_of(module)
    assert any(name.startswith("loss.alpha.") for name in before)
    assert any(name.startswith("second.head.") for name in before)
    module.training_step(0, 0.5)
    same = {name for name, value in weights_of(module).items() if torch.equal(value, before[name])}
    assert same == {name for name, each in module.objective.named_parameters() if not each.requires_grad}


def test_a_step_of_sgd_goes_down_the_cut_gradient_by_the_rate_of_the_schedule() -> None:
    module = module_of(optimiser="sgd", weight_decay=0.0, rate=0.1, warm_up=0.0, losses=PLAIN)
    moved: dict[str, Tensor] = {}
    for step, progress in enumerate((0.2, 0.9)):
        before = weights_of(module)
        module.training_step(step, progress)
        after, gradients = weights_of(module), gradients_of(module)
        for name, gradient in gradients.items():
            moved[name] = gradient + 0.9 * moved[name] if step else gradient
            expected = before[name] - 0.1 * rate_factor(progress, 0.0) * moved[name]
            torch.testing.assert_close(after[name], expected, rtol=1e-4, atol=1e-7)
    assert rate_factor(0.9, 0.0) < 0.1 * rate_factor(0.2, 0.0)


def length_of_gradient(module: SemcModule) -> float:
    return float(torch.cat([each.flatten() for each in gradients_of(module).values()]).norm())


@pytest.mark.parametrize("weight", [1e-3, 1e4])
def test_a_gradient_longer_than_five_is_cut_to_five_and_a_short_one_is_not(weight: float) -> None:
    module = module_of(second_task="simclr", second_weight=weight, losses=PLAIN)
    for name, parameter in module.network.named_parameters():
        if name.startswith("classifiers."):  # so that the second task alone teaches the encoder
            parameter.data.zero_()
    module.gradient(0, 0.5)
    whole = length_of_gradient(module)
    assert whole < 2 or whole > 50
    module.training_step(0, 0.5)
    assert length_of_gradient(module) == pytest.approx(min(5.0, whole), rel=1e-3)


def test_the_second_task_teaches_the_encoder_by_its_weight() -> None:
    taught = {}
    for weight in (0.25, 2.0, 4.0):
        module = module_of(second_task="simclr", second_weight=weight, losses=PLAIN)
        told = module.gradient(0, 0.5)
        assert told["second"] > 0.1
        assert told["loss"] == pytest.approx(told["moe"] + weight * told["second"], rel=1e-5)
        taught[weight] = module.network.get_parameter("conv1.weight").grad
    first, second, third = (taught[weight] for weight in (0.25, 2.0, 4.0))
    assert first is not None
    assert second is not None
    assert third is not None
    by_one = (third - second) / 2  # of the second task alone, at weight 1
    assert float(by_one.norm()) > 1e-3
    torch.testing.assert_close(second - first, 1.75 * by_one, rtol=1e-3, atol=1e-4)


def test_class_weights_and_the_majority_are_those_of_the_training_frames() -> None:
    data = unbalanced(20)
    counts = torch.bincount(data.labels)
    assert counts.tolist() == [2, 2, 20]
    loss = module_of(data, losses=LossOptions(class_weights="inverse")).objective.loss
    assert isinstance(loss.class_weights, Tensor)
    assert torch.equal(loss.class_weights, inverse_frequency(counts))
    assert module_of(data, losses=LossOptions(contrast="supmin")).objective.loss.majority == 2


def test_the_released_recipe_weighs_the_rare_classes_up() -> None:
    data = unbalanced(20)
    losses = train_recipe("released").options.losses
    weights = module_of(data, losses=losses).objective.loss.class_weights
    assert isinstance(weights, Tensor)
    assert float(weights[0] / weights[2]) == pytest.approx(10)


@pytest.mark.parametrize(("draws", "share"), [("balanced", 0.45), ("shuffled", 20 / 24)])
def test_frames_are_drawn_as_the_options_say(draws: str, share: float) -> None:
    data = unbalanced(20)
    module = module_of(data, draws=draws)
    drawn = torch.cat([data.labels[module.sampler.of_step(step)] for step in range(90)])
    shares = torch.bincount(drawn, minlength=3) / len(drawn)
    assert float(shares[2]) == pytest.approx(share, abs=0.05)
    assert float(shares[0]) == pytest.approx((1 - share) / 2, abs=0.05)


def test_the_averaged_network_is_judged_on_the_validation_frames() -> None:
    module = module_of(average=0.5)
    discs = module.validation_set.subset((module.validation_set.labels == 0).numpy())
    judged = SemcModule(module.options, module.train_set, discs)
    for step in range(3):
        judged.training_step(step, 0.5)
    found = judged.validate(1.0)
    for network, data, same in (
        (judged.best_network(), discs, True),
        (judged.network, discs, None),
        (judged.best_network(), judged.train_set, False),
    ):
        logits = classify(network, data.frames, judged.preprocessing).logits
        accuracy = frame_metrics(torch.softmax(logits, 1), data.labels, CLASSES)["accuracy"]
        if same is not None:
            assert (found["validation_accuracy"] == pytest.approx(accuracy)) is same
    assert found["score"] == found["validation_f1"]


def test_the_average_of_the_best_validation_is_kept(tmp_path: Path) -> None:
    trainer = toy_trainer(options(4, batch=8, validations=1, average=0.9), tmp_path)
    assert trainer.fit()
    kept = read_checkpoint(tmp_path / BEST)["network"]
    average, raw = trainer.module.average.module.state_dict(), trainer.module.network.state_dict()
    assert kept.keys() == average.keys()
    assert all(torch.equal(kept[name], value) for name, value in average.items())
    assert not torch.equal(kept["conv1.weight"], raw["conv1.weight"])
    found = trainer.best_network()
    assert not found.training
    assert torch.equal(found.state_dict()["conv1.weight"], average["conv1.weight"])


def test_the_average_forgets_the_start_and_then_moves_slowly() -> None:
    module = module_of(average=0.5, rate=0.1, optimiser="sgd", losses=PLAIN)
    expected = {name: value.clone() for name, value in module.network.state_dict().items()}
    for step in range(8):
        module.training_step(step, 0.5)
        kept = min(0.5, (2 + step) / (11 + step))
        for name, value in module.network.state_dict().items():
            whole = not value.is_floating_point()
            expected[name] = value.clone() if whole else kept * expected[name] + (1 - kept) * value
    for name, value in module.average.module.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)
    assert int(module.average.module.state_dict()["bn1.num_batches_tracked"]) == 8


def test_without_an_average_the_weights_themselves_are_judged() -> None:
    module = module_of(average=0.0)
    module.training_step(0, 0.5)
    average = module.best_network().state_dict()
    assert all(torch.equal(average[name], value) for name, value in module.network.state_dict().items())


def test_frames_between_standard_and_not_are_not_judged() -> None:
    train, validation = toy(0, 30, seed=1), toy(1000, 12, seed=2)
    unclear = [row if i else type(row)(row.group, row.source, row.plane, row.kind, 1.0, row.frame)
               for i, row in enumerate(validation.rows)]  # fmt: skip
    data = FrameSet(validation.frames, validation.labels, unclear, validation.classes)
    assert len(SemcModule(options(2), train, data).validation_set.rows) == 11
