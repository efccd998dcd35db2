"""What a training tells (`progress.jsonl`), and what the window makes of it. Pure data; no Qt here.

The words of the file are those of `training.trainer.loggers`, which the window does not import.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.language import N_, _, decimal

_SMOOTHING: Final = 0.9
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


class Phase(Enum):
    """Where a training is."""

    NONE = "none"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHING = "finishing"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    LOST = "lost"


ALIVE: Final = (Phase.STARTING, Phase.RUNNING, Phase.STOPPING, Phase.FINISHING)
"""The phases in which a process works."""


@dataclass(slots=True)
class Curves:
    """What is drawn. Lists of one length: steps and losses, and of validations steps, F1 and accuracy."""

    steps: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smooth: list[float] = field(default_factory=list)
    validated: list[float] = field(default_factory=list)
    f1s: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a training is, in numbers.

    Attributes:
        phase: See there.
        progress: 0-1.
        step: Steps done.
        eta_s: Seconds left; NaN if unknown.
        f1: Of the last validation, or of the finished model; NaN before.
        accuracy: See `f1`.
        message: The last sentence that was told.
        compared: What came out against the model in use, in a sentence; "" before.
    """

    phase: Phase = Phase.NONE
    progress: float = 0.0
    step: int = 0
    eta_s: float = math.nan
    f1: float = math.nan
    accuracy: float = math.nan
    message: str = ""
    compared: str = ""


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class ProgressLine:
    """A line of `progress.jsonl`; `training.trainer.loggers` says what is in it."""

    event: str
    step: float | None = None
    progress: float | None = None
    loss: float | None = None
    f1: float | None = None
    accuracy: float | None = None
    eta_s: float | None = None
    message: str | None = None


PROGRESS_LINE: Final = Document(ProgressLine)


class RunEvents:
    """Takes the lines of `progress.jsonl` in turn.

    Attributes:
        curves: What is drawn of them.
        changes: Grows with each line that was taken.
    """

    def __init__(self) -> None:
        self.curves = Curves()
        self.changes = 0
        self._last = ""
        self._progress, self._step, self._eta_s = 0.0, 0, math.nan
        self._f1, self._accuracy, self._message = math.nan, math.nan, ""
        self._compared = ""

    def add(self, line: str) -> None:
        """Take one line; one that is not whole or says nothing known is left out."""
        try:
            told = PROGRESS_LINE.parse(line)
        except DocumentFault:
            return
        self.changes += 1
        self._last = name = told.event
        step, loss, f1, accuracy = map(_known, (told.step, told.loss, told.f1, told.accuracy))
        if name == "started":
            self._forget_from(step)
        if math.isfinite(step):
            self._step = int(step)
        if math.isfinite(progress := _known(told.progress)):
            self._progress = min(1.0, max(0.0, progress))
        self._eta_s = _known(told.eta_s)
        self._message = told.message or ""
        if math.isfinite(f1):
            self._f1, self._accuracy = f1, accuracy
        if name == "compared":
            self._compared = self._message
        if name == "step" and math.isfinite(loss):
            curves = self.curves
            before = curves.smooth[-1] if curves.smooth else loss
            curves.steps.append(step)
            curves.losses.append(loss)
            curves.smooth.append(_SMOOTHING * before + (1 - _SMOOTHING) * loss)
        elif name == "validated" and math.isfinite(f1):
            self.curves.validated.append(step)
            self.curves.f1s.append(f1)
            self.curves.accuracies.append(accuracy)

    def _forget_from(self, step: float) -> None:
        """A training that goes on from a checkpoint does the steps after it again."""
        curves = self.curves
        kept = sum(each <= step for each in curves.steps)
        for values in (curves.steps, curves.losses, curves.smooth):
            del values[kept:]
        kept = sum(each <= step for each in curves.validated)
        for values in (curves.validated, curves.f1s, curves.accuracies):
            del values[kept:]

    def state(self, alive: bool, stop_wanted: bool, last_words: str = "") -> RunState:
        """Where the training is.

        Args:
            alive: Its process works.
            stop_wanted: The user asked it to stop.
            last_words: What the process wrote last; said if it ended without telling why.
        """
        phase = self._phase(alive, stop_wanted)
        message = self._message
        if phase is Phase.LOST:
            message = " ".join((_("The training ended before its time."), last_words)).strip()
        return RunState(
            phase,
            self._progress,
            self._step,
            self._eta_s,
            self._f1,
            self._accuracy,
            message,
            self._compared,
        )

    def _phase(self, alive: bool, stop_wanted: bool) -> Phase:
        ends = {"finished": Phase.FINISHED, "failed": Phase.FAILED, "stopped": Phase.STOPPED}
        if not alive:
            return ends.get(self._last, Phase.LOST)
        if self._last in ("calibrated", "compared", "finished") or self._progress >= 1:
            return Phase.FINISHING
        if stop_wanted:
            return Phase.STOPPING
        return Phase.RUNNING if self._last in ("step", "validated") else Phase.STARTING


