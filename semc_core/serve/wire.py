"""The network side of receiving, bounded: what pynetdicom takes without an end has one here.

A connection may be silent only so long, one PDU has a largest size, a message a largest number of bytes, and
an association a longest time. What comes of a data set goes to the disk piece by piece.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.pdu_primitives import P_DATA

from semc_core.pacs.listening import BoundedReading, GuardedHandler, GuardedServer
from semc_core.serve.arrival import Arrival, Heading, Malformed
from semc_core.serve.settings import Limits

_log = logging.getLogger(__name__)

LARGEST_PDU: Final = 262_144
"""Bytes that senders are asked to keep to."""
_MOST_COMMAND: Final = 65_536
_MOST_UNANSWERED: Final = 4
"""Messages of one association; senders are to wait for each answer."""
_MORE_CONNECTIONS: Final = 8
"""Connections beyond the associations that are allowed: they are told so instead of being cut."""
_MB: Final = 10**6
_INVALID_PDU: Final = "Evt19"
"""What ends an association with an A-ABORT, in the tables of PS3.8."""


class BoundedMessages(DIMSEServiceProvider):
    """Puts messages together of what comes, each data set on the disk, none without an end."""

    def __init__(self, association: Association, incoming: Path, limits: Limits) -> None:
        """For an association that begins now."""
        super().__init__(association)
        self._incoming = incoming
        self._limits = limits
        self._end_s = time.monotonic() + limits.longest_s
        self._arrival: Arrival | None = None
        self._broken = False

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take a piece. Called on the network's thread of the association."""
        if self._broken:
            return
        problem = self._problem()
        if not problem:
            try:
                super().receive_primitive(primitive)
            except Malformed:
                problem = "it sends what is no object"
            except Exception as error:  # noqa: BLE001 - the boundary of what a stranger sends
                # The type only: what the library says quotes what was sent.
                problem = f"it sends what is no message ({type(error).__name__})"
        if problem:
            self._broken = True
            self.discard()
            _log.warning("An association with %s was broken off: %s.", _who(self.assoc), problem)
            self.dul.event_queue.put(_INVALID_PDU)

    def discard(self) -> None:
        """Nothing is kept of a message that has not come to its end."""
        if self.message is not None and self._arrival is not None:
            self._arrival.discard()

    def _problem(self) -> str:
        """Why it goes no further; else a new message is begun where one is due."""
        if time.monotonic() > self._end_s:
            return f"it lasted longer than {self._limits.longest_s:g} s"
        if self.message is None:
            if self.msg_queue.qsize() >= _MOST_UNANSWERED:
                return "it sends without waiting for answers"
            self.message = message = DIMSEMessage()
            self._arrival = Arrival(
                self._incoming, self._limits.object_mb * _MB, lambda: self._heading(message)
            )
            message.data_set = self._arrival
        if self._arrival is not None and self._arrival.endless:
            return "an object of it does not end"
        if self.message.encoded_command_set.tell() > _MOST_COMMAND:
            return "a command of it does not end"
        return ""

    def _heading(self, message: DIMSEMessage) -> Heading:
        context = self.assoc._accepted_cx.get(message.context_id or 0)
        if context is None or not isinstance(message, C_STORE_RQ):
            raise Malformed
        command = cast(Any, message.command_set)
        return Heading(
            str(command.AffectedSOPClassUID), str(command.AffectedSOPInstanceUID),
            str(context.transfer_syntax[0]),
        )  # fmt: skip


def _who(association: Association) -> str:
    """Address of the sender."""
    return str(association.requestor.address)


class BoundedServer(GuardedServer):
    """Takes connections of known senders, a bounded number at a time."""

    incoming: Path
    limits: Limits
    stranger = "no sender of the settings has that address"

    def set_bounds(
        self, incoming: Path, limits: Limits, tls: ssl.SSLContext | None, may_connect: Callable[[str], bool]
    ) -> None:
        """Before it serves."""
        self.incoming, self.limits = incoming, limits
        self.guard(tls, may_connect, limits.associations + _MORE_CONNECTIONS)


class BoundedHandler(GuardedHandler):
    """Makes an association with bounds of a connection."""

    def _create_association(self) -> Association:
        """As that of the library, with bounds."""
        server = cast(BoundedServer, self.server)
        association = super()._create_association()
        reading = BoundedReading(self.request, server.limits.idle_s)
        cast(Any, association.dul.socket).recv = reading
        association.dimse = BoundedMessages(association, server.incoming, server.limits)
        return association
