"""Runs a training: steps until the budget ends, validations, checkpoints, the log, and an end before time.

What is learned is another's business (`TrainingModule`). Chance comes from the number of the step
(`training.trainer.sampler`), so a run that goes on from a checkpoint, even after a kill, ends with the same
weights as one that was never stopped, if the budget is in steps.

What every run has, whatever it learns: one folder, one plan, going on later, and the best weights.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import torch

from semc_core.errors import UsageError
from semc_core.model.weights import AnyNetwork
from training.config import plain
from training.data.frame_set import FrameSet
from training.run_folder import make_folder, saving_to
from training.schedule import Budget, Pace
from training.trainer.checkpoint import read_checkpoint, write_checkpoint
from training.trainer.loggers import CSV_NAME, PROGRESS_NAME, TENSORBOARD_NAME, Progress, RunLogger

LAST, BEST = "last.pt", "best.pt"
SAVE_EVERY_S = 30.0
"""Least time between two checkpoints that no validation asks for."""

TIMES_SAVING = 50.0
"""That time is also so many times what writing one takes."""

Tell = Callable[[float, float], None]
"""Called after each step with the progress, 0-1, and the step's loss."""

Told = Callable[[dict[str, float]], None]
"""Called after each validation with a row of the log."""


class TrainingModule(Protocol):
    """What a run runs."""

    @property
    def fabric(self) -> Any:
        """Lightning Fabric of this process."""

    def one_step(self, step: int, progress: float) -> dict[str, float]:
        """Learn from one batch. Returns its means, "loss" among them."""

    def look_back(self, progress: float) -> dict[str, float]:
        """Judge what was learned. Returns numbers for the log, and the "score" that is to be greatest."""

    def counts(self, progress: float) -> bool:
        """Whether the score at this progress may be the best."""

    def best(self) -> dict[str, Any]:
        """What is kept of the best."""

    def state(self) -> dict[str, Any]:
        """Everything that decides the steps to come."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes.

    Attributes:
        budget: When it ends.
        batch: Frames per step, to tell the pace.
        validations: How many there are in all.
        patience: Validations that count without a better score, after which it ends; None never.
        columns: Of the log.
        fingerprint: Plain values that must be the same for a run to go on: what is learned, how, from what.
    """

    budget: Budget
    batch: int
    validations: int
    patience: int | None
    columns: Sequence[str]
    fingerprint: dict[str, Any]


