"""One DICOM association with a server: C-ECHO, C-STORE, and C-FIND for what may be there already.

What goes wrong becomes a sentence and the answer to one question: is it worth trying again?

How an object must be encoded for a server: as its file is, or unpacked.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, cast

import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config, build_context, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, AssociationSocket

from semc_core.errors import PacsError
from semc_core.export.dicom.uids import IMPLEMENTATION_UID
from semc_core.pacs.destinations import Destination, SecuredContext, tls_context
from semc_core.pacs.queue_store import DicomObject
from semc_core.pacs.quiet import silence
from semc_core.version import VERSION

silence()
# A file whose encoding the server takes is sent as it is, byte for byte.
_config.STORE_SEND_CHUNKED_DATASET = True

_VERIFICATION: Final = "1.2.840.10008.1.1"
_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"  # Study Root Query/Retrieve
UNCOMPRESSED: Final = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
MOST_OBJECTS: Final = 60
"""Objects for one association: each needs two presentation contexts at most, and there are 128."""

_SUCCESS: Final = 0x0000
_WARNINGS: Final = (0xB000, 0xB006, 0xB007)
_DUPLICATE: Final = 0x0111
_NOT_ALLOWED: Final = 0x0124
_CLASS_NOT_SUPPORTED: Final = 0x0122
_INVALID: Final = 0x0117
_PENDING: Final = (0xFF00, 0xFF01)
_SLOWEST_BYTES_PER_S: Final = 250_000
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
    """

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        super().__init__(sentence)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says of one object.

    Attributes:
        kind: It has the object; it will not take it; it could not now; the file here cannot be read.
        sentence: For the user; "" if all is well.
    """

    kind: Literal["stored", "refused", "not now", "unreadable"]
    sentence: str = ""


class StorageAssociation:
    """An open association. Use as a context; from one thread, but for `interrupt`."""

    def __init__(
        self,
        destination: Destination,
        objects: Iterable[DicomObject] = (),
        *,
        ask: bool = False,
        opened: Callable[[socket.socket], None] | None = None,
    ) -> None:
        """Connect, and agree on what can be sent.

        Args:
            destination: The server.
            objects: What is to be sent, at most `MOST_OBJECTS`.
            ask: Whether `has` will be called.
            opened: Told of the connection once there is one: shutting it down ends any wait for the server.

        Raises:
            LinkFault: The server cannot be reached, or refuses.
        """
        self._destination = destination
        self._socket: socket.socket | None = None
        self._opened = opened
        self._message = 0
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
                contexts=_contexts(objects, compressed=destination.compressed, ask=ask),
                ae_title=destination.title,
                tls_args=None if secured is None else (secured.context, destination.host),
                evt_handlers=[(evt.EVT_CONN_OPEN, self._connected)],
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
                self._association.release()
            else:
                self._association.abort()
        self._shut()

    def echo(self) -> None:
        """C-ECHO.

        Raises:
            LinkFault: The server did not answer, or not with success.
        """
        status = self._asked(lambda: self._association.send_c_echo(self._next_message()))
        if status != _SUCCESS:
            raise AssociationFault(f"{self._server} answers, but with status {status:04X}; ask who runs it.")

    def store(self, one: DicomObject, path: Path) -> Answer:
        """C-STORE an object from its file, unpacked if the server wants that.

        Raises:
            LinkFault: The connection was lost: the server may have it or not.
        """
        accepted = {
            str(context.transfer_syntax[0])
            for context in self._association.accepted_contexts
            if context.abstract_syntax == one.sop_class
        }
        if not accepted:
            name = UID(one.sop_class).name
            return Answer("refused", f"{self._server} does not take objects of the kind {name}.")
        try:
            content = for_server(path, one.syntax, accepted)
        except Unreadable as error:
            return Answer("unreadable", str(error))
        if content is None:
            name = UID(one.syntax).name
            return Answer("refused", f"{self._server} does not take the encoding {name}.")
        # The time-out runs from the first byte, so a large object gets the time that a slow line needs.
        large = one.size if isinstance(content, Path) else len(content.get("PixelData", b""))
        self._association.dimse_timeout = self._destination.answer_s + large / _SLOWEST_BYTES_PER_S
        try:
            status = self._asked(lambda: self._association.send_c_store(content, self._next_message()))
        except (AttributeError, ValueError):
            # Before anything was sent. The cause is left out: messages of this library quote values.
            return Answer("unreadable", "An object cannot be encoded for this server; export it again.")
        return self._answer(status)

    def has(self, one: DicomObject) -> bool:
        """Whether the server says that it has the object; False if it does not answer such questions.

        Raises:
            LinkFault: The connection was lost.
        """
        if not any(context.abstract_syntax == _FIND for context in self._association.accepted_contexts):
            return False
        question = Dataset()
        question.QueryRetrieveLevel = "IMAGE"
        question.StudyInstanceUID, question.SeriesInstanceUID = one.study, one.series
        question.SOPInstanceUID = one.sop_instance
        self._association.dimse_timeout = self._destination.answer_s
        found = False
        self._check_open()
        for status, identifier in self._association.send_c_find(question, _FIND, self._next_message()):
            if "Status" not in status:
                raise self._lost()
            if status.Status in _PENDING and identifier is not None:
                # Some servers leave out keys that they do not know, and answer with all they have.
                found |= identifier.get("SOPInstanceUID") == one.sop_instance
        return found

    @property
    def _server(self) -> str:
        return self._destination.name

    def _connected(self, event: Any) -> None:
        """There is a connection. A server that stops reading would block it for ever without a time-out."""
        self._socket = event.assoc.dul.socket.socket
        assert self._socket is not None
        self._socket.settimeout(self._destination.answer_s)
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

    def _lost(self) -> AssociationFault:
        return AssociationFault(
            f"The connection with {self._server} broke off, or it gave no answer in time."
        )

    def _answer(self, status: int) -> Answer:
        server = self._server
        if status == _SUCCESS:
            return Answer("stored")
        if status in _WARNINGS:
            return Answer("stored", f"{server} changed or left out attributes (status {status:04X}).")
        if status == _DUPLICATE:
            return Answer("stored", f"{server} had it already.")
        if status == _NOT_ALLOWED:
            return Answer("refused", f"{server} does not allow this program to store; ask who runs it.")
        if status == _CLASS_NOT_SUPPORTED:
            return Answer("refused", f"{server} does not take objects of this kind.")
        if status == _INVALID or status & 0xFF00 == 0xA900:
            return Answer("refused", f"{server} finds the object invalid (status {status:04X}).")
        if status & 0xFF00 == 0xA700:
            return Answer("not now", f"{server} has no room (status {status:04X}); ask who runs it.")
        return Answer("not now", f"{server} could not store it (status {status:04X}).")

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
    """End a connection from another thread: whoever waits for the server wakes up with a `LinkFault`."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # It is closed already, which is what is wanted.
        return


