"""A small RTSP server for tests: a picture for whoever asks, as MPEG-TS in RTP through his connection."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

_SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=scan\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 33\r\na=control:track1\r\n"
)
_OF = {
    "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
    "PLAY": "Session: 1\r\n",
    "TEARDOWN": "Session: 1\r\n",
}


@contextmanager
def rtsp_server(port: int, send: Callable[[str, threading.Event], None]) -> Iterator[int]:
    """Serve at a port (0 chooses one); at the end the server dies with its connections.

    Args:
        port: Where.
        send: Sends RTP to an address until the event is set.
    """
    dead = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self._answer() != "PLAY":
                    pass
                self._play()

        def _answer(self) -> str:
            head = ""
            while not head.endswith("\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    raise ConnectionResetError
                head += line.decode()
            method = head.split(" ", 1)[0]
            number = next(line for line in head.splitlines() if line.lower().startswith("cseq"))
            body = _SDP if method == "DESCRIBE" else ""
            extra = (
                f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n" if body else _OF[method]
            )
            self.wfile.write(f"RTSP/1.0 200 OK\r\n{number}\r\n{extra}\r\n{body}".encode())
            return method

        def _play(self) -> None:
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as heard:
                heard.bind(("127.0.0.1", 0))
                heard.settimeout(0.1)
                over = threading.Event()
                address = f"rtp://127.0.0.1:{heard.getsockname()[1]}?pkt_size=1316"
                sender = threading.Thread(target=send, args=(address, over))
                sender.start()
                try:
                    while not dead.is_set():
                        with suppress(TimeoutError):
                            packet = heard.recv(65536)
                            self.wfile.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
                finally:
                    over.set()
                    sender.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Tests print nothing."""

    with Server(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            dead.set()
            server.shutdown()
            thread.join()
