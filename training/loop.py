"""The training loop: steps, validation, checkpoints, and the log.

Lightning Fabric places the network and runs the backward pass; training on several devices belongs there.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import lightning
import torch
from torch import Tensor

from semc_core.errors import UsageError
from semc_core.model.layout import stage_channels
from semc_core.model.network import SemcNetwork
from semc_core.model.presets import find_preset
from semc_core.model.spec import Preprocessing
from training.augment import Augmenter, AugmentOptions, to_side
from training.average import WeightAverage
from training.checkpoint import read_checkpoint, write_checkpoint
from training.data.dataset import FrameSet, draw_weights
from training.losses.total import LossOptions, LossParts, SemcLoss
from training.metrics import frame_metrics
from training.schedule import Budget, Pace, rate_factor, side_at

_LOG_COLUMNS: Final = (
    "step", "elapsed_s", "side", "rate", "images_per_s", "loss", "moe", "supcon", "selfcon",
    "alpha_mean", "alpha_std", "train_accuracy", "validation_accuracy", "validation_f1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How a network is trained.

    Attributes:
        preset: Architecture and preprocessing.
        budget: When it ends.
        batch: Frames per step.
        optimiser: "adamw" or "sgd" (momentum 0.9, the paper's).
        rate: Greatest learning rate.
        weight_decay: On all weights.
        average: Decay of the weights' moving average, which is what is validated and kept.
        progressive: Small pictures first.
        non_standard_share: Of NSP in the draws.
        ambiguous_weight: How often frames between standard and not are drawn, 0 never, 1 like others.
        validations: How many times in all the validation patients are looked at.
        seed: Decides weights, draws and augmentation.
        threads: CPU threads.
        losses: See there.
        augment: See there.
    """

    budget: Budget
    preset: str = "semc_live"
    batch: int = 48
    optimiser: str = "adamw"
    rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.995
    progressive: bool = True
    non_standard_share: float = 0.45
    ambiguous_weight: float = 0.25
    validations: int = 15
    seed: int = 1
    threads: int = 2
    losses: LossOptions = field(default_factory=LossOptions)
    augment: AugmentOptions = field(default_factory=AugmentOptions)