@dataclass(frozen=True, slots=True)
class TrainView:
    """What the page shows of a training.

    Attributes:
        title: One line.
        detail: More of it, or "".
        tone: "", "notice" or "fault".
        bar: 0-1; None hides the bar, NaN says that nobody knows how long it takes.
        can_start: A new training may begin.
        can_stop: There is one that may be stopped.
        can_resume: The last one may go on.
    """

    title: str
    detail: str = ""
    tone: str = ""
    bar: float | None = None
    can_start: bool = True
    can_stop: bool = False
    can_resume: bool = False


_TITLES: Final = {
    Phase.NONE: N_("No training yet"),
    Phase.STARTING: N_("Reading pictures …"),
    Phase.RUNNING: N_("Training"),
    Phase.STOPPING: N_("Stopping after this step …"),
    Phase.FINISHING: N_("Calibrating, and comparing with the model in use …"),
    Phase.STOPPED: N_("Stopped"),
    Phase.FINISHED: N_("Finished"),
    Phase.FAILED: N_("The training failed"),
    Phase.LOST: N_("The training was cut off"),
}


def train_view(state: RunState, can_train: str = "") -> TrainView:
    """What the page shows.

    Args:
        state: Of the training.
        can_train: Why nothing can be trained here, in a sentence; "" if it can.
    """
    phase, alive = state.phase, state.phase in ALIVE
    bar: float | None = state.progress
    if phase in (Phase.NONE, Phase.FAILED, Phase.FINISHED):
        bar = None
    elif phase in (Phase.STARTING, Phase.FINISHING):
        bar = math.nan
    resumable = phase in (Phase.STOPPED, Phase.LOST, Phase.FAILED) and not can_train
    tone = "fault" if phase is Phase.FAILED else "notice" if phase is Phase.LOST or can_train else ""
    return TrainView(
        title=_title(state),
        detail=_detail(state) if not (can_train and phase is Phase.NONE) else can_train,
        tone=tone,
        bar=bar,
        can_start=not alive and not can_train,
        can_stop=phase in (Phase.STARTING, Phase.RUNNING),
        can_resume=resumable and state.step > 0,
    )


def _title(state: RunState) -> str:
    share = f"{state.progress:.0%}"
    if state.phase is Phase.RUNNING:
        left = time_left(state.eta_s)
        if left:
            return _("Training: {share} done, {left}", share=share, left=left)
        return _("Training: {share} done", share=share)
    if state.phase is Phase.STOPPED:
        return _("Stopped at {share}", share=share)
    return _(_TITLES[state.phase])


def _detail(state: RunState) -> str:
    if state.phase is Phase.NONE:
        return _("Choose what to learn from, and start. Scanning goes on meanwhile.")
    scores = ""
    if math.isfinite(state.f1):
        text = N_("Validation pictures: accuracy {accuracy}, F1 {f1}.")
        if state.phase is Phase.FINISHED:
            text = N_("Held-out pictures: accuracy {accuracy}, F1 {f1}.")
        scores = _(text, accuracy=f"{decimal(100 * state.accuracy, 1)}%", f1=decimal(state.f1, 3))
    if state.phase in (Phase.FAILED, Phase.LOST):
        return state.message
    return scores


def time_left(seconds: float) -> str:
    """ "3 min left"; "" if nobody knows."""
    if not math.isfinite(seconds):
        return ""
    if seconds < _MINUTE_S:
        return _("less than a minute left")
    if seconds < 1.5 * _HOUR_S:
        return _("{minutes} min left", minutes=f"{seconds / _MINUTE_S:.0f}")
    return _("{hours} h left", hours=decimal(seconds / _HOUR_S, 1))


def _known(value: float | None) -> float:
    return math.nan if value is None else value
