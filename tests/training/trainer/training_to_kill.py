"""A training that says after each step that it was done, so that a test can kill it there."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.training.toys import options, toy_trainer
from training.config import TrainOptions
from training.losses.config import LossOptions
from training.trainer import checkpoint
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.semc import SemcModule
from training.trainer.trainer import Trainer

STEPS = 9


def killed_options() -> TrainOptions:
    """With all that must be remembered: queue and its encoder, learned alpha, a second task, an average."""
    losses = LossOptions(alpha=None, queue_size=64, key_momentum=0.9)
    return options(STEPS, batch=8, validations=2, second_task="simclr", losses=losses)


def training_in(folder: Path) -> Trainer[SemcModule]:
    """The training, begun or to go on."""
    return toy_trainer(killed_options(), folder)


class Said(Callback):
    """Prints the number of each step when it is done."""

    def on_train_batch_end(self, state: FitState, metrics: Metrics) -> None:
        """Print it."""
        print(state.step, flush=True)


if __name__ == "__main__":
    checkpoint.SAVE_EVERY_S = checkpoint.TIMES_SAVING = 0.0  # a checkpoint after each step
    training_in(Path(sys.argv[1])).fit([Said()])
