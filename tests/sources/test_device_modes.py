"""What devices can be asked for, which mode is the best, and what a driver answers."""

from __future__ import annotations

import errno
import struct
from pathlib import Path
from typing import TypeVar

import pytest

from semc_core.errors import UsageError
from semc_core.sources.devices import v4l2
from semc_core.sources.devices.base import Trouble
from semc_core.sources.devices.modes import Mode, Wish, carried, parse_wish, ranked
from semc_core.sources.devices.negotiate import wishes

T = TypeVar("T")

HD, SD = (1920, 1080), (640, 480)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("1920x1080@60,mjpg", Wish(1920, 1080, 60, "MJPG")),
        ("1280x720", Wish(1280, 720)),
        ("@59.94", Wish(rate=59.94)),
        ("yuyv", Wish(fourcc="YUYV")),
        ("640x480,NV12", Wish(640, 480, fourcc="NV12")),
        ("@30,mjpg", Wish(rate=30, fourcc="MJPG")),
    ],
)
def test_a_mode_is_read_as_it_is_typed(text: str, wish: Wish) -> None:
    assert parse_wish(text) == wish
    assert parse_wish(wish.text) == wish


@pytest.mark.parametrize(
    "text", ["", " ", "1920", "1920x", "0x480", "1920x1080@0", "x@", "1920x1080@nan", "mjpegs", "640x480,a,b"]
)
def test_what_is_no_mode_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="mode"):
        parse_wish(text)


def test_the_best_mode_is_the_largest_then_the_fastest_and_uncompressed_if_the_bus_carries_it() -> None:
    modes = [Mode(*SD, 60, "YUYV"), Mode(*HD, 30, "YUYV"), Mode(*HD, 60, "MJPG"), Mode(*HD, 60, "YUYV"),
             Mode(*HD, 60, "NV12")]  # fmt: skip
    assert ranked(modes, None)[0] == Mode(*HD, 60, "YUYV")
    assert ranked(modes, 5000)[0] == Mode(*HD, 60, "YUYV"), "249 MB/s"
    assert ranked(modes, 480)[0] == Mode(*HD, 60, "MJPG")
    assert ranked([modes[1], Mode(*SD, 30, "YUYV")], 480)[0] == Mode(*SD, 30, "YUYV"), "nothing else fits"
    assert ranked(modes, 480, Wish(fourcc="YUYV", width=1920, height=1080))[0].rate == 60


def test_a_larger_picture_at_two_frames_a_second_is_no_better() -> None:
    modes = [Mode(2592, 1944, 2, "YUYV"), Mode(*HD, 30, "MJPG")]
    assert ranked(modes, 480)[0] == Mode(*HD, 30, "MJPG")
    assert ranked(modes[:1], None)[0] == modes[0], "if there is no other"


def test_formats_that_cannot_be_decoded_are_left_out_unless_they_are_asked_for() -> None:
    modes = [Mode(3840, 2160, 60, "HEVC"), Mode(*SD, 30, "YUYV")]
    assert ranked(modes, None) == modes[1:]
    assert ranked(modes, None, parse_wish("hevc")) == modes[:1]


def test_a_card_that_has_only_formats_of_which_nothing_is_known_is_asked_for_its_best_all_the_same() -> None:
    modes = [Mode(*SD, 30, "XR24"), Mode(*HD, 30, "Y16"), Mode(*HD, 60, "XR24")]
    assert wishes(modes, 5000, Wish())[0] == Wish(*HD, 60, "XR24")
    assert wishes(modes, None, parse_wish("640x480"))[0] == Wish(*SD, 30, "XR24")
    assert wishes(modes, None, parse_wish("800x600")) == []


def test_a_rate_of_5994_is_found_as_60() -> None:
    modes = [Mode(*HD, 60000 / 1001, "MJPG"), Mode(*HD, 50, "MJPG")]
    assert ranked(modes, None, Wish(rate=60)) == modes[:1]
    assert ranked(modes, None, Wish(rate=25)) == []


