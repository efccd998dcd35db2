"""The networks by name: they learn by the losses that fit them, and the runtimes run what they become."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from semc_core.errors import UsageError
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import feature_channels, gflop
from semc_core.model.file import write_model
from semc_core.model.network import SemcNetwork
from semc_core.model.weights import AnyNetwork, network_arrays
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.runtime.torch.runtime import TorchRuntime
from training.losses.config import LossOptions
from training.losses.semc import LossParts, SemcLoss
from training.models import (
    NETWORKS,
    build,
    described,
    fitting_losses,
    freeze_unused,
    new_spec_of,
    set_gate_temperature,
)

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = (
    "semc", "semc-ace", "semc-plain", "semc-one", "semc-two", "semc-mean", "resnet", "resnet-equal",
    "sononet16", "supcon", "supmin", "area", "shike",
)  # fmt: skip
"""Those that are small with the preset for tests; the others differ from them in size alone."""


def made(name: str, losses: LossOptions | None = None) -> tuple[AnyNetwork, SemcLoss]:
    torch.manual_seed(3)
    options = fitting_losses(name, losses or LossOptions())
    network = build(name, "semc_tiny", LIVER_CLASSES)
    freeze_unused(network, options)
    return network, SemcLoss(feature_channels(network.architecture), options, torch.arange(1, 8))


def step(network: AnyNetwork, loss: SemcLoss, seed: int = 0) -> LossParts:
    """One step's losses, on frames of noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 7, (6,), generator=generator).repeat(loss.options.views)
    frames = torch.randn(len(labels), 1, 64, 64, generator=generator)
    parts = loss(network.train().details(frames), labels)
    assert isinstance(parts, LossParts)
    return parts


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_that_may_learn_learns_and_what_has_no_say_may_not(name: str) -> None:
    network, loss = made(name, LossOptions(alpha=None))
    step(network, loss)  # so that the queue is not empty
    step(network, loss, seed=1).total.mean().backward()  # type: ignore[no-untyped-call]
    learned = dict([*network.named_parameters(), *loss.named_parameters()])
    may = {name for name, value in learned.items() if value.requires_grad}
    assert may == {name for name, value in learned.items() if value.grad is not None and value.grad.any()}
    idle = {name.split(".")[0] for name in learned.keys() - may}
    assert idle == {
        "resnet": {"gate", "projection"}, "resnet-equal": {"gate", "projection"},
        "area": {"gate", "projection"}, "shike": {"gate", "projection"}, "supcon": {"gate"},
        "supmin": {"gate"}, "semc-one": {"gate"}, "semc-mean": {"gate"},
    }.get(name, set())  # fmt: skip


@pytest.mark.parametrize(
    "name", ["semc-plain", "semc-one", "semc-four", "resnet", "sononet16", "supcon", "area", "shike"]
)
def test_a_model_file_of_it_is_run_by_both_runtimes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")
    network, loss = made(name)
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=1e-3)
    step(network, loss).total.mean().backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    path = tmp_path / "model.safetensors"
    write_model(path, new_spec_of(name, "semc_tiny", LIVER_CLASSES), network_arrays(network.eval()))
    frames = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = torch.softmax(network(frames), dim=1).numpy()
    for runtime in (OpenVinoRuntime(path, threads=1), TorchRuntime(path, "cpu", threads=1)):
        found = [prediction.probabilities for prediction in runtime.classify(frames.numpy())]
        np.testing.assert_allclose(np.stack(found), expected, atol=1e-4)
        runtime.close()


def test_the_classifier_does_not_teach_a_contrastive_encoder() -> None:
    network, loss = made("supcon")
    assert isinstance(network, SemcNetwork)
    step(network, loss).moe.mean().backward()  # type: ignore[no-untyped-call]
    taught = {name for name, value in network.named_parameters() if value.grad is not None}
    assert taught == {"classifiers.0.weight", "classifiers.0.bias"}


def test_a_sononet_in_training_goes_by_the_batch() -> None:
    network, _ = made("sononet16")
    frames = torch.randn(4, 1, 64, 64)
    torch.testing.assert_close(network.train().details(frames).logits, network(frames))
    torch.testing.assert_close(network.eval().details(frames).logits, network(frames))


def test_a_network_without_projection_refuses_a_contrastive_loss() -> None:
    network, _ = made("sononet16")
    loss = SemcLoss(feature_channels(network.architecture), LossOptions())
    with pytest.raises(UsageError, match="no projection"):
        step(network, loss)


def test_the_plain_resnets_are_those_of_torchvision() -> None:
    for name, preset in (("resnet18", "semc_live"), ("resnet", "semc_r18")):
        architecture = described(name, preset).architecture
        assert (architecture.block, architecture.layers, architecture.width) == ("basic", (2, 2, 2, 2), 64)
        assert (architecture.experts, architecture.ace, architecture.samc) == (1, False, False)
    assert described("resnet50", "semc_r18").architecture.block == "bottleneck"
    assert described("sononet64", "semc_r18").architecture.width == 64


def test_the_networks_of_an_ablation_have_that_many_experts_or_that_cost() -> None:
    for name, experts in (("semc-one", 1), ("semc-two", 2), ("semc", 3), ("semc-four", 4)):
        a = described(name, "semc_live").architecture
        assert (a.experts, a.ace, a.samc, a.width) == (experts, True, True, 32)
    assert described("semc-mean", "semc_live").architecture.gate_input == "mean"
    for preset in ("semc_small", "semc_live"):
        whole, equal = described("semc", preset), described("resnet-equal", preset)
        assert (equal.architecture.experts, equal.architecture.ace, equal.architecture.samc) == (
            1,
            False,
            False,
        )
        side = whole.preprocessing.height
        costs = [gflop(each.architecture, 7, side, side) for each in (whole, equal)]
        assert costs[1] == pytest.approx(costs[0], rel=0.06)


def test_one_expert_is_compared_with_another_view_of_the_frame() -> None:
    assert fitting_losses("semc-one", LossOptions()).views == 2
    assert fitting_losses("semc-one", LossOptions(contrast="none")).views == 1
    assert fitting_losses("semc-two", LossOptions()).views == 1


def test_names_say_what_a_network_was_made_from() -> None:
    named = {name: described(name, "semc_tiny").architecture.preset for name in NETWORKS}
    assert named["semc"] == "semc_tiny"
    assert named["semc-ace"] == "semc-ace semc_tiny"
    assert len(set(named.values())) == len(NETWORKS)
    with pytest.raises(UsageError, match=r"'vit'.*semc-ace"):
        build("vit", "semc_tiny", LIVER_CLASSES)


def test_the_gates_temperature_falls_while_training_alone() -> None:
    network, _ = made("semc")
    assert isinstance(network, SemcNetwork)
    losses, seen = LossOptions(gate_start=4.0), []
    for progress in (0.0, 0.25, 0.5, 1.0):
        set_gate_temperature(network, losses, progress)
        seen.append(network.gate.training_temperature)
    assert seen == pytest.approx([4, 2, 1, 1])
    assert network.gate.temperature == 1
    set_gate_temperature(network, replace(losses, gate_start=None), 0.0)
    assert network.gate.training_temperature == 1


def test_a_hot_gate_shares_evenly() -> None:
    network, _ = made("semc")
    assert isinstance(network, SemcNetwork)
    pooled = torch.randn(64, 64)

    def spread(temperature: float) -> float:
        network.gate.training_temperature = temperature
        return float(network.train().gate(pooled).detach().std(dim=1).mean())

    assert spread(10.0) < spread(1.0) < spread(0.1)
