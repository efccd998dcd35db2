"""The service: where it listens, and from its start to its end."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from semc_core.errors import UsageError
from semc_core.http.analysis import Analyser
from semc_core.http.application import Interface, application
from semc_core.http.bounds import Bounds
from semc_core.http.counters import Counters
from semc_core.http.guard import Guard
from semc_core.http.uploads import Uploads
from semc_core.runtime.base import Runtime

_GRACE_S: Final = 5.0
"""So long what is under way may take to end."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service listens.

    Attributes:
        host: Address, or "localhost".
        port: 0 is any that is free.
        certificate: PEM file, with `key` for TLS; None speaks in the clear, on this machine only.
        key: PEM file, without a password.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    certificate: Path | None = None
    key: Path | None = None

    def check(self) -> None:
        """Raises UsageError where others could reach it in the clear, or the certificate cannot be used."""
        if (self.certificate is None) != (self.key is None):
            raise UsageError("--certificate and --key go together; give both.")
        if self.certificate is None or self.key is None:
            if not _is_here(self.host):
                raise UsageError(
                    f"{self.host} can be reached by other machines, so it needs TLS: give --certificate and "
                    "--key, or listen at 127.0.0.1."
                )
            return
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise UsageError(
                "The certificate and its key cannot be used; give PEM files, the key without a password."
            ) from error

    def bind(self, most: int = 100) -> socket.socket:
        """Listen; raises UsageError where that cannot be.

        Args:
            most: Connections that are answered; of more, as many again are told so, the rest is closed.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listening = _Listening(2 * most, family)
        try:
            if os.name != "nt":  # there it would let two services listen at one port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.host, self.port))
            listening.listen(128)
        except OSError as error:
            listening.close()
            raise UsageError(
                f"Port {self.port} of {self.host} cannot be listened at; choose another with --port."
            ) from error
        return listening


class HttpService:
    """Listens from construction to the end of the context; answers while `run` runs."""

    def __init__(
        self,
        runtime: Runtime,
        model: str,
        token: str,
        place: Place,
        folder: Path,
        sessions: Path,
        bounds: Bounds | None = None,
    ) -> None:
        """Make all ready.

        Args:
            runtime: The model; stays open.
            model: Its name.
            token: Without which only /health answers.
            place: Where to listen.
            folder: For uploads, while they are needed.
            sessions: The folder whose sessions are listed.
            bounds: What requests may take; None is the usual.

        Raises:
            SemcError: It cannot listen there, or `folder` cannot be written to.
        """
        place.check()
        bounds = bounds or Bounds()
        counters = Counters(model, runtime.spec.sha256)
        with ExitStack() as stack:
            uploads = Uploads(folder)
            stack.callback(uploads.close)
            analyser = Analyser(runtime, counters, bounds.analysis_s)
            stack.callback(analyser.close)
            self._socket = stack.enter_context(place.bind(bounds.connections))
            interface = Interface(analyser, uploads, counters, bounds, sessions)
            config = uvicorn.Config(
                Guard(application(interface), token, counters, lambda: self._crowded(bounds)),
                loop="asyncio", http=_protocol(bounds), ws="none", lifespan="off", interface="asgi3",
                log_config=None, log_level=logging.ERROR, access_log=False, proxy_headers=False,
                server_header=False, timeout_graceful_shutdown=int(_GRACE_S),
                ssl_certfile=place.certificate, ssl_keyfile=place.key,
            )  # fmt: skip
            self._server = _Server(config, interface.end)
            self._stack = stack.pop_all()
        self.address = _address(place, self._socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more, end what is under way, and remove what was sent."""
        self._stack.close()

    def run(self) -> None:
        """Answer until Ctrl+C, SIGTERM, the end of the terminal (SIGHUP) or `stop`."""
        with _heard_hangup(self.stop):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End `run` soon. From any thread."""
        self._server.should_exit = True

    def _crowded(self, bounds: Bounds) -> bool:
        return len(self._server.server_state.connections) > bounds.connections


class _Listening(socket.socket):
    """Holds so many connections at one time, also those that have not come to speak TLS: files are few."""

    def __init__(self, most: int, family: socket.AddressFamily) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._most = most
        self._taken: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; BlockingIOError, as where there is none, if it is one too many."""
        connection, address = super().accept()
        self._taken = [each for each in self._taken if each.fileno() >= 0]
        if len(self._taken) >= self._most:
            connection.close()
            raise BlockingIOError
        self._taken.append(connection)
        return connection, address


class _Server(uvicorn.Server):
    """Tells first what is under way that the service ends."""

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


def _protocol(bounds: Bounds) -> type[H11Protocol]:
    """HTTP that closes a connection on which nothing is asked, or what is answered is not read, in time."""

    class Bounded(H11Protocol):
        _silence: asyncio.TimerHandle | None = None
        _unread: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            # An address may hold what is nobody's business, and where it is logged is not ours to say.
            self.access_log = False
            self._await_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._requested()
            self._read()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._await_reading(self.transport.get_write_buffer_size())

        def resume_writing(self) -> None:
            super().resume_writing()
            self._read()
            if self._silence is None and (self.cycle is None or self.cycle.response_complete):
                self._await_request()

        def handle_events(self) -> None:
            super().handle_events()
            if self.cycle is not None and not self.cycle.response_complete:
                self._requested()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # The next may have come already.
            if self.cycle is None or self.cycle.response_complete:
                self._await_request()

        def _await_request(self) -> None:
            self._requested()
            self._silence = self.loop.call_later(bounds.head_s, self._was_silent)

        def _was_silent(self) -> None:
            self._silence = None
            # Who still reads the last answer is waited for otherwise.
            if self._unread is None:
                self.transport.abort()

        def _requested(self) -> None:
            if self._silence is not None:
                self._silence.cancel()
                self._silence = None

        def _await_reading(self, left: int) -> None:
            self._unread = self.loop.call_later(bounds.silence_s, self._went_on, left)

        def _went_on(self, left: int) -> None:
            now_left = self.transport.get_write_buffer_size()
            if now_left < left:
                self._await_reading(now_left)
            else:
                self.transport.abort()

        def _read(self) -> None:
            if self._unread is not None:
                self._unread.cancel()
                self._unread = None

    return Bounded


@contextmanager
def _heard_hangup(end: Callable[[], None]) -> Iterator[None]:
    """In here `end` is called where the terminal is closed, which would else end all and leave what was sent.

    Where that is ignored (nohup) it stays so.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or not in_main or signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGHUP, lambda *_: end())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(place: Place, listening: socket.socket) -> str:
    scheme = "http" if place.certificate is None else "https"
    host = f"[{place.host}]" if ":" in place.host else place.host
    return f"{scheme}://{host}:{listening.getsockname()[1]}"
