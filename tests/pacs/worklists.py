"""Real worklist servers on this machine's own address, and what is scheduled there."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from semc_core.pacs.association import VERIFICATION
from semc_core.pacs.destinations import Destination
from semc_core.pacs.worklist import WORKLIST
from tests.pacs.servers import HOST, free_port, orthanc, until_listening

PLUGIN: Final = Path("/usr/share/orthanc/plugins/libModalityWorklists.so")
needs_dump2dcm = pytest.mark.skipif(not shutil.which("dump2dcm"), reason="dump2dcm (dcmtk) is not installed")
needs_wlmscpfs = pytest.mark.skipif(not shutil.which("wlmscpfs"), reason="wlmscpfs (dcmtk) is not installed")
needs_orthanc_worklists = pytest.mark.skipif(
    not (shutil.which("Orthanc") and PLUGIN.exists()), reason="Orthanc with its worklists is not installed"
)
TODAY: Final = datetime.date.today()
STUDY: Final = "1.2.276.0.7230010.3.2.101"


@dataclass(frozen=True)
class Scheduled:
    """What a worklist has."""

    name: str = "Zweistein^Alberta"
    number: str = "4711"
    accession: str = "A100"
    study: str = STUDY
    day: datetime.date = TODAY
    time: str = "0856"
    modality: str = "US"
    title: str = "SEMC_LIVE"

    def dump(self) -> str:
        """As dump2dcm reads it."""
        return f"""\
(0008,0005) CS [ISO_IR 192]
(0008,0050) SH [{self.accession}]
(0008,0090) PN [Smith^Jo]
(0010,0010) PN [{self.name}]
(0010,0020) LO [{self.number}]
(0010,0030) DA [19780304]
(0010,0040) CS [F]
(0020,000d) UI [{self.study}]
(0032,1060) LO [Second trimester scan]
(0040,0100) SQ
(fffe,e000) -
(0008,0060) CS [{self.modality}]
(0040,0001) AE [{self.title}]
(0040,0002) DA [{self.day:%Y%m%d}]
(0040,0003) TM [{self.time}]
(0040,0007) LO [Anatomy]
(0040,0009) SH [SPS7]
(fffe,e00d) -
(fffe,e0dd) -
(0040,1001) SH [RP3]
"""


def write_worklist(folder: Path, rows: Sequence[Scheduled]) -> None:
    """A `.wl` file for each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lockfile").touch()
    for number, row in enumerate(rows):
        dump = folder / f"{number}.dump"
        dump.write_text(row.dump(), encoding="utf-8")
        subprocess.run(["dump2dcm", "-q", str(dump), str(folder / f"{number}.wl")], check=True)
        dump.unlink()


@contextmanager
def orthanc_worklists(folder: Path, rows: Sequence[Scheduled]) -> Iterator[Destination]:
    """Orthanc with its worklist plug-in."""
    write_worklist(folder / "lists", rows)
    lists = {"Enable": True, "Database": str(folder / "lists"), "FilterIssuerAet": False}
    about = {"Plugins": [str(PLUGIN)], "Worklists": lists, "DicomAlwaysAllowFindWorklist": True}
    with orthanc(folder, **about) as server:
        yield Destination("ris", HOST, server.port, "ORTHANC", connect_s=20, answer_s=20)


@contextmanager
def dcmtk_worklists(folder: Path, rows: Sequence[Scheduled]) -> Iterator[Destination]:
    """dcmtk's wlmscpfs."""
    write_worklist(folder / "lists" / "RIS", rows)
    port = free_port()
    command = ["wlmscpfs", "-q", "-dfp", str(folder / "lists"), str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until_listening(port, process)
            yield Destination("ris", HOST, port, "RIS", connect_s=20, answer_s=20)
        finally:
            process.kill()


@contextmanager
def answering(
    answers: Callable[[Dataset], Iterator[tuple[int, Dataset | None]]], answer_s: float = 20
) -> Iterator[Destination]:
    """A server that answers as it is told."""
    entity = AE("RIS")
    for each in (WORKLIST, VERIFICATION):
        entity.add_supported_context(each)
    entity.require_called_aet = True
    handlers: list[evt.EventHandlerType] = [(evt.EVT_C_FIND, lambda event: answers(event.identifier))]
    server = entity.start_server((HOST, 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield Destination("ris", HOST, server.server_address[1], "RIS", connect_s=20, answer_s=answer_s)
    finally:
        server.shutdown()
        server.server_close()


def answer_of(name: str = "Zweistein^Alberta", day: str = "20260101", **others: str) -> Dataset:
    """An answer, as a server gives it."""
    step, found = Dataset(), Dataset()
    found.SpecificCharacterSet = "ISO_IR 192"
    # What is not allowed is what some servers send.
    with disable_value_validation():
        step.Modality, step.ScheduledProcedureStepStartDate = "US", day
        found.PatientName, found.PatientID = name, "4711"
        for keyword, value in others.items():
            setattr(found, keyword, value)
    found.ScheduledProcedureStepSequence = [step]
    return found
