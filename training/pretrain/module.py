"""An encoder while it learns by contrast alone, what anatomy each frame shows, and pairs of the same anatomy.

Fine anatomies are the class names. Coarse ones come from a table that puts classes together: all brain planes
as "brain", for example. Frames of the class for "none of these" and unlabelled frames have no anatomy, unless
the table gives them one.

Shapes: N frames, B frames of a step in this process.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.architecture import feature_channels
from semc_core.model.weights import AnyNetwork
from training.data.checks import is_unlabelled
from training.data.frame_set import FrameSet
from training.inference import normalised
from training.initialization import is_head, start_from
from training.losses.contrastive import Ranks
from training.losses.nt_xent import UNKNOWN, anatomy_aware
from training.models import ProjectionHead, build, described
from training.pretrain.config import PretrainOptions
from training.trainer import sampler
from training.trainer.callbacks import Metrics
from training.trainer.distributed import ranks_of
from training.trainer.module import TrainingModule
from training.trainer.sampler import StepSampler, generator_of, seed_of, shard
from training.transforms.recipes import make_recipe

_CLASSES: Final = ("A", "B")  # the classifiers are not used
_VALIDATION_SEED: Final = 2**31  # views of validation frames are the same each time


class Contrast(nn.Module):
    """The encoder, its projection head, and the loss, as one module.

    Args:
        network: Its pooled features are what is pretrained.
        temperature: tau.
        ranks: The other processes.
    """

    def __init__(self, network: AnyNetwork, temperature: float, ranks: Ranks) -> None:
        super().__init__()
        self.network = network
        self.head = ProjectionHead(feature_channels(network.architecture))
        self._temperature, self._ranks = temperature, ranks

    def forward(self, inputs: Tensor, known: Tensor) -> Tensor:
        """The mean loss (eq. 3; eq. 1 where all anatomies are unknown), ().

        Args:
            inputs: float (2 B, channels, s, s), first views, then second views.
            known: int64 (B,), anatomies.
        """
        pooled = self.network.details(inputs).fused_pooled
        with torch.autocast(inputs.device.type, enabled=False):
            precision = next(self.head.parameters()).dtype
            projections = torch.stack(self.head(pooled.to(precision)).chunk(2), dim=1)
            return anatomy_aware(projections, known, self._temperature, self._ranks).mean()


class PretrainModule(TrainingModule[PretrainOptions]):
    """Learns from frames, labelled or not. The best weights have the lowest loss on the validation frames.

    Args:
        options: See there.
        train: Frames to learn from.
        validation: Frames of other patients.
        coarse: For each class name its coarse anatomy (`anatomies`); None: anatomies are the classes.
        encoder: Pretrained weights to start from (`training.initialization`); None: from scratch.

    Raises:
        UsageError: See `TrainingModule`, or the encoder is of another network.

    Attributes:
        encoder: What the encoder file said of itself; nothing if pretraining began from scratch.
    """

    columns = ("step", "elapsed_s", "images_per_s", "loss", "validation_loss")
    verb = "pretrain"

    def __init__(
        self,
        options: PretrainOptions,
        train: FrameSet,
        validation: FrameSet,
        coarse: Mapping[str, str] | None = None,
        encoder: Path | None = None,
    ) -> None:
        super().__init__(options, train, validation)
        self._coarse = dict(coarse or {})
        self._frames = {"train": train.frames, "validation": validation.frames}
        self._known = {"train": self._anatomies(train), "validation": self._anatomies(validation)}
        self._partners = {name: Partners(known) for name, known in self._known.items()}
        self.preprocessing = described(options.network, options.preset).preprocessing
        self.network = self.new_network()
        self.encoder = {} if encoder is None else start_from(self.network, encoder, _CLASSES)
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(not is_head(name))
        self.contrast = Contrast(self.network, options.temperature, ranks_of(self.fabric))
        self._place(self.contrast, self._make_optimizer)
        self.sampler = StepSampler(len(train.labels), options.batch, options.seed)
        self._change = make_recipe(options.recipe, self._pictures, ultrasound=options.ultrasound)

    def _make_optimizer(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=self.options.rate, weight_decay=self.options.weight_decay)

    def _anatomies(self, data: FrameSet) -> Tensor:
        known = anatomies(data, self._coarse)
        return known if self.options.method == "awcl" else torch.full_like(known, UNKNOWN)

    @property
    def labelled(self) -> float:
        """Which share of the training frames has an anatomy, 0-1; 0 with SimCLR, which uses none."""
        return float((self._known["train"] >= 0).float().mean())

    def gradient(self, step: int, progress: float) -> Metrics:
        """Take the gradient of a step, and learn nothing yet. Returns the mean loss."""
        torch.manual_seed(seed_of(self.options.seed, step, sampler.NOISE, self._rank))
        chosen = self.sampler.of_step(step)
        self._wrapped.train()
        self._optimizer.zero_grad()
        loss: Tensor = self._wrapped(*self._batch("train", chosen, self.options.seed, step))
        self.fabric.backward(loss)
        return {"loss": float(loss.detach())}

    def _batch(self, which: str, chosen: Tensor, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """First and second views of this process's part of the frames `chosen`, and their anatomies."""
        generator = generator_of(seed, step, sampler.PARTNERS)
        known = kept(self._known[which][chosen], self.options.anatomy_ratio, generator)
        seconds = chosen
        if self.options.partners == "other":
            seconds = self._partners[which].of(chosen, known, generator)
        chosen, seconds, known = (shard(each, self._rank, self._world) for each in (chosen, seconds, known))
        self._pictures.manual_seed(seed_of(seed, step, sampler.PICTURES, self._rank))
        pictures = self._change(self._frames[which][torch.cat([chosen, seconds])], self.preprocessing.height)
        inputs = normalised(pictures, self.preprocessing).contiguous(memory_format=torch.channels_last)
        placed: tuple[Tensor, Tensor] = self.fabric.to_device((inputs, known))
        return placed

    @torch.no_grad()
    def validate(self, progress: float) -> Metrics:
        """The loss on the validation frames, in batches as large as those of training."""
        self._wrapped.eval()
        # Mixed: data sets are in the order of their classes, and a batch of one class says nothing.
        generator = generator_of(_VALIDATION_SEED, 0, sampler.FRAMES)
        order = torch.randperm(len(self._frames["validation"]), generator=generator)
        order = order.repeat(-(-self.options.batch // len(order)))  # fewer than a batch are taken again
        batches = [each for each in torch.split(order, self.options.batch) if len(each) == self.options.batch]
        losses = [
            float(self._wrapped(*self._batch("validation", each, _VALIDATION_SEED, number)))
            for number, each in enumerate(batches)
        ]
        loss = float(self.fabric.all_reduce(torch.tensor(np.mean(losses))))
        return {"validation_loss": loss, "score": -loss}

    def facts(self) -> dict[str, Any]:
        """What classes were put together, and what pretraining started from."""
        started = {"encoder": self.encoder} if self.encoder else {}
        return {"anatomies": self._coarse} | started

    def new_network(self) -> AnyNetwork:
        """An untrained network like the one that is learned."""
        return build(self.options.network, self.options.preset, _CLASSES)

    def remembered(self) -> dict[str, nn.Module]:
        """The projection head."""
        return {"head": self.contrast.head}


def read_coarse(path: Path) -> dict[str, str]:
    """The table of coarse anatomies: a CSV file with the columns `label` and `anatomy`.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open(newline="", encoding="utf-8") as table:
            found = {row["label"]: row["anatomy"] for row in csv.DictReader(table)}
        if not found or None in found.values():
            raise ValueError("no rows, or half of one")
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UsageError(
            f"{path.name} cannot be read; it must be a CSV file with the columns label and anatomy."
        ) from error
    return found


def anatomies(data: FrameSet, coarse: Mapping[str, str] | None = None) -> Tensor:
    """int64 (N,): the anatomy of each frame, from 0, or `UNKNOWN`.

    Args:
        data: See there.
        coarse: For each class name its anatomy; a class that is not named keeps its own.
    """
    named = [_anatomy(name, coarse or {}) for name in data.classes]
    numbers = {name: number for number, name in enumerate(sorted({name for name in named if name}))}
    by_class = torch.tensor([numbers.get(name, UNKNOWN) for name in named])
    return by_class[data.labels]


def _anatomy(name: str, coarse: Mapping[str, str]) -> str:
    """The anatomy of a class, "" if it has none."""
    if name in coarse:
        return coarse[name]
    return "" if name == NON_STANDARD or is_unlabelled(name) else name


class Partners:
    """Finds for each frame another of the same anatomy, A(i) of algorithm 1.

    Args:
        known: int64 (N,), as from `anatomies`.
    """

    def __init__(self, known: Tensor) -> None:
        self._places = {
            int(anatomy): torch.nonzero(known == anatomy).flatten()
            for anatomy in torch.unique(known)
            if anatomy != UNKNOWN
        }

    def of(self, chosen: Tensor, used: Tensor, generator: torch.Generator) -> Tensor:
        """int64 (B,): for each frame a partner; itself where its anatomy is unknown, or no other has it.

        Args:
            chosen: int64 (B,), places of frames.
            used: int64 (B,), their anatomies in this draw.
            generator: Decides.
        """
        partners = [
            self._one(place, anatomy, generator)
            for place, anatomy in zip(chosen.tolist(), used.tolist(), strict=True)
        ]
        return torch.tensor(partners, dtype=torch.long)

    def _one(self, place: int, anatomy: int, generator: torch.Generator) -> int:
        if anatomy == UNKNOWN or len(self._places[anatomy]) < 2:
            return place
        others = self._places[anatomy]
        # One fewer to choose from, and the frame's own place is skipped.
        drawn = int(torch.randint(len(others) - 1, (), generator=generator))
        own = int(torch.searchsorted(others, place))
        return int(others[drawn + (drawn >= own)])


def kept(known: Tensor, ratio: float, generator: torch.Generator) -> Tensor:
    """int64 (B,): anatomies, each used with the chance `ratio`, else `UNKNOWN` (section 6.4)."""
    used = torch.rand(len(known), generator=generator) < ratio
    return known.where(used, torch.full_like(known, UNKNOWN))
