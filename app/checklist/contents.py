"""What fills the checklist: of a scan that goes on, and of the session in review. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import replace

from app.checklist.presenter import ChecklistView, of_several, word_on
from app.checklist.protocol_choice import ProtocolChoice
from app.keys import first_key
from app.tasks import Background, Post, fault_of
from app.view_data import ReviewSnapshot
from semc_core.errors import SessionError
from semc_core.language import N_, _
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.live import LivePipeline
from semc_core.protocols.checklist import Checklist, checklist, of_saved, session_checklists, words_on
from semc_core.protocols.protocol import Protocol
from semc_core.session.correcting.changes import SetItem
from semc_core.session.fetuses import FIRST, ONE, Fetuses, with_earlier
from semc_core.session.records import ItemEntry, ModelEntry
from semc_core.session.session import Session
from semc_core.types import SavedPlane

_OVER = N_("The scan is over; press {key} to review it, and say there what was not possible.")
_NOT_KEPT = N_("Nothing of this scan is written, so the checklist takes no word on it either.")


class ScanChecklist:
    """From what was saved in a scan so far, and a person's words. Called by the window's thread.

    Attributes:
        choice: The protocol of this scan, as in `ProtocolChoice.choice`.
        shown: Letter of the fetus whose list was asked for; "" is the one that is scanned.
    """

    def __init__(self, choice: ProtocolChoice, post: Post, report: Callable[[str], None]) -> None:
        """Of no scan yet.

        Args:
            choice: The protocols there are.
            post: See `app.tasks`.
            report: Told why a person's word was not taken, a sentence.
        """
        self._protocols = choice
        self.choice = choice.choice
        self.shown = ""
        self._report = report
        self._words = Background("checklist-words", post)
        self._pipeline: LivePipeline[Session] | None = None
        self._made_of: tuple[object, ...] = ()
        self._fetuses = ONE
        self._view: ChecklistView | None = None
        self._before: tuple[ItemEntry, ...] = ()
        self._earlier: tuple[ItemEntry, ...] = ()
        self._letters: Mapping[int, str] = {}

    def begin(self, pipeline: LivePipeline[Session], choice: str) -> None:
        """Of this scan from now on, and of the protocol that it was begun with."""
        self._before, self._earlier, self._letters = self._all_words(), (), {}
        self._pipeline, self._made_of, self.choice, self.shown = pipeline, (), choice, ""

    def go_on(self, same: bool, letters: Mapping[int, str]) -> None:
        """What was said in the scan before holds in this one, too, or no longer.

        `letters` are those of the fetuses of its planes, by number, where there are several.
        """
        self._earlier, self._letters = (self._before, letters) if same else ((), {})

    def view(self, saved: tuple[SavedPlane, ...], spec: ModelSpec | None) -> ChecklistView | None:
        """What the panel shows; None without a protocol.

        Args:
            saved: The planes of the scan.
            spec: Of the model; None until it is loaded.
        """
        planes = None if spec is None else spec.planes
        protocol = self._protocols.follow(self.choice, planes)
        session = self._session
        words = self._all_words()
        fetuses = with_earlier(ONE if session is None else session.fetuses(), self._letters)
        if self._fetuses != fetuses:
            self._fetuses, self.shown = fetuses, ""
        made_of = (protocol, saved, spec, words, fetuses, self.shown)
        if made_of != self._made_of:
            self._made_of, self._view = made_of, None
            if protocol is not None:
                states = _states(protocol, saved, spec, words, fetuses)
                enter = 1.0 if spec is None else spec.thresholds.enter
                self._view = of_several(states, self.shown, fetuses.newest, planes, enter)
        return self._view

    @property
    def protocol(self) -> Protocol | None:
        """That is shown."""
        return self._protocols.follow(self.choice, self.planes)

    @property
    def planes(self) -> tuple[str, ...] | None:
        """Of the model; None until it is loaded."""
        spec = None if self._pipeline is None else self._pipeline.spec
        return None if spec is None else spec.planes

    def say(self, item_id: str, reason: str | None) -> None:
        """Log that an item is not possible, and why; None takes it back."""
        session, protocol = self._session, self.protocol
        if session is None or protocol is None:
            self._report(_(_NOT_KEPT))
            return
        fetus = "" if self._view is None else self._view.fetus
        if reason is None and any(_is_on(word, item_id, fetus) for word in self._earlier):
            self._earlier = tuple(word for word in self._earlier if not _is_on(word, item_id, fetus))
            if not any(_is_on(word, item_id, fetus) for word in session.items()):
                return
        change = word_on(protocol, item_id, reason, fetus)
        self._words.start(lambda: _apply(session, change), self._logged)

    def close(self) -> None:
        """Wait for words that are being logged."""
        self._words.close()

    @property
    def _session(self) -> Session | None:
        return None if self._pipeline is None else self._pipeline.session

    def _all_words(self) -> tuple[ItemEntry, ...]:
        """Of this scan, and of the one before where it goes on and nothing was said of the item since."""
        own = () if self._session is None else self._session.items()
        said = {_about(word) for word in own}
        return (*(word for word in self._earlier if _about(word) not in said), *own)

    def _logged(self, future: Future[int | None]) -> None:
        if error := future.exception():
            self._report(fault_of(error))


def name_for(protocol: Protocol, item_id: str, plane: str, planes: Collection[str]) -> str:
    """What a plane is called that shows an item: as it is called, where that will do; else as by hand.

    Args:
        protocol: That is followed.
        item_id: Of its item; there is none of it: "".
        plane: The class name that the plane has.
        planes: Of the model.
    """
    item = protocol.item(item_id)
    if item is None:
        return ""
    return plane if protocol.takes(item, plane, planes) else protocol.name_by_hand(item, planes)


def _about(word: ItemEntry) -> tuple[str, str, str]:
    """Which item of which protocol and fetus a word is on."""
    return word.protocol_id, word.item_id, word.fetus or FIRST


def _is_on(word: ItemEntry, item_id: str, fetus: str) -> bool:
    return word.item_id == item_id and (word.fetus or FIRST) == (fetus or FIRST)


def _apply(session: Session, change: SetItem) -> int | None:
    try:
        return session.apply(change)
    except SessionError as error:
        raise SessionError(_(_OVER, key=first_key("review"))) from error


def _fetus_of(plane: SavedPlane, fetuses: Fetuses) -> str:
    """The letter; what was saved in the scan before was saved before any turn to another one."""
    return fetuses.of_plane(plane.hold_id, -math.inf if plane.hold_id < 0 else plane.time_s)


def _states(
    protocol: Protocol,
    saved: tuple[SavedPlane, ...],
    spec: ModelSpec | None,
    words: tuple[ItemEntry, ...],
    fetuses: Fetuses,
) -> list[Checklist]:
    """The checklist of each fetus."""
    planes = None if spec is None else spec.planes
    enter = 1.0 if spec is None else spec.thresholds.enter
    states = []
    for letter in fetuses.letters or ("",):
        own = [of_saved(one) for one in saved if _fetus_of(one, fetuses) == letter]
        state = checklist(protocol, own, words_on(words, letter), planes, enter)
        states.append(replace(state, fetus=letter))
    return states


class ReviewChecklist:
    """From the planes of the session in review, and a person's words.

    Attributes:
        choice: The protocol of this review, as in `ProtocolChoice.choice`.
        planes: Of the model.
        shown: Letter of the fetus whose list was asked for; "" is the one at the frame that is shown.
    """

    def __init__(self, choice: ProtocolChoice) -> None:
        self._protocols = choice
        self.choice = choice.choice
        self.shown = self._scanned = ""
        self._made_of: tuple[object, ...] = ()
        self._view: ChecklistView | None = None
        self.planes: tuple[str, ...] = ()

    def begin(self, model_planes: tuple[str, ...], choice: str) -> None:
        """Of a session whose model knows these planes from now on, and of this protocol."""
        self.planes, self._made_of, self._view, self.choice = model_planes, (), None, choice
        self.shown = self._scanned = ""

    @property
    def protocol(self) -> Protocol | None:
        """That is shown."""
        return self._protocols.follow(self.choice, self.planes)

    def view(self, snapshot: ReviewSnapshot, model: ModelEntry, time_s: float = 0.0) -> ChecklistView | None:
        """What the panel shows, `time_s` being that of the frame that is shown; None without a protocol."""
        protocol, fetuses = self.protocol, snapshot.fetuses or ONE
        if (scanned := fetuses.at(time_s)) != self._scanned or self.shown not in fetuses.letters:
            self._scanned, self.shown = scanned, ""
        made_of = (protocol, snapshot.planes, snapshot.items, fetuses.letters, scanned, self.shown)
        if made_of != self._made_of:
            self._made_of, self._view = made_of, None
            if protocol is not None:
                states = session_checklists(protocol, model, snapshot.planes, snapshot.items, fetuses.letters)
                self._view = of_several(states, self.shown, scanned, self.planes, model.thresholds.enter)
        return self._view

    def word(self, item_id: str, reason: str | None) -> SetItem | None:
        """The change that says that an item is not possible, and why; with None, that it is after all."""
        protocol = self.protocol
        fetus = "" if self._view is None else self._view.fetus
        return None if protocol is None else word_on(protocol, item_id, reason, fetus)

    def name_of(self, item_id: str) -> str:
        """The class name under which a plane is added for an item: the model's, if it knows one."""
        protocol = self.protocol
        item = None if protocol is None else protocol.item(item_id)
        return "" if protocol is None or item is None else protocol.name_by_hand(item, self.planes)
