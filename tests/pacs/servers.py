"""Real servers on this machine's own address, and what is sent to them."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pydicom
import pytest

from semc_core.export.dicom.images import clip, encode_object, still
from semc_core.export.options import ExportOptions, Patient
from semc_core.pacs.bundle import described
from semc_core.pacs.destinations import Destination, DestinationBook, Server
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import Added, DicomObject
from semc_core.pacs.service import SendService
from tests.export.dicom.examples import PLANE, no_dicom

HOST = "127.0.0.1"
SECRET = "Zweistein^Alberta"
needs_storescp = pytest.mark.skipif(not shutil.which("storescp"), reason="storescp (dcmtk) is not installed")
needs_orthanc = pytest.mark.skipif(not shutil.which("Orthanc"), reason="Orthanc is not installed")

Contents = dict[DicomObject, bytes]


def objects(count: int, *, clips: int = 0, first: int = 1) -> Contents:
    """So many small stills, and clips in JPEG-LS, numbered from `first`, of a patient named in them."""
    context = no_dicom(ExportOptions(deidentify=False, patient=Patient(SECRET, "4711")))
    pictures = np.random.default_rng(7).integers(0, 256, (3, 21, 33), np.uint8)
    times_s = [0, 0.04, 0.08]
    made = [still(context, PLANE, pictures[0], number) for number in range(first, first + count)]
    plane = replace(PLANE, plane="LLP")
    made += [clip(context, plane, pictures, times_s, number) for number in range(first, first + clips)]
    contents = [encode_object(one) for one in made]
    return {described(content): content for content in contents}


def put(queue: SendQueue, to: str, contents: Contents, *, again: bool = False) -> Added:
    """Queue `contents` for the destination named `to`."""
    return queue.add(to, list(contents), contents.__getitem__, manifest="ab" * 32, again=again)


def destination(port: int, title: str = "STORESCP") -> Destination:
    """A server on this machine."""
    return Destination("archive", HOST, port, title, connect_s=20, answer_s=20)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass
class Storescp:
    """A running storescp: it keeps what it gets in `folder`, a file for each SOP Instance UID."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    def kept(self) -> list[str]:
        """SOP Instance UIDs of what it has, whole."""
        found = [pydicom.dcmread(path).SOPInstanceUID for path in self.folder.iterdir()]
        return sorted(str(uid) for uid in found)

    def wait_for(self, words: str, times: int) -> None:
        """Read what it says until it has said `words` so many times."""
        said: IO[bytes] | None = self.process.stdout
        assert said is not None
        while times:
            line = said.readline()
            assert line, "storescp ended"
            times -= words.encode() in line


@contextmanager
def storescp(folder: Path, *options: str, port: int = 0) -> Iterator[Storescp]:
    """Run storescp until the end of the context."""
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    command = ["storescp", "-v", "-od", str(folder), *options, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            until_listening(port, process)
            yield Storescp(process, port, folder)
        finally:
            process.kill()


@contextmanager
def orthanc(folder: Path, **settings: object) -> Iterator[Orthanc]:
    """Run Orthanc, with its storage in `folder`, until the end of the context."""
    made = Orthanc(free_port(), free_port())
    about = {
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"),
        "DicomPort": made.port, "HttpPort": made.http, "DicomAet": "ORTHANC", "DicomCheckCalledAet": True,
        "DicomAlwaysAllowFind": True, "AuthenticationEnabled": False, "Plugins": [], **settings,
    }  # fmt: skip
    path = folder / "orthanc.json"
    path.write_text(json.dumps(about), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        command = ["Orthanc", str(path)]
        with subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
            try:
                until_listening(made.port, process)
                until_listening(made.http, process)
                made.kill = process.kill
                yield made
            finally:
                process.terminate()


@dataclass
class Orthanc:
    """A running Orthanc.

    Attributes:
        port: Of DICOM.
        http: Of HTTP.
        kill: Ends it at once.
        user: Name and password that it wants by HTTP, or None.
    """

    port: int
    http: int
    kill: Callable[[], None] = lambda: None
    user: tuple[str, str] | None = None

    def kept(self) -> list[str]:
        """SOP Instance UIDs of what it has."""
        found = json.loads(self._ask("/instances?expand"))
        return sorted(one["MainDicomTags"]["SOPInstanceUID"] for one in found)

    def file(self, uid: str) -> bytes:
        """An object as it has it."""
        found = json.loads(self._ask("/instances?expand"))
        (name,) = [one["ID"] for one in found if one["MainDicomTags"]["SOPInstanceUID"] == uid]
        return self._ask(f"/instances/{name}/file")

    def empty(self) -> None:
        """Take away what it has."""
        for patient in json.loads(self._ask("/patients")):
            self._ask(f"/patients/{patient}", method="DELETE")

    def _ask(self, path: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(f"http://{HOST}:{self.http}{path}", method=method)
        if self.user is not None:
            proof = base64.b64encode(":".join(self.user).encode()).decode("ascii")
            request.add_header("Authorization", f"Basic {proof}")
        with urllib.request.urlopen(request) as answer:
            return bytes(answer.read())


def until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """A server does not say when it is ready: it is asked."""
    while True:
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        threading.Event().wait(0.05)


class Sending:
    """A service that sends, and a way to wait for what it does."""

    def __init__(self, data: Path, *destinations: Server) -> None:
        self._changed = threading.Condition()
        for each in destinations:
            DestinationBook(data).put(each)
        self.service = SendService(data, self._notice)
        self.queue = self.service.queue

    def __enter__(self) -> Sending:
        self.service.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop()

    def _notice(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, is_so: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """Wait until the numbers of objects in each state, over all jobs, are such."""
        with self._changed:
            assert self._changed.wait_for(lambda: is_so(self.counts()), 60), self.counts()
        return self.counts()

    def counts(self) -> dict[str, int]:
        """Number of objects in each state."""
        found: dict[str, int] = {}
        for job in self.queue.jobs():
            for state, number in job.counts.items():
                found[state] = found.get(state, 0) + number
        return found

    def send(self, contents: Contents, to: str = "archive") -> dict[str, int]:
        """Queue `contents`, and wait until nothing of it waits or somebody has to be asked."""
        put(self.queue, to, contents)
        self.service.wake()
        return self.wait_until(lambda counts: not counts.get("waiting") and not counts.get("sending"))

    def messages(self) -> Sequence[str]:
        """What is said of the jobs."""
        return [job.message for job in self.queue.jobs()]