def test_what_a_usb_carries_is_estimated_from_its_speed() -> None:
    assert carried(Mode(*SD, 30, "YUYV"), 480)
    assert not carried(Mode(*HD, 30, "YUYV"), 480)
    assert carried(Mode(*HD, 60, "YUYV"), 5000)
    assert not carried(Mode(3840, 2160, 60, "YUYV"), 10_000)
    assert not carried(Mode(*SD, 30, "YUYV"), 1.5)


class Driver:
    """Answers the kernel's questions from the bytes of its structures, as a driver does."""

    def __init__(self, set_error: int = 0) -> None:
        self.set_error = set_error

    def __call__(self, descriptor: int, request: int, asked: bytearray) -> int:
        if request in (v4l2.GET_FORMAT, v4l2.SET_FORMAT):
            if request == v4l2.SET_FORMAT and self.set_error:
                raise OSError(self.set_error, "no")
            return 0
        index = struct.unpack_from("=I", asked)[0]
        answers = {
            v4l2.ENUM_FORMATS: self._formats,
            v4l2.ENUM_SIZES: self._sizes,
            v4l2.ENUM_INTERVALS: self._intervals,
        }[request]
        answers(index, asked)
        return 0

    def _formats(self, index: int, asked: bytearray) -> None:
        struct.pack_into("=4s", asked, 44, _one([b"YUYV", b"MJPG"], index))

    def _sizes(self, index: int, asked: bytearray) -> None:
        if asked[4:8] == b"YUYV":
            struct.pack_into("=3I", asked, 8, 1, *_one([SD, HD], index))
        else:  # a range, from 16 x 16 to HD in steps of 16 and 8
            struct.pack_into("=7I", asked, 8, 3, 16, HD[0], 16, 16, HD[1], 8)

    def _intervals(self, index: int, asked: bytearray) -> None:
        width = struct.unpack_from("=I", asked, 8)[0]
        if asked[4:8] == b"MJPG":
            raise OSError(errno.ENOTTY, "not told")
        interval = _one([(1, 30), (1001, 60000)] if width == SD[0] else [(1, 5), (0, 0)], index)
        struct.pack_into("=3I", asked, 16, 1, *interval)


def _one(choices: list[T], index: int) -> T:
    if index >= len(choices):
        raise OSError(errno.EINVAL, "no more")
    return choices[index]


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "video0"
    path.write_bytes(b"")
    return path


def test_a_driver_is_asked_for_its_modes_one_by_one(node: Path) -> None:
    modes = v4l2.modes_of(node, Driver())
    assert modes[:3] == (Mode(*SD, 60000 / 1001, "YUYV"), Mode(*SD, 30, "YUYV"), Mode(*HD, 5, "YUYV"))
    assert Mode(*HD, 0.0, "MJPG") in modes
    assert Mode(1280, 720, 0.0, "MJPG") in modes, "a common size inside the range"
    assert len(modes) == len(set(modes))


def test_a_driver_that_never_says_that_there_is_no_more_is_left(node: Path) -> None:
    def endless(descriptor: int, request: int, asked: bytearray) -> int:
        if request != v4l2.ENUM_FORMATS:
            raise OSError(errno.EINVAL, "none")
        return 0

    assert v4l2.modes_of(node, endless) == ()


def test_a_card_whose_stream_another_program_holds_is_busy(node: Path) -> None:
    assert v4l2.trouble_of(node, Driver(errno.EBUSY)) is Trouble.BUSY
    assert v4l2.trouble_of(node, Driver(errno.EACCES)) is Trouble.FORBIDDEN
    assert v4l2.trouble_of(node, Driver(errno.ENODEV)) is Trouble.MISSING
    assert v4l2.trouble_of(node, Driver()) is Trouble.UNKNOWN
