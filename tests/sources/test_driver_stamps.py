"""When a card's picture was taken: by its driver's stamp where that can be believed, else when it arrived."""

from __future__ import annotations

import itertools
import math
import time
from contextlib import closing
from typing import Literal

import cv2
import pytest

from semc_core.picture_options import PictureOptions
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.devices.stamps import Came, StampCheck, may_stamp
from semc_core.sources.live.camera import CameraSource
from semc_core.types import FramePacket, SourceInfo

DELAY_S = 2.0
"""Longer than a busy machine takes from a driver's answer to the source's."""


def seen(
    device: ScriptedDevice, count: int = 6, options: PictureOptions | None = None
) -> list[tuple[FramePacket, SourceInfo, float]]:
    """The first frames of a card, what was known of it then, and how old each was when it was handed over."""
    system = SimulatedDevices(Script((device,)))
    found = []
    with closing(CameraSource(device.identity, None, options or PictureOptions(), system=system)) as camera:
        for _ in range(count):
            packet = camera.read()
            assert packet is not None
            found.append((packet, camera.info, time.monotonic() - packet.captured_s))
    return found


def card(
    stamps: Literal["none", "right", "other_clock", "still"], events: tuple[Event, ...] = ()
) -> ScriptedDevice:
    return ScriptedDevice(
        modes=("160x120@100,mjpg",), content="count", delay_s=DELAY_S, stamps=stamps, events=events
    )


def test_the_delay_of_card_and_driver_is_in_the_time_of_a_picture_that_its_driver_stamped() -> None:
    frames = seen(card("right"))
    packet, info, age_s = frames[-1]
    assert info.timed_by == "driver"
    assert age_s > DELAY_S - 0.1
    assert packet.pts_s < DELAY_S, "times within the scan go by what comes, as they always did"


@pytest.mark.parametrize("stamps", ["none", "other_clock", "still"])
def test_stamps_that_cannot_be_believed_leave_it_at_the_arrival(
    stamps: Literal["none", "other_clock", "still"],
) -> None:
    for _, info, age_s in seen(card(stamps)):
        assert info.timed_by == "arrival"
        assert age_s < DELAY_S


def test_a_picture_that_waits_to_be_deinterlaced_keeps_the_stamp_of_its_own_frame() -> None:
    frames = seen(card("right"), 8, PictureOptions(deinterlace="on"))
    _, info, age_s = frames[-1]
    assert info.timed_by == "driver"
    assert age_s > DELAY_S - 0.1
    times_s = [packet.captured_s for packet, info, _ in frames if info.timed_by == "driver"]
    assert times_s == sorted(set(times_s))


def test_after_it_was_away_a_card_is_asked_for_stamps_anew() -> None:
    frames = seen(card("right", (Event(8, "unplug", 0.05),)), 16)
    assert [info.timed_by for _, info, _ in frames][-1] == "driver"


def test_one_wrong_stamp_puts_off_the_trust_in_those_that_follow() -> None:
    check = StampCheck()
    moments_s = [100 + number / 10 for number in range(300)]
    came = [check.came(at_s - 0.04 if at_s != 102.0 else 7.0, at_s) for at_s in moments_s]
    trusted = [each.taken_s is not None for each in came]
    assert [len(list(run)) for _, run in itertools.groupby(trusted)] == [2, 18, 100, 180]
    assert came[5] == Came(moments_s[5], moments_s[5] - 0.04)


@pytest.mark.parametrize("stamp_s", [0.0, -1.0, 100.5, 94.0, 1.7e9, math.nan, math.inf, -math.inf], ids=str)
def test_a_stamp_of_another_clock_of_the_future_or_long_ago_is_not_believed(stamp_s: float) -> None:
    check = StampCheck()
    for step in range(10):
        assert check.came(stamp_s + step / 100, 100 + step / 100).taken_s is None


def test_a_stamp_that_rounding_put_into_the_future_is_taken_for_now() -> None:
    check = StampCheck()
    came = [check.came(at_s + 0.0005, at_s) for at_s in (1.0, 2.0, 3.0)]
    assert came[-1].captured_s == 3.0


def test_only_video4linux_is_known_to_stamp_by_this_clock() -> None:
    assert may_stamp(cv2.CAP_V4L2)
    assert not any(map(may_stamp, (cv2.CAP_DSHOW, cv2.CAP_MSMF, cv2.CAP_AVFOUNDATION)))
