"""Archives that can be searched and that hand studies out, and what is in them."""

from __future__ import annotations

import io
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import pydicom
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from semc_core.pacs.association import FIND_ROOT, VERIFICATION
from semc_core.pacs.destinations import Destination
from semc_core.pacs.priors.get import GET_ROOT, PASSED_OVER
from semc_core.pacs.syntaxes import KINDS, SYNTAXES
from tests.pacs.servers import HOST, Orthanc, destination, objects

STUDY: Final = "1.2.276.0.7230010.3.2.101"
Answers = Iterator[tuple[int, Dataset | None]]


def held(
    count: int = 2, *, clips: int = 0, study: str = STUDY, elements: dict[str, str] | None = None
) -> list[Dataset]:
    """Stills and clips of one study, with these elements."""
    found = []
    for number, content in enumerate(objects(count, clips=clips, first=1).values()):
        one = pydicom.dcmread(io.BytesIO(content))
        one.StudyInstanceUID = study
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"{study}.{number + 1}"
        for name, value in (elements or {}).items():
            setattr(one, name, value)
        found.append(one)
    return found


def encoded(one: Dataset) -> bytes:
    """Its file."""
    buffer = io.BytesIO()
    one.save_as(buffer)
    return buffer.getvalue()


def fill(archive: Orthanc, contents: Sequence[Dataset]) -> Destination:
    """Let Orthanc keep these. Returns how it is reached."""
    for one in contents:
        url = f"http://{HOST}:{archive.http}/instances"
        urllib.request.urlopen(urllib.request.Request(url, encoded(one), method="POST")).close()
    return destination(archive.port, "ORTHANC")


@contextmanager
def handing_out(
    find: Callable[[Dataset], Answers] | None = None,
    get: Callable[[evt.Event], Iterator[Any]] | None = None,
    *,
    answer_s: float = 20,
    opened: Callable[[evt.Event], None] = lambda event: None,
) -> Iterator[Destination]:
    """A server that answers as it is told; `opened` is told of each association."""
    entity = AE("ARCHIVE")
    entity.require_called_aet = True
    # Of one that is gone in the middle of an answer it may not hear at once.
    entity.acse_timeout = entity.dimse_timeout = 5
    entity.add_supported_context(VERIFICATION)
    handlers: list[Any] = [(evt.EVT_ACCEPTED, opened)]
    if find is not None:
        entity.add_supported_context(FIND_ROOT)
        handlers.append((evt.EVT_C_FIND, lambda event: find(event.identifier)))
    if get is not None:
        entity.add_supported_context(GET_ROOT)
        for kind in (*KINDS, *PASSED_OVER):
            entity.add_supported_context(kind, list(SYNTAXES), scu_role=False, scp_role=True)
        handlers.append((evt.EVT_C_GET, get))
    server = entity.start_server((HOST, 0), block=False, evt_handlers=handlers)
    assert server is not None
    made = Destination("archive", HOST, server.server_address[1], "ARCHIVE", connect_s=20)
    try:
        yield replace(made, answer_s=answer_s)
    finally:
        server.shutdown()
        server.server_close()


def study_row(study: str = STUDY, **elements: str) -> Dataset:
    """A study, as a server tells of it."""
    row = Dataset()
    row.StudyInstanceUID, row.PatientID, row.PatientName = study, "4711", "Zweistein^Alberta"
    row.StudyDate, row.StudyTime, row.StudyDescription = "20261130", "0856", "Second trimester"
    row.ModalitiesInStudy = ["US", "SR"]
    for name, value in elements.items():
        setattr(row, name, value)
    return row


def giving(contents: Sequence[Dataset]) -> Callable[[evt.Event], Iterator[Any]]:
    """A server's answer to C-GET: these."""

    def get(event: evt.Event) -> Iterator[Any]:
        yield len(contents)
        yield from ((0xFF00, one) for one in contents)

    return get
