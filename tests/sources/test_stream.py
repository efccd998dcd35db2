"""Network streams, really sent over loopback."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.sources.stream import StreamSource, public_name
from tests.sources.capture_clips import HEIGHT, WIDTH, number_of, numbered, read_all, write_video

RATE = 50


def _free_udp_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(port: int, stop: threading.Event) -> None:
    """Send numbered frames as MPEG-TS over UDP, at their own speed, until told to stop."""
    url = f"udp://127.0.0.1:{port}?pkt_size=1316"
    with av.open(url, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"tune": "zerolatency", "g": "10"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        index = 0
        while not stop.wait(1 / RATE):
            frame = av.VideoFrame.from_ndarray(numbered(index % 256), format="gray").reformat(
                format="yuv420p"
            )
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
            index += 1


def _read_on(source: StreamSource) -> None:
    while source.read() is not None:
        pass


@pytest.fixture
def udp_sender() -> Iterator[tuple[int, threading.Event]]:
    """A port that receives a stream, and the event that stops the sender."""
    port, stop = _free_udp_port(), threading.Event()
    sender = threading.Thread(target=_send, args=(port, stop))
    sender.start()
    yield port, stop
    stop.set()
    sender.join(30)


def test_a_udp_stream_is_played_in_order_with_its_own_times(udp_sender: tuple[int, threading.Event]) -> None:
    source = StreamSource(f"udp://127.0.0.1:{udp_sender[0]}")
    packets = [source.read() for _ in range(30)]
    source.interrupt()
    source.close()
    assert source.info.live
    first = number_of(packets[0].pixels) if packets[0] else -1
    for index, packet in enumerate(packets):
        assert packet is not None
        assert packet.index == index
        # What loopback lost, if anything, is missing from the times as from the pictures.
        assert number_of(packet.pixels) == (first + round(packet.pts_s * RATE)) % 256


def test_a_udp_stream_that_falls_silent_is_an_error(udp_sender: tuple[int, threading.Event]) -> None:
    port, stop = udp_sender
    source = StreamSource(f"udp://127.0.0.1:{port}", read_timeout_s=0.5)
    stop.set()
    with pytest.raises(SourceError, match=r"broke off: nothing has come for 0\.5 s"):
        _read_on(source)
    with pytest.raises(SourceError, match="broke off"):
        source.read()
    source.close()


def test_an_interrupt_ends_a_read_that_waits_for_the_network(
    udp_sender: tuple[int, threading.Event],
) -> None:
    port, stop = udp_sender
    source = StreamSource(f"udp://127.0.0.1:{port}", read_timeout_s=1.5)
    begun, ended_s = threading.Event(), []

    def read_on() -> None:
        begun.set()
        with pytest.raises(SourceInterrupted):
            _read_on(source)
        ended_s.append(time.monotonic())

    stop.set()
    reader = threading.Thread(target=read_on)
    reader.start()
    assert begun.wait(30)
    interrupted_s = time.monotonic()
    source.interrupt()
    reader.join(30)
    assert ended_s[0] - interrupted_s < 1.0
    source.close()


def test_nobody_sending_is_an_error_that_says_so() -> None:
    with pytest.raises(SourceError, match="Nothing came from udp://127"):
        StreamSource(f"udp://127.0.0.1:{_free_udp_port()}", open_timeout_s=0.5)


def test_a_refused_connection_is_an_error_that_says_so() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with pytest.raises(SourceError, match="refuses the connection"):
            StreamSource(f"tcp://127.0.0.1:{taken.getsockname()[1]}")


@contextmanager
def _served(body: bytes, announced: int | None, status: int = 200) -> Iterator[str]:
    """A web server that answers all with `body`, and announces `announced` bytes; None sends chunks."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Connection", "close")
            if announced is None:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            else:
                self.send_header("Content-Length", str(announced))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://user:secret@127.0.0.1:{server.server_address[1]}/scan.ts?token=secret"
        finally:
            server.shutdown()
            thread.join()


def test_an_http_stream_ends_when_its_sender_ends_it(tmp_path: Path) -> None:
    body = write_video(tmp_path / "a.ts", 40).read_bytes()
    with _served(body, announced=None) as url:
        source = StreamSource(url)
        packets = read_all(source)
    assert [number_of(packet.pixels) for packet in packets] == list(range(40))
    assert [packet.pts_s for packet in packets] == pytest.approx([index / 25 for index in range(40)])
    assert "secret" not in source.info.source_id


def test_an_http_stream_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    body = write_video(tmp_path / "a.ts", 40).read_bytes()
    with _served(body, announced=len(body) + 10_000) as url:
        source = StreamSource(url)
        with pytest.raises(SourceError, match="broke off") as caught:
            _read_on(source)
        source.close()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"", "not offered by the server"),
        (401, b"", "user name"),
        (200, b"hello " * 500, "video format"),
    ],
)
def test_a_server_that_does_not_give_a_stream_says_why(status: int, body: bytes, says: str) -> None:
    with _served(body, len(body), status) as url, pytest.raises(SourceError, match=says):
        StreamSource(url)


def test_the_shown_name_hides_who_and_how() -> None:
    assert public_name("rtsp://doctor:pw@10.0.0.1:554/live?key=1") == "rtsp://10.0.0.1:554/live"
