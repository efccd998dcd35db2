"""What a `Trainer` fits, as a Lightning module is what Lightning's Trainer fits: network, data, optimiser.

Lightning Fabric places it, runs it in half precision if asked to, and joins the processes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import nn

from semc_core.errors import UsageError
from semc_core.model.weights import AnyNetwork
from training.config import FitOptions
from training.data.frame_set import FrameSet
from training.trainer.callbacks import Metrics
from training.trainer.distributed import make_fabric, share_statistics

Options = TypeVar("Options", bound=FitOptions)


class TrainingModule(ABC, Generic[Options]):
    """Learns from training frames, and is judged on validation frames of other patients.

    Args:
        options: See there. Its seed decides the weights that are made after this.
        train: Frames to learn from.
        validation: Frames of other patients.

    Raises:
        UsageError: A patient is in both, the classes differ, or the batch does not fit the processes.

    Attributes:
        columns: Of the log.
        verb: What the user is told to do again when the loss is no longer a number.
        network: What is learned; `_place` must have been called with a module that holds it.
    """

    columns: tuple[str, ...]
    verb: ClassVar[str]
    network: AnyNetwork
    _wrapped: Any
    _optimizer: Any

    def __init__(self, options: Options, train: FrameSet, validation: FrameSet) -> None:
        check_apart(train, validation)
        self.options, self.train_set, self.validation_set = options, train, validation
        torch.set_num_threads(options.threads)
        self.fabric = make_fabric(options.precision, options.batch)
        self._rank, self._world = self.fabric.global_rank, self.fabric.world_size
        self._pictures = torch.Generator()
        torch.manual_seed(options.seed)

    def _place(
        self, learned: nn.Module, make_optimizer: Callable[[list[nn.Parameter]], torch.optim.Optimizer]
    ) -> None:
        """Give the weights to an optimiser, and move all to the device, in the order convolutions like there.

        Args:
            learned: The network with all that is learned beside it.
            make_optimizer: Of the parameters that may learn.
        """
        if self._world > 1:
            share_statistics(learned)  # makes new parameters, so before the optimiser is given them
        optimizer = make_optimizer([each for each in learned.parameters() if each.requires_grad])
        self.network.to(memory_format=torch.channels_last)
        self._wrapped, self._optimizer = self.fabric.setup(learned, optimizer)

    def training_step(self, step: int, progress: float) -> Metrics:
        """Learn from one batch.

        Args:
            step: From 0; decides all chance (`training.trainer.sampler`).
            progress: Of the training, 0-1.

        Returns:
            Means over this process's part of the batch, "loss" among them.

        Raises:
            UsageError: The loss is no longer a number.
        """
        metrics = self.gradient(step, progress)
        if not np.isfinite(metrics["loss"]):
            raise UsageError(f"The loss is no longer a number; {self.verb} again with a lower --rate.")
        self.optimizer_step(step, progress)
        return metrics

    @abstractmethod
    def gradient(self, step: int, progress: float) -> Metrics:
        """Take the gradient of a step, and learn nothing yet. Returns the mean losses."""

    def optimizer_step(self, step: int, progress: float) -> None:
        """Change the weights by their gradients."""
        self._optimizer.step()

    @abstractmethod
    def validate(self, progress: float) -> Metrics:
        """Judge what was learned. Returns numbers for the log, and the "score" that is to be greatest."""

    def work(self, progress: float) -> float:
        """What part of all computing is done at this progress, 0-1."""
        return progress

    def is_comparable(self, progress: float) -> bool:
        """Whether the score at this progress may be the best."""
        return True

    def facts(self) -> dict[str, Any]:
        """Plain values beside the options that must be the same for a run to go on."""
        return {}

    @abstractmethod
    def new_network(self) -> AnyNetwork:
        """An untrained network like the one that is learned, on the CPU."""

    def best_network(self) -> AnyNetwork:
        """Whose weights are validated, and kept where they are best."""
        return self.network

    def remembered(self) -> dict[str, nn.Module]:
        """What a checkpoint holds beside network and optimiser."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides the steps to come."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self._optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            **{name: module.state_dict() for name, module in self.remembered().items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimiser"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        for name, module in self.remembered().items():
            module.load_state_dict(state[name])


def check_apart(train: FrameSet, validation: FrameSet) -> None:
    """Refuse a patient who is in both, and sets with different classes.

    Raises:
        UsageError: See above.
    """
    shared = set(train.groups) & set(validation.groups)
    if shared:
        raise UsageError(f"{min(shared)} is in training and validation; keep each patient in one of them.")
    if train.classes != validation.classes:
        raise UsageError("Training and validation have different classes; load both with the same.")