class Training:
    """One training run in one folder: `last.pt` to go on, `best.pt` (best macro F1 at full size), `log.csv`.

    Args:
        options: See there.
        train: Frames of the training patients.
        validation: Frames of the validation patients; the best weights are chosen on them.
        folder: Of the run; made if missing.
    """

    def __init__(self, options: TrainOptions, train: FrameSet, validation: FrameSet, folder: Path) -> None:
        _check_apart(train, validation)
        self.options, self._train, self._folder = options, train, folder
        self._validation = validation.subset(~validation.is_ambiguous())
        preset = find_preset(options.preset)
        self.preprocessing = preset.preprocessing
        torch.set_num_threads(options.threads)
        self._fabric = lightning.Fabric(accelerator="auto", devices=1)
        lightning.seed_everything(options.seed, verbose=False)
        self.network = SemcNetwork(preset.architecture, len(train.classes))
        self.average = WeightAverage(self.network, options.average)
        self._loss = SemcLoss(stage_channels(preset.architecture)[3], options.losses)
        self._optimiser = _optimiser(options, [*self.network.parameters(), *self._loss.parameters()])
        self._draws = draw_weights(train, options.non_standard_share, options.ambiguous_weight)
        self._generator = torch.Generator().manual_seed(options.seed)
        self._augment = Augmenter(self._generator, options.augment)
        self.step, self.elapsed_s, self.best_f1, self._validated = 0, 0.0, -1.0, 0
        self._pace = Pace()
        self._placed()

    def _placed(self) -> None:
        """Move to the device, and into the memory order that convolutions like best there."""
        self._wrapped, self._optimiser = self._fabric.setup(self.network, self._optimiser)
        self._wrapped.mark_forward_method("details")
        self._loss = self._fabric.to_device(self._loss)
        self.average.network = self._fabric.to_device(self.average.network)
        self.network.to(memory_format=torch.channels_last)
        self.average.network.to(memory_format=torch.channels_last)

    @property
    def progress(self) -> float:
        """What part is done, 0-1."""
        return self.options.budget.progress(self.step, self.elapsed_s)

    def run(self, tell: Callable[[float, float], None], told: Callable[[dict[str, float]], None]) -> None:
        """Train to the end of the budget; goes on from `last.pt` after `resume`.

        Args:
            tell: Called after each step with the progress and the step's loss.
            told: Called after each validation with a row of the log.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        seen: list[dict[str, float]] = []
        since_s = time.monotonic()
        while self.progress < 1:
            started_s = time.monotonic()
            side = side_at(self.progress, self.preprocessing.height, self.options.progressive)
            seen.append(self._one_step(side))
            self.elapsed_s += self._pace.counted(time.monotonic() - started_s)
            tell(self.progress, seen[-1]["loss"])
            if self.progress >= (self._validated + 1) / self.options.validations or self.progress >= 1:
                images_per_s = len(seen) * self.options.batch / (time.monotonic() - since_s)
                started_s = time.monotonic()
                told(self._look_back(seen, side, images_per_s))
                self.elapsed_s += time.monotonic() - started_s
                seen, since_s = [], time.monotonic()

    def resume(self) -> bool:
        """Go on where `last.pt` stopped. False if there is none.

        Raises:
            UsageError: It is of another preset or other classes, or damaged.
        """
        path = self._folder / "last.pt"
        if not path.exists():
            return False
        state = read_checkpoint(path)
        if state["preset"] != self.options.preset or state["classes"] != list(self._train.classes):
            raise UsageError(f"{path} is of another preset or other classes; choose another folder.")
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self._loss.load_state_dict(state["loss"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._generator.set_state(state["generator"])
        torch.set_rng_state(state["torch_generator"])
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        self.best_f1, self._validated = state["best_f1"], state["validated"]
        return True

    def best_network(self) -> SemcNetwork:
        """The averaged network with the weights of `best.pt`, in evaluation mode, on the CPU."""
        network = SemcNetwork(self.network.architecture, len(self._train.classes))
        network.load_state_dict(read_checkpoint(self._folder / "best.pt")["network"])
        return network.eval()

    def _one_step(self, side: int) -> dict[str, float]:
        """Draw, change, learn. Returns the step's mean losses."""
        rate = self.options.rate * rate_factor(self.progress)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        chosen = torch.multinomial(
            self._draws, self.options.batch, replacement=True, generator=self._generator
        )
        pictures = self._augment(self._train.frames[chosen], side)
        inputs = normalised(pictures, self.preprocessing).contiguous(memory_format=torch.channels_last)
        inputs, labels = self._fabric.to_device((inputs, self._train.labels[chosen]))
        self._wrapped.train()
        details = self._wrapped.details(inputs)
        parts = self._loss(details, labels)
        self._optimiser.zero_grad()
        self._fabric.backward(parts.total.mean())
        self._fabric.clip_gradients(self._wrapped, self._optimiser, max_norm=5.0)
        self._optimiser.step()
        self.step += 1
        self.average.update(self.network, self.step)
        return _summary(parts, details.logits, labels) | {"rate": rate}

    def _look_back(self, seen: list[dict[str, float]], side: int, images_per_s: float) -> dict[str, float]:
        """Validate, log, and write the checkpoints."""
        self._validated = int(self.progress * self.options.validations)
        metrics = self.validate(side)
        values = {name: sum(each[name] for each in seen) / len(seen) for name in seen[0]}
        values |= {"step": self.step, "elapsed_s": self.elapsed_s, "side": side, "images_per_s": images_per_s}
        values |= {"validation_accuracy": metrics["accuracy"], "validation_f1": metrics["f1"]}
        # Weights that did well on small pictures say little of the real size.
        full = side == self.preprocessing.height
        if full and metrics["f1"] > self.best_f1:
            self.best_f1 = metrics["f1"]
            write_checkpoint(self._folder / "best.pt", {"network": self.average.network.state_dict()})
        write_checkpoint(self._folder / "last.pt", self._state())
        self._log(values)
        return values

    def validate(self, side: int) -> dict[str, Any]:
        """Frame metrics of the averaged network on the validation patients, ambiguous frames left out."""
        logits = classify(self.average.network, self._validation.frames, self.preprocessing, side).logits
        return frame_metrics(torch.softmax(logits, 1), self._validation.labels, self._train.classes)

    def _state(self) -> dict[str, Any]:
        return {
            "preset": self.options.preset,
            "classes": list(self._train.classes),
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "loss": self._loss.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "generator": self._generator.get_state(),
            "torch_generator": torch.get_rng_state(),
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "best_f1": self.best_f1,
            "validated": self._validated,
        }

    def _log(self, values: dict[str, float]) -> None:
        path = self._folder / "log.csv"
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as table:
            writer = csv.DictWriter(table, _LOG_COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow({name: f"{values[name]:.6g}" for name in _LOG_COLUMNS})


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """float (N, K) gated logits and float (N, C) pooled fused features, on the CPU."""

    logits: Tensor
    features: Tensor


@torch.no_grad()
def classify(
    network: SemcNetwork,
    frames: Tensor,
    preprocessing: Preprocessing,
    side: int | None = None,
    batch: int = 64,
) -> Classified:
    """Classify stored frames with a network in evaluation mode.

    Args:
        network: Is put in evaluation mode, and back.
        frames: uint8 (N, h, w).
        preprocessing: Mean and deviation; its height is the side unless given.
        side: Rows and columns.
        batch: Frames at a time.
    """
    device = next(network.parameters()).device
    logits, features = [], []
    with _evaluating(network):
        for part in torch.split(frames, batch):
            inputs = normalised(to_side(part, side or preprocessing.height), preprocessing)
            details = network.details(inputs.to(device).contiguous(memory_format=torch.channels_last))
            logits.append(details.logits.float().cpu())
            features.append(details.fused_pooled.float().cpu())
    return Classified(torch.cat(logits), torch.cat(features))


def normalised(pictures: Tensor, preprocessing: Preprocessing) -> Tensor:
    """float (B, 1, s, s) 0-1 -> float (B, C, s, s) as `preprocess.prepare` gives it."""
    mean = torch.tensor(preprocessing.mean).view(1, -1, 1, 1)
    std = torch.tensor(preprocessing.std).view(1, -1, 1, 1)
    return (pictures - mean) / std


@contextmanager
def _evaluating(network: SemcNetwork) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def _check_apart(train: FrameSet, validation: FrameSet) -> None:
    shared = set(train.patients) & set(validation.patients)
    if shared:
        raise UsageError(
            f"Patient {min(shared)} is in training and validation; keep each patient in one of them."
        )
    if train.classes != validation.classes:
        raise UsageError("Training and validation have different classes; load both with the same.")


def _optimiser(options: TrainOptions, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    if options.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=options.rate, weight_decay=options.weight_decay)
    if options.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=options.rate, momentum=0.9, weight_decay=options.weight_decay)
    raise UsageError(f"There is no optimiser {options.optimiser!r}; choose adamw or sgd.")


def _summary(parts: LossParts, logits: Tensor, labels: Tensor) -> dict[str, float]:
    alpha = parts.alpha.detach()
    return {
        "loss": float(parts.total.detach().mean()),
        "moe": float(parts.moe.detach().mean()),
        "supcon": float(parts.supcon.detach().mean()),
        "selfcon": float(parts.selfcon.detach().mean()),
        "alpha_mean": float(alpha.mean()),
        "alpha_std": float(alpha.std(correction=0)),
        "train_accuracy": float((logits.argmax(1) == labels).float().mean()),
    }
