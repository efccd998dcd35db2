"""One DICOM association that this program opens with a server, whatever is asked over it.

What goes wrong becomes a sentence and the answer to one question: is it worth trying again?
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, cast

from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, AssociationSocket

from semc_core.errors import PacsError
from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.pacs.destinations import Destination, SecuredContext, tls_context
from semc_core.pacs.listening import BoundedReading, LimitedMessages
from semc_core.pacs.quiet import silence
from semc_core.pacs.store_status import SLOWEST_BYTES_PER_S
from semc_core.version import VERSION

silence()

VERIFICATION: Final = "1.2.840.10008.1.1"
FIND_ROOT: Final = "1.2.840.10008.5.1.4.1.2.2.1"  # Study Root Query/Retrieve
UNCOMPRESSED: Final = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
SUCCESS: Final = 0x0000
PENDING: Final = (0xFF00, 0xFF01)
MOST_ANSWER_BYTES: Final = 4 * 10**6
"""Of one message of a server that sends no objects."""
_PERMANENT: Final = 1
_REASONS: Final = {
    (1, 3): 'does not know this program as "{own_title}"; have that AE title entered there, or change it',
    (1, 7): 'does not answer to the AE title "{title}"; correct the destination',
    (1, 2): "does not offer DICOM storage at this port; correct the destination",
    (3, 1): "is too busy for another connection",
    (3, 2): "has too many connections already",
}


class AssociationFault(PacsError):
    """There is no connection, or it was lost.

    Attributes:
        permanent: Whether it stays so until somebody changes a setting.
        after_s: So long the server asks not to be asked again, seconds; 0 where it does not say.
    """

    def __init__(self, sentence: str, *, permanent: bool = False, after_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.permanent = permanent
        self.after_s = after_s


class DicomAssociation:
    """An open association. Use as a context; from one thread, but for what `opened` was told of."""

    def __init__(
        self,
        destination: Destination,
        contexts: Sequence[PresentationContext],
        *,
        opened: Callable[[socket.socket], None] | None = None,
        handlers: Sequence[evt.EventHandlerType] = (),
        roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
        most_bytes: int = MOST_ANSWER_BYTES,
    ) -> None:
        """Connect, and agree on what can be asked.

        Args:
            destination: The server.
            contexts: What is proposed.
            opened: Told of the connection once there is one: shutting it down ends any wait for the server.
            handlers: Of events, as the network library takes them.
            roles: Which side provides what, where it is not the server.
            most_bytes: Of one message of the server.

        Raises:
            AssociationFault: The server cannot be reached, or refuses.
        """
        self._destination = destination
        self._socket: socket.socket | None = None
        self._opened = opened
        self._message = 0
        self._answering = threading.Lock()
        self._most_bytes = most_bytes
        entity = _Entity(ae_title=destination.own_title)
        entity.implementation_class_uid = UID(IMPLEMENTATION_UID)
        entity.implementation_version_name = f"SEMC_{VERSION}"[:16]
        entity.connection_timeout = destination.connect_s
        entity.acse_timeout = entity.dimse_timeout = destination.answer_s
        # Only against links that stay open with nothing said: answers have their own time-outs.
        entity.network_timeout = 2 * (destination.answer_s + destination.connect_s)
        secured = tls_context(destination.tls) if destination.tls else None
        try:
            self._association = entity.associate(
                destination.host,
                destination.port,
                contexts=list(contexts),
                ae_title=destination.title,
                tls_args=None if secured is None else (secured.context, destination.host),
                ext_neg=list(roles),
                evt_handlers=[(evt.EVT_CONN_OPEN, self._connected), *handlers],
            )
        except (OSError, UnicodeError) as error:
            raise AssociationFault(
                f'There is no host "{destination.host}"; check its name, and the network.'
            ) from error
        if not self._association.is_established:
            fault = self._why_not(self._association, secured)
            self._shut()
            raise fault

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._association.is_established:
            if error is None:
                with self._answering:
                    self._association.release()
            else:
                self._association.abort()
        self._shut()

    def accepts(self, abstract_syntax: str) -> bool:
        """Whether the server agreed to this."""
        return any(each.abstract_syntax == abstract_syntax for each in self._association.accepted_contexts)

    def _need(self, abstract_syntax: str, otherwise: AssociationFault) -> None:
        """End the association, and raise `otherwise`, where the server did not agree to this."""
        if not self.accepts(abstract_syntax):
            self._association.abort()
            self._shut()
            raise otherwise

    @property
    def _server(self) -> str:
        return self._destination.name

    def _connected(self, event: Any) -> None:
        """There is a connection. A server that stops reading would block it for ever without a time-out."""
        self._socket = event.assoc.dul.socket.socket
        assert self._socket is not None
        self._socket.settimeout(self._destination.answer_s)
        event.assoc.dul.socket.recv = BoundedReading(self._socket, self._destination.answer_s)
        event.assoc.dimse = LimitedMessages(event.assoc, self._most_bytes, SLOWEST_BYTES_PER_S)
        answer = event.assoc._serve_request

        def answer_while_open(message: Any, context_id: int) -> None:
            """An answer must not follow the request to release (PS3.8): what comes then is said again.

            Reports come on threads of their own. The reader itself must not wait: who releases waits for it.
            """
            if threading.current_thread() is event.assoc:
                answer(message, context_id)
                return
            with self._answering:
                if event.assoc.is_established:
                    answer(message, context_id)

        event.assoc._serve_request = answer_while_open
        if self._opened is not None:
            self._opened(self._socket)

    def _shut(self) -> None:
        """The library leaves a refused connection open."""
        if self._socket is not None:
            self._socket.close()

    def _next_message(self) -> int:
        self._message = self._message % 65535 + 1
        return self._message

    def _asked(self, send: Callable[[], Dataset]) -> int:
        self._check_open()
        try:
            status = send()
        except RuntimeError as error:
            raise self._lost() from error
        if "Status" not in status:
            raise self._lost()
        return int(status.Status)

    def _check_open(self) -> None:
        if not self._association.is_established:
            raise self._lost()

    @property
    def _is_endless(self) -> bool:
        """Whether the connection was broken off here, as a message was too large."""
        messages = self._association.dimse
        return isinstance(messages, LimitedMessages) and messages.endless

    def _lost(self) -> AssociationFault:
        if self._is_endless:
            most = self._most_bytes // 10**6
            return AssociationFault(
                f"{self._server} sends more than {most} MB where a short answer belongs; ask who runs it."
            )
        return AssociationFault(
            f"The connection with {self._server} broke off, or it gave no answer in time."
        )

    def _why_not(self, association: Association, secured: SecuredContext | None) -> AssociationFault:
        where = f"{self._destination.host}, port {self._destination.port}"
        if association.is_rejected:
            reply = cast(Any, association.acceptor.primitive)
            reason = _REASONS.get((int(reply.result_source), int(reply.diagnostic)), "refuses the connection")
            said = reason.format(title=self._destination.title, own_title=self._destination.own_title)
            return AssociationFault(f"{self._server} {said}.", permanent=int(reply.result) == _PERMANENT)
        if secured is not None and secured.fault:
            sentence = f"{self._server} cannot be reached over TLS: {secured.fault}"
            return AssociationFault(sentence, permanent=secured.permanent)
        if self._socket is None:
            return AssociationFault(
                f"{self._server} cannot be reached ({where}); check that it runs, and the network."
            )
        return AssociationFault(
            f"Something at {where} takes connections but does not answer as a DICOM server; check the port."
        )


class _Socket(AssociationSocket):
    """The library leaves a connection that could not be made to the garbage collector."""

    def _shutdown_socket(self) -> None:
        super()._shutdown_socket()
        if self.socket is not None:
            self.socket.close()


class _Entity(AE):
    """Makes connections that are closed in any case."""

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        made = _Socket(assoc, address=address)
        made.tls_args = tls_args
        return made


def shut_down(connection: socket.socket) -> None:
    """End a connection from another thread: whoever waits wakes up with an `AssociationFault`.

    Below TLS: there it would first end the encryption, and what is just being sent could go in the clear.
    """
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        # It is closed already, which is what is wanted.
        return
