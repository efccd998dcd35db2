"""The network while it learns: one step, and one look at the validation frames.

Shapes: N frames, B frames of a step in this process, V views of each, C channels of the pooled features, D
length of a projection.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from semc_core.errors import UsageError
from semc_core.model.architecture import feature_channels
from semc_core.model.weights import AnyNetwork
from training.config import TrainOptions
from training.data.frame_set import FrameSet, draw_weights
from training.inference import classify, normalised
from training.initialization import begin, make_experts_differ, start_from
from training.losses.balance import uneven_use, use_entropy
from training.losses.contrastive import ALONE, Ranks
from training.losses.nt_xent import simclr
from training.losses.semc import SemcLoss
from training.losses.shike import CLASSIFIERS_FROM
from training.metrics import frame_metrics
from training.models import (
    ProjectionHead,
    ShikeNetwork,
    build_as,
    fitting_losses,
    freeze_unused,
    preset_of,
    set_gate_temperature,
)
from training.schedule import rate_factor, side_at, work_at
from training.trainer import sampler
from training.trainer.callbacks import Metrics
from training.trainer.distributed import every_nth, gather_frames, ranks_of
from training.trainer.ema import averaged
from training.trainer.module import TrainingModule
from training.trainer.sampler import StepSampler, seed_of, shard
from training.transforms.recipes import make_recipe

_GREATEST_GRADIENT: Final = 5.0
_MOMENTUM: Final = 0.9


class SemcModule(TrainingModule[TrainOptions]):
    """Learns to name planes. The best weights have the best macro F1 at full size.

    Args:
        options: See there.
        train: Frames of the training patients.
        validation: Frames of the validation patients; the best weights are chosen on them, the ambiguous left
            out.
        encoder: Pretrained weights to start from (`training.initialization`); None: from scratch.

    Raises:
        UsageError: See `TrainingModule`, or the encoder is of another network.

    Attributes:
        encoder: What the encoder file said of itself; nothing if training began from scratch.
        average: The average of the weights that is validated and kept.
        key_encoder: The average that makes the queue's keys; None where the network does.
    """

    columns: tuple[str, ...] = (
        "step", "elapsed_s", "side", "rate", "images_per_s", "loss", "moe", "supcon", "selfcon", "second",
        "alpha_mean", "alpha_std", "balance", "gate_entropy", "queue_steps", "train_accuracy",
        "validation_accuracy", "validation_f1",
    )  # fmt: skip
    verb = "train"

    def __init__(
        self, options: TrainOptions, train: FrameSet, validation: FrameSet, encoder: Path | None = None
    ) -> None:
        super().__init__(options, train, validation.subset(~validation.is_ambiguous()))
        found = preset_of(options)
        self.architecture, self.preprocessing = found.architecture, found.preprocessing
        losses = fitting_losses(options.method, options.losses)
        second = options.second_task != "none"
        self._views = max(losses.views, 2 if second else 1)
        self.losses = replace(losses, views=self._views)
        if options.method == "shike" and self._world > 1:
            raise UsageError("SHIKE is trained in one process; start it without torchrun.")
        self.network = self.new_network()
        begin(self.network, options.start)
        self.encoder = {} if encoder is None else start_from(self.network, encoder, train.classes)
        make_experts_differ(self.network, options.expert_noise)
        freeze_unused(self.network, self.losses)
        if self.architecture.experts > 1:
            self.columns = (*self.columns, *uses(self.architecture.experts))
        self.average = averaged(self.network, options.average)
        self.key_encoder = self._new_key_encoder()
        self._draw_weights = None
        if options.draws == "balanced":
            self._draw_weights = draw_weights(train, options.non_standard_share, options.ambiguous_weight)
        self.objective = self._objective(second)
        self._place(self.objective, self._make_optimizer)
        self.average.module.to(memory_format=torch.channels_last)
        self.average.module.to(next(self.network.parameters()))
        if self.key_encoder is not None:
            self.key_encoder.module.to(memory_format=torch.channels_last)
        self.sampler = StepSampler(len(train.labels), options.batch, options.seed, self._draw_weights)
        self._change = make_recipe(options.recipe, self._pictures, options.augment, options.ultrasound)

    def _new_key_encoder(self) -> AveragedModel | None:
        """A copy of the network, normalising as it does in training, so that its keys compare."""
        o = self.losses
        if not o.key_momentum or o.contrast == "none" or not o.queue_size:
            return None
        encoder = averaged(self.network, o.key_momentum)
        encoder.module.train()
        return encoder

    def _objective(self, second: bool) -> Objective:
        """The network and its losses, before they are placed."""
        features, ranks = feature_channels(self.architecture), ranks_of(self.fabric)
        counts = torch.bincount(self.train_set.labels, minlength=len(self.train_set.classes))
        drawn = None
        if self._draw_weights is not None:
            weights = torch.as_tensor(self._draw_weights, dtype=torch.float32)
            drawn = torch.zeros(len(counts)).index_add_(0, self.train_set.labels, weights)
        loss = SemcLoss(features, self.losses, counts, ranks, drawn)
        task = SecondTask(features, ranks=ranks) if second else None
        encoder = None if self.key_encoder is None else self.key_encoder.module
        return Objective(self.network, loss, self._views, task, self.options.second_weight, encoder)

    def _make_optimizer(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        rate, decay = self.options.rate, self.options.weight_decay
        if self.options.optimiser == "adamw":
            return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
        return torch.optim.SGD(parameters, lr=rate, momentum=_MOMENTUM, weight_decay=decay)

    def training_step(self, step: int, progress: float) -> Metrics:
        """See `TrainingModule`; progress decides the learning rate, the size and the gate's temperature."""
        return super().training_step(step, progress) | {"rate": self._rate(progress)}

    def _rate(self, progress: float) -> float:
        return self.options.rate * rate_factor(progress, self.options.warm_up, self.options.last_rate)

    def optimizer_step(self, step: int, progress: float) -> None:
        """Change the weights and their average."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(progress)
        self.fabric.clip_gradients(self._wrapped, self._optimizer, max_norm=_GREATEST_GRADIENT)
        self._optimizer.step()
        for average in (self.average, self.key_encoder):
            if average is not None:
                average.n_averaged.fill_(step + 1)  # by the number of the step, which a checkpoint knows
                average.update_parameters(self.network)

    def gradient(self, step: int, progress: float) -> Metrics:
        """Take the gradient of a step, in parts if asked to, and learn nothing yet. Returns the mean losses.

        Args:
            step: See `training_step`.
            progress: See `training_step`.
        """
        set_gate_temperature(self.network, self.losses, progress)
        self._weigh_classes(progress)
        if isinstance(self.network, ShikeNetwork):
            self.network.classifiers_only = self.objective.loss.balances = progress >= CLASSIFIERS_FROM
        self._pictures.manual_seed(seed_of(self.options.seed, step, sampler.PICTURES, self._rank))
        torch.manual_seed(seed_of(self.options.seed, step, sampler.NOISE, self._rank))
        chosen, side = shard(self.sampler.of_step(step), self._rank, self._world), self.side(progress)
        self._wrapped.train()
        self._optimizer.zero_grad()
        parts = chosen.chunk(self.options.accumulate)
        sums: Metrics = {}
        for number, part in enumerate(parts, start=1):
            share = len(part) / len(chosen)
            # Processes need to agree only once per step.
            with self.fabric.no_backward_sync(self._wrapped, enabled=number < len(parts)):
                told = self._wrapped(*self._batch(part, side))
                self.fabric.backward(told["loss"] * share)
            sums = {name: sums.get(name, 0.0) + share * float(value.detach()) for name, value in told.items()}
        return sums

    def _weigh_classes(self, progress: float) -> None:
        """By the areas of their features, where that is asked for; every process measures the same."""
        if not self.objective.loss.areas_are_due(progress):
            return
        data = self.train_set
        features = classify(self.network, data.frames, self.preprocessing, self.side(progress)).features
        self.objective.loss.weigh_by_area(features, data.labels, progress)

    def _batch(self, chosen: Tensor, side: int) -> tuple[Tensor, ...]:
        """Changed pictures of the frames `chosen` (B,), all once, then all again; and labels (V B,)."""
        places = chosen.repeat(self._views)
        pictures = self._change(self.train_set.frames[places], side)
        inputs = normalised(pictures, self.preprocessing).contiguous(memory_format=torch.channels_last)
        placed: tuple[Tensor, ...] = self.fabric.to_device((inputs, self.train_set.labels[places]))
        return placed

    def side(self, progress: float) -> int:
        """Rows and columns of the pictures."""
        return side_at(progress, self.preprocessing.height, self.options.progressive)

    def validate(self, progress: float) -> Metrics:
        """Frame metrics of the averaged network on the validation frames, the same in all processes."""
        side, data = self.side(progress), self.validation_set
        if self._world == 1:
            logits = classify(self.best_network(), data.frames, self.preprocessing, side).logits
        else:
            own = every_nth(len(data.frames), self._rank, self._world)
            logits = classify(self.best_network(), data.frames[own], self.preprocessing, side).logits
            logits = gather_frames(self.fabric.to_device(logits), len(data.frames)).cpu()
        metrics = frame_metrics(torch.softmax(logits, 1), data.labels, data.classes)
        f1 = float(metrics["f1"])
        return {"side": side, "validation_accuracy": metrics["accuracy"], "validation_f1": f1, "score": f1}

    def work(self, progress: float) -> float:
        """By the pixels of the pictures, which are smaller at first."""
        return work_at(progress, self.preprocessing.height, self.options.progressive)

    def is_comparable(self, progress: float) -> bool:
        """Small pictures say little of the real size."""
        return self.side(progress) == self.preprocessing.height

    def facts(self) -> dict[str, Any]:
        """The classes, and what the training started from."""
        return {"classes": list(self.train_set.classes), "encoder": self.encoder}

    def new_network(self) -> AnyNetwork:
        """An untrained network like the one that is learned."""
        return build_as(self.options, self.train_set.classes)

    def best_network(self) -> AnyNetwork:
        """The network with its averaged weights."""
        return cast(AnyNetwork, self.average.module)

    def remembered(self) -> dict[str, nn.Module]:
        """The averages, the queue, and what is learned beside the network."""
        own: dict[str, nn.Module] = {"average": self.average.module, "loss": self.objective.loss}
        if self.key_encoder is not None:
            own["key_encoder"] = self.key_encoder.module
        return own if self.objective.second is None else own | {"second": self.objective.second}


def uses(experts: int) -> list[str]:
    """Names of the experts' shares in the log."""
    return [f"use_{number}" for number in range(1, experts + 1)]


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
        key_encoder: Makes the queue's keys; it learns nothing by a gradient. None: the network does.
    """

    def __init__(
        self,
        network: AnyNetwork,
        loss: SemcLoss,
        views: int,
        second: SecondTask | None,
        second_weight: float,
        key_encoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.second = network, loss, second
        self.key_encoder = key_encoder
        self._views, self._second_weight = views, second_weight

    def forward(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Classify a batch and judge it.

        Args:
            inputs: float (V B, channels, s, s), all frames once, then all again.
            labels: int64 (V B,).

        Returns:
            Means over the batch, each (): "loss", which carries the gradient, its parts "moe", "supcon",
            "selfcon" and "second", alpha's mean and spread, how unevenly the experts are used ("balance") and
            the entropy of their use, each one's share of it, the age of the queue's oldest key in steps, and
            "train_accuracy".
        """
        details = self.network.details(inputs)
        keys = self._keys(inputs)
        # Half precision loses what tells one key from another, and small parts of a sum.
        with torch.autocast(inputs.device.type, enabled=False):
            details = _in_full(details)
            parts = self.loss(details, labels, keys)
            second = torch.zeros_like(parts.total)
            if self.second is not None:
                second = self.second(details.fused_pooled, self._views)
            total = parts.total.mean() + self._second_weight * second.mean()
        shares = details.expert_weights.detach().mean(dim=0)
        return {
            "loss": total,
            "moe": parts.moe.detach().mean(),
            "supcon": parts.supcon.detach().mean(),
            "selfcon": parts.selfcon.detach().mean(),
            "second": second.detach().mean(),
            "alpha_mean": parts.alpha.detach().mean(),
            "alpha_std": parts.alpha.detach().std(correction=0),
            "balance": uneven_use(details.expert_weights.detach()),
            "gate_entropy": use_entropy(details.expert_weights.detach()),
            **dict(zip(uses(len(shares)), shares, strict=True)),
            "queue_steps": torch.tensor(self.loss.oldest_key_steps),
            "train_accuracy": (details.logits.detach().argmax(1) == labels).float().mean(),
        }

    @torch.no_grad()
    def _keys(self, inputs: Tensor) -> Tensor | None:
        """float (V B, E, D) by the key encoder, if there is one."""
        if self.key_encoder is None:
            return None
        return cast(AnyNetwork, self.key_encoder).details(inputs).embeddings


def _in_full(details: Any) -> Any:
    """The same details with no number in half precision."""
    values = {each.name: getattr(details, each.name) for each in fields(details)}
    halves = {
        name: value.float()
        for name, value in values.items()
        if isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    }
    return replace(details, **halves) if halves else details
