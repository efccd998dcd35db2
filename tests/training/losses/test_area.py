"""Class weights by effective area: the formula written out, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.training.toys import toy
from training.config import TrainOptions
from training.inference import classify
from training.losses.area import area_weights, effective_areas, measurement
from training.losses.config import LossOptions
from training.losses.semc import SemcLoss
from training.schedule import Budget
from training.trainer.semc import SemcModule

pytestmark = pytest.mark.usefixtures("one_thread")


def _features(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (40,), generator=generator)
    centres = torch.randn(3, 16, generator=generator)
    return centres[labels] + torch.randn(40, 16, generator=generator), labels


def test_the_weights_are_those_of_the_formula() -> None:
    features, labels = _features()
    expected = []
    for label in range(3):
        own = features[labels == label].numpy()
        a = np.full(len(own), 1 / len(own))
        expected.append(1 / (a @ np.corrcoef(own) @ a))
    areas = effective_areas(features, labels, 3)
    np.testing.assert_allclose(areas.numpy(), expected, rtol=1e-5)
    weights = area_weights(areas).numpy()
    np.testing.assert_allclose(weights * expected, (weights * expected)[0], rtol=1e-5)
    assert weights.mean() == pytest.approx(1)


def test_frames_that_are_all_alike_span_one_and_a_class_without_frames_asks_nothing() -> None:
    alike = torch.randn(1, 16, generator=torch.Generator().manual_seed(1)).expand(5, 16)
    areas = effective_areas(alike, torch.zeros(5, dtype=torch.int64), 2)
    assert areas.tolist() == pytest.approx([1, 0])
    assert area_weights(areas).tolist() == pytest.approx([1, 1])


def test_they_are_measured_late_and_a_few_times() -> None:
    assert [measurement(done) for done in (0.0, 0.79, 0.8, 0.84, 0.86, 0.99)] == [0, 0, 1, 1, 2, 4]


def test_a_loss_weighs_by_them_and_remembers_in_a_checkpoint() -> None:
    features, labels = _features()
    loss, again = (
        SemcLoss(16, LossOptions(contrast="none", class_weights="area"), torch.ones(3)) for _ in "ab"
    )
    assert not loss.areas_are_due(0.5)
    assert loss.areas_are_due(0.8)
    loss.weigh_by_area(features, labels, 0.8)
    assert not loss.areas_are_due(0.8)
    assert loss.areas_are_due(0.9)
    again.load_state_dict(loss.state_dict())
    weights = again.class_weights
    assert isinstance(weights, torch.Tensor)
    assert not again.areas_are_due(0.8)
    torch.testing.assert_close(weights, area_weights(effective_areas(features, labels, 3)))


@pytest.mark.parametrize("batch", [4, 8])
def test_a_step_late_in_training_measures_all_frames_whatever_the_batch(batch: int) -> None:
    options = TrainOptions(Budget(steps=10), method="area", preset="semc_tiny", batch=batch, threads=1)
    module = SemcModule(options, toy(0, 24, seed=1), toy(5, 12, seed=2))
    weights = module.objective.loss.class_weights
    assert isinstance(weights, torch.Tensor)
    data, side = module.train_set, module.side(0.8)
    told = [classify(module.network, data.frames, module.preprocessing, side, batch=size) for size in (5, 24)]
    module.gradient(0, 0.7)
    assert weights.tolist() == [1.0] * len(weights)
    module = SemcModule(options, toy(0, 24, seed=1), toy(5, 12, seed=2))
    module.gradient(0, 0.8)
    found = module.objective.loss.class_weights
    assert isinstance(found, torch.Tensor)
    assert found.std() > 0
    for each in told:
        expected = area_weights(effective_areas(each.features, data.labels, len(data.classes)))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert any(each.grad is not None and each.grad.any() for each in module.network.parameters())
