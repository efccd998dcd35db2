"""The network side of receiving, bounded: what pynetdicom takes without an end has one here.

A connection may be silent only so long, one PDU has a largest size, a message a largest number of bytes, and
an association a longest time. What comes of a data set goes to the disk piece by piece.
"""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from socketserver import BaseServer
from typing import Any, Final, cast

from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from semc_core.serve.arrival import Arrival, Heading, Malformed
from semc_core.serve.settings import Limits

_log = logging.getLogger(__name__)

LARGEST_PDU: Final = 262_144
"""Bytes that senders are asked to keep to."""
_MOST_PDU: Final = 1_048_576
"""Of any PDU: a request for an association may be larger than the rest."""
_MOST_COMMAND: Final = 65_536
_MOST_UNANSWERED: Final = 4
"""Messages of one association; senders are to wait for each answer."""
_PIECE: Final = 65_536
_HANDSHAKE_S: Final = 10.0
_MORE_CONNECTIONS: Final = 8
"""Connections beyond the associations that are allowed: they are told so instead of being cut."""
_MB: Final = 10**6
_INVALID_PDU: Final = "Evt19"
"""What ends an association with an A-ABORT, in the tables of PS3.8."""


class BoundedReading:
    """Reads from a connection in place of the library: waits for a PDU only so long, takes none too large."""

    def __init__(self, connection: socket.socket, idle_s: float) -> None:
        """Read from `connection`."""
        self._connection = connection
        self._idle_s = idle_s

    def __call__(self, count: int) -> bytearray:
        """So many bytes; fewer where the connection ends.

        Raises:
            OSError: It takes too long, or they are too many.
        """
        if count > _MOST_PDU:
            raise OSError("too large")
        end_s = time.monotonic() + self._idle_s
        received = bytearray()
        while len(received) < count:
            # At the end of the time there is one look more, which does not wait.
            self._connection.settimeout(max(0.001, end_s - time.monotonic()))
            piece = self._connection.recv(min(count - len(received), _PIECE))
            if not piece:
                break
            received += piece
        # A sender that does not read its answers would hold the thread for ever.
        self._connection.settimeout(self._idle_s)
        return received


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


class BoundedServer(ThreadedAssociationServer):
    """Takes connections from known addresses, a bounded number at a time; their handshake holds up nobody."""

    daemon_threads = True
    incoming: Path
    limits: Limits
    tls: ssl.SSLContext | None
    may_connect: Callable[[str], bool]

    def set_bounds(
        self, incoming: Path, limits: Limits, tls: ssl.SSLContext | None, may_connect: Callable[[str], bool]
    ) -> None:
        """Before it serves."""
        self.incoming, self.limits, self.tls, self.may_connect = incoming, limits, tls, may_connect
        self._entering = 0
        self._lock = threading.Lock()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether a connection is listened to."""
        address = str(client_address[0])
        if not self.may_connect(address):
            _log.warning(
                "A connection from %s was closed: no sender of the settings has that address.", address
            )
            return False
        with self._lock:
            if self._entering + len(self.active_associations) >= (
                self.limits.associations + _MORE_CONNECTIONS
            ):
                _log.warning("A connection from %s was closed: there are too many already.", address)
                return False
            self._entering += 1
        return True

    def entered(self) -> None:
        """A connection has become an association, or nothing."""
        with self._lock:
            self._entering -= 1

    def shutdown(self) -> None:
        """Listen no more. The library's own takes it off a list that it was never put on."""
        BaseServer.shutdown(self)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection could not be served; the library would print how."""
        fault = sys.exc_info()[0]
        what = "" if fault is None else fault.__name__
        _log.error("A connection from %s could not be served: %s", str(client_address[0]), what)


class BoundedHandler(RequestHandler):
    """Makes an association of a connection, on a thread of its own."""

    def handle(self) -> None:
        """Secure the connection where that is wanted, and let the association begin."""
        server = cast(BoundedServer, self.server)
        try:
            if server.tls is None or self._secure(server.tls):
                super().handle()
        finally:
            server.entered()

    def _secure(self, context: ssl.SSLContext) -> bool:
        address = str(self.client_address[0])
        plain: socket.socket = self.request
        plain.settimeout(_HANDSHAKE_S)
        try:
            self.request = context.wrap_socket(plain, server_side=True)
        except ssl.SSLError as error:
            _log.warning(
                "A connection from %s was closed: %s (%s).",
                address,
                _why_unsecured(error),
                error.reason or "",
            )
        except OSError:
            _log.warning("A connection from %s was closed: it did not finish its TLS handshake.", address)
        else:
            return True
        self.server.shutdown_request(plain)
        return False

    def _create_association(self) -> Association:
        """As that of the library, with bounds."""
        server = cast(BoundedServer, self.server)
        association = super()._create_association()
        reading = BoundedReading(self.request, server.limits.idle_s)
        cast(Any, association.dul.socket).recv = reading
        association.dimse = BoundedMessages(association, server.incoming, server.limits)
        return association


def _why_unsecured(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in reason:
        return "the sender shows no certificate; have it use one that the settings' CA signed"
    if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE" in reason:
        return (
            "the sender's certificate is not one that the settings' CA signed, or is not valid today; look "
            "at it, and at the clocks"
        )
    return "it does not speak TLS as this service does"


def server_context(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """TLS 1.2 or later, only for senders with a certificate of the authority.

    Raises:
        OSError, ssl.SSLError, ValueError: A file cannot be used.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    # Without the password it would ask on the terminal.
    context.load_cert_chain(certificate, key, password="")
    return context
