"""Storing objects in a DICOMweb service (STOW-RS): one with each request, so that each has its own answer.

The library would hold an object three times in memory, and encode it anew. Here its file goes out as it is.
"""

from __future__ import annotations

import io
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from semc_core.export.dicom.images import encode_object
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.rules import Plain
from semc_core.pacs.association import UNCOMPRESSED, AssociationFault
from semc_core.pacs.client import Unreadable, for_server
from semc_core.pacs.destinations import WebDestination
from semc_core.pacs.queue_store import DicomObject
from semc_core.pacs.store_status import SLOWEST_BYTES_PER_S, Answer, answer_to_storing
from semc_core.pacs.web.service import BUSY, LONGEST_ANSWERS, WebService
from semc_core.pacs.web_secret import WebSecret

_MOST_BYTES: Final = 1_000_000
"""Of what a service says of one object."""
_CHUNK: Final = 262_144
_LARGE: Final = 1_000_000
_PLAIN: Final[Document[Any]] = Document(Plain, config=STRICT, most_bytes=_MOST_BYTES)
_STORED, _FAILED = "00081199", "00081198"
_FAILURE, _DUPLICATE = 0x0110, 0x0111
_UID, _WARNING, _REASON = "00081155", "00081196", "00081197"


class WebStorage:
    """A service that objects are sent to. Use as a context; from one thread."""

    def __init__(
        self,
        destination: WebDestination,
        secret: WebSecret,
        *,
        opened: Callable[[socket.socket], None] | None = None,
    ) -> None:
        """Nothing is connected yet.

        Args:
            destination: The service.
            secret: Proves who asks.
            opened: Told of each connection: shutting it down ends any wait for the server.

        Raises:
            PacsError: A file of certificates cannot be used.
        """
        self._destination = destination
        self._service = WebService(destination, secret, opened=opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.__exit__(kind, error, trace)

    def echo(self) -> None:
        """Ask for a study that nobody has: whether there is a service, and it knows who asks.

        Raises:
            AssociationFault: There is none that can be asked.
        """
        with self._service.asking(LONGEST_ANSWERS * self._destination.answer_s):
            self._service.client.search_for_studies(
                limit=1, search_filters={"StudyInstanceUID": str(generate_uid())}
            )

    def store(self, one: DicomObject, path: Path) -> Answer:
        """Send an object from its file, unpacked if the destination is to have it so.

        Raises:
            AssociationFault: The service cannot be used now, or the connection was lost: it may have the
                object or not.
        """
        content: Path | Dataset | None = path
        try:
            if not self._destination.compressed:
                content = for_server(path, one.syntax, UNCOMPRESSED)
            body = _Body(path if isinstance(content, Path) or content is None else encode_object(content))
        except (Unreadable, OSError, AttributeError, ValueError):
            return Answer("unreadable", "An object cannot be read or unpacked; export it again.")
        said = self._posted(body)
        answer = answer_of(self._service.name, *said, one.sop_instance, len(body))
        if answer is not None:
            return answer
        if self.has(one):
            return Answer("stored", f"{self._service.name} did not say so, but has it.")
        return Answer("not now", f"{self._service.name} does not say what became of an object.")

    def has(self, one: DicomObject) -> bool:
        """Whether the service says that it has the object; False if it does not answer such questions.

        Raises:
            AssociationFault: The connection was lost, or the service does not let this program in.
        """
        service = self._service
        question = {"SOPInstanceUID": one.sop_instance, "limit": "1"}
        path = f"/studies/{one.study}/series/{one.series}/instances"
        with service.asking(LONGEST_ANSWERS * service.answer_s):
            answer = service.send("GET", path, params=question, headers={"Accept": "application/dicom+json"})
            body = service.read(answer, _MOST_BYTES)
        about_itself = answer.status_code // 100 != 4 or answer.status_code in (401, 403, *BUSY)
        if about_itself and (fault := service.fault_of(answer)) is not None:
            raise fault
        try:
            rows = _PLAIN.parse(body) if answer.status_code == 200 and body else []
        except DocumentFault:
            return False
        rows = rows if isinstance(rows, list) else [rows]
        return any(_first(row, "00080018") == one.sop_instance for row in rows)

    def _posted(self, body: _Body) -> tuple[int, bytes]:
        """The status and body of the answer."""
        service = self._service
        large = len(body)
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={body.boundary}',
            "Accept": "application/dicom+json",
        }
        needed_s = large / SLOWEST_BYTES_PER_S
        waits_s = (self._destination.connect_s, service.answer_s + needed_s)
        try:
            with service.asking(LONGEST_ANSWERS * service.answer_s + needed_s):
                answer = service.send("POST", "/studies", data=body, headers=headers, timeout=waits_s)
                said = service.read(answer, _MOST_BYTES)
        except AssociationFault as fault:
            if large < _LARGE or fault.permanent:
                raise
            # A service that finds it too large may say so and close before it has read all: it is not heard.
            raise AssociationFault(
                f"{fault} An object of {large / 1e6:.0f} MB was on its way; if it happens again, ask "
                "who runs it how large one may be."
            ) from None
        if (fault_of_all := service.fault_of(answer)) is not None:
            raise fault_of_all
        return answer.status_code, said


