"""What every run has, whatever it learns: one folder, one plan, going on later, and the best weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from semc_core.errors import UsageError
from semc_core.model.weights import AnyNetwork
from training.config import plain
from training.data.frame_set import FrameSet
from training.schedule import Budget
from training.trainer.checkpoint import read_checkpoint
from training.trainer.trainer import BEST, Plan, Runner, Tell, Told, Work

_MAY_CHANGE: Final = ("budget", "threads", "patience")
"""Options that another may be given for when a run goes on."""


class RunOptions(Protocol):
    """What the options of every run say; a dataclass."""

    @property
    def budget(self) -> Budget:
        """When it ends."""

    @property
    def batch(self) -> int:
        """Frames per step."""

    @property
    def validations(self) -> int:
        """How many there are in all."""

    @property
    def patience(self) -> int | None:
        """Validations without a better score after which it ends; None never."""


class ResumableRun:
    """One run in one folder: `last.pt` to go on, `best.pt` (the best weights), the log.

    Args:
        options: How it learns. Another budget, patience or number of threads may be given to go on.
        work: What learns.
        train: Frames to learn from; the same are needed to go on.
        facts: Further plain values that must be the same to go on.
        columns: Of the log.
        folder: Of the run; made if missing.
    """

    def __init__(
        self,
        options: RunOptions,
        work: Work,
        train: FrameSet,
        facts: dict[str, Any],
        columns: Sequence[str],
        folder: Path,
    ) -> None:
        given = {name: value for name, value in plain(options).items() if name not in _MAY_CHANGE}
        same = dict(sorted((given | facts | {"frames": fingerprint(train)}).items()))
        plan = Plan(options.budget, options.batch, options.validations, options.patience, columns, same)
        self._runner = Runner(work, plan, folder)
        self._folder = folder
        self._first = bool(work.fabric.global_rank == 0)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self._first

    @property
    def step(self) -> int:
        """Steps done."""
        return self._runner.step

    @property
    def elapsed_s(self) -> float:
        """Seconds trained, sleep left out."""
        return self._runner.elapsed_s

    @property
    def best_score(self) -> float:
        """Of the weights in `best.pt`; minus infinity before there are any."""
        return self._runner.best_score

    def run(self, tell: Tell, told: Told) -> bool:
        """Learn to the end of the budget; goes on from `last.pt` after `resume`.

        Returns:
            False if another program asked for a stop before the end (`training.trainer.progress`).

        Raises:
            UsageError: The loss is no longer a number.
            SaveError: A checkpoint or the log cannot be written.
        """
        return self._runner.run(tell, told)

    def resume(self) -> bool:
        """Go on where `last.pt` stopped. False if there is none.

        Raises:
            UsageError: It is of other options or data, or damaged.
        """
        return self._runner.resume()

    def with_best_weights(self, network: AnyNetwork) -> AnyNetwork:
        """`network`, now with the weights of `best.pt`, in evaluation mode.

        Raises:
            UsageError: There are none, or the file is damaged.
        """
        network.load_state_dict(read_checkpoint(self._folder / BEST)["network"])
        return network.eval()


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
