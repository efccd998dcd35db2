"""Teaches the published SonoNet further: upper stages and a last layer of ours, by labels coarse and fine.

What the lower stages see (edges, speckle) stays as published. The statistics of BatchNorm stay, too: a batch
of these pictures is no sample of what is scanned elsewhere. So that the network leans less on the look of one
hospital, the means and deviations of some maps are mixed between the pictures of a batch (MixStyle, Zhou et
al., ICLR 2021), the weights are an average over the steps, and what counts at the end lies between them and
the published ones (WiSE-FT, Wortsman et al., CVPR 2022).

Shapes: B pictures of a batch, F features, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semc_core.labels import FETAL_CLASSES
from semc_core.model.architecture import SONONET16
from semc_core.model.file import Arrays
from semc_core.model.sononet import SonoNet
from semc_core.model.weights import build_network, network_arrays
from training.fetal.head import SOFTENED, published_head, weights_of, with_head
from training.fetal.labels import CLASSES, LABELS, SONONET_SAYS, label_log_likelihood
from training.fetal.versions import Inputs, Prepared
from training.trainer.ema import averaged

_NAMES: Final = list(LABELS)
_OTHER: Final = _NAMES.index("other")
_OTHERS: Final = [CLASSES.index(name) for name in LABELS["other"]]
_ANSWERED: Final = [FETAL_CLASSES.index(SONONET_SAYS[name]) for name in LABELS["other"]]
_AT_ONCE: Final = 64
"""Pictures that are looked at together when nothing is learned."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """How it is taught.

    Attributes:
        pictures: Seen in all, each in a version drawn anew.
        batch: Of a step.
        frozen: Stages from below that stay as published.
        rate: Highest learning rate of the stages (AdamW); it rises over 30 steps and falls as a cosine to 0.
        head_rate: The same of the last layer.
        mixed: How often the maps of each of the three lower stages are mixed.
        itself: How often the version is the picture, not changed.
        smoothing: Share of every class in what is aimed at.
        average: Share of the averaged weights that is kept in a step.
        share: Of the taught weights in the end, beside the published ones.
    """

    pictures: int = 16_000
    batch: int = 32
    frozen: int = 2
    rate: float = 1e-3
    head_rate: float = 3e-3
    mixed: float = 0.5
    itself: float = 0.25
    smoothing: float = 0.03
    average: float = 0.99
    share: float = 0.7


_MIXED_STAGES: Final = 3
_WARM_UP: Final = 30
_DECAY: Final = 1e-4
_LONGEST_GRADIENT: Final = 5.0
_BETA: Final = 0.2
"""Of MixStyle's Beta(a, a)."""


class Pupil(nn.Module):
    """SonoNet with our last layer, linear in the averaged features, as it is taught."""

    def __init__(self, network: SonoNet, frozen: int) -> None:
        super().__init__()
        self.network, self.frozen = network, frozen
        self.requires_grad_(False)
        for part in (*network.features[frozen:], network.adaption[:3], network.adaption[3]):
            part.requires_grad_(True)
        network.adaption[4].bias.requires_grad_(True)

    def forward(self, x: Tensor, mix: Callable[[int, Tensor], Tensor] = lambda _, maps: maps) -> Tensor:
        """float (B, K): logits of inputs (B, 1, h, w); `mix` changes the maps after a stage."""
        for number, stage in enumerate(self.network.features):
            with torch.set_grad_enabled(torch.is_grad_enabled() and number >= self.frozen):
                x = stage(x)
            x = mix(number, x)
        seen = self.network.adaption[:3](x).float().mean(dim=(2, 3))
        kernel, bias = self.network.head()
        with torch.autocast("cpu", enabled=False):
            logits: Tensor = seen @ kernel.T + bias
        return logits


def teach(
    prepared: Prepared,
    kept: NDArray[np.bool_],
    published: Arrays,
    seed: int,
    tell: Callable[[int, int], None],
    teaching: Teaching | None = None,
) -> SonoNet:
    """The network that learned from the pictures that are kept.

    Args:
        prepared: Pictures in versions.
        kept: bool (N,).
        published: Tensors of SonoNet-16.
        seed: Decides everything, on one machine with one number of threads.
        tell: Called with how many of how many steps are done.
        teaching: How.
    """
    teaching = teaching or Teaching()
    teacher = _network(published, len(FETAL_CLASSES))
    start = dict(published) | with_head(published_head(published))
    pupil = Pupil(_network(start, len(CLASSES)), teaching.frozen)
    head = [pupil.network.adaption[3].weight, pupil.network.adaption[4].bias]
    body = [
        each for each in pupil.parameters() if each.requires_grad and all(each is not own for own in head)
    ]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": teaching.rate}, {"params": head, "lr": teaching.head_rate}],
        weight_decay=_DECAY,
    )
    steps = teaching.pictures // teaching.batch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share_of_rate(step, steps))
    average = averaged(pupil, teaching.average)
    batches = _Batches(prepared, kept, teaching, np.random.default_rng(seed))
    for step in range(steps):
        x, labels = batches.draw()
        with torch.autocast("cpu", torch.bfloat16):
            logits = pupil(x, batches.mix)
        loss = _loss(logits, labels, teaching.smoothing) + _kept(logits, labels, teacher, x)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(body, _LONGEST_GRADIENT)
        optimizer.step()
        schedule.step()
        average.update_parameters(pupil)
        tell(step + 1, steps)
    taught = average.module
    assert isinstance(taught, Pupil)
    return _network(between(start, network_arrays(taught.network), teaching.share), len(CLASSES))


