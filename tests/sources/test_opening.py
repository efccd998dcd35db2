"""How a card is opened and asked for its mode: in which order, for how long, and what drivers answer."""

from __future__ import annotations

import math
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from semc_core.errors import SourceError
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.devices.base import Capture, CaptureDevice, Trouble, Way
from semc_core.sources.devices.find import sentence
from semc_core.sources.devices.modes import Mode, Wish
from semc_core.sources.devices.named import NamedDevices
from semc_core.sources.devices.negotiate import negotiate
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live import camera
from semc_core.sources.live.camera import CameraSource
from semc_core.sources.live.outage import OutageTeller
from tests.sources.capture_clips import write_video
from tests.sources.card_clock import CardClock, put_in_place
from tests.sources.device_trees import Files
from tests.sources.test_devices import _windows

HD = Wish(1920, 1080, 60.0, "MJPG")
NAMES = {
    cv2.CAP_PROP_FOURCC: "format",
    cv2.CAP_PROP_FRAME_WIDTH: "width",
    cv2.CAP_PROP_FRAME_HEIGHT: "height",
    cv2.CAP_PROP_FPS: "rate",
}


class Answers:
    """A device that keeps what it is asked for, in its order."""

    def __init__(self) -> None:
        self.wishes: list[str] = []
        self.values: dict[int, float] = {}

    def get(self, propId: int, /) -> float:  # noqa: N803
        return self.values.get(propId, 0.0)

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        self.wishes.append(NAMES[propId])
        self.values[propId] = value
        return True


@pytest.mark.parametrize(
    ("back_end", "order"),
    [
        (cv2.CAP_V4L2, ["format", "width", "height", "rate"]),
        (cv2.CAP_DSHOW, ["rate", "format", "width", "height"]),
        (cv2.CAP_MSMF, ["format", "width", "height", "rate"]),
        (cv2.CAP_AVFOUNDATION, ["format", "width", "height", "rate"]),
    ],
)
def test_each_back_end_is_asked_in_its_own_order(back_end: int, order: list[str]) -> None:
    device = Answers()
    given = negotiate(device, back_end, [HD, Wish(640, 480)])
    assert device.wishes == order
    assert (given.width, given.height, given.rate, given.sets) == (1920, 1080, 60.0, 4)


def test_windows_tries_directshow_before_media_foundation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    first, *_ = NamedDevices(_windows).devices()
    assert [way.back_end for way in first.ways] == [cv2.CAP_DSHOW, cv2.CAP_MSMF]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert {way.back_end for one in NamedDevices(_windows).devices() for way in one.ways} == {
        cv2.CAP_AVFOUNDATION
    }


class TwoWays(Files):
    """A device that only some back ends can open."""

    def __init__(self, path: Path, works: tuple[int, ...]) -> None:
        super().__init__(lambda: cv2.VideoCapture(str(path)))
        self._missing, self._works = path.with_name("missing.avi"), works
        self.tried: list[int] = []

    def devices(self) -> list[CaptureDevice]:
        ways = (Way(cv2.CAP_DSHOW, 0), Way(cv2.CAP_MSMF, 1))
        return [CaptureDevice(0, "File", "file@test", ways=ways)]

    def open(self, device: CaptureDevice, way: Way) -> Capture:
        self.tried.append(way.back_end)
        return (
            super().open(device, way) if way.back_end in self._works else cv2.VideoCapture(str(self._missing))
        )


