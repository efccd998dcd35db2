"""The network in PyTorch: shapes, evaluation without noise, exact maps, both forms of each part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models import resnet18

from semc_core.errors import ModelFileError, UsageError
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import PRESETS, find_preset, new_spec, random_weights, tensor_shapes
from semc_core.model.file import read_model
from semc_core.model.network import SemcNetwork
from semc_core.model.spec import Architecture
from semc_core.model.weights import build_network, network_arrays, start_from_resnet
from tests.model.forms import FORMS, TINY

pytestmark = pytest.mark.usefixtures("one_thread")


def tiny_network(architecture: Architecture = TINY) -> SemcNetwork:
    network = build_network(architecture, 7, random_weights(architecture, 7))
    assert isinstance(network, SemcNetwork)
    return network


def noise_frames(count: int, channels: int = 1, size: int = 64) -> Tensor:
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", PRESETS)
def test_the_layout_without_pytorch_is_the_networks_own(name: str) -> None:
    architecture = PRESETS[name].architecture
    with torch.device("meta"):
        network = SemcNetwork(architecture, 7)
    state = network.state_dict()
    shapes = {key: tuple(value.shape) for key, value in state.items() if "num_batches" not in key}
    assert tensor_shapes(architecture, 7) == shapes


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_a_layout_details_and_exact_maps(form: str) -> None:
    architecture = FORMS[form]
    network = tiny_network(architecture)
    with torch.inference_mode():
        details = network.details(noise_frames(2, architecture.in_channels))
        logits = network(noise_frames(2, architecture.in_channels))
    e, channels = architecture.experts, details.fused_pooled.shape[1]
    assert details.expert_logits.shape == (2, e, 7)
    assert details.embeddings.shape == (2, e, 128)
    assert details.deep_pooled.shape == (2, channels)
    assert details.maps.shape == (2, 7, 2, 2)
    torch.testing.assert_close(details.embeddings.norm(dim=2), torch.ones(2, e))
    torch.testing.assert_close(details.expert_weights.sum(dim=1), torch.ones(2))
    torch.testing.assert_close(details.logits, logits)
    biases = torch.stack([network.get_parameter(f"classifiers.{i}.bias").detach() for i in range(e)])
    from_maps = details.maps.mean(dim=(2, 3)) + details.expert_weights @ biases
    torch.testing.assert_close(from_maps, details.logits, atol=1e-4, rtol=1e-4)


def test_evaluation_draws_no_noise_and_does_not_mix_frames() -> None:
    network = tiny_network()
    frames = noise_frames(4)
    with torch.inference_mode():
        first, second = network(frames), network(frames)
        alone = torch.cat([network(frames[i : i + 1]) for i in range(4)])
    assert torch.equal(first, second)
    torch.testing.assert_close(alone, first, atol=1e-5, rtol=1e-5)


def test_each_expert_is_given_its_own_shallow_map() -> None:
    network = tiny_network(replace(TINY, samc=False))
    frames = noise_frames(2)
    with torch.inference_mode():
        details = network.details(frames)
        stem = F.max_pool2d(F.relu(network.bn1(network.conv1(frames))), 3, stride=2, padding=1)
        first = network.layer1(stem)
        second = network.layer2(first)
        third = network.layer3(second)
        for number, shallow in enumerate((first, second, third)):  # F1 to expert 1, F2 to 2, F3 to 3 (eq. 7)
            merged = network.ace[number](shallow) + network.experts[number](third)
            expected = network.classifiers[number](merged.mean(dim=(2, 3)))
            torch.testing.assert_close(details.expert_logits[:, number], expected, rtol=1e-4, atol=1e-5)
        aligned = [network.ace[number](each) for number, each in enumerate((first, second, third))]
    assert all(not torch.allclose(aligned[i], aligned[j], atol=1e-2) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_training_draws_noise_and_every_weight_has_a_say() -> None:
    torch.manual_seed(0)
    network = SemcNetwork(TINY, 7).train()
    details = network.details(noise_frames(4))
    again = network.details(noise_frames(4))
    assert not torch.equal(details.expert_weights, again.expert_weights)
    torch.testing.assert_close(details.expert_logits, again.expert_logits)  # the noise is the gate's alone
    loss = details.logits.square().mean() + (details.embeddings * torch.randn(4, 3, 128)).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    missed = [
        name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()
    ]
    assert missed == []


def chooser() -> SemcNetwork:
    """A network whose gate chooses another of its three experts for each of three `noise_frames`."""
    network = tiny_network(replace(TINY, routing="top1"))
    seen: list[Tensor] = []
    hook = network.layer3.register_forward_hook(lambda module, given, found: seen.append(found))
    with torch.inference_mode():
        network(noise_frames(3))
    hook.remove()
    pooled = seen[0].mean(dim=(2, 3))
    with torch.no_grad():  # a frame's own features are the nearest to themselves
        network.gate.score.weight.copy_(pooled)
        network.gate.score.bias.copy_(-pooled.square().sum(dim=1) / 2)
    return network


def test_an_evaluation_runs_the_chosen_expert_alone_and_answers_as_it_does() -> None:
    network = chooser()
    frames = noise_frames(3)
    ran: list[int] = []
    for number, expert in enumerate(network.experts):
        expert.register_forward_hook(lambda module, given, found, number=number: ran.append(number))
    with torch.inference_mode():
        details = network.details(frames)
        chosen = details.expert_weights.argmax(dim=1)
        assert sorted(chosen.tolist()) == [0, 1, 2]
        assert torch.equal(details.expert_weights, F.one_hot(chosen, 3).float())
        picked = details.expert_logits[torch.arange(3), chosen]
        torch.testing.assert_close(details.logits, picked)
        torch.testing.assert_close(network(frames), picked, rtol=1e-4, atol=1e-5)
        for place, number in enumerate(chosen.tolist()):
            ran.clear()
            network(frames[place : place + 1])
            assert ran == [number]


def test_a_choice_is_learned_through_the_shares_behind_it() -> None:
    torch.manual_seed(0)
    network = SemcNetwork(replace(TINY, routing="top1"), 7).train()
    details = network.details(noise_frames(8))
    rounded = details.expert_weights.detach().round(decimals=4)
    assert set(rounded.flatten().tolist()) == {0.0, 1.0}
    assert rounded.sum(dim=1).tolist() == [1.0] * 8
    details.logits.square().mean().backward()  # type: ignore[no-untyped-call]
    assert network.gate.score.weight.grad is not None
    assert network.gate.score.weight.grad.ne(0).any(dim=1).all()
    draws = torch.stack([network.details(noise_frames(8)).expert_weights.argmax(dim=1) for _ in range(8)])
    assert not torch.equal(draws.amin(dim=0), draws.amax(dim=0))  # the noise tries others, too


def test_an_unknown_preset_is_named_together_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'semc_r9'.*semc_live"):
        find_preset("semc_r9")


def test_weights_go_through_a_model_file_unchanged(tiny_model_path: Path) -> None:
    spec, arrays = read_model(tiny_model_path)
    network = build_network(spec.architecture, len(spec.classes), arrays)
    back = network_arrays(network)
    assert back.keys() == tensor_shapes(spec.architecture, len(spec.classes)).keys()
    assert all(np.array_equal(back[name], arrays[name]) for name in back)
    assert not network.training


def test_weights_of_another_architecture_are_refused() -> None:
    with pytest.raises(ModelFileError, match="do not fit the architecture"):
        build_network(replace(TINY, width=16), 7, random_weights(TINY, 7))


def test_every_expert_starts_from_the_resnets_stage_four() -> None:
    resnet = resnet18()
    network = SemcNetwork(replace(new_spec("semc_r18", LIVER_CLASSES).architecture, in_channels=1), 7)
    start_from_resnet(network, resnet.state_dict())
    ours, theirs = network.state_dict(), resnet.state_dict()
    for expert in range(3):
        assert torch.equal(ours[f"experts.{expert}.1.conv2.weight"], theirs["layer4.1.conv2.weight"])
    assert torch.equal(ours["conv1.weight"], theirs["conv1.weight"].sum(dim=1, keepdim=True))
    with pytest.raises(ModelFileError, match="another shape"):
        start_from_resnet(SemcNetwork(replace(TINY, layers=(2, 2, 2, 2)), 7), theirs)
