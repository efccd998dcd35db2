"""Being connected to: a server for associations that listens to known addresses only, and reads with bounds.

`semc serve` is one; another waits for what a server says of objects that it was sent.
"""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from socketserver import BaseServer
from typing import Any, Final, cast

from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

_log = logging.getLogger(__name__)

_MOST_PDU: Final = 1_048_576
"""Of any PDU: a request for an association may be larger than the rest."""
_PIECE: Final = 65_536
_HANDSHAKE_S: Final = 10.0
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


class LimitedMessages(DIMSEServiceProvider):
    """Puts messages together, none of which is too large; waits for one as long as something of it comes.

    Attributes:
        endless: Whether the association was broken off for a message that is too large.
    """

    def __init__(
        self, association: Association, most_bytes: int, slowest_bytes_per_s: float | None = None
    ) -> None:
        """For an association that begins now.

        Args:
            association: It.
            most_bytes: Of one message.
            slowest_bytes_per_s: Of the line: a message that comes more slowly is waited for no longer. None
                for as long as something of it comes.
        """
        super().__init__(association)
        self._most_bytes = most_bytes
        self._slowest_bytes_per_s = slowest_bytes_per_s
        self._received = self._pieces = 0
        self.endless = self._broken = False

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take a piece. Called on the network's thread of the association."""
        if self._broken:
            return
        self._pieces += 1
        self._received += sum(len(value) for _, value in primitive.presentation_data_value_list)
        if self._received > self._most_bytes:
            self.endless = True
            _log.warning("An association was broken off: a message of it does not end.")
            self._break_off()
            return
        try:
            super().receive_primitive(primitive)
        except Exception:  # noqa: BLE001 - the boundary of what a stranger sends; it would end the thread
            _log.warning("An association was broken off: a message of it cannot be understood.")
            self._break_off()
            return
        if self.message is None:
            self._received = 0

    def _break_off(self) -> None:
        self._broken = True
        self.dul.event_queue.put(_INVALID_PDU)

    def get_msg(self, block: bool = False) -> Any:
        """The next message, and the number of its context; nothing where none comes.

        The longest wait is that from piece to piece: nobody knows how large a message will be.
        """
        begin_s = time.monotonic()
        while True:
            before = self._pieces
            found = super().get_msg(block)
            if found != (None, None) or not block or self._pieces == before or self._broken:
                return found
            slowest = self._slowest_bytes_per_s
            if slowest is not None and time.monotonic() - begin_s > (
                (self.dimse_timeout or 0) + self._received / slowest
            ):
                return found


class GuardedServer(ThreadedAssociationServer):
    """Takes connections from known addresses, a bounded number at a time; their handshake holds up nobody."""

    daemon_threads = True
    tls: ssl.SSLContext | None
    may_connect: Callable[[str], bool]
    most_connections: int
    stranger = "no server that it waits for has that address"

    def guard(self, tls: ssl.SSLContext | None, may_connect: Callable[[str], bool], most: int) -> None:
        """Before it serves.

        Args:
            tls: Secures connections; None for connections in the clear.
            may_connect: Whether anybody may connect from an address.
            most: Connections at a time, with those that are no associations yet.
        """
        self.tls, self.may_connect, self.most_connections = tls, may_connect, most
        self._entering = 0
        self._lock = threading.Lock()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether a connection is listened to."""
        address = str(client_address[0])
        if not self.may_connect(address):
            _log.warning("A connection from %s was closed: %s.", address, self.stranger)
            return False
        with self._lock:
            if self._entering + len(self.active_associations) >= self.most_connections:
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


class GuardedHandler(RequestHandler):
    """Makes an association of a connection, on a thread of its own."""

    def handle(self) -> None:
        """Secure the connection where that is wanted, and let the association begin."""
        server = cast(GuardedServer, self.server)
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


def server_context(certificate: str, key: str | None, authority: str) -> ssl.SSLContext:
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
