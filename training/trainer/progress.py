"""What a training tells another program, such as the window, and how that program asks it to stop.

`progress.jsonl` in the run's folder has one JSON object per line, flushed at once: `event` (started, step,
validated, calibrated, compared, finished, failed, stopped), `time_s` (seconds since 1970), `step`, `progress`
(0-1), `loss`, `f1`, `accuracy`, `eta_s` (seconds left) and `message`. What is not known is null. A run that
goes on adds to the file. A file named `control/stop` in the run's folder asks for a stop: the training
finishes its step, writes its checkpoint, removes the file, and ends.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Final

from training.run_folder import make_folder, saving_to

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

    def tell(self, event: str, message: str = "", **values: float) -> None:
        """Add one event. Steps within a second of the last are left out.

        Args:
            event: One of `EVENTS`.
            message: A sentence, or "".
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
            file.write(json.dumps(line | {"message": message}) + "\n")

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
