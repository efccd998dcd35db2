"""What the program says to a DICOM server, heard by a server on this machine's own address."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from semc_core.pacs.client import StorageAssociation
from semc_core.pacs.destinations import Destination
from semc_core.pacs.queue_store import DicomObject
from semc_core.pacs.store_status import Answer
from tests.docs.written import Written

_HOST: Final = "127.0.0.1"
_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
_PENDING: Final = 0xFF00
_LONG_S: Final = 600.0
"""Only against hanging: a busy machine may need long."""


@dataclass
class Heard:
    """What a server heard.

    Attributes:
        contexts: Abstract syntax and transfer syntaxes of each presentation context that was proposed.
        facts: Of the association request, by what the standard calls them.
        question: The identifier of C-FIND.
        answers: What the program makes of each status of C-STORE.
    """

    contexts: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    question: Dataset = field(default_factory=Dataset)
    answers: dict[int, Answer] = field(default_factory=dict)


def heard(written: list[Written], statuses: tuple[int, ...]) -> Heard:
    """Let the program propose all of `written`, ask for the first, and store it once for each status."""
    found, coming = Heard(), iter(statuses)
    one = written[0].described

    def requested(event: Any) -> None:
        request = event.assoc.requestor
        found.contexts = [
            (str(each.abstract_syntax), tuple(map(str, each.transfer_syntax)))
            for each in request.requested_contexts
        ]
        found.facts = {
            "Calling AE title": request.primitive.calling_ae_title,
            "Application context": str(request.primitive.application_context_name),
            "Maximum length of a PDU": str(request.maximum_length),
            "Implementation Class UID": str(request.implementation_class_uid),
            "Asynchronous operations window": or_none(request.asynchronous_operations),
            "SOP Class extended negotiation": or_none(request.sop_class_extended),
            "SCP/SCU role selection": or_none(request.role_selection),
            "User identity": or_none(request.user_identity),
        }

    def asked(event: Any) -> Iterator[tuple[int, Dataset | None]]:
        found.question = event.identifier
        yield _PENDING, event.identifier

    handlers: list[evt.EventHandlerType] = [
        (evt.EVT_REQUESTED, requested), (evt.EVT_C_FIND, asked), (evt.EVT_C_STORE, lambda _: next(coming)),
    ]  # fmt: skip
    with _server(one, handlers) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "object.dcm"
        path.write_bytes(written[0].content)
        with StorageAssociation(server, [each.described for each in written], ask=True) as link:
            assert link.has(one)
            found.answers = {status: link.store(one, path) for status in statuses}
    return found


def or_none(value: Any) -> str:
    """A part of an association's negotiation, in a cell."""
    return str(value) if value and value != (1, 1) else "not negotiated"


@contextmanager
def _server(one: DicomObject, handlers: list[evt.EventHandlerType]) -> Iterator[Destination]:
    entity = AE("ARCHIVE")
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _LONG_S
    entity.add_supported_context(one.sop_class, one.syntax)
    entity.add_supported_context(_FIND)
    server = entity.start_server((_HOST, 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield Destination("the server", _HOST, server.server_address[1], "ARCHIVE", answer_s=_LONG_S)
    finally:
        server.shutdown()
        server.server_close()
