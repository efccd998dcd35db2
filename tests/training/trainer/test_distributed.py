"""Two processes learn what one learns."""

from __future__ import annotations

import copy
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional as F

from semc_core.errors import UsageError
from tests.training.trainer.process_of_many import FRAMES, gradients, without_noise
from training.trainer.distributed import SharedBatchNorm, every_nth, make_fabric, share_statistics
from training.trainer.sampler import StepSampler, seed_of, shard

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def started(arguments: list[str], surroundings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process of many; ended, if it has not, when the test is over."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.training.trainer.process_of_many", *arguments],
        env=os.environ | surroundings,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def as_torchrun(rank: int, world: int, port: int) -> dict[str, str]:
    """What torchrun tells each of its processes."""
    return {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world),
        "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        "TORCHELASTIC_RUN_ID": "test",
    }  # fmt: skip


@pytest.mark.long
def test_two_processes_take_the_gradients_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = [tmp_path / "0.pt", tmp_path / "1.pt"]
    with (
        started([str(paths[0])], as_torchrun(0, 2, port)) as zero,
        started([str(paths[1])], as_torchrun(1, 2, port)) as one,
    ):
        monkeypatch.setattr(F, "gumbel_softmax", without_noise)
        alone = dict(gradients())
        for process in (zero, one):
            said, _ = process.communicate()
            assert process.returncode == 0, said
    first, second = (read(path) for path in paths)
    assert alone.keys() == first.keys() == second.keys()
    for name in [name for name in alone if name.startswith(FRAMES)]:
        whole, half, other_half = (found.pop(name).tolist() for found in (alone, first, second))
        assert half == other_half == [whole[0] // 2]
    taken = {name: value for name, value in alone.items() if "gradient of" in name}
    assert len(taken) > 200
    assert all(bool(value.any()) for value in taken.values())
    assert sum("average of" in name for name in alone) > 100
    assert any("queue.keys" in name for name in alone)
    assert any("gradient of loss.alpha" in name for name in alone)
    for name, expected in alone.items():
        assert torch.allclose(first[name], expected, rtol=1e-6, atol=1e-6), name
        assert torch.allclose(second[name], first[name], rtol=0, atol=1e-8), name


def read(path: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(path, weights_only=True)
    return found


def test_statistics_are_shared_under_the_old_names() -> None:
    still, asleep = nn.BatchNorm2d(4), nn.BatchNorm1d(4)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Sequential(still, nn.ReLU()), asleep)
    still.weight.requires_grad_(False)
    asleep.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    share_statistics(network)
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    made = [module for module in network.modules() if isinstance(module, SharedBatchNorm)]
    assert [each.training for each in made] == [True, False]
    may_learn = {name: each.requires_grad for name, each in network.named_parameters()}
    assert {name for name, may in may_learn.items() if not may} == {"1.0.weight"}


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    """A group of processes with this one alone."""
    dist.init_process_group("gloo", init_method=(tmp_path / "group").as_uri(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5, 5)])
def test_shared_statistics_of_one_process_are_pytorchs_own(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(1)
    theirs = nn.BatchNorm1d(4) if len(shape) == 2 else nn.BatchNorm2d(4)
    theirs.weight.data.copy_(torch.rand(4, generator=generator))
    holder = nn.Sequential(copy.deepcopy(theirs))
    share_statistics(holder)
    given = [torch.randn(shape, generator=generator) * 3 + 1 for _ in range(2)]
    for each in given:
        one, other = each.clone().requires_grad_(), each.clone().requires_grad_()
        expected, found = theirs(one), holder(other)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        expected.square().mean().backward()
        found.square().mean().backward()
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-3, atol=1e-5)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(holder.state_dict()[f"0.{name}"], value, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(holder.eval()(given[0]), theirs.eval()(given[0]), rtol=1e-4, atol=1e-5)


def test_every_frame_is_drawn_once_before_any_is_drawn_again() -> None:
    draws = StepSampler(10, 4, seed=1)
    seen = torch.cat([draws.of_step(step) for step in range(5)])
    assert sorted(seen[:10].tolist()) == sorted(seen[10:].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()
    again = StepSampler(10, 4, seed=1)
    assert torch.equal(again.of_step(3), draws.of_step(3))
    assert torch.equal(torch.cat([shard(seen[:8], rank, 4) for rank in range(4)]), seen[:8])


def test_chance_differs_by_step_purpose_and_process() -> None:
    seeds = {
        seed_of(1, step, purpose, rank) for step in range(20) for purpose in range(3) for rank in range(3)
    }
    assert len(seeds) == 180
    assert seed_of(1, 2, 0) == seed_of(1, 2, 0) != seed_of(2, 2, 0)


def test_frames_to_judge_are_dealt_evenly_and_found_again() -> None:
    parts = [every_nth(7, rank, 3) for rank in range(3)]
    assert [len(part) for part in parts] == [3, 3, 3]
    assert torch.stack(parts).T.flatten()[:7].tolist() == list(range(7))


def test_a_batch_that_cannot_be_divided_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="change --batch"):
        make_fabric("32", 16)
