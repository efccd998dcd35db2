"""Cameras: real OpenCV captures, of files, as no camera can be counted on."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import cv2
import pytest

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.sources.camera import CameraSource, find_device, list_devices
from tests.sources.capture_clips import number_of, write_video

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells names")


class SteppedCapture:
    """A capture that gives its next picture when the test allows it, as a camera does at its own pace.

    It holds a `cv2.VideoCapture`: a class derived from that crashes when it is collected as garbage.
    """

    def __init__(self, path: Path) -> None:
        self._capture = cv2.VideoCapture(str(path))
        self.isOpened, self.get = self._capture.isOpened, self._capture.get
        self.set, self.release = self._capture.set, self._capture.release
        self.allowed = threading.Semaphore(0)
        self.reads = threading.Semaphore(0)

    def read(self) -> tuple[bool, cv2.typing.MatLike]:
        self.reads.release()
        self.allowed.acquire()
        return self._capture.read()


@pytest.fixture
def stepped(tmp_path: Path) -> SteppedCapture:
    return SteppedCapture(write_video(tmp_path / "a.avi"))


def test_frames_arrive_one_by_one_with_arrival_times(stepped: SteppedCapture) -> None:
    camera = CameraSource(2, open_capture=lambda index: stepped)
    times_s = []
    assert (camera.info.source_id, camera.info.width, camera.info.height) == ("camera 2", 128, 96)
    for expected in range(4):
        stepped.allowed.release()
        packet = camera.read()
        assert packet is not None
        assert (packet.index, number_of(packet.pixels)) == (expected, expected)
        times_s.append(packet.pts_s)
    assert times_s == sorted(set(times_s))
    stepped.allowed.release()
    camera.close()


def test_a_slow_reader_gets_the_newest_picture(stepped: SteppedCapture) -> None:
    camera = CameraSource(0, open_capture=lambda index: stepped)
    for _ in range(6):
        stepped.allowed.release()
    for _ in range(7):  # the seventh read begins when the sixth picture has been put down
        assert stepped.reads.acquire(timeout=30)
    packet = camera.read()
    assert packet is not None
    assert (packet.index, number_of(packet.pixels)) == (5, 5), "the gap tells of the five that were replaced"
    stepped.allowed.release()
    camera.close()


def test_an_interrupt_ends_a_read_although_the_driver_blocks(stepped: SteppedCapture) -> None:
    camera = CameraSource(0, open_capture=lambda index: stepped)
    outcome = []

    def read() -> None:
        with pytest.raises(SourceInterrupted):
            camera.read()
        outcome.append("interrupted")

    reader = threading.Thread(target=read)
    reader.start()
    assert stepped.reads.acquire(timeout=30)  # the driver is asked, and does not answer
    camera.interrupt()
    reader.join(30)
    assert outcome == ["interrupted"]
    stepped.allowed.release()
    camera.close()


def test_a_wish_that_is_not_granted_is_told(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi")
    camera = CameraSource(0, 1920, 1080, 60, open_capture=lambda index: cv2.VideoCapture(str(path)))
    assert camera.info.notice == (
        "The camera was asked for 1920x1080 at 60 frames/s and gives 128x96 at 25 frames/s."
    )
    camera.close()


def test_a_camera_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Camera 5 cannot be opened"):
        CameraSource(5, open_capture=lambda index: cv2.VideoCapture(str(tmp_path / "none.avi")))


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """Two cards as Linux lists them; the first has a node for metadata."""
    for node, index, name in [("video0", 0, "USB Capture HDMI"), ("video1", 1, "USB Capture HDMI"),
                              ("video10", 0, "Webcam"), ("v4l-touch0", 0, "Screen")]:  # fmt: skip
        folder = tmp_path / "video4linux" / node
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "index").write_text(f"{index}\n")
    return tmp_path / "video4linux"


@linux_only
def test_devices_are_listed_without_their_metadata_nodes(devices: Path) -> None:
    assert [(device.index, device.name) for device in list_devices(devices)] == [
        (0, "USB Capture HDMI"),
        (10, "Webcam"),
    ]
    assert list_devices(devices / "none") == []


@linux_only
def test_a_device_is_found_by_name_or_part_of_it(devices: Path) -> None:
    assert find_device("webcam", devices) == 10
    assert find_device("hdmi", devices) == 0
    with pytest.raises(SourceError, match="No camera is called 'probe'"):
        find_device("probe", devices)
    with pytest.raises(SourceError, match="use one of camera:0, camera:10"):
        find_device("c", devices)
