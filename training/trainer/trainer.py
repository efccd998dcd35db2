"""The one training loop: steps until the budget ends, validations, checkpoints, the log, an end before time.

What is learned is another's business (`TrainingModule`). Chance comes from the number of the step
(`training.trainer.sampler`), so a run that goes on from a checkpoint, even after a kill, ends with the same
weights as one that was never stopped, if the budget is in steps. Why this is not Lightning's own Trainer:
docs/decisions/0011.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import torch

from semc_core.errors import UsageError
from semc_core.model.weights import AnyNetwork
from training.config import MAY_CHANGE, FitOptions, plain
from training.data.frame_set import FrameSet
from training.run_folder import make_folder, saving_to
from training.schedule import Pace
from training.trainer.callbacks import Callback, FitState, Metrics
from training.trainer.checkpoint import SaveTimer, read_checkpoint, write_checkpoint
from training.trainer.loggers import CSV_NAME, PROGRESS_NAME, TENSORBOARD_NAME, ProgressFile, RunLogger
from training.trainer.module import TrainingModule

LAST: Final = "last.pt"
BEST: Final = "best.pt"

Module = TypeVar("Module", bound=TrainingModule[Any])


class Trainer(Generic[Module]):
    """Fits a module in one folder: `last.pt` to go on, `best.pt`, the log, and `progress.jsonl`.

    Args:
        module: What learns. Its options may have another budget, patience or number of threads than those of
            the run that it goes on with.
        folder: Of the run; made if missing.

    Attributes:
        step: Steps done.
        elapsed_s: Seconds trained, sleep left out.
        best_score: Of the weights in `best.pt`; minus infinity before there are any.
        is_global_zero: Whether this is the process that writes files and speaks.
    """

    def __init__(self, module: Module, folder: Path) -> None:
        self.module, self._folder = module, folder
        self._options, self._fabric = module.options, module.fabric
        self.is_global_zero = bool(self._fabric.global_rank == 0)
        self.step, self.elapsed_s, self.best_score = 0, 0.0, -float("inf")
        self._validated, self._stale, self._over = 0, 0, False
        self._sums: Metrics = {}
        self._count, self._rows, self._goes_on = 0, list[Metrics](), False
        self._pace, self._fingerprint = Pace(), _fingerprint_of(module)

    @property
    def progress(self) -> float:
        """What part is done, 0-1; 1 also when it ended before its time."""
        return 1.0 if self._over else self._options.budget.progress(self.step, self.elapsed_s)

    def fit(self, callbacks: Sequence[Callback] = ()) -> bool:
        """Learn to the end of the budget; goes on from `last.pt` after `resume`.

        Args:
            callbacks: Who is told, in the first process.

        Returns:
            Whether the end was reached: false if another program, or a callback, asked for a stop.

        Raises:
            UsageError: The loss is no longer a number.
            SaveError: The folder cannot be made, or a checkpoint or the log cannot be written.
        """
        self._prepare()
        self._fabric.barrier()
        if not self.is_global_zero:
            return self._steps((), None)
        log = RunLogger(self._folder, self.module.columns, self._rows)
        try:
            return self._steps((ProgressFile(self._folder), *callbacks), log)
        finally:
            log.close()

    def resume(self) -> bool:
        """Go on where `last.pt` stopped. False if there is none.

        Raises:
            UsageError: It is of other options or data, or damaged.
        """
        path = self._folder / LAST
        if not path.exists():
            return False
        state = read_checkpoint(path)
        _check_same(path, _as_now(state.get("fingerprint", {}), self._options), self._fingerprint)
        self.module.load_state_dict(state["work"])
        own = state["run"]
        self.step, self.elapsed_s, self.best_score = own["step"], own["elapsed_s"], own["best_score"]
        self._validated, self._stale, self._over = own["validated"], own["stale"], own["over"]
        self._sums, self._count, self._rows = own["sums"], own["count"], own["rows"]
        self._goes_on = True
        return True

    def best_network(self) -> AnyNetwork:
        """A network with the weights of `best.pt`, in evaluation mode, on the CPU.

        Raises:
            UsageError: There are none, or the file is damaged.
        """
        network = self.module.new_network()
        network.load_state_dict(read_checkpoint(self._folder / BEST)["network"])
        return network.eval()

    def _prepare(self) -> None:
        """Make the folder; a run that begins anew leaves nothing there of one before."""
        if not self.is_global_zero:
            return
        make_folder(self._folder)
        if self._goes_on:
            return
        with saving_to(self._folder):
            for name in (LAST, BEST, CSV_NAME, PROGRESS_NAME):
                (self._folder / name).unlink(missing_ok=True)
        shutil.rmtree(self._folder / TENSORBOARD_NAME, ignore_errors=True)

    def _steps(self, callbacks: Sequence[Callback], log: RunLogger | None) -> bool:
        for each in callbacks:
            each.on_train_start(self._state())
        since_s, since_step = time.monotonic(), self.step
        timer = SaveTimer()
        while self.progress < 1:
            stop = self._step(callbacks)
            if self._is_due():
                pace = (self.step - since_step) * self._options.batch / (time.monotonic() - since_s)
                self._validate(pace, callbacks, log)
                since_s, since_step = time.monotonic(), self.step
                timer.saved()
            elif log is not None and timer.is_due():
                timer.saved(took_s=self._save())
            if stop and self.progress < 1:
                self._stop(callbacks)
                return False
        return True

    def _step(self, callbacks: Sequence[Callback]) -> bool:
        """One step, and whether to stop after it, which all processes do together."""
        started_s = time.monotonic()
        metrics = self.module.training_step(self.step, self.progress)
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        self.step += 1
        elapsed_s = self.elapsed_s + self._pace.counted(time.monotonic() - started_s)
        stop = any(each.should_stop() for each in callbacks)
        self.elapsed_s, stop = self._as_first((elapsed_s, stop))
        for each in callbacks:
            each.on_train_batch_end(self._state(), metrics)
        return stop

    def _as_first(self, values: tuple[float, bool]) -> tuple[float, bool]:
        """What the first process says: the others' clocks differ."""
        if self._fabric.world_size == 1:
            return values
        said: tuple[float, bool] = self._fabric.broadcast(values)
        return said

    def _state(self, kept: bool | None = None) -> FitState:
        done = self.progress
        # Of a budget in minutes the progress is the time; of steps, those with small pictures are quicker.
        part = done if self._options.budget.minutes is not None else self.module.work(done)
        left_s = self.elapsed_s / part * (1 - part) if part > 0 else float("nan")
        return FitState(self.step, done, left_s, kept)

    def _is_due(self) -> bool:
        done = self.progress
        return done >= 1 or done >= (self._validated + 1) / self._options.validations

    def _validate(self, images_per_s: float, callbacks: Sequence[Callback], log: RunLogger | None) -> None:
        """Validate, log, write the checkpoints, and see whether it is worth going on."""
        started_s, done = time.monotonic(), self.progress
        self._validated = int(done * self._options.validations)
        judged = self.module.validate(done)
        row = {name: self._mean(value / self._count) for name, value in self._sums.items()}
        row |= judged | {"step": self.step, "elapsed_s": self.elapsed_s, "images_per_s": images_per_s}
        self._rows, self._sums, self._count = [*self._rows, row], {}, 0
        kept = self.module.is_comparable(done) and self._compare(judged["score"])
        self.elapsed_s, _ = self._as_first((self.elapsed_s + time.monotonic() - started_s, False))
        if log is not None:
            log.add(row)
            self._save()
        for each in callbacks:
            each.on_validation_end(self._state(kept), row)

    def _mean(self, value: float) -> float:
        """The mean over processes: each knows its own part of the batches."""
        if self._fabric.world_size == 1:
            return value
        return float(self._fabric.all_reduce(torch.tensor(value, dtype=torch.float64)))

    def _compare(self, score: float) -> bool:
        """Keep the weights if they are the best so far; give up after too many that are not."""
        if score > self.best_score:
            self.best_score, self._stale = score, 0
            if self.is_global_zero:
                write_checkpoint(self._folder / BEST, {"network": self.module.best_network().state_dict()})
            return True
        self._stale += 1
        self._over = self._options.patience is not None and self._stale >= self._options.patience
        return False

    def _stop(self, callbacks: Sequence[Callback]) -> None:
        if self.is_global_zero:
            self._save()
        for each in callbacks:
            each.on_stop(self._state())

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
        state = {"fingerprint": self._fingerprint, "work": self.module.state_dict(), "run": run}
        write_checkpoint(self._folder / LAST, state)
        return time.monotonic() - started_s


