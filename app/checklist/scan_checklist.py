"""The checklist of a scan that goes on, from what was saved so far and a person's words. No Qt here."""

from __future__ import annotations

from app.checklist.controller import Protocols
from app.checklist.presenter import ChecklistView, checklist_view, word_on
from app.live.controller import Job
from semc_core.errors import SemcError, SessionError
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.live import LiveEngine
from semc_core.protocols.checklist import checklist, of_saved
from semc_core.protocols.protocol import Protocol
from semc_core.session.changes import SetItem
from semc_core.session.records import ItemEntry
from semc_core.session.saved import SavedPlane
from semc_core.session.session import Session

_OVER = "The scan is over; press V to review it, and say there what was not possible."
_NOT_KEPT = "Nothing of this scan is written, so the checklist takes no word on it either."


class ScanChecklist:
    """Called by one thread; nothing waits."""

    def __init__(self, protocols: Protocols) -> None:
        self._protocols = protocols
        self._engine: LiveEngine | None = None
        self._jobs: list[Job[int | None]] = []
        self._fault = ""
        self._made_of: tuple[object, ...] = ()
        self._view: ChecklistView | None = None

    def begin(self, engine: LiveEngine) -> None:
        """Of this scan from now on."""
        self._engine, self._made_of = engine, ()

    def view(self, saved: tuple[SavedPlane, ...], spec: ModelSpec | None) -> ChecklistView | None:
        """What the panel shows; None without a protocol.

        Args:
            saved: The planes of the scan.
            spec: Of the model; None until it is loaded.
        """
        planes = None if spec is None else spec.planes
        protocol = self._protocols.follow(planes)
        made_of = (protocol, saved, spec, self._words())
        if made_of != self._made_of:
            self._made_of = made_of
            self._view = None if protocol is None else _view(protocol, saved, spec, self._words())
        return self._view

    def say(self, protocol: Protocol | None, item_id: str, reason: str | None) -> None:
        """Log that an item is not possible, and why; None takes it back. `take_fault` tells if it was not.

        Args:
            protocol: That the item belongs to.
            item_id: Of the item.
            reason: A person's words, or None.
        """
        session = None if self._engine is None else self._engine.session
        if session is None or protocol is None:
            self._fault = _NOT_KEPT
            return
        change = word_on(protocol, item_id, reason)
        self._jobs.append(Job(lambda: _apply(session, change), "checklist-word"))

    @property
    def protocol(self) -> Protocol | None:
        """That is shown."""
        engine = self._engine
        spec = None if engine is None else engine.spec
        return self._protocols.follow(None if spec is None else spec.planes)

    def take_fault(self) -> str:
        """What could not be logged since the last call, or ""."""
        for job in [job for job in self._jobs if job.done]:
            self._jobs.remove(job)
            try:
                job.result()
            except SemcError as error:
                self._fault = str(error)
        fault, self._fault = self._fault, ""
        return fault

    def _words(self) -> tuple[ItemEntry, ...]:
        session = None if self._engine is None else self._engine.session
        return () if session is None else session.items()


def _apply(session: Session, change: SetItem) -> int | None:
    try:
        return session.apply(change)
    except SessionError as error:
        raise SessionError(_OVER) from error


def _view(
    protocol: Protocol, saved: tuple[SavedPlane, ...], spec: ModelSpec | None, words: tuple[ItemEntry, ...]
) -> ChecklistView:
    planes = None if spec is None else spec.planes
    enter = 1.0 if spec is None else spec.thresholds.enter
    state = checklist(protocol, [of_saved(plane) for plane in saved], words, planes, enter)
    return checklist_view(state, planes, enter)
