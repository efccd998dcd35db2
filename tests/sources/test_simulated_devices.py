"""Simulated devices through the code that real ones go through: listed, opened, asked, read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.sources.devices.base import CaptureDevice
from semc_core.sources.devices.contents import number_in
from semc_core.sources.devices.find import find_device
from semc_core.sources.devices.modes import Wish, parse_wish
from semc_core.sources.devices.script import Event, Script, ScriptedDevice, read_script
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live.camera import CameraSource
from semc_core.sources.open import open_source
from semc_core.types import CaptureInfo, FramePacket

SMALL = "160x120@100,yuyv"
OLD_CARD = ("640x480@30,yuyv", "1920x1080@5,yuyv", "1920x1080@60,mjpg", "1280x720@60,mjpg")
"""As cheap cards say it: 640x480 is in force at first, and HD at a useful rate is MJPG alone."""


@contextmanager
def opened(
    device: ScriptedDevice, wish: Wish | None = None
) -> Iterator[tuple[CameraSource, SimulatedDevices]]:
    system = SimulatedDevices(Script(device=(device,)))
    with closing(CameraSource(device.identity, wish, system=system)) as camera:
        yield camera, system


def frames(camera: CameraSource, count: int) -> list[FramePacket]:
    packets = [camera.read() for _ in range(count)]
    return [packet for packet in packets if packet is not None]


def first_gray(buffers: Literal["plain", "padded", "gray16"]) -> NDArray[np.uint8]:
    """Of a scan at 161 x 120, an odd width."""
    card = ScriptedDevice(modes=("161x120@100,mjpg",), buffers=buffers, content="ramp")
    with opened(card) as (camera, _):
        return frames(camera, 1)[0].gray


def capture_of(camera: CameraSource) -> CaptureInfo:
    assert camera.info.capture is not None
    return camera.info.capture


def test_a_card_is_asked_for_the_best_that_its_bus_carries_and_every_set_is_counted() -> None:
    device = ScriptedDevice(modes=OLD_CARD, bus_mbps=480, content="count")
    with opened(device) as (camera, system):
        assert (camera.info.width, camera.info.height, camera.info.frame_rate) == (1920, 1080, 60)
        assert capture_of(camera).asked == "1920x1080@60,mjpg"
        assert capture_of(camera).sets == system.cards[device.identity].sets
        assert capture_of(camera).sets <= 5, "format, width, height, rate and the length of the queue"
        assert camera.info.notice == ""
        (packet,) = frames(camera, 1)
        assert (packet.picture.width, packet.picture.height) == (1920, 1080)


def test_a_card_that_is_in_its_best_mode_already_is_asked_for_nothing() -> None:
    with opened(ScriptedDevice(modes=(SMALL,), content="count")) as (camera, _):
        assert capture_of(camera).sets == 2, "the length of the queue, and pictures as they come"


def test_the_user_chooses_another_mode() -> None:
    device = ScriptedDevice(modes=OLD_CARD, content="count")
    with opened(device, parse_wish("1280x720")) as (camera, _):
        assert (camera.info.width, camera.info.height, camera.info.frame_rate) == (1280, 720, 60)
    with opened(device, parse_wish("640x480,yuyv")) as (camera, _):
        assert capture_of(camera).asked == "640x480@30,yuyv"


def test_a_mode_that_the_card_has_not_is_refused_with_those_that_it_has() -> None:
    device = ScriptedDevice(modes=OLD_CARD)
    with pytest.raises(SourceError, match=r"Camera 0 has no mode 1921x1080; it has 640x480@30,yuyv, .*mjpg"):
        CameraSource(0, parse_wish("1921x1080"), system=SimulatedDevices(Script(device=(device,))))


def test_what_a_card_refuses_is_asked_for_in_one_other_way_and_then_told() -> None:
    device = ScriptedDevice(modes=OLD_CARD, refuses=("format",), content="count")
    with opened(device) as (camera, system):
        assert system.cards[device.identity].sets <= 9, "twice a mode, and the length of the queue"
        assert "was asked for 1920x1080 at 60 frames/s and gives" in camera.info.notice


@pytest.mark.parametrize("refused", ["size", "rate", "format"])
def test_a_card_that_tells_no_modes_is_asked_twice_at_most(refused: str) -> None:
    device = ScriptedDevice(
        modes=OLD_CARD,
        tells_modes=False,
        content="count",
        refuses=(refused,),  # type: ignore[arg-type]
    )
    with opened(device) as (camera, system):
        assert system.cards[device.identity].sets <= 9
        assert camera.info.notice == "", "nobody asked for what it may not have"
        assert frames(camera, 1)


def test_what_comes_is_measured_and_told_where_it_is_not_what_was_asked_for() -> None:
    device = ScriptedDevice(modes=("320x240@100,yuyv",), gives="160x120@20,yuyv", content="count")
    with opened(device) as (camera, _):
        assert camera.info.frame_rate == 100, "as the card says, until it is measured"
        assert camera.info.width in (320, 160), "as the card says, until a picture came"
        while capture_of(camera).rate is None:
            frames(camera, 1)
        measured = capture_of(camera)
        assert (measured.width, measured.height) == (160, 120)
        assert measured.rate is not None
        assert measured.rate < 21, "a busy machine may be slower, never faster"
        assert "asked for 320x240 at 100 frames/s and gives 160x120 at " in camera.info.notice


def test_repeats_of_a_slow_scanner_come_as_the_card_sends_them() -> None:
    device = ScriptedDevice(modes=("160x120@50,yuyv",), content="count", content_rate=10)
    with opened(device) as (camera, _):
        packets = frames(camera, 15)
    numbers = [number_in(packet.pixels) for packet in packets]
    assert numbers == sorted(numbers)
    assert numbers == [packet.index * 10 // 50 for packet in packets]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [("missing", "plug it in"), ("busy", "close that one"), ("forbidden", "may not be opened by you"),
     ("unknown", "another port")],
)  # fmt: skip
def test_each_trouble_is_a_sentence_of_its_own(trouble: str, words: str) -> None:
    script = Script(device=(ScriptedDevice(trouble=trouble),))  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=words):
        CameraSource(0, system=SimulatedDevices(script))


def test_another_device_that_took_the_number_between_listing_and_opening_is_not_opened() -> None:
    first = ScriptedDevice(identity="first@1", modes=(SMALL,), content="count", open_s=0.0)
    second = ScriptedDevice(identity="second@2", number=1, modes=(SMALL,), content="count")
    system = SimulatedDevices(Script(device=(first, second)))
    listed = find_device("first@1", system)
    system.cards["first@1"].unplug()
    system.cards["second@2"].unplug(0.0, number=listed.index)

    class Late(SimulatedDevices):
        """Tells what was there before, once: the listing that came too early."""

        told = False

        def devices(self) -> list[CaptureDevice]:
            if not self.told:
                self.told = True
                return [listed]
            return super().devices()

    late = Late(Script(device=(first, second)))
    late.cards = system.cards
    with pytest.raises(SourceError, match="Camera 0 is not plugged in"):
        CameraSource("first@1", system=late)


def test_the_default_device_is_a_scan_at_1080p_and_30_frames_a_second() -> None:
    with closing(open_source("camera:simulated")) as camera:
        assert (camera.info.width, camera.info.height, camera.info.frame_rate) == (1920, 1080, 30)
        packet = camera.read()
    assert packet is not None
    assert packet.gray.std() > 10, "a picture, not an empty screen"


def test_a_script_says_what_a_device_does(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(
        'version = 1\n[[device]]\nname = "Card"\nnumber = 5\nmodes = ["160x120@100,yuyv", "80x60@50,mjpg"]\n'
        'content = "count"\n[[device.events]]\nat_frame = 3\nwhat = "no_signal"\ncard = "bars"\n'
        'text = "NO SIGNAL"\nseconds = 60\n',
        encoding="utf-8",
    )
    assert read_script(path).device[0].events == (Event(3, "no_signal", 60, None, "bars", "NO SIGNAL"),)
    with closing(open_source(f"camera:simulated:{path}", mode="80x60")) as camera:
        assert (camera.info.source_id, camera.info.width) == ("camera 5", 80)
        while (packet := camera.read()) is not None and packet.index < 3:
            pass
        assert packet is not None
        assert packet.pixels[:, 0].mean() > 200, "the white bar"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[device]]\nmodes = ["1920x1080"]', "needs size, rate and format"),
        ("[[device]]\nmodes = []", "at least one mode"),
        ("device = []", "at least one mode"),
        ('[[device]]\nmodes = ["99999x99999@30,mjpg"]', "at most 7680x4320"),
        ('[[device]]\nmodes = ["641x480@30,yuyv"]', "its width is even"),
        ('[[device]]\n[[device]]\nname = "Another"', "two devices of one identity"),
        ('[[device]]\nlamp = "on"', "unknown field"),
    ],
)
def test_a_script_that_says_nonsense_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=why):
        open_source(f"camera:simulated:{path}")
    with pytest.raises(SourceError, match=r"none\.toml cannot be used"):
        open_source(f"camera:simulated:{tmp_path / 'none.toml'}")


def test_rows_with_something_behind_them_and_16_bits_are_the_same_picture() -> None:
    plain, padded, deep = first_gray("plain"), first_gray("padded"), first_gray("gray16")
    assert plain.std() > 10
    assert np.array_equal(plain, padded)
    assert np.abs(plain.astype(int) - deep).max() <= 2


def test_what_a_card_shows_lasts_when_it_is_opened_anew() -> None:
    """A driver that is slow is let go and opened again; the cable is still out."""
    bars = Event(0, "no_signal", 3000, card="bars")
    card = ScriptedDevice(modes=(SMALL,), content="ramp", events=(bars,))
    system = SimulatedDevices(Script(device=(card,)))
    seen = []
    for _ in range(2):
        with closing(CameraSource(card.identity, None, system=system)) as camera:
            seen.append(frames(camera, 1)[0].gray)
    assert np.array_equal(seen[0], seen[1])
