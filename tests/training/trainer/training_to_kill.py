"""A training that says after each step that it was done, so that a test can kill it there."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.training.toys import options, toy
from training.config import TrainOptions
from training.losses.config import LossOptions
from training.trainer import trainer
from training.trainer.loop import Training

STEPS = 9


def killed_options() -> TrainOptions:
    """With all that must be remembered: queue, learned alpha, a second task, an average, momentum."""
    return options(
        STEPS, batch=8, validations=2, second_task="simclr", losses=LossOptions(alpha=None, queue_size=64)
    )


def training_in(folder: Path) -> Training:
    """The training, begun or to go on."""
    return Training(killed_options(), toy(0, 30, seed=1), toy(1000, 12, seed=2), folder)


if __name__ == "__main__":
    trainer.SAVE_EVERY_S = trainer.TIMES_SAVING = 0.0  # a checkpoint after each step
    training = training_in(Path(sys.argv[1]))
    training.run(lambda progress, loss: print(training.step, flush=True), lambda row: None)
