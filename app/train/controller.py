"""What happens on the page for training: it is asked for, followed, and its model used. No widgets here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.tasks import Background, Post
from app.train.data import SIMULATED, Corrections, corrections_below, data_choices, meant, names_of, place_of
from app.train.figures import figure_rows
from app.train.install_panel import install_view
from app.train.installation import Installation, InstallPhase, why_not_here
from app.train.page import Form, ModelRow, TrainPage
from app.train.plan import TrainPlan, plan_words
from app.train.presenter import Phase, RunState, train_view
from app.train.process import TrainingProcess, why_not
from semc_core.errors import SemcError
from semc_core.language import _, day_text, decimal
from semc_core.model.architecture import PRESETS
from semc_core.model.file import read_spec
from semc_core.model.registry import SHIPPED, ModelRegistry, Version

if TYPE_CHECKING:
    from app.choices import Choices

_EVERY_S: Final = 0.5
_DEFAULT_PRESET: Final = "semc_live"
_MINUTES: Final = 45.0


class TrainController:
    """Follows the newest training and shows it on the page. Called by the window's thread.

    Args:
        page: Where it is shown.
        choices: Where data, sessions and models are.
        post: See `app.tasks`.
        model_changed: Called when another model is in use.
    """

    def __init__(
        self,
        page: TrainPage,
        choices: Choices,
        post: Post,
        model_changed: Callable[[], None],
    ) -> None:
        self._page, self._choices = page, choices
        self._model_changed = model_changed
        self.process = TrainingProcess(choices.data / "training")
        self._registry = ModelRegistry(choices.data / "models")
        self._folders: list[str] = []
        self._counts = Background("corrections-count", post)
        self._counting = False
        self._corrected: Corrections | None = None
        self._formed: Path | None = None
        self._uses = Background("model-use", post)
        self._using: Future[Version | None] | None = None
        self._drawn: tuple[int, int] | None = None
        self._at_s = float("-inf")
        self._visible = False
        self.state = RunState()
        self._why_not = why_not()
        self.installation = Installation()
        page.install.install_wanted.connect(lambda: self._asked(self.installation.start))
        page.install.cancel_wanted.connect(lambda: self._asked(self.installation.cancel))
        page.start_wanted.connect(lambda: self._asked(self._start))
        page.stop_wanted.connect(lambda: self._asked(self.process.stop))
        page.resume_wanted.connect(lambda: self._asked(self.process.resume))
        page.use_wanted.connect(lambda: self._promote(force=False))
        page.force_wanted.connect(lambda: self._promote(force=True))
        page.version_wanted.connect(self._use)
        page.rollback_wanted.connect(lambda: self._begin_using(self._registry.rollback))

    @property
    def training(self) -> bool:
        """Whether a training works."""
        return self.state.phase not in (
            Phase.NONE, Phase.STOPPED, Phase.FINISHED, Phase.FAILED, Phase.LOST,
        )  # fmt: skip

    def open(self) -> None:
        """The page is shown from now on."""
        self._visible, self._at_s, self._drawn = True, float("-inf"), None
        self._formed = None
        if not self._counting:
            self._counting, root, registry = True, self._choices.output, self._registry
            self._counts.start(lambda: corrections_below(root, registry), self._counted)
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
        """Show where the training is: to be called often. Returns at once."""
        if self._visible and now_s - self._at_s >= _EVERY_S:
            self._at_s = now_s
            self._guarded(self._follow)

    def close(self) -> None:
        """Wait for what is under way here. The training goes on.

        Raises:
            SemcError: A model could not be taken into use.
        """
        self.process.release()
        self.installation.close()
        self._counts.close()
        self._uses.close()
        if self._using is not None:
            self._using.result()

    def _follow(self) -> None:
        """Show where the training is."""
        before, self.state = self.state.phase, self.process.poll()
        self._follow_installation()
        self._page.show_view(train_view(self.state, self._why_not))
        self._follow_plan()
        events = self.process.events
        drawn = (id(events), events.changes)
        if drawn != self._drawn:
            self._drawn = drawn
            self._page.curves.show_curves(events.curves)
            self._show_comparison()
        elif before is not self.state.phase:
            self._show_comparison()

    def _follow_plan(self) -> None:
        """While a training runs, the form shows what it was given, also in a window that is opened later."""
        plan = self.process.plan
        self._page.lock(self.training)
        if plan is None:
            self._page.show_about("")
            return
        root = self._choices.output
        self._page.show_about(plan_words(plan, names_of(plan.data, plan.of, root)))
        if not self.training:
            self._formed = None
        elif self._formed != self.process.folder:
            self._formed = self.process.folder
            known = (str(root), SIMULATED, *self._folders)
            self._folders += [place for place in plan.data if place not in known]
            self._show_data()

    def _show_plan(self, plan: TrainPlan) -> None:
        root = self._choices.output
        own = place_of(root, plan.of) if plan.of else str(root)
        places = tuple(own if place == str(root) else place for place in plan.data)
        length = plan.minutes if plan.rounds is None else plan.rounds
        self._page.show_form(
            Form(places, length or _MINUTES, plan.rounds is not None, plan.start_from is not None)
        )

    def _follow_installation(self) -> None:
        """Show what is missing and how its installation goes; training may begin once it is there."""
        state = self.installation.poll()
        if self._why_not and state.phase is InstallPhase.DONE:
            self._why_not = why_not()
        missing = bool(self._why_not) or self.installation.alive
        self._page.show_installing(missing)
        if missing:
            self._page.install.show_view(install_view(state, why_not_here()), state.lines)

    def _show_comparison(self) -> None:
        model = self.process.model
        if self.state.phase is not Phase.FINISHED or model is None:
            self._page.show_comparison("", False, False)
            return
        new, current = read_spec(model).sha256, self._registry.current()
        if current is not None and current.sha256 == new:
            self._page.show_comparison(_("The new model is in use."), False, False)
            return
        comparison = self.process.comparison()
        if comparison is None:
            text = self.state.compared or _("The new model was not compared with the one in use.")
            self._page.show_comparison(text, False, True)
            return
        refusal = self._registry.refusal(new, comparison)
        announced = _(
            "If you use it, it counts from the next scan on. The model in use now stays among your models, "
            "and you can go back to it."
        )
        self._page.show_comparison(
            refusal or comparison.sentence, not refusal, bool(refusal), announced, figure_rows(comparison)
        )

    def _start(self) -> None:
        page, in_use = self._page, self._registry.path(self._registry.current())
        start_from = in_use if page.go_on.isChecked() else None
        preset = read_spec(in_use).architecture.preset
        if preset not in PRESETS:
            preset, start_from = _DEFAULT_PRESET, None
        data, of = meant(page.chosen)
        self.process.start(
            TrainPlan(data, preset, page.minutes, page.rounds, start_from, compare_with=in_use, of=of)
        )

    def _promote(self, force: bool) -> None:
        model = self.process.model
        if model is None:
            return
        comparison = self.process.comparison()
        note = "trained here"
        self._begin_using(lambda: self._registry.promote(model, comparison, note, force=force))

    def _use(self, number: int) -> None:
        self._begin_using(lambda: self._registry.use(number))

    def _begin_using(self, work: Callable[[], Version | None]) -> None:
        """Copying and hashing a large model takes a while."""
        self._page.show_fault("")
        if self._using is None:
            self._using = self._uses.start(work, lambda future: self._guarded(lambda: self._used(future)))

    def _counted(self, future: Future[Corrections]) -> None:
        self._counting = False
        self._corrected = future.result()
        self._show_data()

    def _used(self, using: Future[Version | None]) -> None:
        self._using = None
        try:
            using.result()
        finally:
            self._show_models()
            self._show_comparison()
        self._choices.use_registered()
        self._model_changed()

    def _show_data(self) -> None:
        self._page.show_data(data_choices(self._choices.output, self._corrected, self._folders))
        plan = self.process.plan
        if plan is not None and self._formed is not None:
            self._show_plan(plan)

    def _show_models(self) -> None:
        try:
            current, versions = self._registry.current(), self._registry.versions()
            before = self._registry.before()
        except SemcError as error:
            self._page.show_fault(str(error))
            return
        in_use = SHIPPED if current is None else current.number
        rows = [
            ModelRow(each.number, _model_text(each), each.number == in_use) for each in reversed(versions)
        ]
        rows.append(ModelRow(SHIPPED, _("Came with the program"), in_use == SHIPPED))
        texts = {row.number: row.text for row in rows}
        back = ""
        if before is not None:
            back = _("Going back, the next scan uses this one again: {model}.", model=texts[before])
        self._page.show_models(rows, before is not None, back)

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

    day = day_text(datetime.fromisoformat(version.added_utc).astimezone())
    text = _("Version {number}, {day}", number=version.number, day=day)
    if version.compared is not None:
        f1 = decimal(version.compared.candidate.f1, 3)
        text = _("Version {number}, {day}, F1 {f1}", number=version.number, day=day, f1=f1)
    return _("{version} (forced)", version=text) if version.forced else text