class Trainer:
    """One run in one folder: `last.pt` to go on, `best.pt`, the log, and `progress.jsonl`.

    Args:
        work: What learns.
        plan: See there.
        folder: Of the run; made if missing.
    """

    def __init__(self, work: TrainingModule, plan: Plan, folder: Path) -> None:
        self._work, self._plan, self._folder = work, plan, folder
        self._fabric = work.fabric
        self._first = self._fabric.global_rank == 0
        self.step, self.elapsed_s, self.best_score = 0, 0.0, -float("inf")
        self._validated, self._stale, self._over = 0, 0, False
        self._sums: dict[str, float] = {}
        self._count, self._rows, self._goes_on = 0, list[dict[str, float]](), False
        self._pace = Pace()

    @property
    def progress(self) -> float:
        """What part is done, 0-1; 1 also when it ended before its time."""
        return 1.0 if self._over else self._plan.budget.progress(self.step, self.elapsed_s)

    def run(self, tell: Tell, told: Told) -> bool:
        """Run to the end. Returns whether it was reached: false if another program asked for a stop.

        Raises:
            SaveError: The folder cannot be made, or a checkpoint or the log cannot be written.
        """
        self._prepare()
        self._fabric.barrier()
        if not self._first:
            return self._steps(tell, told, None, None)
        log = RunLogger(self._folder, self._plan.columns, self._rows)
        progress = Progress(self._folder)
        try:
            progress.tell("started", step=self.step, progress=self.progress)
            return self._steps(tell, told, log, progress)
        finally:
            log.close()

    def _prepare(self) -> None:
        """Make the folder; a run that begins anew leaves nothing there of one before."""
        if not self._first:
            return
        make_folder(self._folder)
        if self._goes_on:
            return
        with saving_to(self._folder):
            for name in (LAST, BEST, CSV_NAME, PROGRESS_NAME):
                (self._folder / name).unlink(missing_ok=True)
        shutil.rmtree(self._folder / TENSORBOARD_NAME, ignore_errors=True)

    def _steps(self, tell: Tell, told: Told, log: RunLogger | None, progress: Progress | None) -> bool:
        since_s, since_step = time.monotonic(), self.step
        saved_s, between_s = time.monotonic(), SAVE_EVERY_S
        while self.progress < 1:
            values, stop = self._one_step(progress)
            tell(self.progress, values["loss"])
            if self._is_due():
                pace = (self.step - since_step) * self._plan.batch / (time.monotonic() - since_s)
                row = self._look_back(pace, log, progress)
                told(row)
                since_s, since_step = time.monotonic(), self.step
                saved_s = time.monotonic()
            elif log is not None and time.monotonic() - saved_s >= between_s:
                between_s = max(SAVE_EVERY_S, TIMES_SAVING * self._save())
                saved_s = time.monotonic()
            if stop and self.progress < 1:
                self._stopped(progress)
                return False
        return True

    def _one_step(self, progress: Progress | None) -> tuple[dict[str, float], bool]:
        """One step, and whether to stop after it, which all processes do together."""
        started_s = time.monotonic()
        values = self._work.one_step(self.step, self.progress)
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        self.step += 1
        elapsed_s = self.elapsed_s + self._pace.counted(time.monotonic() - started_s)
        stop = progress is not None and progress.stop_wanted()
        self.elapsed_s, stop = self._as_first((elapsed_s, stop))
        if progress is not None:
            progress.tell(
                "step", step=self.step, progress=self.progress, loss=values["loss"], eta_s=self._left_s()
            )
        return values, stop

    def _as_first(self, values: tuple[float, bool]) -> tuple[float, bool]:
        """What the first process says: the others' clocks differ."""
        if self._fabric.world_size == 1:
            return values
        said: tuple[float, bool] = self._fabric.broadcast(values)
        return said

    def _left_s(self) -> float:
        """Seconds left, at the pace so far."""
        done = self.progress
        return self.elapsed_s / done * (1 - done) if done > 0 else float("nan")

    def _is_due(self) -> bool:
        done = self.progress
        return done >= 1 or done >= (self._validated + 1) / self._plan.validations

    def _look_back(
        self, images_per_s: float, log: RunLogger | None, progress: Progress | None
    ) -> dict[str, float]:
        """Validate, log, write the checkpoints, and see whether it is worth going on."""
        started_s, done = time.monotonic(), self.progress
        self._validated = int(done * self._plan.validations)
        judged = self._work.look_back(done)
        row = {name: self._mean(value / self._count) for name, value in self._sums.items()}
        row |= judged | {"step": self.step, "elapsed_s": self.elapsed_s, "images_per_s": images_per_s}
        self._rows, self._sums, self._count = [*self._rows, row], {}, 0
        if self._work.counts(done):
            self._compare(judged["score"])
        self.elapsed_s, _ = self._as_first((self.elapsed_s + time.monotonic() - started_s, False))
        if log is not None and progress is not None:
            log.add(row)
            self._save()
            progress.tell(
                "validated",
                step=self.step,
                progress=self.progress,
                loss=row["loss"],
                f1=row.get("validation_f1", float("nan")),
                accuracy=row.get("validation_accuracy", float("nan")),
                eta_s=self._left_s(),
            )
        return row

    def _mean(self, value: float) -> float:
        """The mean over processes: each knows its own part of the batches."""
        if self._fabric.world_size == 1:
            return value
        return float(self._fabric.all_reduce(torch.tensor(value, dtype=torch.float64)))

    def _compare(self, score: float) -> None:
        """Keep the weights if they are the best so far; give up after too many that are not."""
        if score > self.best_score:
            self.best_score, self._stale = score, 0
            if self._first:
                write_checkpoint(self._folder / BEST, self._work.best())
        else:
            self._stale += 1
            self._over = self._plan.patience is not None and self._stale >= self._plan.patience

    def _stopped(self, progress: Progress | None) -> None:
        if progress is not None:
            self._save()
            progress.tell("stopped", step=self.step, progress=self.progress)
            progress.stop_heard()

    def resume(self) -> bool:
        """Go on where `last.pt` stopped. False if there is none.

        Raises:
            UsageError: It is of another training, or damaged.
        """
        path = self._folder / LAST
        if not path.exists():
            return False
        state = read_checkpoint(path)
        _check_same(path, state.get("fingerprint", {}), self._plan.fingerprint)
        self._work.load_state(state["work"])
        own = state["run"]
        self.step, self.elapsed_s, self.best_score = own["step"], own["elapsed_s"], own["best_score"]
        self._validated, self._stale, self._over = own["validated"], own["stale"], own["over"]
        self._sums, self._count, self._rows = own["sums"], own["count"], own["rows"]
        self._goes_on = True
        return True

    def _save(self) -> float:
        """Write `last.pt`. Returns the seconds it took."""
        started_s = time.monotonic()
        run = {
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "best_score": self.best_score,
            "validated": self._validated,
            "stale": self._stale,
            "over": self._over,
            "sums": self._sums,
            "count": self._count,
            "rows": self._rows,
        }
        state = {"fingerprint": self._plan.fingerprint, "work": self._work.state(), "run": run}
        write_checkpoint(self._folder / LAST, state)
        return time.monotonic() - started_s


def _check_same(path: Path, there: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to go on with another training."""
    for name, value in wanted.items():
        if there.get(name) != value:
            raise UsageError(
                f"{path} is of another training, with other {name.replace('_', ' ')}; give the same options "
                "and data to go on, or choose another folder."
            )


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
        work: TrainingModule,
        train: FrameSet,
        facts: dict[str, Any],
        columns: Sequence[str],
        folder: Path,
    ) -> None:
        given = {name: value for name, value in plain(options).items() if name not in _MAY_CHANGE}
        same = dict(sorted((given | facts | {"frames": fingerprint(train)}).items()))
        plan = Plan(options.budget, options.batch, options.validations, options.patience, columns, same)
        self._runner = Trainer(work, plan, folder)
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
            False if another program asked for a stop before the end (`training.trainer.loggers`).

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
