"""Fit the network that finds outlines.

Shapes: B batch, h x w cells of the mask (half of the input).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from semc_core.measure.ellipse import Ellipse
from semc_core.model.outline import OutlineSpec, tensor_shapes
from training.data.negatives import SCREENS
from training.measure.augment import augmented
from training.measure.data import BRAIN, HEAD, NONE, Case, read_gray
from training.measure.network import OutlineNetwork

LONGEST: Final = 480
"""Pixels of the longer side of a picture that is kept in memory."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How the network is fitted.

    Attributes:
        steps: Batches.
        heads: Pictures with an outline in each batch.
        brains: Pictures with a head whose outline is not known.
        others: Pictures without a head.
        rate: Greatest learning rate.
        decay: Weight decay.
        average: Share of the weights' moving average that stays at each step.
        screens: Share of the pictures without a head that are drawn: test pictures, noise, windows.
        threads: Of PyTorch.
        seed: Decides chance.
    """

    steps: int = 1000
    heads: int = 16
    brains: int = 2
    others: int = 6
    rate: float = 3e-3
    decay: float = 0.01
    average: float = 0.99
    screens: float = 0.06
    threads: int = 1
    seed: int = 1


class _Pictures:
    """Draws cases of one kind, every source as often as the others but for size; pictures are kept."""

    def __init__(self, cases: Sequence[Case], kind: str, rng: np.random.Generator) -> None:
        self._rng = rng
        self._sources: dict[str, list[Case]] = {}
        for case in cases:
            if case.kind == kind:
                self._sources.setdefault(case.source, []).append(case)
        weights = np.sqrt([len(each) for each in self._sources.values()])
        self._weights = weights / weights.sum()
        self._kept: dict[Case, NDArray[np.uint8]] = {}

    def draw(self) -> tuple[NDArray[np.uint8], Ellipse | None]:
        """A picture, and its outline in it."""
        of = list(self._sources.values())[int(self._rng.choice(len(self._weights), p=self._weights))]
        case = of[int(self._rng.integers(len(of)))]
        if case not in self._kept:
            self._kept[case] = read_gray(case, LONGEST)
        picture = self._kept[case]
        if case.outline is None or case.kind != HEAD:
            return picture, None
        # A head's picture is at most as large as what is kept: its outline fits.
        return picture, case.outline


def fit_network(
    cases: Sequence[Case],
    spec: OutlineSpec,
    options: FitOptions,
    tell: Callable[[int, float], None],
    begin: Mapping[str, NDArray[np.float32]] | None = None,
) -> OutlineNetwork:
    """A network fitted to `cases`.

    Args:
        cases: What is learned from.
        spec: The network's shape.
        options: How.
        tell: Hears of every step and its loss.
        begin: The tensors of a network to go on from; None begins with chance.
    """
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(options.seed)
    network = OutlineNetwork(spec)
    if begin is not None:
        state = {name: torch.from_numpy(each) for name, each in begin.items()}
        network.load_state_dict(state, strict=False)  # how many batches were seen is not stored
    network = network.to(memory_format=torch.channels_last)
    averaging: Any = get_ema_multi_avg_fn(options.average)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=options.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, options.rate, total_steps=options.steps, pct_start=0.1
    )
    draws = {kind: _Pictures(cases, kind, rng) for kind in (HEAD, BRAIN, NONE)}
    for step in range(options.steps):
        loss = _loss(network, *_batch(draws, spec, options, rng), options)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update_parameters(network)
        tell(step + 1, float(loss.detach()))
    fitted = average.module
    assert isinstance(fitted, OutlineNetwork)
    return fitted.eval()


def arrays_of(network: OutlineNetwork, spec: OutlineSpec) -> dict[str, NDArray[np.float32]]:
    """The tensors as the model's file holds them."""
    state = network.state_dict()
    return {name: state[name].detach().float().contiguous().numpy() for name in tensor_shapes(spec)}


def _batch(
    draws: dict[str, _Pictures], spec: OutlineSpec, options: FitOptions, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Inputs (B, 1, H, W), and masks (B, h, w); heads first, then brains, whose masks are not used."""
    size = (spec.height, spec.width)
    kinds = [HEAD] * options.heads + [BRAIN] * options.brains + [NONE] * options.others
    inputs, masks = [], []
    for kind in kinds:
        if kind == NONE and rng.random() < options.screens:
            names = list(SCREENS)
            picture, outline = SCREENS[names[int(rng.integers(len(names)))]](rng), None
        else:
            picture, outline = draws[kind].draw()
        levels, moved = augmented(rng, picture, outline, size)
        inputs.append(levels)
        masks.append(cell_mask(moved, (spec.height // 2, spec.width // 2)))
    batch = torch.from_numpy(np.stack(inputs))[:, None].contiguous(memory_format=torch.channels_last)
    return batch, torch.from_numpy(np.stack(masks))


def cell_mask(outline: Ellipse | None, cells: tuple[int, int]) -> NDArray[np.float32]:
    """Which share of every cell of 2 x 2 input pixels lies in the outline, nearly; float32 (h, w)."""
    if outline is None:
        return np.zeros(cells, np.float32)
    rows, columns = np.mgrid[0 : cells[0], 0 : cells[1]].astype(np.float64)
    off = outline.distance(2 * columns + 1, 2 * rows + 1)
    return np.clip(0.5 - off / 2, 0, 1).astype(np.float32)


def _loss(network: OutlineNetwork, inputs: Tensor, masks: Tensor, options: FitOptions) -> Tensor:
    """Cross entropy of cells and of presence, and one less Dice of the heads."""
    with torch.autocast("cpu", torch.bfloat16):
        cells, presence = network(inputs)
    cells, presence = cells.float(), presence.float()
    known = torch.ones(len(inputs), dtype=torch.bool)
    known[options.heads : options.heads + options.brains] = False
    there = (torch.arange(len(inputs)) < options.heads + options.brains).float()
    entropy = F.binary_cross_entropy_with_logits(cells[known], masks[known])
    shown, wanted = torch.sigmoid(cells[: options.heads]), masks[: options.heads]
    overlap = 2 * (shown * wanted).sum(dim=(1, 2)) + 1
    dice = overlap / (shown.sum(dim=(1, 2)) + wanted.sum(dim=(1, 2)) + 1)
    return entropy + (1 - dice.mean()) + 0.3 * F.binary_cross_entropy_with_logits(presence, there)
