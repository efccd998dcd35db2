"""An association for asking a server to keep for good what it was sent (N-ACTION)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Final

from pynetdicom import build_context, evt

from semc_core.pacs.association import UNCOMPRESSED, VERIFICATION, AssociationFault, DicomAssociation
from semc_core.pacs.commitment.reports import (
    REQUEST,
    STORAGE_COMMITMENT,
    WELL_KNOWN,
    Report,
    answer,
    request_of,
)
from semc_core.pacs.destinations import Destination
from semc_core.pacs.queue_store import DicomObject

_FOR_GOOD: Final = (0x0118, 0x0122, 0x0123, 0x0124)
"""Statuses that say that it never takes such a question: of this kind, or from this program."""


class CommitmentAssociation(DicomAssociation):
    """An open association. What the server says over it is taken on a thread of its own."""

    def __init__(
        self,
        destination: Destination,
        take: Callable[[Report], bool],
        closed: Callable[[], None],
        opened: Callable[[socket.socket], None] | None = None,
    ) -> None:
        """Connect.

        Args:
            destination: The server.
            take: Takes what it says; returns whether that was asked.
            closed: Told when the connection is at its end.
            opened: Told of the connection once there is one: shutting it down ends any wait.

        Raises:
            AssociationFault: It cannot be reached, refuses, or has no storage commitment.
        """
        # Verification is among them, so that a server without it accepts, and it is told apart.
        contexts = [build_context(each, list(UNCOMPRESSED)) for each in (STORAGE_COMMITMENT, VERIFICATION)]
        handlers: list[evt.EventHandlerType] = [
            (evt.EVT_N_EVENT_REPORT, lambda event: answer(event, take)),
            (evt.EVT_CONN_CLOSE, lambda event: closed()),
        ]
        super().__init__(destination, contexts, opened=opened, handlers=handlers)
        without = f"{destination.name} answers, but has no storage commitment here; switch it off for it."
        self._need(STORAGE_COMMITMENT, AssociationFault(without, permanent=True))

    @property
    def is_open(self) -> bool:
        """Whether the server can still say something over it."""
        return bool(self._association.is_established)

    def ask(self, transaction: str, objects: Sequence[DicomObject]) -> None:
        """Ask it to keep these for good, under this UID.

        Raises:
            AssociationFault: The connection was lost, or it does not take the question.
        """
        question = request_of(transaction, objects)
        status = self._asked(
            lambda: self._association.send_n_action(
                question, REQUEST, STORAGE_COMMITMENT, WELL_KNOWN, self._next_message()
            )[0]
        )
        if status:
            sentence = f"{self._server} does not take the question whether it keeps objects ({status:04X})."
            raise AssociationFault(sentence, permanent=status in _FOR_GOOD)
