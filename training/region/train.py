"""Train the region finder's network on rendered screens: `python -m training.region.train FOLDER`."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from semc_core.imaging.region.network import levels
from training.region.network import RegionNetwork, save

WEIGHTS: Final = Path("assets") / "region" / "picture.safetensors"
_BATCH: Final = 16
_RATE: Final = 2e-3
_WARM_UP: Final = 0.05  # of the steps
_DECAY: Final = 1e-4
_AT_EDGE: Final = 4.0  # what a cell at a sector's edge counts more than another
_SHARDS_AT_ONCE: Final = 24
_SETTLING: Final = 40  # batches from which BatchNorm takes its statistics in the end


def batches(folder: Path, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Without end: looks float32 (16, 1, 240, 320) and shares float32 (16, 1, 120, 160).

    A few shards at a time are held; those that are written meanwhile come in, too.
    """
    rng = np.random.default_rng(seed)
    while True:
        paths = sorted(folder.glob("*.npz"))
        chosen = rng.permutation(len(paths))[:_SHARDS_AT_ONCE]
        shards = [np.load(paths[index]) for index in chosen]
        seen, truth = (np.concatenate([shard[name] for shard in shards]) for name in ("seen", "truth"))
        order = rng.permutation(len(seen))
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            part = order[start : start + _BATCH]
            pairs = [_varied(rng, seen[index], truth[index]) for index in part]
            yield (
                torch.from_numpy(np.stack([p[0] for p in pairs])[:, None]),
                torch.from_numpy(np.stack([p[1] for p in pairs])[:, None]),
            )


def _varied(
    rng: np.random.Generator, look: NDArray[np.uint8], truth: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mirrored, brighter or darker, with other contrast."""
    if rng.random() < 0.5:
        look, truth = look[:, ::-1], truth[:, ::-1]
    if rng.random() < 0.5:
        gamma, gain = rng.uniform(0.7, 1.5), rng.uniform(0.6, 1.2)
        table = np.clip(255 * (np.arange(256) / 255) ** gamma * gain, 0, 255).astype(np.uint8)
        look = np.asarray(cv2.LUT(np.ascontiguousarray(look), table), np.uint8)
    return levels(np.ascontiguousarray(look)), truth.astype(np.float32) / np.float32(255)


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy at twice the answer's resolution, edges counted more, and one less the overlap (Dice).

    Args:
        logits: float (B, 1, 60, 80).
        truth: float (B, 1, 120, 160), 0-1.
    """
    fine = F.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)
    near = F.max_pool2d(truth, 5, 1, 2) - (1 - F.max_pool2d(1 - truth, 5, 1, 2))
    weights = 1 + _AT_EDGE * near
    entropy = (
        F.binary_cross_entropy_with_logits(fine, truth, reduction="none") * weights
    ).sum() / weights.sum()
    shares = torch.sigmoid(fine)
    shared = (shares * truth).sum(dim=(1, 2, 3))
    dice = (2 * shared + 20) / (shares.sum(dim=(1, 2, 3)) + truth.sum(dim=(1, 2, 3)) + 20)
    return entropy + 0.3 * (1 - dice).mean()


def settle(network: RegionNetwork, given: Iterator[tuple[Tensor, Tensor]]) -> None:
    """Take BatchNorm's means and variances anew: while training they lag behind the weights."""
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        for _, (looks, _truth) in zip(range(_SETTLING), given, strict=False):
            network(looks.to(memory_format=torch.channels_last))
    for norm in norms:
        norm.momentum = 0.1


def train(folder: Path, out: Path, steps: int, seed: int = 0) -> None:
    """Train and write the weights; also between, so that they can be looked at."""
    torch.manual_seed(seed)
    network = RegionNetwork().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    began, mean = time.monotonic(), 0.0
    for step, (looks, truth) in zip(range(steps), batches(folder, seed), strict=False):
        done = step / steps
        share = min(1.0, done / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * done))
        optimiser.param_groups[0]["lr"] = _RATE * max(share, 1e-3)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(looks.to(memory_format=torch.channels_last))
        loss = loss_of(logits.float(), truth)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        mean += 0.02 * (float(loss.detach()) - mean) if step else float(loss.detach())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            print(
                f"step {step + 1} of {steps}: loss {mean:.4f}, {time.monotonic() - began:.0f} s", flush=True
            )
        if (step + 1) % 750 == 0 or step + 1 == steps:
            settle(network, batches(folder, seed + 1))
            save(network, out)


def main() -> int:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="shards that `training.region.render` wrote")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    train(given.folder, given.out, given.steps, given.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
