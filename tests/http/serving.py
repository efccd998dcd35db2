"""A service to ask, and ways to ask it."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families

from semc_core.http.bounds import Bounds
from semc_core.http.server import HttpService, Place
from semc_core.io.documents import STRICT, Document
from semc_core.io.rules import PlainObject
from semc_core.model.spec import ModelSpec
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.types import Prediction
from tests.serve.models import scan
from tests.serve.objects import save

TOKEN = "a-token-of-the-tests"
PLAIN = Document(PlainObject, config=STRICT)
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
FILE = {**KNOWN, "Content-Type": "application/octet-stream"}


class HeldRuntime:
    """A model that thinks until it may answer."""

    def __init__(self, inner: Runtime) -> None:
        self._inner = inner
        self.busy = threading.Event()
        self.go_on = threading.Event()

    @property
    def spec(self) -> ModelSpec:
        return self._inner.spec

    @property
    def device_name(self) -> str:
        return self._inner.device_name

    def classify(self, inputs: NDArray[np.float32]) -> list[Prediction]:
        self.busy.set()
        assert self.go_on.wait(120)
        return self._inner.classify(inputs)

    def close(self) -> None:
        self.go_on.set()


@dataclass
class Served:
    """A service that runs, its model, and the folder that its uploads are in."""

    service: HttpService
    runtime: HeldRuntime
    folder: Path

    @property
    def port(self) -> int:
        return int(self.service.address.rpartition(":")[2])

    @property
    def application(self) -> Any:
        """FastAPI's, behind the guard."""
        guard: Any = self.service._server.config.app
        return guard._inner

    def left(self) -> list[Path]:
        """What lies in the folder beside the service's own empty one."""
        # What vanishes meanwhile is passed over by it.
        walked = [
            Path(place, name) for place, folders, files in os.walk(self.folder) for name in folders + files
        ]
        return [path for path in walked if path.suffix != ".part"]

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """The status and the JSON that is answered."""
        status, _, text = self.ask_text(method, path, body, headers)
        return status, PLAIN.parse(text)

    def ask_text(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """The status, the headers, and the body."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=240)) as connection:
            connection.request(method, path, body, KNOWN if headers is None else headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def planes(self, content: Any) -> tuple[int, dict[str, Any]]:
        """What is answered to a file."""
        return self.ask("POST", "/planes", content, FILE)

    @contextmanager
    def raw(self, *lines: str) -> Iterator[socket.socket]:
        """A connection on which the head of a request was sent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=240) as connection:
            connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
            yield connection


@contextmanager
def serving(
    folder: Path, model: Path, *, place: Place | None = None, held: bool = False, **bounds: Any
) -> Iterator[Served]:
    """A service that answers; what it holds is let go at its end."""
    runtime = HeldRuntime(load_runtime(model, "cpu"))
    if not held:
        runtime.go_on.set()
    uploads = folder / "uploads"
    with (
        closing(runtime._inner),
        HttpService(
            runtime, model.stem, TOKEN, place or Place(port=0), uploads, folder / "sessions",
            Bounds(**{"least_free_mb": 0, **bounds}),
        ) as service,
    ):  # fmt: skip
        thread = threading.Thread(target=service.run)
        thread.start()
        try:
            yield Served(service, runtime, uploads)
        finally:
            runtime.close()
            service.stop()
            thread.join()


def loop_file(folder: Path, number: int = 1) -> Path:
    """A DICOM loop in which `write_sure_model`'s model finds a plane."""
    return save(folder / f"loop-{number}.dcm", scan(number))


def counted(served: Served) -> dict[str, float]:
    """What is counted, by name, and by status where there is one."""
    _, _, text = served.ask_text("GET", "/metrics")
    return {
        sample.name + sample.labels.get("status", ""): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if "le" not in sample.labels
    }


def head_of(length: int) -> tuple[str, ...]:
    """The lines before a file of so many bytes."""
    return (
        "POST /planes HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {TOKEN}",
        f"Content-Length: {length}",
        "",
    )


def all_of(connection: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
