"""The queue's keys by a moving average of the network (MoCo): whose they are, and how it follows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from semc_core.errors import UsageError
from tests.training.toys import options, toy
from training.losses.config import LossOptions
from training.trainer.semc import SemcModule

pytestmark = pytest.mark.usefixtures("one_thread")


def module_of(**losses: Any) -> SemcModule:
    given = options(10, batch=8, recipe="none", losses=LossOptions(queue_size=64, **losses))
    return SemcModule(given, toy(0, 30, seed=1), toy(1000, 12, seed=2))


def embeddings_seen(network: Any) -> list[Tensor]:
    """Is filled with what `network` answers from now on."""
    seen: list[Tensor] = []
    details = network.details

    def kept(inputs: Tensor) -> Any:
        found = details(inputs)
        seen.append(found.embeddings.detach().clone())
        return found

    network.details = kept
    return seen


def test_the_keys_that_enter_the_queue_are_the_key_encoders() -> None:
    module = module_of(key_momentum=0.99)
    assert module.key_encoder is not None
    for step in range(2):  # until the two differ
        module.training_step(step, 0.5)
    by_the_encoder = embeddings_seen(module.key_encoder.module)
    by_the_network = embeddings_seen(module.network)
    written = int(module.objective.loss.queue.written)
    module.training_step(2, 0.5)
    entered = module.objective.loss.queue.keys[written : written + 16]
    torch.testing.assert_close(entered, by_the_encoder[0][:, 1:].flatten(0, 1))
    assert not torch.allclose(entered, by_the_network[0][:, 1:].flatten(0, 1), atol=1e-3)
    torch.testing.assert_close(entered.norm(dim=1), torch.ones(16))


def test_the_key_encoder_follows_the_network_by_its_momentum_and_learns_nothing_else() -> None:
    module = module_of(key_momentum=0.1)
    assert module.key_encoder is not None
    encoder, name = module.key_encoder.module, "layer1.0.conv1.weight"
    before = encoder.get_parameter(name).clone()
    assert torch.equal(before, module.network.get_parameter(name))
    module.training_step(0, 0.5)
    expected = 0.1 * before + 0.9 * module.network.get_parameter(name)
    torch.testing.assert_close(encoder.get_parameter(name), expected)
    assert not torch.allclose(expected, before, atol=1e-5)
    assert all(each.grad is None for each in encoder.parameters())
    learned = {id(each) for group in module._optimizer.param_groups for each in group["params"]}
    assert not learned & {id(each) for each in encoder.parameters()}


def test_without_a_queue_of_its_own_there_is_no_key_encoder() -> None:
    assert module_of().key_encoder is None
    assert module_of(key_momentum=0.99, contrast="none").key_encoder is None
    given = options(10, batch=8, losses=LossOptions(queue_size=0, key_momentum=0.99))
    assert SemcModule(given, toy(0, 30, seed=1), toy(1000, 12, seed=2)).key_encoder is None
    with pytest.raises(UsageError, match="momentum must be 0 or more and below 1"):
        LossOptions(key_momentum=1.0)