class _Body:
    """One object as a message of one part, read from its file while it is sent."""

    def __init__(self, content: Path | bytes) -> None:
        self.boundary = secrets.token_hex(24)
        self._content = content
        self._head = f"--{self.boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._tail = f"\r\n--{self.boundary}--\r\n".encode()
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        self._size = len(self._head) + size + len(self._tail)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        opened = io.BytesIO(self._content) if isinstance(self._content, bytes) else self._content.open("rb")
        with opened as file:
            while chunk := file.read(_CHUNK):
                yield chunk
        yield self._tail


def answer_of(server: str, status: int, body: bytes, uid: str, size: int = 0) -> Answer | None:
    """What a service said of one object.

    Args:
        server: As the user calls it.
        status: Of HTTP, one that `WebService.fault_of` has nothing to say of.
        body: A Store Instances Response, if the service keeps to the standard.
        uid: SOP Instance UID of the object.
        size: Bytes of the object.

    Returns:
        None where it took the request, and says nothing that can be read of the object.
    """
    answers = _response(body)
    for row in _rows(answers, _FAILED):
        if _first(row, _UID) == uid:
            reason = _number(row, _REASON)
            failed = answer_to_storing(server, _FAILURE if reason is None else reason)
            # What is called a failure was not stored, whatever its number, but for what was there before.
            believed = failed.kind != "stored" or reason == _DUPLICATE
            return failed if believed else answer_to_storing(server, _FAILURE)
    if status in (200, 202) or status == 409:
        for row in _rows(answers, _STORED):
            if _first(row, _UID) == uid:
                warning = _number(row, _WARNING)
                told = f"{server} changed or left out attributes (status {warning or 0:04X})."
                return Answer("stored", told if warning else "")
    if status // 100 == 2:
        return None
    if status == 413:
        return Answer("refused", f"{server} does not take an object of {size / 1e6:.0f} MB; ask who runs it.")
    if status == 415:
        return Answer("refused", f"{server} does not take objects encoded so; have it added --uncompressed.")
    if status == 507:
        return Answer("not now", f"{server} has no room (507); ask who runs it.")
    if status >= 500:
        return Answer("not now", f"{server} has a fault of its own ({status}).")
    return Answer("refused", f"{server} does not accept the object ({status}); ask who runs it.")


def _response(body: bytes) -> Mapping[str, Any]:
    with suppress(DocumentFault):
        found = _PLAIN.parse(body)
        # Some services answer with a list of one.
        found = found[0] if isinstance(found, list) and len(found) == 1 else found
        return found if isinstance(found, dict) else {}
    return {}


def _rows(dataset: Mapping[str, Any], tag: str) -> list[Any]:
    values = _values(dataset, tag)
    return [row for row in values if isinstance(row, dict)]


def _values(dataset: object, tag: str) -> list[Any]:
    element = dataset.get(tag) if isinstance(dataset, dict) else None
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _first(dataset: object, tag: str) -> object:
    values = _values(dataset, tag)
    return values[0] if values else None


def _number(dataset: object, tag: str) -> int | None:
    value = _first(dataset, tag)
    return value if isinstance(value, int) and 0 <= value <= 0xFFFF else None
