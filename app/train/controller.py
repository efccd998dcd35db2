"""What happens on the page for training: it is asked for, followed, and its model used. No widgets here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.tasks import Job
from app.train.page import DataChoice, ModelRow, TrainPage
from app.train.presenter import Phase, RunState, train_view
from app.train.process import TrainingProcess, TrainPlan, why_not
from semc_core.errors import SemcError
from semc_core.model.architecture import PRESETS
from semc_core.model.file import read_spec
from semc_core.model.registry import SHIPPED, ModelRegistry, Version
from semc_core.session.session import sessions_below
from semc_core.text import counted

if TYPE_CHECKING:
    from app.settings import Choices

_EVERY_S: Final = 0.5
_SIMULATED: Final = "simulated:40"
_DEFAULT_PRESET: Final = "semc_live"
_NAME_LENGTH: Final = 26


class TrainController:
    """Follows the newest training and shows it on the page. Called by the window's thread.

    Args:
        page: Where it is shown.
        choices: Where data, sessions and models are.
        model_changed: Called when another model is in use.
    """

    def __init__(
        self,
        page: TrainPage,
        choices: Choices,
        model_changed: Callable[[], None],
    ) -> None:
        self._page, self._choices = page, choices
        self._model_changed = model_changed
        self.process = TrainingProcess(choices.data / "training")
        self._library = ModelRegistry(choices.data / "models")
        self._folders: list[str] = []
        self._sessions: Job[int] | None = None
        self._corrected: int | None = None
        self._using: Job[Version | None] | None = None
        self._drawn: tuple[int, int] | None = None
        self._at_s = float("-inf")
        self._visible = False
        self.state = RunState()
        self._why_not = why_not()
        page.start_wanted.connect(lambda: self._asked(self._start))
        page.stop_wanted.connect(lambda: self._asked(self.process.stop))
        page.resume_wanted.connect(lambda: self._asked(self.process.resume))
        page.use_wanted.connect(lambda: self._promote(force=False))
        page.force_wanted.connect(lambda: self._promote(force=True))
        page.version_wanted.connect(self._use)
        page.rollback_wanted.connect(lambda: self._begin_using(self._library.rollback))

    @property
    def training(self) -> bool:
        """Whether a training works."""
        return self.state.phase not in (
            Phase.NONE, Phase.STOPPED, Phase.FINISHED, Phase.FAILED, Phase.LOST,
        )  # fmt: skip

    def open(self) -> None:
        """The page is shown from now on."""
        self._visible, self._at_s, self._drawn = True, float("-inf"), None
        if self._sessions is None:
            root = self._choices.output
            self._sessions = Job(lambda: _corrected_sessions(root), "corrections-count")
        self._show_data()
        self._show_models()

    def hide(self) -> None:
        """The page is no longer shown; the training goes on."""
        self._visible = False

    def add_folder(self, folder: str) -> None:
        """Offer a folder to learn from, ticked."""
        if folder not in self._folders:
            self._folders.append(folder)
        self._show_data()

    def tick(self, now_s: float) -> None:
        """Take the next step: to be called often. Returns at once."""
        if self._sessions is not None and self._sessions.done:
            sessions, self._sessions = self._sessions, None
            self._corrected = sessions.result()
            self._show_data()
        if self._using is not None and self._using.done:
            using, self._using = self._using, None
            self._guarded(lambda: self._used(using))
        if self._visible and now_s - self._at_s >= _EVERY_S:
            self._at_s = now_s
            self._guarded(self._follow)

    def close(self) -> None:
        """Wait for what is under way here. The training goes on.

        Raises:
            SemcError: A model could not be taken into use.
        """
        self.process.release()
        if self._sessions is not None:
            self._sessions.result()
        if self._using is not None:
            self._using.result()

    def _follow(self) -> None:
        """Show where the training is."""
        before, self.state = self.state.phase, self.process.poll()
        self._page.show_view(train_view(self.state, self._why_not))
        events = self.process.events
        drawn = (id(events), events.changes)
        if drawn != self._drawn:
            self._drawn = drawn
            self._page.curves.show_curves(events.curves)
            self._show_comparison()
        elif before is not self.state.phase:
            self._show_comparison()

    def _show_comparison(self) -> None:
        model = self.process.model
        if self.state.phase is not Phase.FINISHED or model is None:
            self._page.show_comparison("", False, False)
            return
        new, current = read_spec(model).sha256, self._library.current()
        if current is not None and current.sha256 == new:
            self._page.show_comparison("The new model is in use.", False, False)
            return
        comparison = self.process.comparison()
        if comparison is None:
            text = self.state.compared or "The new model was not compared with the one in use."
            self._page.show_comparison(text, False, True)
            return
        refusal = self._library.refusal(new, comparison)
        self._page.show_comparison(refusal or comparison.sentence, not refusal, bool(refusal))

    def _start(self) -> None:
        page, in_use = self._page, self._library.path(self._library.current())
        start_from = in_use if page.go_on.isChecked() else None
        preset = read_spec(in_use).architecture.preset
        if preset not in PRESETS:
            preset, start_from = _DEFAULT_PRESET, None
        self.process.start(
            TrainPlan(page.chosen, preset, page.minutes, page.rounds, start_from, compare_with=in_use)
        )

    def _promote(self, force: bool) -> None:
        model = self.process.model
        if model is None:
            return
        comparison = self.process.comparison()
        note = "trained here"
        self._begin_using(lambda: self._library.promote(model, comparison, note, force=force))

    def _use(self, number: int) -> None:
        self._begin_using(lambda: self._library.use(number))

    def _begin_using(self, work: Callable[[], Version | None]) -> None:
        """Copying and hashing a large model takes a while."""
        self._page.show_fault("")
        if self._using is None:
            self._using = Job(work, "model-use")

    def _used(self, using: Job[Version | None]) -> None:
        try:
            using.result()
        finally:
            self._show_models()
            self._show_comparison()
        self._choices.use_library()
        self._model_changed()

    def _show_data(self) -> None:
        count = self._corrected
        words = "counting …" if count is None else counted(count, "session")
        corrections = DataChoice(
            str(self._choices.output), f"My corrections ({words})", bool(count), bool(count)
        )
        simulated = DataChoice(_SIMULATED, "40 simulated patients", chosen=False)
        folders = [DataChoice(folder, _short(Path(folder).name or folder)) for folder in self._folders]
        self._page.show_data([corrections, simulated, *folders])

    def _show_models(self) -> None:
        try:
            current, versions = self._library.current(), self._library.versions()
            can_go_back = self._library.before() is not None
        except SemcError as error:
            self._page.show_fault(str(error))
            return
        in_use = SHIPPED if current is None else current.number
        rows = [
            ModelRow(each.number, _model_text(each), each.number == in_use) for each in reversed(versions)
        ]
        rows.append(ModelRow(SHIPPED, "Came with the program", in_use == SHIPPED))
        self._page.show_models(rows, can_go_back)

    def _asked(self, do: Callable[[], object]) -> None:
        """Do what a click asked for, and show at once what came of it."""
        self._page.show_fault("")
        self._at_s = float("-inf")
        self._guarded(do)

    def _guarded(self, do: Callable[[], object]) -> None:
        try:
            do()
        except SemcError as error:
            self._page.show_fault(str(error))


def _model_text(version: Version) -> str:
    """ "Version 3, 21 Nov 2026, F1 0.91 (forced)"."""
    from datetime import datetime

    when = datetime.fromisoformat(version.added_utc).astimezone()
    text = f"Version {version.number}, {when:%d %b %Y}"
    if version.compared:
        text += f", F1 {version.compared['candidate']['f1']:.3f}"
    return f"{text} (forced)" if version.forced else text


def _short(name: str) -> str:
    """A folder's name that fits into a small window."""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def _corrected_sessions(root: Path) -> int:
    """How many sessions below `root` a person has corrected. Reads the disk."""
    return sum(session.corrections > 0 for session in sessions_below(root))
