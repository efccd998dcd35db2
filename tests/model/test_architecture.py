"""What is counted from the layout, against what PyTorch counts of the network itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from semc_core.model.architecture import PRESETS, SONONET16, gflop, parameter_count
from semc_core.model.network import SemcNetwork
from semc_core.model.presets import PRESET_NAMES
from semc_core.model.spec import Architecture
from semc_core.model.weights import empty_network

TINY = PRESETS["semc_tiny"].architecture
COUNTED = {
    **{name: (p.architecture, p.preprocessing.height, p.preprocessing.width) for name, p in PRESETS.items()},
    "sononet16": (SONONET16.architecture, 224, 288),
    "without a gate, odd size": (replace(TINY, gate_input="mean"), 75, 101),
    "one expert": (replace(TINY, experts=1), 64, 96),
    "without ACE": (replace(TINY, ace=False), 64, 64),
    "without SAMC": (replace(TINY, samc=False), 64, 64),
    "four experts, a SAMC each": (replace(TINY, experts=4, samc_shared=False), 64, 64),
    "bottleneck, concatenated": (replace(TINY, block="bottleneck", samc_merge="concat"), 64, 64),
}


@pytest.mark.parametrize("name", COUNTED)
def test_the_counts_are_those_of_pytorch(name: str) -> None:
    architecture, height, width = COUNTED[name]
    parameters, work = counted_by_pytorch(architecture, height, width)
    assert parameter_count(architecture, 7) == parameters
    # For one expert PyTorch multiplies logits by their share without calling it a product: 14 operations.
    assert gflop(architecture, 7, height, width) == pytest.approx(work, rel=1e-5)


@pytest.mark.usefixtures("one_thread")
def test_one_chosen_expert_costs_what_pytorch_counts_and_less_than_the_mixture() -> None:
    chooses = replace(TINY, routing="top1")
    network = empty_network(chooses, 7).eval()
    assert isinstance(network, SemcNetwork)
    assert parameter_count(chooses, 7) == sum(p.numel() for p in network.parameters())
    work = []
    for expert in range(3):
        with torch.no_grad():
            network.gate.score.bias.copy_(1e6 * torch.eye(3)[expert])
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, 1, 64, 64))
        work.append(float(counter.get_total_flops()) / 1e9)
    assert gflop(chooses, 7, 64, 64) == pytest.approx(max(work), rel=1e-5)
    assert max(work) < 0.9 * gflop(TINY, 7, 64, 64)


def test_presets_have_the_sizes_they_were_chosen_for() -> None:
    def size_of(name: str) -> tuple[float, float]:
        preset = PRESETS[name]
        p = preset.preprocessing
        return (
            parameter_count(preset.architecture, 7) / 1e6,
            gflop(preset.architecture, 7, p.height, p.width),
        )

    parameters, work = size_of("semc_live")
    assert parameters < 6
    assert work < 2
    assert size_of("semc_r18")[1] == pytest.approx(7.5, abs=0.1)
    # Without what the released network holds and never uses: 151.6 - 25.2 - 0.26 million.
    assert size_of("semc_r50")[0] == pytest.approx(126.1, abs=0.1)
    assert size_of("semc_r50")[1] == pytest.approx(150.5, abs=0.1)


def counted_by_pytorch(architecture: Architecture, height: int, width: int) -> tuple[int, float]:
    """Learned values, and 10^9 floating-point operations for one frame."""
    # On "meta" nothing is allocated or computed, only counted.
    with torch.device("meta"):
        network = empty_network(architecture, 7).eval()
        frame = torch.zeros((1, architecture.in_channels, height, width))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(frame)
    return sum(p.numel() for p in network.parameters()), float(counter.get_total_flops()) / 1e9


def test_the_names_that_the_command_line_shows_are_those_of_the_presets() -> None:
    assert tuple(PRESETS) == PRESET_NAMES
