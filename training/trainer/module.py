"""The network while it learns: one step, one look at the validation frames, and what must be remembered.

Lightning Fabric places it, runs it in half precision if asked to, and joins the processes.

Shapes: N frames, B frames of a step in this process, V views of each.

The network and its losses as one module, so that several processes and half precision treat them as one.

Shapes: V views of each of B frames, C channels of the pooled features, D length of a projection.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from semc_core.errors import UsageError
from semc_core.model.architecture import feature_channels
from semc_core.model.weights import AnyNetwork
from training.config import TrainOptions
from training.data.frame_set import FrameSet, draw_weights
from training.inference import classify, normalised
from training.initialization import start_from
from training.losses.contrastive import ALONE, Ranks
from training.losses.nt_xent import simclr
from training.losses.semc import SemcLoss
from training.metrics import frame_metrics
from training.models import (
    ProjectionHead,
    build,
    described,
    fitting_losses,
    freeze_unused,
    set_gate_temperature,
)
from training.schedule import rate_factor, side_at
from training.trainer import sampler
from training.trainer.distributed import every_nth, gather_frames, make_fabric, ranks_of, share_statistics
from training.trainer.ema import WeightAverage
from training.trainer.sampler import StepSampler, seed_of, shard
from training.transforms.recipes import make_recipe

_GREATEST_GRADIENT = 5.0


class SemcModule:
    """Learns from training frames; see `runner.Work` for how it is driven.

    Args:
        options: See there.
        train: Frames of the training patients.
        validation: Frames of the validation patients, none of them ambiguous.
        encoder: Pretrained weights to start from; None: from scratch.

    Raises:
        UsageError: The encoder is of another network.
    """

    def __init__(
        self, options: TrainOptions, train: FrameSet, validation: FrameSet, encoder: Path | None = None
    ) -> None:
        self.options, self._train, self._validation = options, train, validation
        found = described(options.method, options.preset)
        self.architecture, self.preprocessing = found.architecture, found.preprocessing
        torch.set_num_threads(options.threads)
        self.fabric = make_fabric(options.precision, options.batch)
        self._rank, self._world = self.fabric.global_rank, self.fabric.world_size
        losses = fitting_losses(options.method, options.losses)
        second = options.second_task != "none"
        self._views = max(losses.views, 2 if second else 1)
        self.losses = replace(losses, views=self._views)
        torch.manual_seed(options.seed)
        self.network = build(options.method, options.preset, train.classes)
        self.encoder = {} if encoder is None else start_from(self.network, encoder, train.classes)
        freeze_unused(self.network, self.losses)
        self.average = WeightAverage(self.network, options.average)
        self.objective = self._objective(second)
        if self._world > 1:
            share_statistics(self.objective)  # makes new parameters, so before the optimiser is given them
        self._optimiser = _optimiser(options, self.objective)
        weights = None
        if options.draws == "balanced":
            weights = draw_weights(train, options.non_standard_share, options.ambiguous_weight)
        self._draws = StepSampler(len(train.labels), options.batch, options.seed, weights)
        self._generator = torch.Generator()
        self._change = make_recipe(options.recipe, self._generator, options.augment, options.ultrasound)
        self._placed()

    def _objective(self, second: bool) -> Objective:
        """The network and its losses, before they are placed."""
        features, ranks = feature_channels(self.architecture), ranks_of(self.fabric)
        counts = torch.bincount(self._train.labels, minlength=len(self._train.classes))
        loss = SemcLoss(features, self.losses, counts, ranks)
        task = SecondTask(features, ranks=ranks) if second else None
        return Objective(self.network, loss, self._views, task, self.options.second_weight)

    def _placed(self) -> None:
        """Move to the device, and into the memory order that convolutions like best there."""
        self.network.to(memory_format=torch.channels_last)
        self.average.network.to(memory_format=torch.channels_last)
        self._wrapped, self._optimiser = self.fabric.setup(self.objective, self._optimiser)
        self.average.network.to(next(self.network.parameters()))

    def one_step(self, step: int, progress: float) -> dict[str, float]:
        """Draw, change, learn. Returns the means over this process's part of the batch.

        Args:
            step: From 0; decides all chance.
            progress: Of the training, 0-1; decides rate, size and the gate's temperature.

        Raises:
            UsageError: The loss is no longer a number.
        """
        rate = self.options.rate * rate_factor(progress, self.options.warm_up)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        told = self.gradient(step, progress)
        if not np.isfinite(told["loss"]):
            raise UsageError("The loss is no longer a number; train again with a lower --rate.")
        self.fabric.clip_gradients(self._wrapped, self._optimiser, max_norm=_GREATEST_GRADIENT)
        self._optimiser.step()
        self.average.update(self.network, step + 1)
        return told | {"rate": rate}

    def gradient(self, step: int, progress: float) -> dict[str, float]:
        """Take the gradient of a step, in parts if asked to, and learn nothing yet. Returns the mean losses.

        Args:
            step: See `one_step`.
            progress: See `one_step`.
        """
        set_gate_temperature(self.network, self.losses, progress)
        self._generator.manual_seed(seed_of(self.options.seed, step, sampler.PICTURES, self._rank))
        torch.manual_seed(seed_of(self.options.seed, step, sampler.NOISE, self._rank))
        chosen, side = shard(self._draws.of_step(step), self._rank, self._world), self.side(progress)
        self._wrapped.train()
        self._optimiser.zero_grad()
        parts = chosen.chunk(self.options.accumulate)
        sums: dict[str, float] = {}
        for number, part in enumerate(parts, start=1):
            share = len(part) / len(chosen)
            # Processes need to agree only once per step.
            with self.fabric.no_backward_sync(self._wrapped, enabled=number < len(parts)):
                told = self._wrapped(*self._batch(part, side))
                self.fabric.backward(told["loss"] * share)
            sums = {name: sums.get(name, 0.0) + share * float(value.detach()) for name, value in told.items()}
        return sums

    def _batch(self, chosen: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """Changed pictures of the frames `chosen` (B,), all once, then all again; and labels (V B,)."""
        places = chosen.repeat(self._views)
        pictures = self._change(self._train.frames[places], side)
        inputs = normalised(pictures, self.preprocessing).contiguous(memory_format=torch.channels_last)
        placed: tuple[Tensor, Tensor] = self.fabric.to_device((inputs, self._train.labels[places]))
        return placed

    def side(self, progress: float) -> int:
        """Rows and columns of the pictures."""
        return side_at(progress, self.preprocessing.height, self.options.progressive)

    def look_back(self, progress: float) -> dict[str, float]:
        """Frame metrics of the averaged network on the validation frames, the same in all processes."""
        side = self.side(progress)
        frames, labels = self._validation.frames, self._validation.labels
        if self._world == 1:
            logits = classify(self.average.network, frames, self.preprocessing, side).logits
        else:
            own = every_nth(len(frames), self._rank, self._world)
            logits = classify(self.average.network, frames[own], self.preprocessing, side).logits
            logits = gather_frames(self.fabric.to_device(logits), len(frames)).cpu()
        metrics = frame_metrics(torch.softmax(logits, 1), labels, self._train.classes)
        f1 = float(metrics["f1"])
        return {"side": side, "validation_accuracy": metrics["accuracy"], "validation_f1": f1, "score": f1}

    def counts(self, progress: float) -> bool:
        """Whether the weights may be kept as the best: small pictures say little of the real size."""
        return self.side(progress) == self.preprocessing.height

    def best(self) -> dict[str, Any]:
        """What is kept of the best weights."""
        return {"network": self.average.network.state_dict()}

    def state(self) -> dict[str, Any]:
        """Everything that decides the steps to come."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "loss": self.objective.loss.state_dict(),
            "second": self.objective.second.state_dict() if self.objective.second is not None else {},
            "optimiser": self._optimiser.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.objective.loss.load_state_dict(state["loss"])
        if self.objective.second is not None:
            self.objective.second.load_state_dict(state["second"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])


