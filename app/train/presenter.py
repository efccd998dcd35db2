"""What a training tells (`progress.jsonl`), and what the window makes of it. Pure data; no Qt here.

The words of the file are those of `training.trainer.loggers`, which the window does not import.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.labels import short_name
from semc_core.language import N_, _, decimal, joined, plural

_SMOOTHING: Final = 0.9
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_FIRST_S: Final = 10.0
"""No time left is shown before."""
_SETTLES_S: Final = 30.0
"""The time left that is shown takes so long to follow a new estimate."""


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
    """What is drawn. Lists of one length: steps and losses; of validations steps, F1, accuracy, and whether
    their weights are kept.
    """

    steps: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smooth: list[float] = field(default_factory=list)
    validated: list[float] = field(default_factory=list)
    f1s: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    kept: list[bool | None] = field(default_factory=list)

    @property
    def best(self) -> int | None:
        """Place of the validation whose weights are kept, among the validations; None while there is none.

        A training that does not say which ones it keeps, keeps those with the greatest F1.
        """
        if any(each is not None for each in self.kept):
            places = [place for place, each in enumerate(self.kept) if each]
            return places[-1] if places else None
        return max(range(len(self.f1s)), key=lambda place: self.f1s[place], default=None)


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class FoundClass:
    """What a data set has of one class: its name, patients or videos, and pictures."""

    name: str
    patients: int
    pictures: int
    to_learn: int


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Lacking:
    """Why nothing can be learned yet, in numbers; `training.data.enough` says what is in it."""

    needed_patients: int
    needed_pictures: int
    patients: int
    classes: tuple[FoundClass, ...]


@dataclass(frozen=True, slots=True)
class RunState:
    """Where a training is, in numbers.

    Attributes:
        phase: See there.
        progress: 0-1.
        step: Steps done.
        eta_s: Seconds left; NaN if unknown.
        f1: Of the validation whose weights are kept, a point of the curve; of the last one while none are.
            NaN before.
        accuracy: Of the same.
        message: The last sentence that was told.
        compared: What came out against the model in use, in a sentence; "" before.
        validated_at: Step of that validation; NaN before.
        kept: Whether its weights are kept: it is the best so far.
        tested_f1: Of the finished model on held-out pictures; NaN before.
        tested_accuracy: See `tested_f1`.
        lacking: What is needed and what was found, where it failed for want of patients or pictures.
    """

    phase: Phase = Phase.NONE
    progress: float = 0.0
    step: int = 0
    eta_s: float = math.nan
    f1: float = math.nan
    accuracy: float = math.nan
    message: str = ""
    compared: str = ""
    validated_at: float = math.nan
    kept: bool = False
    tested_f1: float = math.nan
    tested_accuracy: float = math.nan
    lacking: Lacking | None = None


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
    time_s: float | None = None
    kept: bool | None = None
    lacking: Lacking | None = None


PROGRESS_LINE: Final = Document(ProgressLine)


class TimeLeft:
    """The time left as it is shown: it runs down with the clock, and follows new estimates slowly.

    Nothing is said of the first seconds, whose steps are slower than the others.
    """

    def __init__(self) -> None:
        self._shown = self._at_s = self._began_s = math.nan
        self._taken = 1

    @property
    def seconds(self) -> float:
        """How long it takes from the last estimate on; NaN while nobody knows."""
        return math.nan if self._at_s - self._began_s < _FIRST_S else self._shown

    def take(self, at_s: float, estimate_s: float) -> None:
        """A new estimate, told at `at_s`, seconds since 1970; NaN is none."""
        if math.isnan(self._began_s):
            self._began_s = at_s
        if not math.isfinite(estimate_s):
            return
        passed_s = max(0.0, at_s - self._at_s)
        if math.isfinite(passed_s) and math.isfinite(self._shown):
            expected_s = max(0.0, self._shown - passed_s)
            # The first ones count alike: none of them is better than the others.
            self._taken += 1
            follows = max(1 - math.exp(-passed_s / _SETTLES_S), 1 / self._taken)
            self._shown = expected_s + follows * (estimate_s - expected_s)
        else:
            self._shown = estimate_s
        self._at_s = at_s


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
        self._progress, self._step, self._message = 0.0, 0, ""
        self._left = TimeLeft()
        self._tested_f1, self._tested_accuracy, self._compared = math.nan, math.nan, ""
        self._lacking: Lacking | None = None

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
            self._left = TimeLeft()
        if math.isfinite(step):
            self._step = int(step)
        if math.isfinite(progress := _known(told.progress)):
            self._progress = min(1.0, max(0.0, progress))
        self._left.take(_known(told.time_s), _known(told.eta_s))
        self._message, self._lacking = told.message or "", told.lacking
        if name == "compared":
            self._compared = self._message
            self._tested_f1, self._tested_accuracy = f1, accuracy
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
            self.curves.kept.append(told.kept)

    def _forget_from(self, step: float) -> None:
        """A training that goes on from a checkpoint does the steps after it again."""
        curves = self.curves
        kept = sum(each <= step for each in curves.steps)
        for values in (curves.steps, curves.losses, curves.smooth):
            del values[kept:]
        kept = sum(each <= step for each in curves.validated)
        for values in (curves.validated, curves.f1s, curves.accuracies):
            del values[kept:]
        del curves.kept[kept:]

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
        curves, best = self.curves, self.curves.best
        shown = len(curves.f1s) - 1 if best is None else best
        step, f1, accuracy = (
            (values[shown] if values else math.nan)
            for values in (curves.validated, curves.f1s, curves.accuracies)
        )
        return RunState(
            phase,
            self._progress,
            self._step,
            self._left.seconds,
            f1,
            accuracy,
            message,
            self._compared,
            step,
            best is not None,
            self._tested_f1,
            self._tested_accuracy,
            self._lacking,
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
    failed = phase is Phase.FAILED and state.lacking is None
    calm = phase in (Phase.LOST, Phase.FAILED) or can_train
    tone = "fault" if failed else "notice" if calm else ""
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
    if state.phase is Phase.FAILED and state.lacking is not None:
        return _("Not enough to learn from yet")
    return _(_TITLES[state.phase])


def _detail(state: RunState) -> str:
    if state.phase is Phase.NONE:
        return _("Choose what to learn from, and start. Scanning goes on meanwhile.")
    if state.phase is Phase.FAILED and state.lacking is not None:
        return lacking_words(state.lacking)
    if state.phase in (Phase.FAILED, Phase.LOST):
        return state.message
    return joined((_validated(state), _tested(state)))


def _validated(state: RunState) -> str:
    """The point of the curve that counts, under its names and on its scale."""
    if not math.isfinite(state.f1):
        return ""
    text = N_("Validation at step {step}: F1 {f1}, accuracy {accuracy}.")
    if state.kept:
        text = N_("Validation, best so far: F1 {f1}, accuracy {accuracy}, at step {step}.")
    if state.kept and state.phase is Phase.FINISHED:
        text = N_("Validation, best: F1 {f1}, accuracy {accuracy}, at step {step}; these weights were kept.")
    f1, accuracy = decimal(state.f1, 3), decimal(state.accuracy, 3)
    return _(text, f1=f1, accuracy=accuracy, step=f"{state.validated_at:.0f}")


def _tested(state: RunState) -> str:
    if state.phase is not Phase.FINISHED or not math.isfinite(state.tested_f1):
        return ""
    f1, accuracy = decimal(state.tested_f1, 3), decimal(state.tested_accuracy, 3)
    return _("Held-out pictures: F1 {f1}, accuracy {accuracy}.", f1=f1, accuracy=accuracy)


def lacking_words(lacking: Lacking) -> str:
    """What a training needs, and what was found instead."""
    needed = _(
        "A training needs pictures of {patients} patients or videos or more (to learn from, to choose the "
        "best weights by, and to test on), of two classes or more, and of each class {pictures} pictures or "
        "more to learn from.",
        patients=lacking.needed_patients,
        pictures=lacking.needed_pictures,
    )
    rows = "; ".join(
        _(
            "{plane}: {pictures} of {patients}",
            plane=_(short_name(each.name)),
            pictures=plural("{count} picture", "{count} pictures", each.pictures),
            patients=plural("{count} patient or video", "{count} patients or videos", each.patients),
        )
        for each in lacking.classes
    )
    if not rows:
        return joined((needed, _("Found was no picture with a label.")))
    patients = plural("{count} patient or video", "{count} patients or videos", lacking.patients)
    return joined((needed, _("Found were {patients}: {rows}.", patients=patients, rows=rows)))


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
