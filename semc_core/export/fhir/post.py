"""A Bundle's way to a FHIR server: one request, within bounds, to the address that the user typed.

Encrypted, but for this machine itself; no redirect and no proxy is followed, and the token goes nowhere else.
Nothing is made twice: each resource is created only where the server has none of its identifier, so the same
can be posted again after an answer was lost.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from semc_core.errors import ExportError, UsageError
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.loopback import is_loopback
from semc_core.io.rules import PlainObject
from semc_core.version import VERSION

TOKEN: Final = "SEMC_FHIR_TOKEN"
"""The variable that holds the token, where no file is named."""
SILENCE_S: Final = 30.0
"""Longest wait for the server to take or to say something."""
LONGEST_S: Final = 120.0
"""Longest wait for the whole answer."""
_MOST_BYTES: Final = 50_000_000
_LONGEST_TOKEN: Final = 16_384
_CHUNK: Final = 65_536
_AGAIN: Final = "Post the export again: what arrived is not made twice."
_PLAIN: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT, most_bytes=_MOST_BYTES)
_REFUSED: Final = {
    400: "does not accept what was posted",
    401: "wants another token",
    403: "does not let this token post",
    404: "has no FHIR service at this address; give the base of the service",
    405: "takes no transactions at this address; give the base of the service",
    409: "has another change in hand; post the export again",
    410: "has no FHIR service at this address any more",
    412: "has several resources of one identifier; let its keeper look",
    413: "does not take that much at once",
    422: "does not accept what was posted",
    429: "is asked too often; post the export again later",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to post.

    Attributes:
        host: Name or address.
        port: 1-65535.
        path: Of the base of the service.
        encrypted: Whether by TLS.
    """

    host: str
    port: int
    path: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Posted:
    """What the server did.

    Attributes:
        made: Resources that it made.
        known: Resources that were there already.
    """

    made: int
    known: int


def read_address(text: str) -> Address:
    """The address as somebody typed it.

    Raises:
        UsageError: It is none, holds more than an address, or would not be encrypted.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError("The address of the FHIR server is none; type such as https://host/fhir.") from error
    plain = text.isascii() and text.isprintable() and " " not in text
    if parts.scheme not in ("http", "https") or not host or not plain:
        raise UsageError("The address of the FHIR server is none; type such as https://host/fhir.")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            f"Give the address of the FHIR server alone; a token belongs into {TOKEN} or a file."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError("A FHIR server on another machine is posted to by https only.")
    encrypted = parts.scheme == "https"
    return Address(host, port or (443 if encrypted else 80), parts.path or "/", encrypted)


def read_token(file: Path | None) -> str:
    """The token from a file, else from the environment; "" where there is none.

    Raises:
        UsageError: The file cannot be read, or what is there is no token.
    """
    try:
        if file is None:
            text = os.environ.get(TOKEN, "")
        else:
            with file.open(encoding="ascii") as opened:
                text = opened.read(_LONGEST_TOKEN + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "The file with the token cannot be read; give one that holds the token alone."
        ) from error
    token = text.strip()
    if len(token) > _LONGEST_TOKEN or any(not "!" <= each <= "~" for each in token):
        raise UsageError("The token for the FHIR server is none: one word of printable characters.")
    if file is not None and not token:
        raise UsageError("The file with the token is empty.")
    return token


def post(address: Address, content: bytes, token: str = "", *, silence_s: float = SILENCE_S,
         longest_s: float = LONGEST_S) -> Posted:  # fmt: skip
    """Post a transaction.

    Args:
        address: Of the base of the service.
        content: The Bundle.
        token: Proof of who asks (Bearer), or "".
        silence_s: Longest wait for the server to take or to say something.
        longest_s: Longest wait for the whole answer.

    Raises:
        ExportError: The server cannot be reached, is not whom it claims to be, or did not take it.
    """
    connection, late = _connection(address, silence_s), threading.Event()
    try:
        connection.connect()
        with _cut_after(longest_s, connection.sock, late):
            connection.request("POST", address.path, content, _headers(token))
            with connection.getresponse() as answer:
                body = _read(answer)
    except ssl.SSLError as error:
        raise ExportError("The FHIR server could not prove who it is; nothing was posted.") from error
    except TimeoutError as error:
        raise ExportError(f"The FHIR server gave no answer in time. {_AGAIN}") from error
    except ConnectionRefusedError as error:
        raise ExportError("No FHIR server listens at this address; look at the address.") from error
    except (OSError, HTTPException) as error:
        if not late.is_set():
            raise ExportError(f"The connection with the FHIR server failed. {_AGAIN}") from error
    finally:
        connection.close()
    if late.is_set():
        raise ExportError(f"The FHIR server gave no answer in time. {_AGAIN}")
    return _posted(answer.status, body, _count(content))


def _connection(address: Address, silence_s: float) -> HTTPConnection:
    if not address.encrypted:
        return HTTPConnection(address.host, address.port, timeout=silence_s)
    context = ssl.create_default_context()
    return HTTPSConnection(address.host, address.port, timeout=silence_s, context=context)


def _headers(token: str) -> dict[str, str]:
    kind = "application/fhir+json"
    headers = {"Content-Type": kind, "Accept": kind, "User-Agent": f"SEMC-Live/{VERSION}"}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


@contextmanager
def _cut_after(longest_s: float, connection: socket.socket, late: threading.Event) -> Iterator[None]:
    """Inside, the connection is shut down after so long, and `late` set: a drip is never silent for long."""

    def cut() -> None:
        late.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(longest_s, cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _read(answer: HTTPResponse) -> bytes:
    read = bytearray()
    while chunk := answer.read1(_CHUNK):
        read += chunk
        if len(read) > _MOST_BYTES:
            raise ExportError("The FHIR server answers without an end; nothing is known of what it did.")
    return bytes(read)


def _count(content: bytes) -> int:
    return len(_PLAIN.parse(content)["entry"])


def _posted(status: int, body: bytes, count: int) -> Posted:
    """Raises ExportError where the server did not take it, without its own words: they may name somebody."""
    if status // 100 == 3:
        raise ExportError("The FHIR server sends on to another address; give that one.")
    if status >= 500:
        raise ExportError(f"The FHIR server has a fault of its own ({status}). {_AGAIN}")
    if status != 200:
        raise ExportError(f"The FHIR server {_REFUSED.get(status, 'did not take it')} ({status}).")
    try:
        entries = _PLAIN.parse(body)["entry"]
        each = [str(entry["response"]["status"])[:3] for entry in entries]
    except (DocumentFault, KeyError, TypeError) as error:
        raise ExportError(f"The FHIR server answered what is no answer to a transaction. {_AGAIN}") from error
    made, known = each.count("201"), each.count("200")
    if len(each) != count or made + known != count:
        raise ExportError(f"The FHIR server took {made + known} of {count} resources. {_AGAIN}")
    return Posted(made, known)
