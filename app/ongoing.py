"""What may still go on when the window is to be closed, and what can become of it. No Qt here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app.batch.presenter import progress
from app.export.presenter import Phase as ExportPhase
from app.export.presenter import progress_sentence
from app.train.installation import Installation, InstallPhase
from app.train.presenter import ALIVE, train_view
from semc_core.language import N_, _

if TYPE_CHECKING:
    from app.batch.controller import LoopsController
    from app.batch.exporting import LoopExports
    from app.dialogs import DialogHost
    from app.export.controller import ExportController
    from app.train.controller import TrainController
    from app.train.process import TrainingProcess


class Ongoing(Protocol):
    """Work that ends with the window unless somebody waits for it, or that can go on without it.

    Attributes:
        goes_on: That it does, a sentence; as the next two it is translated where it is shown.
        waited_for: That its end is waited for, a sentence.
        about: What becomes of it in either case, a sentence; "" where the buttons say enough.
        outlives: Whether it goes on without the window.
    """

    goes_on: str
    waited_for: str
    about: str
    outlives: bool

    def now(self) -> str:
        """How far it is; "" once it is over. May raise a SemcError."""
        ...

    def can_stop(self) -> bool:
        """Whether it can be stopped now."""
        ...

    def stop(self) -> None:
        """End it as soon as that can be. May raise a SemcError."""
        ...

    def needs_somebody(self) -> str:
        """Once it is over: why the window has to stay open, a sentence; "" where it may close."""
        ...


class ExportOngoing:
    """An export that is being made."""

    goes_on = N_("The export still goes on.")
    waited_for = N_("This closes when the export is over.")
    about = N_("Stopped, it leaves nothing behind.")
    outlives = False

    def __init__(self, control: ExportController) -> None:
        self._control = control
        self._stopped = False

    def now(self) -> str:
        """The step."""
        state = self._control.state
        return progress_sentence(state) if state.phase is ExportPhase.RUNNING else ""

    def can_stop(self) -> bool:
        """Until that was asked for."""
        return not self._stopped

    def stop(self) -> None:
        """Make no export."""
        self._stopped = True
        self._control.cancel()

    def needs_somebody(self) -> str:
        """It failed, or it asks what becomes of text in pictures."""
        state = self._control.state
        if self._stopped:
            return ""
        if state.result is not None:
            waits = _("The export waits for an answer, so the window stayed open.")
            return waits if state.result.held else ""
        return _("The export was not made, so the window stayed open; the export's window says why.")


class TrainingOngoing:
    """A training, which is a process of its own."""

    goes_on = N_("The training still goes on.")
    waited_for = N_("This closes when the training is over.")
    about = N_(
        "It can go on without this window, and is found again when the program is next started. Stopped, it "
        "can go on later."
    )
    outlives = True

    def __init__(self, process: TrainingProcess) -> None:
        self._process = process
        self._stopped = False

    def now(self) -> str:
        """How far it is, as on its page."""
        state = self._process.poll()
        return train_view(state).title if state.phase in ALIVE else ""

    def can_stop(self) -> bool:
        """Not any more while it calibrates."""
        return not self._stopped and train_view(self._process.poll()).can_stop

    def stop(self) -> None:
        """After the step that it does."""
        self._stopped = True
        self._process.stop()

    def needs_somebody(self) -> str:
        """Never: how it ended is told when the program is next started."""
        return ""


class InstallationOngoing:
    """The packages for training, which pip installs."""

    goes_on = N_("The installation of what training needs still goes on.")
    waited_for = N_("This closes when the installation of what training needs is over.")
    about = N_("Stopped, it keeps what was fetched for the next time.")
    outlives = False

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stopped = False

    def now(self) -> str:
        """What pip said last."""
        state = self._installation.poll()
        if not self._installation.alive:
            return ""
        return state.lines[-1] if state.lines else _("Beginning")

    def can_stop(self) -> bool:
        """Until that was asked for."""
        return not self._stopped

    def stop(self) -> None:
        """Ask pip to stop."""
        self._stopped = True
        self._installation.cancel()

    def needs_somebody(self) -> str:
        """It failed."""
        state = self._installation.poll()
        if self._stopped or state.phase in (InstallPhase.DONE, InstallPhase.CANCELLED):
            return ""
        stayed = _("What training needs was not installed, so the window stayed open.")
        return f"{stayed} {state.message}".strip()


class LoopsOngoing:
    """Loops that are analysed, or wait for that."""

    goes_on = N_("Loops are still being analysed.")
    waited_for = N_("This closes when all loops are analysed.")
    about = N_("Stopped, what was analysed is kept: choose the same loops again, and they go on from there.")
    outlives = False

    def __init__(self, control: LoopsController) -> None:
        self._control = control

    def now(self) -> str:
        """How many are done, and what the rest waits for."""
        snapshot = self._control.snapshot
        if not snapshot.going_on:
            return ""
        return " ".join(filter(None, (progress(snapshot), snapshot.held)))

    def can_stop(self) -> bool:
        """At any time."""
        return True

    def stop(self) -> None:
        """Analyse no more."""
        self._control.stop()

    def needs_somebody(self) -> str:
        """Never: a loop that could not be read is none the next time, either."""
        return ""


class LoopExportsOngoing:
    """The exports of all loops of a list."""

    goes_on = N_("Loops are still being exported.")
    waited_for = N_("This closes when all loops are exported.")
    about = N_("Stopped, the exports that were made stay; of the one that is being made nothing does.")
    outlives = False

    def __init__(self, exports: LoopExports) -> None:
        self._exports = exports

    def now(self) -> str:
        """How many are done."""
        return self._exports.state.words if self._exports.state.running else ""

    def can_stop(self) -> bool:
        """Until that was asked for."""
        return not self._exports.state.cancelled

    def stop(self) -> None:
        """Make no more."""
        self._exports.cancel()

    def needs_somebody(self) -> str:
        """Some could not be made."""
        state = self._exports.state
        return "" if state.cancelled or not state.failures else state.words


def exports_ongoing(dialogs: DialogHost) -> list[Ongoing]:
    """The export whose dialog is open."""
    return [] if dialogs.exporting is None else [ExportOngoing(dialogs.exporting)]


def all_ongoing(dialogs: DialogHost, train: TrainController) -> list[Ongoing]:
    """What may go on in a window, in the order in which it is asked about."""
    return [
        *exports_ongoing(dialogs), LoopsOngoing(dialogs.loops), LoopExportsOngoing(dialogs.loops.exports),
        InstallationOngoing(train.installation), TrainingOngoing(train.process),
    ]  # fmt: skip
