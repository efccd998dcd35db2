"""The region finder's network: trained in PyTorch, run by OpenVINO, the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semc_core.imaging.region import network as running
from semc_core.paths import ASSETS
from training.region.network import RegionNetwork, save
from training.region.render import TRUTH
from training.region.train import batches, loss_of, settle, train


def lively() -> RegionNetwork:
    """A network with random weights and statistics, in the order of memory that training uses."""
    torch.manual_seed(0)
    network = RegionNetwork()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features) * 0.1
            module.running_var = torch.rand(module.num_features) + 0.5
            torch.nn.init.uniform_(module.weight, 0.5, 2)
            torch.nn.init.normal_(module.bias, 0, 0.3)
    return network.to(memory_format=torch.channels_last).eval()


def shard(folder: Path) -> None:
    """Bright squares on black; the truth is the square."""
    rng = np.random.default_rng(0)
    seen, truth = np.zeros((32, 240, 320), np.uint8), np.zeros((32, *TRUTH), np.uint8)
    for number in range(32):
        top, left = (int(side) for side in rng.integers(5, 50, 2))
        truth[number, top : top + 60, left : left + 70] = 255
        noise = rng.integers(60, 200, (120, 140))
        seen[number, 2 * top : 2 * top + 120, 2 * left : 2 * left + 140] = noise
    np.savez(folder / "0000000.npz", seen=seen, truth=truth)


def test_openvino_gives_the_numbers_of_the_network_that_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = lively()
    save(network, tmp_path / "weights.safetensors")
    monkeypatch.setattr(running, "_WEIGHTS", str(tmp_path / "weights.safetensors"))
    inputs = running.levels(np.random.default_rng(1).integers(0, 256, (240, 320), np.uint8))
    with torch.no_grad():
        wanted = torch.sigmoid(network(torch.from_numpy(inputs)[None, None]))[0, 0].numpy()
    answer = running._Network().answer(inputs)
    assert answer.std() > 1e-4
    np.testing.assert_allclose(answer, wanted, atol=2e-3)


def test_the_shipped_network_is_small() -> None:
    assert (ASSETS / running._WEIGHTS).stat().st_size < 1_000_000


@pytest.mark.long
def test_training_lowers_the_loss_and_writes_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard(tmp_path)
    looks, truth = next(batches(tmp_path, 3))
    torch.manual_seed(0)  # as the training begins
    with torch.no_grad():
        before = float(loss_of(RegionNetwork()(looks), truth))
    train(tmp_path, tmp_path / "out" / "weights.safetensors", steps=12)
    assert (tmp_path / "out" / "weights.safetensors").exists()
    said = capsys.readouterr().out
    assert "step 12 of 12" in said
    assert float(said.split("loss ")[1].split(",")[0]) < before


def test_batches_are_varied_together_with_their_truth(tmp_path: Path) -> None:
    shard(tmp_path)
    looks, truth = next(batches(tmp_path, 0))
    assert looks.shape == (16, 1, 240, 320)
    assert truth.shape == (16, 1, *TRUTH)
    shrunk = torch.nn.functional.avg_pool2d((looks > 0.05).float(), 2)
    assert float((shrunk - truth).abs().mean()) < 0.01


def test_a_right_answer_costs_less_than_a_shifted_one_and_edges_count_more() -> None:
    truth = torch.zeros(1, 1, *TRUTH)
    truth[..., 30:90, 40:120] = 1
    right = torch.nn.functional.avg_pool2d(truth, 2) * 12 - 6
    shifted = torch.roll(right, 5, dims=3)
    assert float(loss_of(right, truth)) < 0.1 < float(loss_of(shifted, truth))
    at_edge, inside = right.clone(), right.clone()
    at_edge[..., 30, 20:24] -= 12
    inside[..., 30, 34:38] -= 12
    assert float(loss_of(at_edge, truth)) > float(loss_of(inside, truth))


@pytest.mark.long
def test_settling_takes_the_statistics_of_what_is_given(tmp_path: Path) -> None:
    shard(tmp_path)
    network = RegionNetwork().to(memory_format=torch.channels_last)
    stem = network.layers["stem"]
    settle(network, batches(tmp_path, 0))
    once = stem[1].running_mean.clone()  # type: ignore[index]
    assert float(once.abs().sum()) > 0
    settle(network, batches(tmp_path, 0))
    torch.testing.assert_close(stem[1].running_mean, once)  # type: ignore[index]
