"""An HTTP server of a test's own, on a thread, as long as a test wants it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.pacs.servers import HOST


class Silent:
    """For a handler of requests: writes nothing down."""

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked has gone; print nothing."""


@contextmanager
def answering(
    handler: type[BaseHTTPRequestHandler], certificate: tuple[str, str] | None = None
) -> Iterator[int]:
    """The server, with a PEM file of its certificate and key by TLS. Gives its port."""
    with _Quiet((HOST, 0), handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(10)


@contextmanager
def offering(folder: Path) -> Iterator[str]:
    """A server that offers the files of a folder. Gives its address."""

    class Files(Silent, SimpleHTTPRequestHandler):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given, directory=str(folder))

    with answering(Files) as port:
        yield f"http://{HOST}:{port}"