def _contexts(objects: Iterable[DicomObject], *, compressed: bool, ask: bool) -> list[PresentationContext]:
    """What to propose: each kind of object as it is, and uncompressed.

    Verification is among them, so that a server that takes nothing else still accepts, and says what not.
    """
    pairs = {(one.sop_class, one.syntax) for one in objects}
    contexts = [build_context(kind, list(UNCOMPRESSED)) for kind in sorted({kind for kind, _ in pairs})]
    if compressed:
        contexts += [
            build_context(kind, [syntax]) for kind, syntax in sorted(pairs) if syntax not in UNCOMPRESSED
        ]
    if ask:
        contexts.append(build_context(_FIND, list(UNCOMPRESSED)))
    return [*contexts, build_context(_VERIFICATION, list(UNCOMPRESSED))]


_LITTLE: Final = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
_UNREADABLE: Final = (
    AttributeError, EOFError, InvalidDicomError, KeyError, NotImplementedError, OSError, RuntimeError,
    TypeError, ValueError, struct.error,
)  # fmt: skip


class Unreadable(PacsError):
    """A file in the queue is not what was put there, or cannot be unpacked."""


def for_server(path: Path, syntax: str, accepted: Container[str]) -> Path | Dataset | None:
    """The object in a form that the server takes.

    Unpacking changes no pixel, and the object keeps its UID: it is the same object.

    Args:
        path: Its file.
        syntax: The transfer syntax of the file.
        accepted: Transfer syntaxes that the server takes for this kind of object.

    Returns:
        The file itself where it can be sent as it is; else the object without compression; None if the
        server takes neither.

    Raises:
        Unreadable: The file cannot be unpacked.
    """
    if syntax in accepted:
        return path
    if not any(plain in accepted for plain in _LITTLE):
        return None
    try:
        with disable_value_validation():
            dataset = pydicom.dcmread(path)
            if UID(syntax).is_compressed:
                dataset.decompress(generate_instance_uid=False)
    except _UNREADABLE:
        # The cause is left out: messages of this library quote values.
        raise Unreadable("An object cannot be unpacked for this server; export it again.") from None
    return dataset
