"""How far the checklist of a session is, session after session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semc_core.errors import ProtocolError
from semc_core.protocols.checklist import session_checklists
from semc_core.protocols.fitting import fitting_protocol
from semc_core.protocols.loader import ProtocolBook, load_protocols
from semc_core.protocols.protocol import Protocol
from semc_core.session.records import ItemEntry, ModelEntry
from semc_core.session.session import Session


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one session's checklist is.

    Attributes:
        title: Of the protocol that a person's words in the session are on, or that its model is for; or "".
        settled: Of how many of its required items nothing is left to do, those of all fetuses together.
        required: How many those are; 0 without a protocol.
    """

    title: str = ""
    settled: int = 0
    required: int = 0


class Standings:
    """Knows the protocols, and which is for which model; for one thread."""

    def __init__(self) -> None:
        """Read the protocols; where they cannot be read, no session has one."""
        try:
            self._book = load_protocols()
        except ProtocolError:
            self._book = ProtocolBook(())  # The window says so.
        self._fitting: dict[tuple[str, ...], Protocol | None] = {}

    def of(self, session: Session) -> Standing:
        """How far the checklist of an open session is."""
        words, model = session.items(), session.model
        protocol = self._protocol(model, words)
        if protocol is None:
            return Standing()
        lists = session_checklists(protocol, model, session.planes(), words, session.fetuses().letters)
        rows = [row for one in lists for row in one.required]
        return Standing(protocol.title, sum(row.settled for row in rows), len(rows))

    def protocol_of(self, session: Session) -> Protocol | None:
        """The protocol that a person's words in the session are on, or that its model is for; or None."""
        return self._protocol(session.model, session.items())

    def _protocol(self, model: ModelEntry, words: Sequence[ItemEntry]) -> Protocol | None:
        """That of a person's words, newest last; else the one that the model is for."""
        said = (self._book.get(word.protocol_id) for word in reversed(words))
        if (protocol := next((each for each in said if each is not None), None)) is not None:
            return protocol
        names = tuple(name for name in model.classes if name != model.none_class)
        if names not in self._fitting:
            self._fitting[names] = fitting_protocol(self._book, names)
        return self._fitting[names]