def test_what_the_first_back_end_cannot_open_is_opened_by_the_next(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi")
    system = TwoWays(path, works=(cv2.CAP_MSMF,))
    with closing(CameraSource(0, system=system)) as source:
        assert source.read() is not None
    assert system.tried == [cv2.CAP_DSHOW, cv2.CAP_MSMF]
    with pytest.raises(SourceError, match="Camera 0 cannot be opened"):
        CameraSource(0, system=TwoWays(path, works=()))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> CardClock:
    return put_in_place(monkeypatch)


def opened_after_s(device: ScriptedDevice, clock: CardClock) -> float:
    """Seconds that opening a card takes by its own clock."""
    system, begun_s = SimulatedDevices(Script((device,))), clock.monotonic()
    listed, teller = system.devices()[0], OutageTeller("Camera 0")
    reader = camera._Camera(listed, "Camera 0", Wish(), 1.5, system, teller, AS_IT_IS, None)
    try:
        info = reader.open()
        assert info.width
        return clock.monotonic() - begun_s
    finally:
        reader.release()


def test_a_card_that_takes_seconds_for_every_wish_is_waited_for(clock: CardClock) -> None:
    modes = ("640x480@30,yuyv", "1920x1080@60,mjpg", "1280x720@60,mjpg")
    slow = ScriptedDevice(modes=modes, tells_modes=False, refuses=("format",), open_s=4.0, set_s=4.0)
    took_s = opened_after_s(slow, clock)
    assert took_s > 30, "or it shows nothing"
    assert took_s < camera._OPEN_TIMEOUT_S, "so long its reader waits"


def test_a_driver_that_does_not_come_back_from_one_wish_is_told_so(clock: CardClock) -> None:
    hanging = ScriptedDevice(modes=("640x480@30,yuyv", "1920x1080@60,mjpg"), set_s=25.0)
    with pytest.raises(SourceError, match=r"The driver of Camera 0 does not answer; unplug the device"):
        opened_after_s(hanging, clock)


class Says:
    """A card whose driver answers every question with the same number, and gives pictures all the same."""

    def __init__(self, answer: float) -> None:
        self._answer = answer

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, propId: int, /) -> float:  # noqa: N803
        return self._answer

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803
        return False

    def read(self) -> tuple[bool, cv2.typing.MatLike]:
        return True, np.full((48, 64, 3), 99, np.uint8)

    def release(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("options", [AS_IT_IS, PictureOptions(aspect="4:3")], ids=["as it is", "4:3"])
@pytest.mark.parametrize("answer", [0.0, -1.0, math.nan, math.inf, -math.inf], ids=str)
def test_what_is_no_size_rate_or_format_is_not_believed_and_pictures_come(
    answer: float, options: PictureOptions
) -> None:
    modes = (Mode(640, 480, 0.0, "YUYV"),)
    system = Files(lambda: Says(answer), modes)
    with closing(CameraSource(0, options=options, system=system)) as source:
        assert source.info.frame_rate is None
        packet = source.read()
        assert packet is not None
        assert packet.gray.shape == (48, 64)
        assert (source.info.width, source.info.height) == (64, 48)
        assert "0x0" not in source.info.notice
        assert "asked for 640x480 and gives 64x48" in source.info.notice
        source.interrupt()


def _on(platform: str, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "platform", platform)
    return sentence(trouble, "Camera 3")


def test_where_the_system_gives_no_reason_all_that_are_usual_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {system: _on(system, Trouble.UNKNOWN, monkeypatch) for system in ("darwin", "win32", "linux")}
    assert "System Settings, Privacy & Security, Camera" in said["darwin"]
    assert "Settings, Privacy & security, Camera" in said["win32"]
    for system in ("darwin", "win32"):
        assert "other programs" in said[system]
        assert "another port" in said[system]
    assert "Privacy" not in said["linux"], "there it is known"


class Stuck(SimulatedDevices):
    """Opens once; from then on its driver does not come back before it is let."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.go_on = threading.Event()
        self.opened = self.looked = 0

    def devices(self) -> list[CaptureDevice]:
        self.looked += 1
        return super().devices()

    def open(self, device: CaptureDevice, way: Way) -> Capture:
        self.opened += 1
        if self.opened > 1:
            assert self.go_on.wait(60)
        return super().open(device, way)


def test_a_driver_that_never_comes_back_takes_three_threads_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera, "_RETRY_S", 0.001)
    monkeypatch.setattr(camera, "_LONGEST_WAIT_S", 0.002)
    card = ScriptedDevice(modes=("64x48@100,mjpg",), content="count", events=(Event(3, "unplug", 0.05),))
    system = Stuck(Script((card,)))
    with closing(CameraSource(card.identity, system=system)) as source:
        assert source.read() is not None
        monkeypatch.setattr(camera, "_CALL_S", 0.02)
        while system.opened < 1 + 3:
            time.sleep(0.01)
        looked = system.looked
        while system.looked < looked + 30:
            time.sleep(0.01)
        assert system.opened == 1 + 3, "it is looked for, and not opened"
        monkeypatch.setattr(camera, "_CALL_S", 60.0)
        system.go_on.set()
        while (packet := source.read()) is not None and packet.index < 6:
            pass
        assert packet is not None
        source.interrupt()