def _optimiser(options: TrainOptions, objective: Objective) -> torch.optim.Optimizer:
    taught = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    if options.optimiser == "adamw":
        return torch.optim.AdamW(taught, lr=options.rate, weight_decay=options.weight_decay)
    return torch.optim.SGD(taught, lr=options.rate, momentum=0.9, weight_decay=options.weight_decay)


class SecondTask(nn.Module):
    """SimCLR beside the classification, end to end (Migliorelli et al. 2024).

    Args:
        features: C.
        temperature: Of the contrast.
        ranks: The other processes.
    """

    def __init__(self, features: int, temperature: float = 0.5, ranks: Ranks = ALONE) -> None:
        super().__init__()
        self.head = ProjectionHead(features)
        self._temperature, self._ranks = temperature, ranks

    def forward(self, pooled: Tensor, views: int) -> Tensor:
        """The loss per frame, (B,), of pooled features (V B, C): all frames once, then all again."""
        projections = torch.stack(self.head(pooled).chunk(views), dim=1)
        return simclr(projections, self._temperature, self._ranks)


class Objective(nn.Module):
    """What is learned in a step.

    Args:
        network: To train.
        loss: Of its answers.
        views: V.
        second: The second task, or None.
        second_weight: Of its loss.
    """

    def __init__(
        self,
        network: AnyNetwork,
        loss: SemcLoss,
        views: int,
        second: SecondTask | None,
        second_weight: float,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.second = network, loss, second
        self._views, self._second_weight = views, second_weight

    def forward(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Classify a batch and judge it.

        Args:
            inputs: float (V B, channels, s, s), all frames once, then all again.
            labels: int64 (V B,).

        Returns:
            Means over the batch, each (): "loss", which carries the gradient, its parts "moe", "supcon",
            "selfcon" and "second", alpha's mean and spread, and "train_accuracy".
        """
        details = self.network.details(inputs)
        # Half precision loses what tells one key from another, and small parts of a sum.
        with torch.autocast(inputs.device.type, enabled=False):
            details = _in_full(details)
            parts = self.loss(details, labels)
            second = torch.zeros_like(parts.total)
            if self.second is not None:
                second = self.second(details.fused_pooled, self._views)
            total = parts.total.mean() + self._second_weight * second.mean()
        return {
            "loss": total,
            "moe": parts.moe.detach().mean(),
            "supcon": parts.supcon.detach().mean(),
            "selfcon": parts.selfcon.detach().mean(),
            "second": second.detach().mean(),
            "alpha_mean": parts.alpha.detach().mean(),
            "alpha_std": parts.alpha.detach().std(correction=0),
            "train_accuracy": (details.logits.detach().argmax(1) == labels).float().mean(),
        }


def _in_full(details: Any) -> Any:
    """The same details with no number in half precision."""
    values = {each.name: getattr(details, each.name) for each in fields(details)}
    halves = {
        name: value.float()
        for name, value in values.items()
        if isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    }
    return replace(details, **halves) if halves else details
