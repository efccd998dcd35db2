"""Network streams, really sent over loopback."""

from __future__ import annotations

import http.server
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.sources.live.address import public_name
from semc_core.sources.live.stream import StreamSource
from semc_core.types import FramePacket
from tests.sources.capture_clips import HEIGHT, WIDTH, number_of, numbered, read_all, write_video
from tests.sources.rtsp_server import rtsp_server

RATE = 50


def free_udp_port() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(port: int, stop: threading.Event, first: int = 0) -> None:
    """Send numbered frames, from `first` on, as MPEG-TS over UDP, at their own speed, until told to stop."""
    send_to(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts", stop, first)


def send_to(url: str, form: str, stop: threading.Event, first: int) -> None:
    with av.open(url, "w", format=form) as container:
        stream = container.add_stream("libx264", rate=RATE, options={"tune": "zerolatency", "g": "10"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        index = 0
        while not stop.wait(1 / RATE):
            frame = av.VideoFrame.from_ndarray(numbered((first + index) % 256), format="gray").reformat(
                format="yuv420p"
            )
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
            index += 1


def _read_on(source: StreamSource) -> None:
    while source.read() is not None:
        pass


def _read(source: StreamSource) -> FramePacket:
    packet = source.read()
    assert packet is not None, "only the user ends a live scan"
    return packet


def _until(source: StreamSource, wanted: Callable[[FramePacket], bool]) -> FramePacket:
    while not wanted(packet := _read(source)):
        pass
    return packet


def _told_while_waiting(source: StreamSource) -> str:
    """What is told of a source that gives no pictures: waits until there is something to tell."""
    begun_s = time.monotonic()
    while not (told := source.info.notice) or time.monotonic() - begun_s < 1.0:
        time.sleep(0.01)
    return told


@contextmanager
def sending(port: int, first: int = 0) -> Iterator[None]:
    """A sender of MPEG-TS over UDP, which dies at the end."""
    stop = threading.Event()
    sender = threading.Thread(target=_send, args=(port, stop, first))
    sender.start()
    try:
        yield
    finally:
        stop.set()
        sender.join(30)


@pytest.fixture
def udp_sender() -> Iterator[tuple[int, threading.Event]]:
    """A port that receives a stream, and the event that stops the sender."""
    port, stop = free_udp_port(), threading.Event()
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


@pytest.mark.parametrize("read_timeout_s", [0.4, 60])
def test_a_udp_sender_that_dies_and_comes_back_goes_on_in_the_same_stream(read_timeout_s: float) -> None:
    """Whether the connection is made anew meanwhile or not."""
    port = free_udp_port()
    with sending(port):
        source = StreamSource(f"udp://127.0.0.1:{port}", read_timeout_s=read_timeout_s)
        before = [_read(source) for _ in range(10)]
    reader = _Reading(source, lambda packet: number_of(packet.pixels) >= 128)
    told = _told_while_waiting(source)
    with sending(port, first=128):
        after = reader.first()
        later = [_read(source) for _ in range(10)]
        source.interrupt()
        source.close()
    assert "gives no pictures at the moment" in told or "broke off" in told
    assert after.pts_s - before[-1].pts_s >= 1.0, "the gap shows in the times"
    packets = [*before, after, *later]
    assert [packet.pts_s for packet in packets] == sorted({packet.pts_s for packet in packets})
    assert "the scan went on" in source.info.notice or source.info.notice == ""


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
        StreamSource(f"udp://127.0.0.1:{free_udp_port()}", open_timeout_s=0.5)


def test_what_the_video_library_does_not_know_is_told_with_a_way_round_it() -> None:
    with pytest.raises(SourceError, match=r"does not know srt; let FFmpeg's program take it: ffmpeg -i"):
        StreamSource("srt://127.0.0.1:9").read()


def test_a_refused_connection_is_an_error_that_says_so() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with pytest.raises(SourceError, match="refuses the connection"):
            StreamSource(f"tcp://127.0.0.1:{taken.getsockname()[1]}")


@contextmanager
def served(body: bytes, announced: int | None, status: int = 200) -> Iterator[str]:
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


def test_a_recording_that_a_web_server_offers_ends(tmp_path: Path) -> None:
    body = write_video(tmp_path / "a.ts", 40).read_bytes()
    with served(body, announced=len(body)) as url:
        source = StreamSource(url)
        packets = read_all(source)
    assert [number_of(packet.pixels) for packet in packets] == list(range(40))
    assert [packet.pts_s for packet in packets] == pytest.approx([index / 25 for index in range(40)])
    assert "secret" not in source.info.source_id


@contextmanager
def written(body: bytes) -> Iterator[str]:
    """A pipe into which another writes `body`, and ends."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(body)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield f"pipe:{reading}"
    finally:
        writer.join()
        os.close(reading)


@pytest.mark.parametrize("form", ["ts", "mkv"])
def test_what_another_program_writes_is_read_to_its_end(tmp_path: Path, form: str) -> None:
    with written(write_video(tmp_path / f"a.{form}", 40).read_bytes()) as url:
        source = StreamSource(url)
        packets = read_all(source)
    assert [number_of(packet.pixels) for packet in packets] == list(range(40))
    assert source.info.source_id == "Standard input"


@pytest.mark.parametrize("body", [b"", b"no video at all" * 1000])
def test_another_program_that_writes_no_video_is_told(body: bytes) -> None:
    with written(body) as url, pytest.raises(SourceError, match="Standard input brought no video"):
        read_all(StreamSource(url))


def test_a_live_stream_that_its_sender_ends_is_asked_for_again(tmp_path: Path) -> None:
    body = write_video(tmp_path / "a.ts", 40).read_bytes()
    with served(body, announced=None) as url:
        source = StreamSource(url)
        packets = [_read(source) for _ in range(100)]
        source.interrupt()
        source.close()
    assert [number_of(packet.pixels) for packet in packets] == [index % 40 for index in range(100)]
    times_s = [packet.pts_s for packet in packets]
    assert times_s == sorted(times_s)


def _jpegs(stop: threading.Event, pictures: Iterable[NDArray[np.uint8]]) -> Iterator[bytes]:
    """A part of an MJPEG stream for each picture."""
    for picture in pictures:
        if stop.wait(1 / RATE):
            return
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)


@contextmanager
def camera_server(
    port: int,
    first: int,
    stalls: threading.Event | None = None,
    pictures: Iterable[NDArray[np.uint8]] | None = None,
) -> Iterator[int]:
    """A camera that sends MJPEG over HTTP, by itself numbered pictures from `first` on; it dies at the end,
    and stalls while the event is set."""
    stop = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for part in _jpegs(
                    stop, pictures or (numbered(each % 256) for each in itertools.count(first))
                ):
                    while stalls is not None and stalls.is_set() and not stop.wait(0.01):
                        pass
                    self.wfile.write(part)
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Tests print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            stop.set()
            server.shutdown()
            thread.join()


def test_an_mjpeg_camera_that_is_killed_heals_by_itself_soon_after_it_is_back() -> None:
    with camera_server(0, 0) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/video.mjpg")
        before = _until(source, lambda packet: number_of(packet.pixels) >= 10)
    reader = _Reading(source, lambda packet: number_of(packet.pixels) >= 200)
    told = _told_while_waiting(source)
    assert "refuses the connection" in told or "ended its picture" in told or "broke off" in told
    assert "tried again" in told
    with camera_server(port, 200):
        after = reader.first()
        later = _until(source, lambda packet: number_of(packet.pixels) >= 210)
        source.interrupt()
        source.close()
    assert before.index < after.index < later.index
    assert after.pts_s - before.pts_s >= 1.0
    assert {before.source_id, after.source_id} == {source.info.source_id}


def test_a_killed_rtsp_server_is_no_end_of_the_scan_and_heals_when_it_is_back() -> None:
    with rtsp_server(0, lambda url, over: send_to(url, "rtp_mpegts", over, 0)) as port:
        source = StreamSource(f"rtsp://127.0.0.1:{port}/scan")
        before = _until(source, lambda packet: number_of(packet.pixels) >= 10)
        reader = _Reading(
            source, lambda packet: packet.pts_s > before.pts_s and number_of(packet.pixels) >= 200
        )
    told = _told_while_waiting(source)
    assert "tried again until it comes back" in told
    with rtsp_server(port, lambda url, over: send_to(url, "rtp_mpegts", over, 200)):
        after = reader.first()
        source.interrupt()
        source.close()
    assert after.index > before.index
    assert after.pts_s - before.pts_s >= 1.0


def test_a_sender_that_stalls_is_told_and_goes_on_by_itself() -> None:
    stalls = threading.Event()
    with camera_server(0, 0, stalls) as port:
        source = StreamSource(f"http://127.0.0.1:{port}/video.mjpg")
        _until(source, lambda packet: number_of(packet.pixels) >= 10)
        stalls.set()
        begun_s = time.monotonic()
        reader = _Reading(source, lambda packet: packet.captured_s > begun_s + 1)
        while "gives no pictures at the moment" not in source.info.notice:
            pass
        stalls.clear()
        reader.first()
        assert "at the moment" not in source.info.notice, "the sentence goes with its cause"
        source.interrupt()
        source.close()


class _Reading:
    """Reads up to a picture that is wanted, on a thread of its own."""

    def __init__(self, source: StreamSource, wanted: Callable[[FramePacket], bool]) -> None:
        self._got: list[FramePacket] = []
        self._thread = threading.Thread(target=lambda: self._got.append(_until(source, wanted)))
        self._thread.start()

    def first(self) -> FramePacket:
        self._thread.join(60)
        return self._got[0]


def test_an_address_that_accepts_and_sends_nothing_says_so() -> None:
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        with pytest.raises(SourceError, match="accepts the connection and sent nothing within"):
            StreamSource(f"http://127.0.0.1:{silent.getsockname()[1]}/video", open_timeout_s=0.5)


def test_a_name_that_nobody_has_says_so() -> None:
    with pytest.raises(SourceError, match=r"No computer is called nobody\.invalid in this network"):
        StreamSource("http://nobody.invalid/video")


def test_an_http_stream_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    body = write_video(tmp_path / "a.ts", 40).read_bytes()
    with served(body, announced=len(body) + 10_000) as url:
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
    with served(body, len(body), status) as url, pytest.raises(SourceError, match=says):
        StreamSource(url)


def test_the_shown_name_hides_who_and_how() -> None:
    assert public_name("rtsp://doctor:pw@10.0.0.1:554/live?key=1") == "rtsp://10.0.0.1:554/live"


def test_an_address_that_is_none_says_so_without_what_is_secret_in_it() -> None:
    with pytest.raises(SourceError, match="check its brackets") as refused:
        StreamSource("rtsp://doctor:pw@[::1/live")
    assert "pw" not in str(refused.value)


def test_a_stream_whose_pictures_change_their_size_says_the_new_one() -> None:
    sizes = itertools.chain(itertools.repeat((64, 48), 8), itertools.repeat((96, 64)))
    pictures = (np.full((high, wide), 99, np.uint8) for wide, high in sizes)
    with (
        camera_server(0, 0, pictures=pictures) as port,
        closing(StreamSource(f"http://127.0.0.1:{port}/")) as source,
    ):
        assert (source.info.width, source.info.height) == (64, 48)
        changed = _until(source, lambda packet: packet.gray.shape != (48, 64))
        assert changed.gray.shape == (64, 96)
        assert (source.info.width, source.info.height) == (96, 64)
