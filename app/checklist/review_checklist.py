"""The checklist of the session in review: from its planes and a person's words. No Qt here."""

from __future__ import annotations

from app.checklist.controller import Protocols
from app.checklist.presenter import ChecklistView, checklist_view, word_on
from app.review.presenter import ReviewSnapshot
from semc_core.protocols.checklist import session_checklist
from semc_core.protocols.protocol import Protocol
from semc_core.session.changes import SetItem
from semc_core.session.records import ModelEntry


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
