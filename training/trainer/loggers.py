"""The log of a run: `log.csv` for people and tables, and TensorBoard's files beside it.

Both are written from the same rows. A training that goes on writes them anew from the rows of its checkpoint,
so what was logged after that checkpoint, and comes again, is not there twice.

What a training tells another program, such as the window, and how that program asks it to stop.

`progress.jsonl` in the run's folder has one JSON object per line, flushed at once: `event` (started, step,
validated, calibrated, compared, finished, failed, stopped), `time_s` (seconds since 1970), `step`, `progress`
(0-1), `loss`, `f1`, `accuracy`, `eta_s` (seconds left), `kept` (whether the weights of this validation are
the best so far, and kept), `lacking` (where it failed for want of pictures or patients: what is needed and
what was found) and `message`. What is not known is null. A run that goes on adds to the file. A file named
`control/stop` in the run's folder asks for a stop: the training finishes its step, writes its checkpoint,
removes the file, and ends.
"""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from semc_core.io.atomic import write_atomically
from training.run_folder import make_folder, saving_to
from training.trainer.callbacks import Callback, FitState, Metrics

CSV_NAME = "log.csv"
TENSORBOARD_NAME = "tensorboard"


class RunLogger:
    """Rows of numbers, one per validation.

    Args:
        folder: Of the run; must exist.
        columns: Of the table; a row may have other values too, which are left out.
        rows: Those there are already.

    Raises:
        SaveError: The log cannot be written.
    """

    def __init__(self, folder: Path, columns: Sequence[str], rows: Sequence[Metrics] = ()) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.rows: list[Metrics] = list(rows)
        self._path, self._columns = folder / CSV_NAME, tuple(columns)
        self._write()
        shutil.rmtree(folder / TENSORBOARD_NAME, ignore_errors=True)
        with saving_to(folder):
            self._board: Any = SummaryWriter(str(folder / TENSORBOARD_NAME))
            for row in rows:
                self._show(row)

    def add(self, row: Metrics) -> None:
        """Log a row with a value for every column.

        Raises:
            SaveError: The table, or TensorBoard's file, cannot be written.
        """
        self.rows.append(row)
        self._write()
        with saving_to(self._path.parent):
            self._show(row)
            self._board.flush()

    def close(self) -> None:
        """Finish TensorBoard's file.

        Raises:
            SaveError: Its end cannot be written.
        """
        with saving_to(self._path.parent):
            self._board.close()

    def _show(self, row: Metrics) -> None:
        for name in self._columns:
            if name != "step":
                # A column that came after a run began has no value before.
                self._board.add_scalar(name, row.get(name, math.nan), int(row["step"]))

    def _write(self) -> None:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(self._columns)
        table.writerows([f"{row.get(name, math.nan):.6g}" for name in self._columns] for row in self.rows)
        write_atomically(self._path, text.getvalue().encode())


PROGRESS_NAME: Final = "progress.jsonl"
STOP_NAME: Final = "control/stop"
EVENTS: Final = (
    "started", "step", "validated", "calibrated", "compared", "finished", "failed", "stopped",
)  # fmt: skip
_VALUES: Final = ("step", "progress", "loss", "f1", "accuracy", "eta_s")
_BETWEEN_STEPS_S: Final = 1.0


def ask_to_stop(folder: Path) -> None:
    """Ask the run in `folder` to stop after its step.

    Raises:
        SaveError: The request cannot be written.
    """
    path = folder / STOP_NAME
    make_folder(path.parent)
    with saving_to(path.parent):
        path.touch()


class Progress:
    """Writes the events of a run.

    Args:
        folder: Of the run; made if missing.

    Raises:
        SaveError: It cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._stop = folder / PROGRESS_NAME, folder / STOP_NAME
        self._told_s = -math.inf
        make_folder(self._stop.parent)

    def tell(
        self,
        event: str,
        message: str = "",
        *,
        kept: bool | None = None,
        lacking: dict[str, Any] | None = None,
        **values: float,
    ) -> None:
        """Add one event. Steps within a second of the last are left out.

        Args:
            event: One of `EVENTS`.
            message: A sentence, or "".
            kept: See the module's text, and so the next.
            lacking: See there.
            values: Of the names in the module's text; one that is not finite is written as null.

        Raises:
            SaveError: It cannot be written.
        """
        assert event in EVENTS
        assert set(values) <= set(_VALUES)
        if event == "step" and time.monotonic() - self._told_s < _BETWEEN_STEPS_S:
            return
        self._told_s = time.monotonic()
        line: dict[str, object] = {"event": event, "time_s": round(time.time(), 3)}
        for name in _VALUES:
            value = values.get(name, math.nan)
            line[name] = round(value, 6) if math.isfinite(value) else None
        with saving_to(self._path.parent), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | {"kept": kept, "lacking": lacking, "message": message}) + "\n")

    def stop_wanted(self) -> bool:
        """Whether another program asked for a stop."""
        return self._stop.exists()

    def stop_heard(self) -> None:
        """Remove the request, so that the training can go on later.

        Raises:
            SaveError: It cannot be removed.
        """
        with saving_to(self._stop.parent):
            self._stop.unlink(missing_ok=True)


class ProgressFile(Callback):
    """Tells another program how a fit goes, and hears its wish to stop.

    Args:
        folder: Of the run; made if missing.

    Raises:
        SaveError: It cannot be made; and from every method, if it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._progress = Progress(folder)

    def on_train_start(self, state: FitState) -> None:
        """Tell of the start."""
        self._progress.tell("started", step=state.step, progress=state.progress)

    def on_train_batch_end(self, state: FitState, metrics: Metrics) -> None:
        """Tell of the step."""
        self._progress.tell(
            "step", step=state.step, progress=state.progress, loss=metrics["loss"], eta_s=state.eta_s
        )

    def on_validation_end(self, state: FitState, row: Metrics) -> None:
        """Tell what was measured."""
        self._progress.tell(
            "validated",
            step=state.step,
            progress=state.progress,
            loss=row["loss"],
            f1=row.get("validation_f1", math.nan),
            accuracy=row.get("validation_accuracy", math.nan),
            eta_s=state.eta_s,
            kept=state.kept,
        )

    def on_stop(self, state: FitState) -> None:
        """Tell of the stop, and forget the wish."""
        self._progress.tell("stopped", step=state.step, progress=state.progress)
        self._progress.stop_heard()

    def should_stop(self) -> bool:
        """Whether another program asked for it."""
        return self._progress.stop_wanted()
