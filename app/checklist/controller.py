"""The protocols, which of them was chosen, and what the model knows of it. No Qt here.

The checklist of a scan that goes on, from what was saved so far and a person's words. No Qt here.

The checklist of the session in review: from its planes and a person's words. No Qt here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from app.checklist.presenter import ChecklistView, checklist_view, choices, chosen_protocol, word_on
from app.settings import Choices
from app.tasks import Job
from app.view_data import ReviewSnapshot
from semc_core.errors import ModelFileError, ProtocolError, SemcError, SessionError
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.live import LivePipeline
from semc_core.protocols.checklist import checklist, of_saved, session_checklist
from semc_core.protocols.loader import ProtocolBook, load_protocols
from semc_core.protocols.protocol import Protocol, unknown_sentence
from semc_core.session.changes import SetItem
from semc_core.session.records import ItemEntry, ModelEntry
from semc_core.session.session import Session
from semc_core.types import SavedPlane


def _planes_of(model: Path) -> tuple[str, ...] | str:
    """What a model file knows; or why it cannot be read, a sentence."""
    from semc_core.model.file import read_spec

    try:
        return read_spec(model).planes
    except ModelFileError as error:
        return str(error)


class Protocols:
    """Called by one thread; only `close` waits.

    Attributes:
        book: All protocols that could be read.
    """

    def __init__(self, chosen: Choices, report: Callable[[str], None]) -> None:
        """Read the protocols, and `report` what is wrong with one."""
        self._chosen = chosen
        self._job: Job[tuple[str, ...] | str] | None = None
        self._model: Path | None = None
        self._looked_at: Path | None = None
        self._planes: tuple[str, ...] | None = None
        self._fault = ""
        try:
            self.book = load_protocols()
        except ProtocolError as error:
            self.book = ProtocolBook(())
            report(str(error))
        for problem in self.book.problems:
            report(f"A protocol was left out. {problem}")

    @property
    def choice(self) -> str:
        """Id of the protocol; or `checklist_state.AUTOMATIC` or `NO_PROTOCOL`."""
        return self._chosen.protocol

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """What can be chosen: id and title of each."""
        return choices(self.book)

    def choose(self, protocol_id: str) -> None:
        """Follow this protocol from now on."""
        self._chosen.use_protocol(protocol_id)

    def follow(self, model_planes: Collection[str] | None) -> Protocol | None:
        """The protocol to follow with a model; None for none. See `checklist_state.chosen_protocol`."""
        return chosen_protocol(self.book, self.choice, model_planes)

    def look_at_model(self, model: Path) -> None:
        """Learn which planes this model file knows, for `note`; again if something was wrong with it."""
        self._model = model
        if self._job is None and (model != self._looked_at or self._fault):
            self._look(model)

    def poll(self) -> None:
        """Take what was learned: to be called often. Returns at once."""
        if self._job is not None and self._job.done:
            job, self._job = self._job, None
            learned = job.result()
            if self._model is not None and self._model != self._looked_at:
                self._look(self._model)
            elif isinstance(learned, str):
                self._fault = learned
            else:
                self._planes = learned

    @property
    def note(self) -> tuple[str, bool]:
        """A sentence on the protocol for the next scan, or that there is no model for one.

        Returns:
            The sentence or "", and whether it is a warning.
        """
        if self._fault:
            return self._fault, True
        planes = self._planes
        protocol = self.follow(planes)
        if protocol is None or planes is None:
            return "", False
        if sentence := unknown_sentence(protocol, planes, most=3):
            return sentence, True
        return f"{protocol.title}: the model knows all of its {len(protocol.items)} planes.", False

    def _look(self, model: Path) -> None:
        self._looked_at, self._planes, self._fault = model, None, ""
        self._job = Job(lambda: _planes_of(model), "model-look")

    def close(self) -> None:
        """Wait for what is under way."""
        if self._job is not None:
            self._job.result()


_OVER = "The scan is over; press V to review it, and say there what was not possible."
_NOT_KEPT = "Nothing of this scan is written, so the checklist takes no word on it either."


class ScanChecklist:
    """Called by one thread; nothing waits."""

    def __init__(self, protocols: Protocols) -> None:
        self._protocols = protocols
        self._engine: LivePipeline[Session] | None = None
        self._jobs: list[Job[int | None]] = []
        self._fault = ""
        self._made_of: tuple[object, ...] = ()
        self._view: ChecklistView | None = None

    def begin(self, engine: LivePipeline[Session]) -> None:
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


class ReviewChecklist:
    """Called by one thread."""

    def __init__(self, protocols: Protocols) -> None:
        self._protocols = protocols
        self._made_of: tuple[object, ...] = ()
        self._view: ChecklistView | None = None
        self._planes: tuple[str, ...] = ()

    def begin(self, model_planes: tuple[str, ...]) -> None:
        """Of a session whose model knows these planes from now on."""
        self._planes, self._made_of, self._view = model_planes, (), None

    @property
    def protocol(self) -> Protocol | None:
        """That is shown."""
        return self._protocols.follow(self._planes)

    def view(self, snapshot: ReviewSnapshot, model: ModelEntry) -> ChecklistView | None:
        """What the panel shows; None without a protocol."""
        protocol = self.protocol
        made_of = (protocol, snapshot.planes, snapshot.items)
        if made_of != self._made_of:
            self._made_of, self._view = made_of, None
            if protocol is not None:
                state = session_checklist(protocol, model, snapshot.planes, snapshot.items)
                self._view = checklist_view(state, self._planes, model.thresholds.enter)
        return self._view

    def word(self, item_id: str, reason: str | None) -> SetItem | None:
        """The change that says that an item is not possible, and why; with None, that it is after all."""
        protocol = self.protocol
        return None if protocol is None else word_on(protocol, item_id, reason)

    def name_of(self, item_id: str) -> str:
        """The class name under which a plane is added for an item: the model's, if it knows one."""
        protocol = self.protocol
        item = None if protocol is None else protocol.item(item_id)
        if item is None:
            return ""
        return next((name for name in item.planes if name in self._planes), item.planes[0])
