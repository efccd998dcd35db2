"""How a network begins: ACE and SAMC as the authors' code, experts made different."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from semc_core.model.weights import AnyNetwork
from training.initialization import begin, make_experts_differ
from training.models import build
from training.schedule import rate_factor

CLASSES = ("A", "B", "NSP")


def network() -> AnyNetwork:
    torch.manual_seed(0)
    return build("semc", "semc_tiny", CLASSES)


def convolutions(of: AnyNetwork, *parts: str) -> dict[str, torch.Tensor]:
    return {
        name: module.weight.detach().clone()
        for name, module in of.named_modules()
        if isinstance(module, nn.Conv2d) and (not parts or name.startswith(parts))
    }


def test_as_the_authors_begin_only_ace_and_samc_have_a_deviation_of_two_hundredths() -> None:
    usual, found = network(), network()
    begin(found, "he")
    assert all(torch.equal(one, convolutions(usual)[name]) for name, one in convolutions(found).items())
    begin(found, "authors")
    parts = convolutions(found, "ace.", "samc.")
    values = torch.cat([weight.flatten() for weight in parts.values()])
    assert len(values) > 10_000
    assert float(values.std()) == pytest.approx(0.02, rel=0.03)
    assert float(values.mean()) == pytest.approx(0, abs=0.001)
    rest = {name for name in convolutions(usual) if name not in parts}
    assert all(torch.equal(convolutions(usual)[name], convolutions(found)[name]) for name in rest)


def test_noise_makes_the_experts_different_by_as_much_as_it_says() -> None:
    found = network()
    first = found.get_submodule("experts.0").state_dict()
    for number in (1, 2):
        found.get_submodule(f"experts.{number}").load_state_dict(first)
    before = convolutions(found)
    make_experts_differ(found, 0.0)
    assert all(torch.equal(one, before[name]) for name, one in convolutions(found).items())
    make_experts_differ(found, 0.1)
    after = convolutions(found)
    for name, weight in after.items():
        moved = float((weight - before[name]).std() / before[name].std())
        assert moved == pytest.approx(0.1 if name.startswith("experts.") else 0, rel=0.25)
    assert not torch.equal(after["experts.0.0.conv1"], after["experts.1.0.conv1"])


def test_the_rate_ends_where_it_is_told_to() -> None:
    assert rate_factor(1.0, 0.0, 0.0) == pytest.approx(0)
    assert rate_factor(1.0, 0.0) == pytest.approx(0.01)
    assert rate_factor(0.5, 0.0, 0.0) == pytest.approx(0.5)
