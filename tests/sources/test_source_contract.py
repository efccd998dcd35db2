"""What every source must do, whatever it reads."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom.data
import pytest

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.sources.base import FrameSource, PacedSource
from semc_core.sources.dicom import DicomSource
from semc_core.sources.images import ImageFolderSource
from semc_core.sources.live.camera import CameraSource
from semc_core.sources.live.stream import StreamSource
from semc_core.sources.simulated import SimulatedSource
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket
from tests.sources.capture_clips import numbered, read_all, write_dicom, write_images, write_video
from tests.sources.device_trees import Files

COUNT = 12


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Tests print nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Address of a web server that offers `tmp_path`."""
    handler = partial(_QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _gray_loop() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.stack([numbered(index) for index in range(COUNT)])


def _slideshow_camera(folder: Path) -> CameraSource:
    """A camera on a real OpenCV capture, of a file; it loses frames nobody has read, as cameras do."""
    path = write_video(folder / "camera.avi")
    opened: list[cv2.VideoCapture] = []

    def once() -> cv2.VideoCapture:
        # Opened again it gives nothing: a file would begin anew.
        opened.append(cv2.VideoCapture(str(path) if not opened else ""))
        return opened[-1]

    return CameraSource(0, patience_s=0, system=Files(once))


FILES: dict[str, Callable[[Path], FrameSource]] = {
    "mp4": lambda folder: VideoSource(write_video(folder / "a.mp4", COUNT)),
    "mp4 variable rate": lambda folder: VideoSource(
        write_video(folder / "a.mp4", COUNT, ticks=[0, 40, 50, 120, 300, 310, 320, 500, 501, 700, 800, 1000])
    ),
    "mkv": lambda folder: VideoSource(write_video(folder / "a.mkv", COUNT)),
    "mkv gray": lambda folder: VideoSource(write_video(folder / "a.mkv", COUNT, codec=("ffv1", "gray"))),
    "mov": lambda folder: VideoSource(write_video(folder / "a.mov", COUNT)),
    "avi": lambda folder: VideoSource(write_video(folder / "a.avi", COUNT)),
    "mpeg": lambda folder: VideoSource(write_video(folder / "a.mpeg", COUNT)),
    "gif": lambda folder: VideoSource(write_video(folder / "a.gif", COUNT)),
    "dicom": lambda folder: DicomSource(write_dicom(folder / "a.dcm", _gray_loop(), FrameTime=40)),
    "images": lambda folder: ImageFolderSource(write_images(folder / "images", COUNT)),
    "simulated": lambda folder: SimulatedSource(3, COUNT / 30, width=160, height=120),
    "paced": lambda folder: PacedSource(VideoSource(write_video(folder / "a.mp4", COUNT))),
}


@pytest.fixture(params=[*FILES, "http stream"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FrameSource]:
    """Each source in turn, holding twelve frames."""
    if request.param == "http stream":
        write_video(tmp_path / "a.ts", COUNT)
        opened: FrameSource = StreamSource(f"{request.getfixturevalue('web')}/a.ts")
    else:
        opened = FILES[request.param](tmp_path)
    yield opened
    opened.close()


def _read_into(packets: list[FramePacket], source: FrameSource) -> None:
    """Every frame up to the end; the source stays open."""
    while (packet := source.read()) is not None:
        packets.append(packet)


def _assert_in_order(packets: list[FramePacket], source: FrameSource) -> None:
    times_s = [packet.pts_s for packet in packets]
    assert times_s == sorted(times_s)
    if packets[0].index == 0:  # a live source may have replaced its first pictures
        assert times_s[0] == 0.0
    arrivals_s = [packet.captured_s for packet in packets]
    assert arrivals_s == sorted(arrivals_s)
    assert {packet.source_id for packet in packets} == {source.info.source_id}


def _assert_sound_pixels(packet: FramePacket, source: FrameSource) -> None:
    pixels = packet.pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape[:2] == (source.info.height, source.info.width)
    assert pixels.ndim == 2 or pixels.shape[2:] == (3,)
    assert pixels.flags.c_contiguous
    assert not pixels.flags.writeable


def test_every_frame_comes_in_order_and_then_the_end(source: FrameSource) -> None:
    packets: list[FramePacket] = []
    _read_into(packets, source)
    assert len(packets) == COUNT
    assert source.info.frame_count in (None, COUNT)
    assert [packet.index for packet in packets] == list(range(COUNT))
    _assert_in_order(packets, source)
    for packet in packets:
        _assert_sound_pixels(packet, source)
    assert source.read() is None
    assert source.read() is None


def test_a_packet_keeps_its_pixels_while_later_ones_are_read(source: FrameSource) -> None:
    kept, copies = [], []
    while (packet := source.read()) is not None:
        kept.append(packet)
        copies.append(packet.pixels.copy())
    for packet, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(packet.pixels, copy)


def test_nothing_is_read_after_an_interrupt(source: FrameSource) -> None:
    assert source.read() is not None
    source.interrupt()
    for _ in range(2):
        with pytest.raises(SourceInterrupted):
            source.read()


def test_an_interrupt_from_another_thread_ends_reading(source: FrameSource) -> None:
    begun = threading.Event()
    outcome: list[str] = []

    def read_on() -> None:
        try:
            while source.read() is not None:
                begun.set()
            outcome.append("end")
        except SourceInterrupted:
            outcome.append("interrupted")

    reader = threading.Thread(target=read_on)
    reader.start()
    assert begun.wait(30)
    source.interrupt()
    reader.join(30)
    assert not reader.is_alive()
    assert outcome[0] in ("end", "interrupted")
    with pytest.raises(SourceInterrupted):
        source.read()


def test_closing_twice_is_fine_and_a_closed_source_gives_nothing(source: FrameSource) -> None:
    source.close()
    source.close()
    with pytest.raises(SourceError):
        source.read()


def test_an_unread_source_can_be_closed_after_an_interrupt(source: FrameSource) -> None:
    source.interrupt()
    source.close()


def test_a_camera_keeps_the_contract_and_waits_where_no_more_comes(tmp_path: Path) -> None:
    camera = _slideshow_camera(tmp_path)
    packets: list[FramePacket] = []
    while not packets or packets[-1].index < COUNT - 1:
        packet = camera.read()
        assert packet is not None
        packets.append(packet)
    assert 1 <= len(packets) <= COUNT
    indices = [packet.index for packet in packets]
    assert indices == sorted(set(indices))
    assert indices[-1] == COUNT - 1, "what was replaced is a gap"
    _assert_in_order(packets, camera)
    for packet in packets:
        _assert_sound_pixels(packet, camera)
    while "gives no more pictures" not in camera.info.notice:
        time.sleep(0.01)
    camera.interrupt()
    with pytest.raises(SourceInterrupted):
        camera.read()
    camera.close()
    camera.close()


def test_a_real_scanner_file_keeps_the_contract() -> None:
    path = pydicom.data.get_testdata_file("examples_ybr_color.dcm", download=False)
    assert isinstance(path, str)
    packets = read_all(DicomSource(path))
    assert len(packets) == 30
    assert [packet.index for packet in packets] == list(range(30))
    assert packets[-1].pts_s == pytest.approx(29 * 0.033333, abs=1e-3)
