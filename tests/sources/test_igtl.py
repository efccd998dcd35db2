"""Pictures by OpenIGTLink, sent by pyigtl in another process; and what is wrong with a sender, in words."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyigtl
import pytest
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.picture_options import PictureOptions
from semc_core.sources.live.igtl import StampClock
from semc_core.sources.live.igtl_messages import (
    HEAD_BYTES,
    MOST_BYTES,
    DamagedMessage,
    NotOpenIgtLink,
    UnusablePicture,
    read_head,
    read_picture,
)
from semc_core.sources.live.outage import OutageTeller
from semc_core.sources.live.stream import StreamSource
from semc_core.sources.open import open_source
from semc_core.sources.raw.file import write_tap
from semc_core.sources.raw.replay import TapSource
from semc_core.sources.raw.tap import RawTap
from semc_core.types import FramePacket
from tests.pacs.servers import free_port
from tests.serve.objects import until
from tests.sources.capture_clips import HEIGHT, WIDTH, number_of, numbered, read_all
from tests.sources.igtl_sender import DEVICE, RATE, picture

ROOT = Path(__file__).parents[2]


@contextmanager
def sending(port: int, kind: str = "gray", first: int = 0) -> Iterator[None]:
    """pyigtl's own server, in a process that is killed at the end."""
    command = [sys.executable, "-m", "tests.sources.igtl_sender", str(port), kind, str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                if _listens(port):
                    break
                time.sleep(0.1)
            yield
        finally:
            process.kill()


def _listens(port: int) -> bool:
    """Whether somebody does. Nobody is connected to: pyigtl takes one client only, and keeps it."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return True
    return False


def image(
    voxels: NDArray[Any], *, stamp_s: float = 0.0, device: str = DEVICE, version: int = 1, **more: str
) -> bytes:
    message = pyigtl.ImageMessage(voxels, timestamp=stamp_s, device_name=device)
    message.header_version, message.metadata = version, more
    return bytes(message.pack())


def pictures(*numbers: int) -> bytes:
    return b"".join(image(numbered(number)[None], stamp_s=1000 + number / RATE) for number in numbers)


class Sender:
    """Sends to whoever connects what the next of `parts` holds, then ends, or stays open and silent."""

    def __init__(self, *parts: bytes, stays: bool = False) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._parts, self._stays = list(parts), stays
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Sender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (*self._open, self._server):
            each.close()

    @property
    def url(self) -> str:
        return f"igtl://127.0.0.1:{self.port}"

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._open.append(client)
            with _unless_gone():
                client.sendall(self._parts.pop(0) if self._parts else b"")
                if not self._stays:
                    client.shutdown(socket.SHUT_WR)


@contextmanager
def _unless_gone() -> Iterator[None]:
    with suppress(OSError):
        yield


def opened(url: str, **more: Any) -> StreamSource:
    return StreamSource(url, **{"open_timeout_s": 2.0, "read_timeout_s": 0.5, **more})


def taken(source: StreamSource, count: int) -> list[FramePacket]:
    packets = []
    for _ in range(count):
        packet = source.read()
        assert packet is not None, "only the user ends a live scan"
        packets.append(packet)
    return packets


def refused(url: str) -> str:
    with pytest.raises(SourceError) as told:
        opened(url).close()
    return str(told.value)


@pytest.mark.parametrize("kind", ["gray", "rgb"])
def test_pictures_of_another_program_come_as_they_were_sent_with_its_times(kind: str) -> None:
    port = free_port()
    with sending(port, kind), closing(open_source(f"igtl://127.0.0.1:{port}")) as source:
        packets = taken(source, 20)  # type: ignore[arg-type]
        source.interrupt()
        info = source.info
    assert (info.source_id, info.kind, info.live) == (f"igtl://127.0.0.1:{port}", "stream", True)
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    gray = [packet.pixels if kind == "gray" else packet.pixels[:, :, 0] for packet in packets]
    first = number_of(gray[0])
    for index, packet in enumerate(packets):
        assert np.array_equal(packet.pixels, picture(first + index, kind))
        assert packet.index == index
        assert packet.pts_s == pytest.approx(index / RATE, abs=1e-4)


def test_a_sender_that_is_killed_and_comes_back_goes_on_in_the_same_scan() -> None:
    port = free_port()
    with sending(port):
        source = opened(f"igtl://127.0.0.1:{port}")
        before = taken(source, 3)
    with closing(source), sending(port, first=128):
        while number_of((after := taken(source, 1)[0]).pixels) < 128:
            before.append(after)
        assert after.pts_s > before[-1].pts_s
        assert after.index == len(before)
        assert "gave no pictures for" in source.info.notice
        source.interrupt()


def test_nobody_there_is_said() -> None:
    port = free_port()
    assert "refuses the connection; check that the sender is on" in refused(f"igtl://127.0.0.1:{port}")
    assert "No computer is called nobody.invalid" in refused("igtl://nobody.invalid")
    assert "names no computer; type such as igtl://HOST:18944" in refused("igtl://")
    assert "is none; type such as igtl://HOST:18944" in refused("igtl://127.0.0.1:99999")


DEEP = np.zeros((1, 6, 8), np.int16)
HUGE = bytearray(pictures(1)[:HEAD_BYTES])
HUGE[42:50] = (MOST_BYTES + 1).to_bytes(8, "big")
STRANGE = bytearray(pictures(1))
STRANGE[0:2] = b"\x00\x09"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "ended before the first picture"),
        (b"\0" * 5000, "something else than OpenIGTLink's messages; check port"),
        (b"SSH-2.0-OpenSSH_9.6\r\n" * 50, "something else than OpenIGTLink's messages"),
        (bytes(range(256)) * 4, "something else than OpenIGTLink's messages"),
        (bytes(HUGE), "something else than OpenIGTLink's messages"),
        (bytes(STRANGE), "something else than OpenIGTLink's messages"),
        (pictures(1)[:20], "ended within a message"),
        (pictures(1)[:-1], "ended within a message"),
    ],
)
def test_what_is_no_openigtlink_is_said(sent: bytes, said: str) -> None:
    with Sender(sent) as sender:
        assert said in refused(sender.url)


def test_a_web_server_is_no_sender() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        # Who says nothing is asked nothing: it waits, as this side does.
        assert "sent nothing within 2 s; start the picture" in refused(
            f"igtl://127.0.0.1:{server.server_port}"
        )
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("voxels", "said"),
    [
        (np.zeros((1, 6, 8), np.int16), "pictures of 16 bits"),
        (np.zeros((1, 6, 8), np.float32), "pictures of 32 bits"),
        (np.zeros((1, 6, 8), np.int8), "pictures of 8 bits with signs"),
        (np.zeros((1, 6, 8, 4), np.uint8), "pictures with 4 values a pixel"),
        (np.zeros((5, 6, 8), np.uint8), "pictures of 8 x 6 x 5 points"),
        (np.zeros((1, 1, 8), np.uint8), "pictures of 8 x 1 x 1 points"),
    ],
)
def test_pictures_of_another_kind_are_said(voxels: NDArray[Any], said: str) -> None:
    with Sender(image(voxels) * 3, stays=True) as sender:
        told = refused_while_sending(sender, image(voxels))
    assert f"sends {said}; let the sender send pictures of 8 bits, gray or RGB, of one slice." in told


def test_a_sender_of_poses_alone_is_said() -> None:
    pose = bytes(pyigtl.TransformMessage(np.eye(4), device_name="Pose").pack())
    with Sender(pose, stays=True) as sender:
        assert "sends TRANSFORM, and no picture that is wanted" in refused_while_sending(sender, pose)
    with Sender(pictures(1), stays=True) as sender:
        sender_url = f"{sender.url}/Other"
        said = refused_while_sending(sender, pictures(2), sender_url)
    assert f"sends IMAGE of {DEVICE}, and no picture that is wanted" in said


def test_a_sender_that_goes_on_with_poses_alone_is_told_of_and_tried_again(heard: list[str]) -> None:
    pose = bytes(pyigtl.TransformMessage(np.eye(4), device_name="Pose").pack())
    sender = Sender(pictures(1), pictures(7), stays=True)
    with sender, sending_again(sender, pose), closing(opened(sender.url)) as source:
        assert [number_of(packet.pixels) for packet in taken(source, 2)] == [1, 7]
        assert any("no picture has come for seconds, only other messages" in each for each in heard)
        source.interrupt()


def test_a_sender_with_a_new_name_for_each_message_takes_no_memory() -> None:
    parts = [image(numbered(1)[None], device=f"Camera {number}") for number in range(100)]
    with Sender(b"".join(parts), stays=True) as sender:
        said = refused_while_sending(sender, pictures(1), f"{sender.url}/Other")
    assert said.count("IMAGE of Camera") == 5


def refused_while_sending(sender: Sender, again: bytes, url: str = "") -> str:
    """What is said of a sender that sends the same ten times a second."""
    with sending_again(sender, again):
        return refused(url or sender.url)


@contextmanager
def sending_again(sender: Sender, again: bytes) -> Iterator[None]:
    """All connections get the same ten times a second."""
    stop = threading.Event()

    def send() -> None:
        while not stop.wait(0.1):
            for each in list(sender._open):
                with _unless_gone():
                    each.sendall(again)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_between_pictures_others_are_passed_over_and_told_of() -> None:
    status = bytes(pyigtl.StringMessage("x" * 60_000, device_name="Words").pack())
    parts = [
        image(DEEP, device="Depth"), pictures(1), status,
        image(np.zeros((1, 9, 9), np.uint8), device="Other"), pictures(2), image(DEEP), pictures(3),
    ]  # fmt: skip
    with Sender(b"".join(parts), stays=True) as sender, closing(opened(sender.url)) as source:
        assert [number_of(packet.pixels) for packet in taken(source, 3)] == [1, 2, 3]
        assert "sends pictures of 16 bits; those are left out." in source.info.notice
        source.interrupt()
    with Sender(b"".join(parts), stays=True) as sender, closing(opened(f"{sender.url}/Other")) as source:
        assert taken(source, 1)[0].pixels.shape == (9, 9)
        source.interrupt()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_later_versions_and_the_slice_first_are_read(version: int) -> None:
    rows = np.arange(48, dtype=np.uint8).reshape(6, 8)
    sent = image(rows[None], version=version, Depth="5 cm") + image(rows, version=version)
    with Sender(sent, stays=True) as sender, closing(opened(sender.url)) as source:
        for packet in taken(source, 2):
            assert np.array_equal(packet.pixels, rows)
        source.interrupt()


def test_pictures_that_change_their_size_and_colour_are_each_shown_whole() -> None:
    several = [
        np.full((1, 6, 8), 10, np.uint8),
        np.full((1, 12, 16, 3), 20, np.uint8),
        np.full((1, 7, 5), 30, np.uint8),
    ]
    sent = b"".join(image(each, stamp_s=1000 + index) for index, each in enumerate(several))
    with Sender(sent, stays=True) as sender, closing(opened(sender.url)) as source:
        packets = taken(source, 3)
        assert (source.info.width, source.info.height) == (5, 7)
        source.interrupt()
    assert [packet.pixels.shape for packet in packets] == [(6, 8), (12, 16, 3), (7, 5)]
    assert [int(packet.pixels.flat[0]) for packet in packets] == [10, 20, 30]
    assert [packet.pts_s for packet in packets] == pytest.approx([0, 1, 2])


def test_a_damaged_picture_is_left_out_and_a_hundred_are_told_of(heard: list[str]) -> None:
    damaged = bytearray(pictures(2))
    damaged[-10] ^= 1
    unsummed = bytearray(pictures(3))
    unsummed[50:58] = bytes(8)
    short = bytearray(pictures(5))
    short[HEAD_BYTES + 6] ^= 1
    short[50:58] = bytes(8)
    sent = pictures(1) + damaged + unsummed + short + pictures(4)
    with Sender(sent, stays=True) as sender, closing(opened(sender.url)) as source:
        assert [number_of(packet.pixels) for packet in taken(source, 3)] == [1, 3, 4]
        source.interrupt()
    with (
        Sender(pictures(1) + bytes(damaged) * 100, stays=True) as sender,
        closing(opened(sender.url)) as source,
    ):
        taken(source, 1)
        until(lambda: any("sends damaged data; check the sender" in each for each in heard))


@pytest.mark.parametrize(
    ("first", "stays", "said"),
    [
        (pictures(1), False, "ended its picture. It is tried again"),
        (pictures(1) + pictures(2)[:-5], False, "ended within a message; check the sender"),
        (pictures(1) + pictures(2)[:-5], True, "nothing whole has come for seconds"),
        (pictures(1), True, "nothing whole has come for seconds"),
        (pictures(1) + b"x" * 100, False, "something else than OpenIGTLink's messages"),
    ],
)
def test_a_sender_that_stops_is_told_of_and_tried_again(
    first: bytes, stays: bool, said: str, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.sources.live.igtl._MESSAGE_S", 0.5)
    with Sender(first, stays=stays) as sender, closing(opened(sender.url)) as source:
        assert number_of(taken(source, 1)[0].pixels) == 1
        until(lambda: any(said in each for each in heard))
        sender._parts.append(pictures(7))
        assert number_of(taken(source, 1)[0].pixels) == 7
        source.interrupt()


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that is told of a source that gives no pictures, also what is true for a moment only."""
    sentences: list[str] = []
    began = OutageTeller.began

    def note(self: OutageTeller, why: str) -> None:
        sentences.append(why)
        began(self, why)

    monkeypatch.setattr(OutageTeller, "began", note)
    return sentences


def test_what_a_tap_kept_is_played_as_it_came_and_options_hold(tmp_path: Path) -> None:
    tap = RawTap(10)
    options = PictureOptions(flip="180")
    with (
        Sender(pictures(1, 2, 3), stays=True) as sender,
        closing(opened(sender.url, options=options, tap=tap)) as source,
    ):
        shown = [packet.pixels for packet in taken(source, 3)]
        source.interrupt()
    assert np.array_equal(shown[0], numbered(1)[::-1, ::-1])
    write_tap(tmp_path / "kept.semctap", tap.taken())
    with closing(TapSource(tmp_path / "kept.semctap")) as played:
        again = [packet.pixels for packet in read_all(played)]
    assert len(again) == 3
    assert all(np.array_equal(one, other) for one, other in zip(shown, again, strict=True))


def test_damaged_messages_are_known_as_such_and_nothing_else_happens() -> None:
    """Whatever bytes come: a picture of what they say, or one of three faults."""
    rng = np.random.default_rng(3)
    whole = image(np.zeros((1, 6, 8), np.uint8), version=2, Depth="5 cm")
    shown = 0
    for _ in range(3000):
        content = bytearray(whole)
        content[50:58] = bytes(8)
        for place in rng.integers(0, HEAD_BYTES + 90, rng.integers(0, 4)):
            content[place] = rng.integers(0, 256)
        with suppress(NotOpenIgtLink, DamagedMessage, UnusablePicture):
            head = read_head(content[:HEAD_BYTES])
            found = read_picture(head, content[HEAD_BYTES:][: head.size])
            assert len(found.data) == found.width * found.height * found.channels > 0
            shown += 1
    assert shown > 100


def test_stamps_that_make_no_sense_give_way_to_arrival() -> None:
    def times(*pairs: tuple[float, float]) -> list[float]:
        clock = StampClock()
        return [round(clock.time_of(stamp_s, now_s), 3) for stamp_s, now_s in pairs]

    # By its stamps, also where pictures come in bursts.
    assert times((50.0, 7.0), (50.1, 7.3), (50.2, 7.3), (50.3, 7.3)) == [0, 0.1, 0.2, 0.3]
    # None, or always the same.
    assert times((0.0, 7.0), (0.0, 7.1), (0.0, 7.3)) == [0, 0.1, 0.3]
    assert times((5.0, 7.0), (5.0, 7.1), (5.0, 7.3)) == [0, 0.1, 0.3]
    # The sender's clock is set: back, and far ahead.
    assert times((50.0, 7.0), (50.1, 7.1), (20.0, 7.2), (20.1, 7.3)) == [0, 0.1, 0.2, 0.3]
    assert times((50.0, 7.0), (9e8, 7.1), (9e8 + 0.1, 7.2), (9e8 + 0.2, 7.3)) == [0, 0.1, 0.2, 0.3]
