"""The storage provider: takes associations of known senders, and hands what comes to the intake."""

from __future__ import annotations

import logging
import ssl
import threading
from pathlib import Path
from typing import Any, Final, cast

from pydicom.uid import UID
from pynetdicom import AE, evt

from semc_core.errors import UsageError
from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.pacs.association import shut_down
from semc_core.pacs.listening import server_context
from semc_core.pacs.quiet import silence
from semc_core.pacs.syntaxes import KINDS, SYNTAXES
from semc_core.serve.allowed import may_connect, refusal
from semc_core.serve.arrival import Arrival
from semc_core.serve.intake import NOT_UNDERSTOOD, SUCCESS, Intake
from semc_core.serve.pace import Pace
from semc_core.serve.settings import ServerTls, ServeSettings
from semc_core.serve.wire import LARGEST_PDU, BoundedHandler, BoundedMessages, BoundedServer
from semc_core.version import VERSION

silence()
_log = logging.getLogger(__name__)
_VERIFICATION: Final = "1.2.840.10008.1.1"
_MOST_NAMED: Final = 5
_REQUEST_S: Final = 10.0
"""Longest wait until a connection asks for an association."""
_LOOK_S: Final = 0.2
"""How soon the end is noticed."""
_STOP_S: Final = 30.0


class Receiver:
    """Receives from construction to `close`."""

    def __init__(self, settings: ServeSettings, intake: Intake, incoming: Path) -> None:
        """Listen.

        Args:
            settings: Where, and to whom.
            intake: Takes what comes.
            incoming: Folder of what is on its way.

        Raises:
            UsageError: The address cannot be listened at, or the certificates cannot be used.
        """
        self._settings = settings
        self._intake = intake
        self._pace = Pace(settings.limits.objects_per_minute)
        self._stopping = threading.Event()
        tls = None if settings.tls is None else _context(settings.tls)
        entity = _entity(settings)
        try:
            server = entity.make_server(
                (settings.host, settings.port),
                evt_handlers=self._handlers(),
                server_class=BoundedServer,
                request_handler=BoundedHandler,
            )
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"Nobody can listen at {settings.host}, port {settings.port}; another program may do so "
                "already, or it is no address of this machine."
            ) from error
        self._server = cast(BoundedServer, server)
        self._server.set_bounds(
            incoming, settings.limits, tls, lambda address: may_connect(self._settings, address)
        )
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(_LOOK_S), name="serve receiver", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """At which it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Take no more. What has not come to its end is not kept, and its sender is not told that it was."""
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        for association in self._server.active_associations:
            # It may wait for the rest of a PDU; that wait ends here.
            connection = cast(Any, association.dul.socket).socket
            if connection is not None:
                shut_down(connection)
            association.join(_STOP_S)

    def _handlers(self) -> list[Any]:
        return [
            (evt.EVT_REQUESTED, self._requested),
            (evt.EVT_REJECTED, self._rejected),
            (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]

    def _requested(self, event: Any) -> None:
        association = event.assoc
        request = association.requestor.primitive
        why = refusal(
            self._settings,
            str(request.called_ae_title),
            str(request.calling_ae_title),
            str(association.requestor.address),
        )
        if why is None:
            return
        _log.warning("An association was refused: %s", why.sentence)
        association.acse.send_reject(*why.code)
        association.kill()

    def _rejected(self, event: Any) -> None:
        """By the library itself."""
        _log.warning(
            "An association with %s was refused for now: there are %d already.",
            str(event.assoc.requestor.address),
            self._settings.limits.associations,
        )

    def _accepted(self, event: Any) -> None:
        """Say what of it is not received; the sender is told by the library."""
        kinds = sorted({UID(str(one.abstract_syntax)).name for one in event.assoc.rejected_contexts})
        if kinds:
            _log.warning(
                "%s offers what is not received here: %s.",
                str(event.assoc.requestor.address),
                ", ".join(kinds[:_MOST_NAMED]),
            )

    def _store(self, event: Any) -> int:
        arrival = event.request.DataSet
        if not isinstance(arrival, Arrival):
            return NOT_UNDERSTOOD
        # A sender that is too fast waits for its answer, and loses nothing.
        self._stopping.wait(self._pace.wait_s())
        try:
            status = self._intake.take(arrival, str(event.assoc.requestor.ae_title).strip())
            # The sender was silent because it waits for this answer.
            event.assoc.dul._idle_timer.restart()
            return status
        except Exception as error:  # noqa: BLE001 - the boundary of one object
            # The type only: what libraries say quotes data sets.
            _log.error("An object could not be taken: %s", type(error).__name__)
            arrival.discard()
            return NOT_UNDERSTOOD

    @staticmethod
    def _closed(event: Any) -> None:
        messages = event.assoc.dimse
        if isinstance(messages, BoundedMessages):
            messages.discard()
        if event.assoc.requestor.primitive is None:
            # Else it would count as an association until its time to ask for one is over.
            event.assoc.dul.to_user_queue.put(None)


def _entity(settings: ServeSettings) -> AE:
    entity = AE(ae_title=settings.title)
    entity.implementation_class_uid = UID(IMPLEMENTATION_UID)
    entity.implementation_version_name = f"SEMC_{VERSION}"[:16]
    entity.maximum_associations = settings.limits.associations
    entity.maximum_pdu_size = LARGEST_PDU
    entity.acse_timeout = min(_REQUEST_S, settings.limits.idle_s)
    entity.dimse_timeout = entity.network_timeout = settings.limits.idle_s
    for kind in KINDS:
        entity.add_supported_context(kind, list(SYNTAXES))
    entity.add_supported_context(_VERIFICATION)
    return entity


def _context(tls: ServerTls) -> ssl.SSLContext:
    try:
        return server_context(tls.certificate, tls.key, tls.ca)
    except (OSError, ValueError) as error:
        raise UsageError(
            "The certificates of the settings cannot be used; give PEM files, the key without a password."
        ) from error
