"""The two panels of the checklist, beside the scan and beside the review, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from PySide6.QtCore import QObject, Signal, SignalInstance
from PySide6.QtWidgets import QWidget

from app.checklist.contents import ReviewChecklist, ScanChecklist, name_for
from app.checklist.panel import ChecklistPanel
from app.checklist.presenter import REASONS
from app.checklist.protocol_choice import ProtocolChoice
from app.checklist.reason_dialog import ReasonDialog
from app.checklist.references import References
from app.choices import Choices
from app.settings import Settings
from app.tasks import Background, Post
from app.view_data import DraggedPlane, Reference, ReviewSnapshot
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.live import LivePipeline
from semc_core.protocols.protocol import Protocol
from semc_core.session.records import ModelEntry
from semc_core.session.session import Session
from semc_core.types import SavedPlane

Say = Callable[[str, str | None], None]
"""Takes the id of an item and why it is not possible; None takes it back."""

_NOTHING: Final = -1


class ChecklistController(QObject):
    """Fills the panels, and asks for what is done in other features.

    Signals:
        protocol_changed: Another protocol is followed from the next scan on: its id.
        note_changed: What the model knows of it, a sentence or "", and whether that is a warning.
        live_plane_wanted: The plane of the scan with this number is to be shown.
        review_row_chosen: The number of the plane in review that shows an item, and the name of the item's.
        add_wanted: The frame in review is to be added under this name.
        live_plane_named: The plane of the scan with this number is to be called so, and to be of the fetus of
            this letter; "" leaves that as it is.
        review_plane_named: The same of the session in review.
        word_given: A person's word on an item in review, a `SetItem`.
        folded: The user closed the panels, or opened them.
        message: What went wrong, a sentence.

    Attributes:
        choice: Which protocol the next scan follows. A scan and a review keep the one they were begun with.
        live: The panel beside the scan.
        review: The panel beside the review.
    """

    protocol_changed = Signal(str)
    note_changed = Signal(str, bool)
    live_plane_wanted = Signal(int)
    review_row_chosen = Signal(int, str)
    add_wanted = Signal(str)
    live_plane_named = Signal(int, str, str)
    review_plane_named = Signal(int, str, str)
    word_given = Signal(object)
    folded = Signal(bool)
    message = Signal(str)

    def __init__(self, settings: Settings, choices: Choices, post: Post, window: QWidget) -> None:
        """Open or closed as the user left them.

        Args:
            settings: Where that is remembered.
            choices: Which protocol is followed.
            post: See `app.tasks`.
            window: What the question for a reason stands over.
        """
        super().__init__(window)
        self._window, self._settings = window, settings
        self.choice = ProtocolChoice(choices, post)
        self.choice.on_note = lambda: self.note_changed.emit(*self.choice.note)
        self.live, self.review = ChecklistPanel(), ChecklistPanel(can_add=True)
        self._scan = ScanChecklist(self.choice, post, self.message.emit)
        self._session = ReviewChecklist(self.choice)
        self._pictures = Background("reference-pictures", post)
        self._references = References(self._pictures), References(self._pictures)
        for panel, shown in ((self.live, self._scan), (self.review, self._session)):
            panel.protocol_chosen.connect(lambda key, p=panel, s=shown: self._follow_here(p, s, key))
            panel.fetus_chosen.connect(lambda letter, p=shown: setattr(p, "shown", letter))
            panel.toggled.connect(lambda shown=panel: self.fold(shown.closed_by_user))
            panel.show_choices(self.choice.choices, self.choice.choice)
            panel.fold(settings.checklist_folded)
        self.live.row_chosen.connect(lambda item: self.live_plane_wanted.emit(_plane_of(self.live, item)))
        self.live.word_taken_back.connect(lambda item: self.say_of_scan(item, None))
        self.live.word_wanted.connect(lambda item: self._ask_why(self._scan.protocol, item, self.say_of_scan))
        self.live.plane_dropped.connect(lambda *said: self._name(self.live, self.live_plane_named, *said))
        self.review.plane_dropped.connect(
            lambda *said: self._name(self.review, self.review_plane_named, *said)
        )
        self.review.row_chosen.connect(
            lambda item: self.review_row_chosen.emit(
                _plane_of(self.review, item), self._session.name_of(item)
            )
        )
        self.review.add_wanted.connect(lambda item: self.add_wanted.emit(self._session.name_of(item)))
        self.review.word_taken_back.connect(lambda item: self.say_of_review(item, None))
        self.review.word_wanted.connect(
            lambda item: self._ask_why(self._session.protocol, item, self.say_of_review)
        )

    def follow(self, protocol_id: str) -> None:
        """Follow this protocol from the next scan on."""
        self.choice.choose(protocol_id)
        self.protocol_changed.emit(protocol_id)

    def protocol_of_scan(self, model_planes: Collection[str]) -> Protocol | None:
        """The one that the scan follows with a model that knows these planes. For any thread."""
        return self.choice.follow(self._scan.choice, model_planes)

    def names_of_scan(self, model_planes: tuple[str, ...]) -> tuple[str, ...]:
        """The planes that the scan's protocol asks for, as they are called by hand; () without one."""
        protocol = self.protocol_of_scan(model_planes)
        if protocol is None:
            return ()
        return tuple(protocol.name_by_hand(item, model_planes) for item in protocol.items)

    def protocol_of_review(self, model_planes: Collection[str]) -> Protocol | None:
        """The one that the review follows with a model that knows these planes. For any thread."""
        return self.choice.follow(self._session.choice, model_planes)

    def reference_of_scan(self, plane: str) -> Reference:
        """How a plane should look by the protocol of the scan; it is asked for often."""
        return self._references[0].of(self._scan.protocol, plane, self._scan.planes)

    def reference_of_review(self, plane: str) -> Reference:
        """The same by that of the review."""
        return self._references[1].of(self._session.protocol, plane, self._session.planes)

    def fold(self, on: bool) -> None:
        """Close both panels, or open them; that is remembered."""
        self._settings.checklist_folded = on
        for panel in (self.live, self.review):
            panel.fold(on)
        self.folded.emit(on)

    def begin_scan(self, pipeline: LivePipeline[Session], protocol_id: str) -> None:
        """Beside the scan, the checklist is this one's from now on, which was begun with that protocol."""
        self._scan.begin(pipeline, protocol_id)
        self.live.show_choices(self.choice.choices, protocol_id)

    def go_on(self, same: bool, letters: Mapping[int, str]) -> None:
        """The scan goes on with the examination of the one before, or does not.

        `letters` are those of the fetuses of its planes, by number, where there are several.
        """
        self._scan.go_on(same, letters)

    def show_scan(self, saved: tuple[SavedPlane, ...], spec: ModelSpec | None) -> None:
        """Show what was saved so far; `spec` is of the model, None until it is loaded."""
        self.live.show_view(self._scan.view(saved, spec))

    def begin_review(self, model_planes: tuple[str, ...], looking_only: bool, of_scan: bool) -> None:
        """Beside the review, it is that of a session whose model knows these planes from now on.

        Args:
            model_planes: Of the model.
            looking_only: Nothing can be changed in it.
            of_scan: The session is that of the scan, whose protocol it keeps.
        """
        followed = self._scan.choice if of_scan else self.choice.choice
        self._session.begin(model_planes, followed)
        self.review.show_choices(self.choice.choices, followed)
        self.review.looking_only = looking_only
        self.review.show_view(None)

    def show_review(self, snapshot: ReviewSnapshot, model: ModelEntry, time_s: float = 0.0) -> None:
        """Show how the session in review stands, where the frame at `time_s` is shown."""
        self.review.show_view(self._session.view(snapshot, model, time_s))

    def say_of_scan(self, item_id: str, reason: str | None) -> None:
        """An item is not possible in this scan, and why; with None, it is after all."""
        self._scan.say(item_id, reason)

    def say_of_review(self, item_id: str, reason: str | None) -> None:
        """An item is not possible in the session in review, and why; with None, it is after all."""
        change = self._session.word(item_id, reason)
        if change is not None:
            self.word_given.emit(change)

    def close(self) -> None:
        """Wait for what is under way."""
        self._scan.close()
        self.choice.close()
        self._pictures.close(forget=True)

    def _name(self, panel: ChecklistPanel, told: SignalInstance, item_id: str, plane: DraggedPlane) -> None:
        """A card was dropped on an item of the list that is shown."""
        shown = self._scan if panel is self.live else self._session
        protocol, view = shown.protocol, panel.view
        if protocol is not None and view is not None:
            name = name_for(protocol, item_id, plane.plane, shown.planes or ())
            told.emit(plane.plane_id, name, view.fetus)

    def _follow_here(self, panel: ChecklistPanel, shown: ScanChecklist | ReviewChecklist, key: str) -> None:
        """What is chosen beside a scan is that scan's, and that of the next."""
        shown.choice = key
        panel.show_choices(self.choice.choices, key)
        self.follow(key)

    def _ask_why(self, protocol: Protocol | None, item_id: str, say: Say) -> None:
        item = None if protocol is None else protocol.item(item_id)
        if item is not None:
            dialog = ReasonDialog(_(item.title), REASONS, self._window)
            dialog.answered.connect(lambda words: say(item_id, words))
            # Not every desktop gives the keys back to the window by itself.
            dialog.finished.connect(lambda result: self._window.activateWindow())
            dialog.open()


def _plane_of(panel: ChecklistPanel, item_id: str) -> int:
    """The number of the plane that shows an item."""
    rows = () if panel.view is None else panel.view.rows
    found = (row.plane_id for row in rows if row.item_id == item_id and row.plane_id is not None)
    return next(found, _NOTHING)
