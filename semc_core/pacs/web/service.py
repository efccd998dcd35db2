"""HTTP with one DICOMweb service, within bounds of time and size.

Of what the libraries do by themselves nothing happens: no proxy, no redirect, no second attempt to store, no
password of another file, no log. The server's certificate and name are checked. What goes wrong becomes a
sentence, without the server's words and without what was asked: both may name a patient.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self, cast

import requests
from dicomweb_client.web import DICOMwebClient
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError, ProtocolError

from semc_core.pacs.association import AssociationFault, shut_down
from semc_core.pacs.destinations import SecuredContext, WebDestination, tls_context
from semc_core.pacs.web.retry_after import asked_wait_s
from semc_core.pacs.web_secret import WebSecret
from semc_core.version import VERSION

for _name in ("dicomweb_client", "urllib3", "requests"):
    # They write addresses, and with them what was asked.
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

LONGEST_ANSWERS: Final = 4
"""So many times the longest wait for one answer is the longest time for all of it."""
MOST_BYTES: Final = 32_000_000
"""Of an answer that is read whole."""
_CHUNK: Final = 262_144
_GONE: Final = (404, 405, 410, 501)
BUSY: Final = (408, 429, 502, 503, 504)
"""Statuses of a service that can be asked again later."""


class WebService:
    """A service, and the connections with it. Use as a context; from one thread, but for `cut`.

    Attributes:
        client: The library's, for what is asked and answered as DICOM JSON; call it inside of `asking`.
    """

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
        self.name = destination.name
        self.base = destination.base
        self.answer_s = destination.answer_s
        self._signs_in = bool(secret)
        self._opened = opened
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._secured = tls_context(destination.tls) if destination.origin.startswith("https:") else None
        timeouts = (destination.connect_s, destination.answer_s)
        self._session = _Session(_Adapter(self._connected, self._secured), secret.header(), timeouts)
        self.client = DICOMwebClient(self.base, self._session, timeout=timeouts, permissive_uid=True)
        self.client.set_http_retry_params(retry=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        # The library forgets one that broke while an object was on its way.
        for each in self._sockets:
            each.close()

    @contextmanager
    def asking(self, longest_s: float) -> Iterator[Patience]:
        """What is asked inside of this has so long; then the connection is cut.

        Raises:
            AssociationFault: There is no connection, it was lost, or what came is no answer.
        """
        with Patience(longest_s, self._cut) as patience:
            try:
                yield patience
                failed: AssociationFault | None = None
            except (RequestException, HTTPError, OSError) as error:
                failed = self._fault(error)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                # Of the library, where an answer is not what the standard says.
                failed = self.no_answer()
        # Where the end of a connection is the end of an answer, a cut looks like one.
        if patience.over:
            failed = AssociationFault(f"{self.name} gave no whole answer in time.")
        if failed is not None:
            raise failed from None

    def send(self, method: str, path: str, **parts: Any) -> requests.Response:
        """The answer, whatever its status, its body not read; inside of `asking`. `path` begins with "/"."""
        return self._session.request(method, self.base + path, stream=True, **parts)

    def read(self, answer: requests.Response, most: int = MOST_BYTES) -> bytes:
        """The body of an answer.

        Raises:
            AssociationFault: It is longer than `most` bytes.
        """
        return b"".join(self.chunks(answer, most))

    def chunks(self, answer: requests.Response, most: int) -> Iterator[bytes]:
        """The body piece by piece, as it is: it was asked for uncompressed.

        Raises:
            AssociationFault: It is longer than `most` bytes, or compressed.
        """
        try:
            yield from _chunks(answer, most)
        except _NoAnswer as error:
            raise AssociationFault(f"{self.name} {error}.") from None

    def fault_of(self, answer: requests.Response) -> AssociationFault | None:
        """What its status says of the service itself; None where it may be about what was asked."""
        name, status = self.name, answer.status_code
        if status // 100 == 3:
            return AssociationFault(
                f"{name} sends on to another address, which is not followed; correct its address.",
                permanent=True,
            )
        if status == 401:
            wants = (
                "does not accept the token or the password" if self._signs_in else "wants a token or password"
            )
            return AssociationFault(
                f"{name} {wants} (401); add it again with one that it knows.", permanent=True
            )
        if status == 403:
            return AssociationFault(f"{name} does not allow this (403); ask who runs it.", permanent=True)
        if status in _GONE:
            return AssociationFault(
                f"{name} has no such service at this address ({status}); give the base of its DICOMweb "
                "service, such as https://host/dicom-web.",
                permanent=True,
            )
        if status in BUSY:
            after_s = asked_wait_s(answer.headers)
            if after_s:
                return AssociationFault(
                    f"{name} cannot be asked now ({status}); it wants to be left alone for {after_s:.0f} s.",
                    after_s=after_s,
                )
            return AssociationFault(f"{name} cannot be asked now ({status}).", after_s=after_s)
        return None

    @property
    def has_more(self) -> bool:
        """Whether the last answer that was read whole says that it is not all."""
        return self._session.warned

    def no_answer(self) -> AssociationFault:
        """The fault of a service whose answer is none."""
        return AssociationFault(f"{self.name} answers, but not as a DICOMweb service; check its address.")

    def _connected(self, connection: socket.socket) -> None:
        with self._lock:
            self._sockets.append(connection)
        if self._opened is not None:
            self._opened(connection)

    def _cut(self) -> None:
        with self._lock:
            if self._sockets:
                shut_down(self._sockets[-1])

    def _fault(self, error: BaseException) -> AssociationFault:
        secured, unreached = self._secured, f"{self.name} cannot be reached"
        if isinstance(error, _NoAnswer):
            return AssociationFault(f"{self.name} {error}.")
        if isinstance(error, requests.HTTPError) and error.response is not None:
            status = error.response.status_code
            known = self.fault_of(error.response)
            return known or AssociationFault(f"{self.name} could not answer ({status}).")
        if secured is not None and secured.fault:
            sentence, secured.fault = f"{unreached} over TLS: {secured.fault}", ""
            return AssociationFault(sentence, permanent=secured.permanent)
        if isinstance(error, ValueError):
            return self.no_answer()
        if isinstance(error, requests.Timeout):
            return AssociationFault(f"{self.name} gave no answer in time.")
        if not self._sockets:
            return AssociationFault(f"{unreached}; check its address, that it runs, and the network.")
        return AssociationFault(f"The connection with {self.name} broke off.")


class Patience:
    """Cuts a connection when its time is over, whatever it waits for; what arrives can lengthen it.

    Attributes:
        over: Whether it did.
    """

    def __init__(self, seconds: float, cut: Callable[[], None]) -> None:
        """Wait so long; use as a context."""
        self.over = False
        self._until_s = time.monotonic() + seconds
        self._cut = cut
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="DICOMweb patience", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def lengthen(self, seconds: float) -> None:
        """Wait so much longer."""
        self._until_s += seconds

    def _run(self) -> None:
        while (left_s := self._until_s - time.monotonic()) > 0:
            if self._done.wait(left_s):
                return
        self.over = True
        # A connection may just be made: it has a time-out of its own, and is cut then.
        while True:
            self._cut()
            if self._done.wait(0.2):
                return


class _NoAnswer(RequestException):
    """An answer that is not taken; half a sentence that follows the server's name."""


