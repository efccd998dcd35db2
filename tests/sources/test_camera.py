"""Cameras: real OpenCV captures, of files, as no camera can be counted on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.picture import in_8_bits
from semc_core.sources.devices.buffers import BufferForm, pixels_of
from semc_core.sources.devices.modes import Wish
from semc_core.sources.live.camera import CameraSource
from tests.sources.capture_clips import number_of, write_video
from tests.sources.device_trees import Files


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
    camera = CameraSource(0, patience_s=60, system=Files(lambda: stepped))
    times_s = []
    assert (camera.info.source_id, camera.info.width, camera.info.height) == ("camera 0", 128, 96)
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
    camera = CameraSource(0, patience_s=60, system=Files(lambda: stepped))
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
    camera = CameraSource(0, patience_s=60, system=Files(lambda: stepped))
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
    camera = CameraSource(0, Wish(1920, 1080, 60), system=Files(lambda: cv2.VideoCapture(str(path))))
    assert camera.info.notice == (
        "Camera 0 was asked for 1920x1080 at 60 frames/s and gives 128x96 at 25 frames/s."
    )
    camera.close()


def test_of_what_nobody_asked_for_nothing_is_missing(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi")
    camera = CameraSource(0, system=Files(lambda: cv2.VideoCapture(str(path))))
    assert camera.info.notice == ""
    camera.close()


def test_a_camera_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"Camera 0 cannot be opened.*another port"):
        CameraSource(0, system=Files(lambda: cv2.VideoCapture(str(tmp_path / "none.avi"))))
    with pytest.raises(SourceError, match="Camera 5 is not plugged in"):
        CameraSource(5, system=Files(lambda: cv2.VideoCapture(str(tmp_path / "none.avi"))))


class SixteenBits:
    """A capture whose driver gives 16 bits."""

    def __init__(self, path: Path) -> None:
        self._capture = cv2.VideoCapture(str(path))
        self.isOpened, self.get = self._capture.isOpened, self._capture.get
        self.set: Callable[..., bool] = self._capture.set
        self.release = self._capture.release

    def read(self) -> tuple[bool, cv2.typing.MatLike]:
        return True, np.tile(np.array([0, 1000, 32768, 65535], np.uint16), (96, 32))


def test_sixteen_bits_are_scaled_and_do_not_wrap(tmp_path: Path) -> None:
    deep = SixteenBits(write_video(tmp_path / "a.avi"))
    camera = CameraSource(0, system=Files(lambda: deep))
    packet = camera.read()
    assert packet is not None
    assert packet.pixels[0, :4].tolist() == [0, 4, 128, 255]
    camera.interrupt()
    camera.close()


@pytest.mark.parametrize(("codec", "white"), [("Y10", 1023), ("Y12", 4095), ("Y16", 65535)])
def test_gray_of_ten_and_twelve_bits_that_comes_undecoded_is_as_bright_as_it_was_sent(
    codec: str, white: int
) -> None:
    sent = np.tile(np.array([0, white // 4, white // 2, white], np.uint16), (96, 32))
    pixels = pixels_of(sent, BufferForm(codec, "full", 128, 96))
    assert pixels is not None
    assert in_8_bits(pixels)[0, :4].tolist() == pytest.approx([0, 64, 127, 255], abs=1)


class Stumbling(SixteenBits):
    """A capture of which OpenCV makes no picture now and then, and says so as it does: by an error."""

    def __init__(self, path: Path, at: str) -> None:
        super().__init__(path)
        self.at, self.calls = at, 0
        if at == "set":
            self.set = self._fail

    def read(self) -> tuple[bool, cv2.typing.MatLike]:
        self.calls += 1
        if self.calls == 2:
            self._fail()
        return super().read()

    def _fail(self, *_: object) -> bool:
        cv2.cvtColor(np.zeros((2, 2), np.uint8), cv2.COLOR_BGR2GRAY)
        return False


def test_a_buffer_that_opencv_cannot_make_a_picture_of_does_not_end_the_scan(tmp_path: Path) -> None:
    stumbling = Stumbling(write_video(tmp_path / "a.avi"), "read")
    camera = CameraSource(0, system=Files(lambda: stumbling))
    while stumbling.calls < 3:
        assert camera.read() is not None
    assert camera.read() is not None
    camera.interrupt()
    camera.close()


def test_a_driver_that_fails_when_it_is_asked_for_a_mode_is_told_as_a_card_that_cannot_be_opened(
    tmp_path: Path,
) -> None:
    stumbling = Stumbling(write_video(tmp_path / "a.avi"), "set")
    with pytest.raises(SourceError, match=r"Camera 0 cannot be opened.*another port"):
        CameraSource(0, system=Files(lambda: stumbling))
