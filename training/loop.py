"""A training run: what learns (`training.learner`) and what runs it (`training.runner`)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from semc_core.errors import UsageError
from semc_core.model.spec import Preprocessing
from semc_core.model.weights import AnyNetwork
from training.average import WeightAverage
from training.checkpoint import read_checkpoint
from training.data.dataset import FrameSet
from training.learner import Learner
from training.networks import build
from training.options import TrainOptions, plain
from training.runner import BEST, Plan, Runner, Tell, Told

_COLUMNS: Final = (
    "step", "elapsed_s", "side", "rate", "images_per_s", "loss", "moe", "supcon", "selfcon", "second",
    "alpha_mean", "alpha_std", "train_accuracy", "validation_accuracy", "validation_f1",
)  # fmt: skip
_MAY_CHANGE: Final = ("budget", "threads", "patience")
"""Options that another may be given for when a training goes on."""


class Training:
    """One training run in one folder: `last.pt` to go on, `best.pt` (best macro F1 at full size), the log.

    Args:
        options: See there.
        train: Frames of the training patients.
        validation: Frames of the validation patients; the best weights are chosen on them.
        folder: Of the run; made if missing.
        encoder: Pretrained weights to start from (`training.pretrain.encoder`); None: from scratch.

    Raises:
        UsageError: A patient is in both, the classes differ, or the encoder is of another network.
    """

    def __init__(
        self,
        options: TrainOptions,
        train: FrameSet,
        validation: FrameSet,
        folder: Path,
        encoder: Path | None = None,
    ) -> None:
        check_apart(train, validation)
        self.options, self._train, self._folder = options, train, folder
        self._learner = Learner(options, train, validation.subset(~validation.is_ambiguous()), encoder)
        self._runner = Runner(self._learner, _plan(options, train, self._learner.encoder), folder)

    @property
    def network(self) -> AnyNetwork:
        """The network as the last step left it."""
        return self._learner.network

    @property
    def average(self) -> WeightAverage:
        """The average that is validated and kept."""
        return self._learner.average

    @property
    def preprocessing(self) -> Preprocessing:
        """Of the network's input."""
        return self._learner.preprocessing

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return bool(self._learner.fabric.global_rank == 0)

    @property
    def encoder(self) -> dict[str, Any]:
        """What the encoder file said of itself; nothing if training began from scratch."""
        return self._learner.encoder

    @property
    def step(self) -> int:
        """Steps done."""
        return self._runner.step

    @property
    def elapsed_s(self) -> float:
        """Seconds trained, sleep left out."""
        return self._runner.elapsed_s

    @property
    def best_f1(self) -> float:
        """Of the weights in `best.pt`; minus infinity before there are any."""
        return self._runner.best_score

    @property
    def progress(self) -> float:
        """What part is done, 0-1."""
        return self._runner.progress

    def run(self, tell: Tell, told: Told) -> bool:
        """Train to the end of the budget; goes on from `last.pt` after `resume`.

        Returns:
            False if another program asked for a stop before the end (`training.progress`).

        Raises:
            UsageError: The loss is no longer a number.
            SaveError: A checkpoint or the log cannot be written.
        """
        return self._runner.run(tell, told)

    def resume(self) -> bool:
        """Go on where `last.pt` stopped. False if there is none.

        Raises:
            UsageError: It is of other options, classes or data, or damaged.
        """
        return self._runner.resume()

    def best_network(self) -> AnyNetwork:
        """The averaged network with the weights of `best.pt`, in evaluation mode, on the CPU."""
        network = build(self.options.method, self.options.preset, self._train.classes)
        network.load_state_dict(read_checkpoint(self._folder / BEST)["network"])
        return network.eval()


def _plan(options: TrainOptions, train: FrameSet, encoder: dict[str, Any]) -> Plan:
    given = plain(options)
    same: dict[str, Any] = {name: value for name, value in given.items() if name not in _MAY_CHANGE}
    same |= {"classes": list(train.classes), "frames": fingerprint(train), "encoder": encoder}
    return Plan(
        options.budget,
        options.batch,
        options.validations,
        options.patience,
        _COLUMNS,
        dict(sorted(same.items())),
    )


def fingerprint(data: FrameSet) -> str:
    """Tells one set of frames from another, by their number, size, order, labels and groups."""
    text = "\n".join(f"{row.group} {row.frame} {row.plane}" for row in data.rows)
    return hashlib.sha256(f"{tuple(data.frames.shape)}\n{text}".encode()).hexdigest()


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