def between(start: Arrays, end: Arrays, share: float) -> Arrays:
    """Tensors that lie between two of the same network, at `share` of the way to the second."""
    return {
        name: start[name] + share * (each - start[name]) if each.dtype.kind == "f" else each
        for name, each in end.items()
    }


def answers(network: SonoNet, inputs: Inputs, places: NDArray[np.int64]) -> Tensor:
    """float (M, K): logits of pictures as they are, by their places."""
    pupil = Pupil(network, 0).eval()
    found = []
    with torch.inference_mode():
        for first in range(0, len(places), _AT_ONCE):
            shown = inputs[places[first : first + _AT_ONCE], 0]
            found.append(pupil(as_batch(shown)))
    return torch.cat(found) if found else torch.zeros((0, len(CLASSES)))


def as_batch(shown: Inputs) -> Tensor:
    """float (B, 1, h, w) of uint8 (B, h, w): as `preprocess.normalised` makes them."""
    x = torch.from_numpy(np.ascontiguousarray(shown)).float()[:, None]
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    deviation = x.std(dim=(1, 2, 3), keepdim=True, unbiased=False)
    levels = (x - mean) / deviation.masked_fill(deviation == 0, math.inf)
    p = SONONET16.preprocessing
    return ((levels - p.mean[0]) / p.std[0]).contiguous(memory_format=torch.channels_last)


class _Batches:
    """Draws pictures by their weights, each in a version, half of them mirrored; and what MixStyle mixes."""

    def __init__(
        self, prepared: Prepared, kept: NDArray[np.bool_], teaching: Teaching, rng: np.random.Generator
    ) -> None:
        self._inputs, self._teaching, self._rng = prepared.inputs, teaching, rng
        self._places = np.flatnonzero(kept)
        rows = [prepared.rows[int(place)] for place in self._places]
        self._weights = weights_of(rows)
        self._labels = np.array([_NAMES.index(row.label) for row in rows])

    def draw(self) -> tuple[Tensor, Tensor]:
        """float (B, 1, h, w) and int64 (B,), places in `LABELS`."""
        count = self._teaching.batch
        drawn = self._rng.choice(len(self._places), count, p=self._weights)
        changed = self._rng.integers(1, self._inputs.shape[1], count)
        versions = np.where(self._rng.random(count) < self._teaching.itself, 0, changed)
        pairs = zip(self._places[drawn], versions, strict=True)
        shown = np.stack([self._inputs[place, version] for place, version in pairs])
        mirrored = self._rng.random(count) < 0.5
        shown[mirrored] = shown[mirrored, :, ::-1]
        return as_batch(shown), torch.from_numpy(self._labels[drawn])

    def mix(self, stage: int, maps: Tensor) -> Tensor:
        """Maps after a stage, some with the mean and deviation of another picture's (MixStyle)."""
        if stage >= _MIXED_STAGES or self._rng.random() > self._teaching.mixed:
            return maps
        own = maps.float()
        mean = own.mean(dim=(2, 3), keepdim=True).detach()
        deviation = (own.var(dim=(2, 3), keepdim=True) + 1e-6).sqrt().detach()
        share = torch.from_numpy(self._rng.beta(_BETA, _BETA, (len(own), 1, 1, 1))).float()
        other = torch.from_numpy(self._rng.permutation(len(own)))
        mixed_mean = torch.lerp(mean[other], mean, share)
        mixed_deviation = torch.lerp(deviation[other], deviation, share)
        return ((own - mean) / deviation * mixed_deviation + mixed_mean).to(maps.dtype)


def _network(arrays: Arrays, classes: int) -> SonoNet:
    network = build_network(SONONET16.architecture, classes, dict(arrays))
    assert isinstance(network, SonoNet)
    return network.to(memory_format=torch.channels_last).eval()


def _share_of_rate(step: int, steps: int) -> float:
    return (1 + math.cos(math.pi * step / steps)) / 2 * min(1.0, (step + 1) / _WARM_UP)


def _loss(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    even = -torch.log_softmax(logits, dim=1).mean(dim=1)
    return ((1 - smoothing) * -label_log_likelihood(logits, labels) + smoothing * even).mean()


def _kept(logits: Tensor, labels: Tensor, teacher: SonoNet, x: Tensor) -> Tensor:
    """How far what a label leaves open (`other`) is from what the published network says of it."""
    own = labels == _OTHER
    if not bool(own.any()):
        return logits.new_zeros(())
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        said = teacher(x[own])
    target = torch.log_softmax(said.float()[:, _ANSWERED] / SOFTENED, dim=1)
    shared = torch.log_softmax(logits[own][:, _OTHERS], dim=1)
    return (target.exp() * (target - shared)).sum() / len(labels)
