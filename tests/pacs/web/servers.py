"""DICOMweb services on this machine: Orthanc's, and one that answers whatever a test wants."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

import pytest

from semc_core.pacs.destinations import Tls, WebDestination
from tests.http_servers import Silent, answering
from tests.pacs.servers import HOST, Orthanc, orthanc

PLUGIN: Final = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
needs_orthanc_web = pytest.mark.skipif(
    not (shutil.which("Orthanc") and PLUGIN.exists()), reason="Orthanc's DICOMweb is not installed"
)
USER: Final = ("semc", "Zuse-Konrad-1941")


def service(
    port: int, *, path: str = "/dicom-web", tls: Tls | None = None, answer_s: float = 20
) -> WebDestination:
    """A service on this machine; by https with `tls`."""
    scheme = "http" if tls is None else "https"
    url = f"{scheme}://{HOST}:{port}{path}"
    return WebDestination("archive", url, connect_s=20, answer_s=answer_s, tls=tls or Tls())


@contextmanager
def orthanc_web(folder: Path, **settings: object) -> Iterator[Orthanc]:
    """Orthanc with its DICOMweb at /dicom-web, without a password."""
    web = {"Enable": True, "Root": "/dicom-web/"}
    with orthanc(folder, Plugins=[str(PLUGIN)], DicomWeb=web, **settings) as server:
        yield server


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        method: "GET" or "POST".
        path: With the question in it.
        headers: By names in lower case.
        body: What was sent.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def uid(self) -> str:
        """SOP Instance UID of the object in a request to store."""
        start = self.body.index(b"\x08\x00\x18\x00UI") + 6
        size = int.from_bytes(self.body[start : start + 2], "little")
        return self.body[start + 2 : start + 2 + size].decode("ascii").rstrip("\0")


def pass_on(server: Orthanc, asked: Asked) -> tuple[int, bytes]:
    """What Orthanc answers to this."""
    connection = HTTPConnection(HOST, server.http, timeout=60)
    kept = {name: value for name, value in asked.headers.items() if name not in ("host", "connection")}
    try:
        connection.request(asked.method, asked.path, asked.body or None, kept)
        with connection.getresponse() as answer:
            return answer.status, answer.read()
    finally:
        connection.close()


Raw = Callable[[BaseHTTPRequestHandler], object]
Reply = tuple[int, Any] | Raw
"""A status and a body (bytes, or what becomes JSON); or what is done with the connection."""


@dataclass
class Service:
    """A service that answers what a test wants.

    Attributes:
        answer: What it answers.
        early: Answer before anything of a body is read, and close.
        asked: All requests.
    """

    answer: Callable[[Asked], Reply]
    early: bool = False
    asked: list[Asked] = field(default_factory=list)
    port: int = 0


def stored(*uids: str, failed: dict[str, int] | None = None, warned: dict[str, int] | None = None) -> Any:
    """A Store Instances Response."""
    rows = [
        {"00081155": {"vr": "UI", "Value": [uid]}}
        | ({"00081196": {"vr": "US", "Value": [warned[uid]]}} if warned and uid in warned else {})
        for uid in uids
    ]
    lost = [
        {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [reason]}}
        for uid, reason in (failed or {}).items()
    ]
    found: dict[str, Any] = {}
    if rows:
        found["00081199"] = {"vr": "SQ", "Value": rows}
    if lost:
        found["00081198"] = {"vr": "SQ", "Value": lost}
    return found


@contextmanager
def serving(
    answer: Callable[[Asked], Reply], certificate: tuple[str, str] | None = None, *, early: bool = False
) -> Iterator[Service]:
    """Run such a service, with a PEM file of its certificate and key by TLS."""
    made = Service(answer, early)

    class Handler(Silent, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            body = b"" if made.early else self.rfile.read(size)
            headers = {name.lower(): each for name, each in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            made.asked.append(asked)
            reply = made.answer(asked)
            if callable(reply):
                self.close_connection = True
                reply(self)
                return
            status, content = reply
            plain = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Location", f"http://{HOST}:{made.port}/elsewhere")
            self.send_header("Content-Length", str(len(plain)))
            if made.early:
                self.close_connection = True
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(plain)

    with answering(Handler, certificate) as made.port:
        yield made