def _fingerprint_of(module: TrainingModule[Any]) -> dict[str, Any]:
    """Plain values that must be the same for a run to go on: what is learned, how, from what."""
    given = {name: value for name, value in plain(module.options).items() if name not in MAY_CHANGE}
    return dict(sorted((given | module.facts() | {"frames": fingerprint(module.train_set)}).items()))


def _as_now(there: dict[str, Any], options: FitOptions) -> dict[str, Any]:
    """The fingerprint of a checkpoint, with options that came later: their defaults are what was done."""
    usual = plain(type(options)(options.budget))
    known = {name: value for name, value in usual.items() if name not in MAY_CHANGE}
    tables = {
        name: value | there[name]
        for name, value in known.items()
        if isinstance(value, dict) and isinstance(there.get(name), dict)
    }
    return known | there | tables if there else there


def _check_same(path: Path, there: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to go on with another training."""
    for name, value in wanted.items():
        if there.get(name) != value:
            raise UsageError(
                f"{path} is of another training, with other {name.replace('_', ' ')}; give the same options "
                "and data to go on, or choose another folder."
            )


def fingerprint(data: FrameSet) -> str:
    """Tells one set of frames from another, by their number, size, order, labels and groups."""
    text = "\n".join(f"{row.group} {row.frame} {row.plane}" for row in data.rows)
    return hashlib.sha256(f"{tuple(data.frames.shape)}\n{text}".encode()).hexdigest()
