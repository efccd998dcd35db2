"""A small FHIR server on this machine: takes transactions, makes a resource once for an identifier."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from fhir.resources.R4B.bundle import Bundle

from tests.http_servers import Silent, answering

HOST: Final = "127.0.0.1"
KIND: Final = "application/fhir+json"
Answer = tuple[int, bytes]


@dataclass(slots=True)
class Store:
    """What the server has, and how it was asked.

    Attributes:
        held: Resources by kind and identifier.
        requests: (path, headers in lower case) of each request.
        answer: What it answers in place of its own, or None.
        before: What it does before it answers.
    """

    held: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answer: Answer | None = None
    before: Callable[[], object] = lambda: None

    def take(self, content: bytes) -> Answer:
        """All of a transaction, or nothing of it."""
        bundle = json.loads(Bundle.model_validate_json(content).model_dump_json())
        assert bundle["type"] == "transaction"
        names = {entry["fullUrl"] for entry in bundle["entry"]}
        assert set(references(bundle)) <= names, "something refers to what is not there"
        made = []
        for entry in bundle["entry"]:
            request, resource = entry["request"], entry["resource"]
            assert (request["method"], request["url"]) == ("POST", resource["resourceType"])
            key = request["url"], request["ifNoneExist"]
            made.append("200 OK" if key in self.held else "201 Created")
            self.held.setdefault(key, resource)
        responses = [{"response": {"status": status}} for status in made]
        answer = {"resourceType": "Bundle", "type": "transaction-response", "entry": responses}
        return 200, json.dumps(answer).encode()


def references(plain: Any) -> Iterator[str]:
    """Every reference within a resource, however deep."""
    if isinstance(plain, dict):
        yield from [plain["reference"]] if "reference" in plain else []
    for each in plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ():
        yield from references(each)


@contextmanager
def serving(store: Store, certificate: tuple[str, str] | None = None) -> Iterator[int]:
    """The server, with a PEM file of its certificate and key by TLS. Gives its port."""

    class Handler(Silent, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            store.requests.append((self.path, {name.lower(): each for name, each in self.headers.items()}))
            content = self.rfile.read(int(self.headers["Content-Length"]))
            store.before()
            status, body = store.take(content) if store.answer is None else store.answer
            self.send_response(status)
            self.send_header("Content-Type", KIND)
            self.send_header("Location", f"http://{HOST}:9/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Handler, certificate) as port:
        yield port
