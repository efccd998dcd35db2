"""Hearing a server that says over a connection of its own whether it keeps what it was sent.

Listened to are the servers that are waited for alone: at the address by which this machine reaches them, from
their addresses, under their AE titles. Nothing but such an answer is taken.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.association import Association

from semc_core.errors import PacsError
from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.pacs.association import SUCCESS, UNCOMPRESSED, VERIFICATION, shut_down
from semc_core.pacs.commitment.reports import STORAGE_COMMITMENT, Report, answer
from semc_core.pacs.destinations import Destination, Tls
from semc_core.pacs.listening import (
    BoundedReading,
    GuardedHandler,
    GuardedServer,
    LimitedMessages,
    server_context,
)
from semc_core.pacs.quiet import silence
from semc_core.version import VERSION

silence()
_log = logging.getLogger(__name__)

MOST_BYTES: Final = 4 * 10**6
"""Of one message: ten thousand objects need less."""
_ASSOCIATIONS: Final = 4
_MORE_CONNECTIONS: Final = 4
_IDLE_S: Final = 30.0
_LOOK_S: Final = 0.2
"""How soon the end is noticed."""
_STOP_S: Final = 30.0
_CALLING_UNKNOWN: Final = (1, 1, 3)
_CALLED_UNKNOWN: Final = (1, 1, 7)


@dataclass(frozen=True, slots=True)
class Place:
    """Where this machine is reached.

    Attributes:
        address: Of this machine.
        port: At it.
        tls: How connections are secured; None for connections in the clear.
    """

    address: str
    port: int
    tls: Tls | None


def place_for(server: Destination) -> Place:
    """Where this machine is reached by a server: at the address by which it reaches that.

    Raises:
        OSError: There is no such host, or no way to it.
    """
    assert server.commitment_port is not None
    family, _, _, _, address = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        # Nothing is sent by that.
        probe.connect(address)
        return Place(str(probe.getsockname()[0]), server.commitment_port, server.tls)


Take = Callable[[Collection[str], Report], bool]
"""Takes what the servers of these names say; returns whether that was asked."""


class ReportListener:
    """Listens from construction to `close`."""

    def __init__(self, place: Place, servers: Sequence[Destination], take: Take) -> None:
        """Listen.

        Args:
            place: Where.
            servers: To whom.
            take: Takes what they say, on a thread of the connection.

        Raises:
            PacsError: Nobody can listen there, or the certificates cannot be used.
        """
        self.servers = tuple(servers)
        self._take = take
        self._addresses = {each.host: _addresses(each.host) for each in servers}
        entity = AE(ae_title=servers[0].own_title)
        entity.implementation_class_uid = UID(IMPLEMENTATION_UID)
        entity.implementation_version_name = f"SEMC_{VERSION}"[:16]
        entity.maximum_associations = _ASSOCIATIONS
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _IDLE_S
        # The server is the one that provides, though it connects.
        entity.add_supported_context(STORAGE_COMMITMENT, list(UNCOMPRESSED), scu_role=False, scp_role=True)
        entity.add_supported_context(VERIFICATION, list(UNCOMPRESSED))
        handlers = [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_N_EVENT_REPORT, self._reported),
            (evt.EVT_CONN_CLOSE, _closed),
        ]
        tls = None if place.tls is None else _context(place.tls)
        try:
            server = entity.make_server(
                (place.address, place.port),
                evt_handlers=cast(Any, handlers),
                server_class=GuardedServer,
                request_handler=_Handler,
            )
        except (OSError, OverflowError) as error:
            raise PacsError(
                f"Nobody can listen at port {place.port} for answers of {servers[0].name}; another program "
                "may do so already. Choose another port, and have it entered there."
            ) from error
        self._server = cast(GuardedServer, server)
        self._server.guard(tls, self._may_connect, _ASSOCIATIONS + _MORE_CONNECTIONS)
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(_LOOK_S), name="pacs listener", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Listen no more, and wait for the end of what is under way."""
        self._server.shutdown()
        self._thread.join()
        for association in self._server.active_associations:
            connection = cast(Any, association.dul.socket).socket
            if connection is not None:
                shut_down(connection)
            association.join(_STOP_S)

    def _may_connect(self, address: str) -> bool:
        return any(_plain(address) in found for found in self._addresses.values())

    def _known(self, address: str, title: str) -> list[Destination]:
        """The servers that are there, and have this AE title."""
        return [
            each
            for each in self.servers
            if each.title == title and _plain(address) in self._addresses[each.host]
        ]

    def _requested(self, event: Any) -> None:
        association = event.assoc
        request = association.requestor.primitive
        called, calling = str(request.called_ae_title).strip(), str(request.calling_ae_title).strip()
        known = self._known(str(association.requestor.address), calling)
        if any(each.own_title == called for each in known):
            return
        _log.warning(
            'An association of "%s" at %s was refused: it is no server that is waited for, or calls "%s".',
            calling,
            str(association.requestor.address),
            called,
        )
        association.acse.send_reject(*(_CALLED_UNKNOWN if known else _CALLING_UNKNOWN))
        association.kill()

    def _reported(self, event: Any) -> tuple[int, None]:
        requestor = event.assoc.requestor
        names = {each.name for each in self._known(str(requestor.address), str(requestor.ae_title).strip())}
        return answer(event, lambda report: self._take(names, report))


def _closed(event: Any) -> None:
    if event.assoc.requestor.primitive is None:
        # Else it would count as an association until its time to ask for one is over.
        event.assoc.dul.to_user_queue.put(None)


class _Handler(GuardedHandler):
    """Makes an association with bounds of a connection."""

    def _create_association(self) -> Association:
        association = super()._create_association()
        cast(Any, association.dul.socket).recv = BoundedReading(self.request, _IDLE_S)
        association.dimse = LimitedMessages(association, MOST_BYTES)
        return association


def _addresses(host: str) -> frozenset[str]:
    """All that a host has; none where it cannot be found now."""
    try:
        return frozenset(_plain(str(found[4][0])) for found in socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return frozenset()


def _plain(address: str) -> str:
    """Without the zone, and an IPv4 address as such where a socket of both kinds tells it."""
    return address.partition("%")[0].removeprefix("::ffff:")


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        return server_context(tls.certificate or "", tls.key, tls.ca or "")
    except (OSError, ValueError) as error:
        raise PacsError(
            "The program's own certificate or key cannot be used to be answered over TLS; give PEM files "
            "without a password."
        ) from error