class _Session(requests.Session):
    """Answers are not followed anywhere, and are bounded."""

    def __init__(self, adapter: HTTPAdapter, proof: str, timeouts: tuple[float, float]) -> None:
        super().__init__()
        self._timeouts = timeouts
        self.warned = False
        # Proxies, passwords (.netrc) and certificates of the environment.
        self.trust_env = False
        self.adapters.clear()
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)
        self.headers = cast(Any, {"User-Agent": f"SEMC-Live/{VERSION}", "Accept-Encoding": "identity"})
        if proof:
            self.headers["Authorization"] = proof

    def send(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        """As the library does it, but for all that it does by itself."""
        # The client's own has no port, and is not what proxies in front of a service expect.
        request.headers.pop("Host", None)
        whole = not settings.get("stream")
        if request.url is not None:
            # An address may hold both as they are, and some services know them as wildcards only so.
            request.url = request.url.replace("%2A", "*").replace("%3F", "?")
        settings["timeout"] = settings.get("timeout") or self._timeouts
        settings |= {"stream": True, "allow_redirects": False, "verify": True, "cert": None, "proxies": {}}
        try:
            answer = super().send(request, **settings)
        except requests.ConnectionError as error:
            if request.method != "GET" or not isinstance(error.args[0], ProtocolError):
                raise
            # A connection that was kept open may be closed by the server just then.
            answer = super().send(request, **settings)
        self.cookies.clear()
        if whole:
            if answer.status_code // 100 == 3:
                answer.close()
                raise requests.HTTPError(response=answer)
            self.warned = "Warning" in answer.headers
            # What `content` hands out, had the library read it.
            answer._content = b"".join(_chunks(answer, MOST_BYTES))
        return answer

    def get_redirect_target(self, resp: Any) -> str | None:
        """None is followed, and none is looked at: the library would read its body without a bound."""
        return None


class _Adapter(HTTPAdapter):
    """Connections that are told of, with the certificates of one destination."""

    def __init__(self, connected: Callable[[socket.socket], None], secured: SecuredContext | None) -> None:
        self._secured = secured
        self._pools = _pools(connected)
        if secured is not None:
            secured.opened = connected
        super().__init__(max_retries=0)

    def init_poolmanager(self, *sizes: Any, **settings: Any) -> None:
        """With the certificates that are trusted."""
        if self._secured is not None:
            settings["ssl_context"] = self._secured.context
        super().init_poolmanager(*sizes, **settings)
        manager = cast(Any, self.poolmanager)
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, **self._pools}

    def close(self) -> None:
        """Close the connections now: the library leaves that to the garbage collector."""
        pools = cast(Any, self.poolmanager).pools
        for key in list(pools.keys()):
            pools[key].close()
        super().close()

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context has what is trusted; the library would add certificates of its own."""
        conn.cert_reqs = "CERT_REQUIRED"


def _pools(connected: Callable[[socket.socket], None]) -> Mapping[str, type[HTTPConnectionPool]]:
    class Connection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            connected(self.sock)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    return {"http": Pool}


def _chunks(answer: requests.Response, most: int) -> Iterator[bytes]:
    """Raises _NoAnswer."""
    arrived = 0
    with answer:
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise _NoAnswer("compresses its answers, although it was asked not to")
        for chunk in answer.iter_content(_CHUNK):
            arrived += len(chunk)
            if arrived > most:
                raise _NoAnswer(f"answers with more than {most / 1e6:.0f} MB, which is not read")
            yield chunk
