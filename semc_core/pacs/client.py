"""An association for sending: C-ECHO, C-STORE, and C-FIND for what may be there already.

How an object must be encoded for a server: as its file is, or unpacked.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Final

import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID
from pynetdicom import _config, build_context
from pynetdicom.presentation import PresentationContext

from semc_core.errors import PacsError
from semc_core.pacs.answers import LONGEST_ANSWERS, read_answers, text_of
from semc_core.pacs.association import (
    FIND_ROOT,
    SUCCESS,
    UNCOMPRESSED,
    VERIFICATION,
    AssociationFault,
    DicomAssociation,
)
from semc_core.pacs.destinations import Destination
from semc_core.pacs.queue_store import DicomObject
from semc_core.pacs.store_status import SLOWEST_BYTES_PER_S, Answer, answer_to_storing
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.header import without_warnings

# A file whose encoding the server takes is sent as it is, byte for byte.
_config.STORE_SEND_CHUNKED_DATASET = True

MOST_OBJECTS: Final = 60
"""Objects for one association: each needs two presentation contexts at most, and there are 128."""

_MOST_ANSWERS: Final = 100_000


class StorageAssociation(DicomAssociation):
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
            AssociationFault: The server cannot be reached, or refuses.
        """
        contexts = _contexts(objects, compressed=destination.compressed, ask=ask)
        super().__init__(destination, contexts, opened=opened)

    def echo(self) -> None:
        """C-ECHO.

        Raises:
            AssociationFault: The server did not answer, or not with success.
        """
        status = self._asked(lambda: self._association.send_c_echo(self._next_message()))
        if status != SUCCESS:
            raise AssociationFault(f"{self._server} answers, but with status {status:04X}; ask who runs it.")

    def store(self, one: DicomObject, path: Path) -> Answer:
        """C-STORE an object from its file, unpacked if the server wants that.

        Raises:
            AssociationFault: The connection was lost: the server may have it or not.
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
        self._association.dimse_timeout = self._destination.answer_s + large / SLOWEST_BYTES_PER_S
        try:
            status = self._asked(lambda: self._association.send_c_store(content, self._next_message()))
        except (AttributeError, ValueError):
            # Before anything was sent. The cause is left out: messages of this library quote values.
            return Answer("unreadable", "An object cannot be encoded for this server; export it again.")
        return answer_to_storing(self._server, status)

    def has(self, one: DicomObject) -> bool:
        """Whether the server says that it has the object; False if it does not answer such questions.

        Raises:
            AssociationFault: The connection was lost.
        """
        if not any(context.abstract_syntax == FIND_ROOT for context in self._association.accepted_contexts):
            return False
        question = Dataset()
        question.QueryRetrieveLevel = "IMAGE"
        question.StudyInstanceUID, question.SeriesInstanceUID = one.study, one.series
        question.SOPInstanceUID = one.sop_instance
        self._check_open()
        self._association.dimse_timeout = wait_s = self._destination.answer_s
        found = read_answers(
            self._association.send_c_find(question, FIND_ROOT, self._next_message()),
            _instance_in, _MOST_ANSWERS, LONGEST_ANSWERS * wait_s,
        )  # fmt: skip
        if found is None or found.stopped:
            # Nobody knows whether it would have come.
            raise self._lost()
        # Some servers leave out keys that they do not know, and answer with all they have.
        return one.sop_instance in found.rows


def _instance_in(answer: Dataset) -> str:
    try:
        with without_warnings(), disable_value_validation():
            return text_of(answer, "SOPInstanceUID")
    except UNREADABLE:
        return ""


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
        contexts.append(build_context(FIND_ROOT, list(UNCOMPRESSED)))
    return [*contexts, build_context(VERIFICATION, list(UNCOMPRESSED))]


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
    if not any(plain in accepted for plain in UNCOMPRESSED):
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
