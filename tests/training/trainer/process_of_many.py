"""Takes the gradients of a step, alone or as one of several processes, and writes them down.

Run by `test_distributed.py`. No chance is left that differs between them: pictures are not changed, and the
gate draws no noise. In 64 bits, since in 32 an activation beside zero may fall on its other side.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.training.toys import toy
from training.config import TrainOptions
from training.losses.config import LossOptions
from training.pretrain.config import PretrainOptions
from training.pretrain.module import PretrainModule
from training.schedule import Budget
from training.trainer.distributed import leave
from training.trainer.semc import SemcModule

FRAMES = "frames in this process"
_LEARNED = LossOptions(alpha=None, queue_size=24)


def train_options(losses: LossOptions, **changed: object) -> TrainOptions:
    """A step of eight frames that leaves nothing to chance."""
    options = TrainOptions(
        Budget(steps=2), "semc_tiny", batch=8, optimiser="sgd", rate=0.1, progressive=False, average=0.5,
        recipe="none", threads=1, losses=losses, precision="64",
    )  # fmt: skip
    return replace(options, **changed)  # type: ignore[arg-type]


def without_noise(scores: Tensor, tau: float, hard: bool = False) -> Tensor:
    """The gate's shares without Gumbel noise."""
    return torch.softmax(scores / tau, dim=1)


def gradients() -> Iterator[tuple[str, Tensor]]:
    """Name and value of all gradients, of what a step changed, and of what was measured.

    The gate must draw no noise: see `without_noise`.
    """
    train, validation = toy(0, 30, seed=1), toy(1000, 13, seed=2)
    cases = {
        "supcon, simclr": train_options(_LEARNED, second_task="simclr"),
        "gpaco": train_options(
            replace(_LEARNED, contrast="gpaco", class_weights="inverse", key_momentum=0.5)
        ),
    }
    for name, options in cases.items():
        learner = SemcModule(options, train, validation)
        seen: list[int] = []
        learner.objective.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(len(given[0])))
        learner.training_step(0, 0.0)  # so that the queue is not empty
        yield f"{FRAMES} of {name}", torch.tensor(seen)
        for part, value in learner.best_network().state_dict().items():
            yield f"{name}: average of {part}", value.clone().double()
        yield f"{name}: F1", torch.tensor(learner.validate(1.0)["validation_f1"])
        learner.gradient(1, 0.5)
        yield from taken(name, learner.objective)
    pretraining = PretrainOptions(
        Budget(steps=2), "semc_tiny", method="awcl", batch=8, recipe="none", threads=1, precision="64"
    )
    encoder = PretrainModule(pretraining, train, validation)
    encoder.gradient(0, 0.0)
    yield from taken("awcl", encoder.contrast)


def taken(case: str, module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The gradients and buffers of a module. The loss is a mean over processes; so are the gradients."""
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, f"{case}: {name} has no gradient"
            yield f"{case}: gradient of {name}", parameter.grad.clone()
    for name, buffer in module.named_buffers():
        yield f"{case}: {name}", buffer.clone().float()


if __name__ == "__main__":
    F.gumbel_softmax = without_noise  # type: ignore[assignment]
    found = dict(gradients())
    torch.save(found, Path(sys.argv[1]))
    leave()
