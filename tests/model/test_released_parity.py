"""Our network against outputs of the authors' released one. Needs the fixtures beside the repository."""

from __future__ import annotations

import json
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from semc_core.model.importers import load_released
from semc_core.model.network import SemcNetwork
from tests.skips import REAL_DATA

FIXTURES = REAL_DATA.parent / "fixtures" / "semc_released"

pytestmark = pytest.mark.real_data("../fixtures/semc_released")


def released_state() -> dict[str, Tensor]:
    """The weights that the fixtures' README describes."""
    shapes = json.loads((FIXTURES / "keys.json").read_text(encoding="utf-8"))
    with ThreadPoolExecutor(2) as pool:  # 177 million numbers: the longest part of these tests
        return dict(zip(shapes, pool.map(drawn, shapes, shapes.values()), strict=True))


def drawn(key: str, shape: list[int]) -> Tensor:
    if key.endswith(("num_batches_tracked", "queue_l", "queue_ptr")):
        return torch.zeros(shape, dtype=torch.int64)
    rng = np.random.RandomState(zlib.crc32(key.encode()))
    values: NDArray[np.float64]
    if key.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif key.endswith("running_mean"):
        values = 0.02 * rng.standard_normal(shape)
    elif len(shape) >= 2:
        values = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    elif key.endswith("weight"):
        values = rng.uniform(0.6, 1.0, shape)
    else:
        values = 0.02 * rng.standard_normal(shape)
    return torch.from_numpy(values.astype(np.float32))


def released_input(size: int) -> Tensor:
    """The images that the fixtures' README describes, (2, 3, size, size)."""
    yy, xx = np.mgrid[0:size, 0:size] / size
    x = np.zeros((2, 3, size, size), np.float32)
    for i in range(2):
        for c in range(3):
            rng = np.random.RandomState(zlib.crc32(f"image-{size}-{i}-{c}".encode()))
            f, p, a = rng.uniform(0, 6, (8, 2)), rng.uniform(0, 2 * np.pi, 8), rng.uniform(-1, 1, 8)
            waves = [a[k] * np.sin(2 * np.pi * (f[k, 0] * yy + f[k, 1] * xx) + p[k]) for k in range(8)]
            x[i, c] = sum(waves)
    return torch.from_numpy(x)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return released_state()


@pytest.fixture(scope="module")
def network(state: dict[str, Tensor]) -> SemcNetwork:
    return load_released(state)


@pytest.mark.long
@pytest.mark.parametrize("size", [128, 256])
def test_our_network_gives_what_the_released_one_gives(network: SemcNetwork, size: int) -> None:
    expected = np.load(FIXTURES / "expected.npz")
    with torch.inference_mode():
        details = network.details(released_input(size))
    for name, ours in (
        ("expert_logits", details.expert_logits),
        ("embeddings", details.embeddings),
        ("deep_mean_pooled", details.deep_pooled),
    ):
        theirs = expected[f"{name}_{size}"]
        assert np.abs(ours.numpy() - theirs).max() <= 1e-4 * theirs.std(), name


def test_a_checkpoint_may_be_wrapped_trained_on_several_gpus_and_of_another_precision(
    network: SemcNetwork, state: dict[str, Tensor]
) -> None:
    wrapped = {f"module.{n}": v.bfloat16() if v.is_floating_point() else v for n, v in state.items()}
    loaded = load_released({"state_dict": wrapped, "epoch": 3, "arch": "resnet50"})
    assert not loaded.training
    rounded = loaded.state_dict()
    for name, value in network.state_dict().items():
        assert rounded[name].dtype == value.dtype
    for name in ("conv1.weight", "experts.2.0.bn1.running_var", "samc.0.context.mix.1.bias"):
        assert torch.equal(rounded[name], network.state_dict()[name].bfloat16().float())


def test_parts_that_are_never_used_may_be_missing(network: SemcNetwork, state: dict[str, Tensor]) -> None:
    unused = ("queue", "fusion_convs.", "gate.")
    kept = {name: value for name, value in state.items() if not name.startswith(unused)}
    assert len(kept) < len(state)
    loaded = load_released({n: v for n, v in kept.items() if not n.endswith("num_batches_tracked")})
    with torch.inference_mode():
        ours, theirs = (one.details(released_input(128)[:1, :, :64, :64]) for one in (loaded, network))
    assert torch.equal(ours.expert_logits, theirs.expert_logits)
