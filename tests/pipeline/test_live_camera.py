"""A card that misbehaves, through the whole live pipeline, by simulated devices."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.pipeline.state import Phase
from semc_core.sources.devices.base import Capture, CaptureDevice, Way
from semc_core.sources.devices.contents import number_in
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live.camera import CameraSource
from semc_core.types import FramePacket
from tests.pipeline.live_scans import assert_nothing_lost, new_engine, phase_of, scripted
from tests.pipeline.scripted import probabilities

MODES = ("160x120@50,yuyv",)
AWAY_S = 0.6


def nothing(index: int) -> NDArray[np.float32]:
    return probabilities("NSP", 0.9)


def script(*events: Event) -> Script:
    """A card to which something happens, and one of the same make that takes its number when it is gone."""
    own = ScriptedDevice(identity="card@1", modes=MODES, content="count", events=events)
    other = ScriptedDevice(identity="card@2", modes=MODES, content="scan")
    return Script((own, other))


@pytest.mark.requirement("S3")
def test_a_card_that_is_unplugged_and_comes_back_under_another_number_goes_on_in_the_same_scan() -> None:
    system = SimulatedDevices(
        script(Event(20, "unplug", AWAY_S, number=3), Event(60, "unplug", AWAY_S, number=7))
    )
    engine = new_engine(lambda: CameraSource("card@1", system=system), scripted(nothing), None)
    engine.start()
    packets: list[FramePacket] = []
    notices = []
    while not packets or number_in(packets[-1].pixels) < 90:
        packets.append(engine.preview.get())
        info = engine.source_info
        notices.append("" if info is None else info.notice)
        assert phase_of(engine) in (Phase.STARTING, Phase.RUNNING)
    engine.stop()
    assert_nothing_lost(engine.statistics())
    assert system.cards["card@1"].opened == 3
    assert system.cards["card@2"].opened == 0, "the other card has the number, and is not opened"
    numbers = [number_in(packet.pixels) for packet in packets]
    assert numbers == sorted(set(numbers)), "no frame twice, none of before the gap after it"
    for unplugged in (20, 60):  # a busy machine may make other gaps
        (gap_s,) = [
            after.pts_s - before.pts_s
            for before, after in itertools.pairwise(packets)
            if number_in(before.pixels) < unplugged <= number_in(after.pixels)
        ]
        assert gap_s >= AWAY_S, "what is missing shows in the times"
    assert {packet.source_id for packet in packets} == {"camera 0"}
    assert any("gave no pictures for" in notice and "the scan went on" in notice for notice in notices)


def test_while_a_card_is_opened_it_is_said_what_is_waited_for() -> None:
    opening, go_on = threading.Event(), threading.Event()

    class Slow(SimulatedDevices):
        def open(self, device: CaptureDevice, way: Way) -> Capture:
            opening.set()
            assert go_on.wait(60)
            return super().open(device, way)

    system = Slow(script())
    engine = new_engine(lambda: CameraSource("card@1", system=system), scripted(nothing), None)
    engine.start()
    assert opening.wait(60)
    state = engine.state
    go_on.set()
    engine.preview.get()
    engine.stop()
    assert state.phase is Phase.STARTING
    assert state.message.startswith("Opening the source. A capture card may take some seconds")


def test_a_scan_ends_at_once_while_its_card_is_away() -> None:
    system = SimulatedDevices(script(Event(5, "unplug", 3000)))
    engine = new_engine(lambda: CameraSource("card@1", system=system), scripted(nothing), None)
    engine.start()
    while True:
        info = engine.source_info
        if info is not None and "is unplugged; the scan goes on when" in info.notice:
            break
    engine.stop()
    assert phase_of(engine) is Phase.STOPPED
    assert system.cards["card@2"].opened == 0


@pytest.mark.requirement("S3")
def test_a_card_that_gives_nothing_for_a_moment_or_hangs_is_waited_for() -> None:
    system = SimulatedDevices(script(Event(10, "fail", 0.3), Event(30, "hang", 0.3)))
    engine = new_engine(lambda: CameraSource("card@1", patience_s=60, system=system), scripted(nothing), None)
    engine.start()
    last = engine.preview.get()
    while number_in(last.pixels) < 50:
        last = engine.preview.get()
    engine.stop()
    assert system.cards["card@1"].opened == 1
    assert_nothing_lost(engine.statistics())


@pytest.mark.parametrize("card", ["blue", "black", "bars"])
def test_no_picture_of_a_card_without_a_signal_reaches_the_model(
    card: Literal["blue", "black", "bars"],
) -> None:
    seen: list[int] = []

    def answer(index: int) -> NDArray[np.float32]:
        seen.append(index)
        return nothing(index)

    system = SimulatedDevices(script(Event(0, "no_signal", 3000, card=card, text="NO SIGNAL")))
    engine = new_engine(lambda: CameraSource("card@1", system=system), scripted(answer), None)
    engine.start()
    states = set()
    while (result := engine.results.get()).packet.index < 30:
        states.add(result.picture)
    engine.stop()
    assert states == {"no signal"}, "and not that the scanner is frozen"
    assert seen == []
    assert engine.statistics().skipped > 0


@pytest.mark.parametrize(
    ("what", "says"), [("hang", "The driver of Camera 0 does not answer"), ("fail", "gives no more pictures")]
)
def test_a_driver_that_hangs_or_gives_nothing_is_let_go_and_opened_again_in_the_same_scan(
    what: Literal["hang", "fail"], says: str
) -> None:
    system = SimulatedDevices(script(Event(20, what, 3.0)))
    engine = new_engine(
        lambda: CameraSource("card@1", patience_s=0.6, system=system), scripted(nothing), None
    )
    engine.start()
    notices: set[str] = set()
    last = engine.preview.get()
    watched = threading.Event()

    def watch() -> None:
        while not watched.wait(0.02):
            info = engine.source_info
            notices.add("" if info is None else info.notice)

    watcher = threading.Thread(target=watch)
    watcher.start()
    packets = [last]
    while number_in(packets[-1].pixels) < 40:
        packets.append(engine.preview.get())
    while not any("gave no pictures for" in notice for notice in tuple(notices)):
        time.sleep(0.02)
    watched.set()
    watcher.join()
    assert phase_of(engine) is Phase.RUNNING
    engine.stop()
    assert_nothing_lost(engine.statistics())
    assert system.cards["card@1"].opened >= 2
    numbers = [number_in(packet.pixels) for packet in packets]
    assert numbers == sorted(set(numbers)), "no frame twice"
    assert any(says in notice for notice in notices)


def test_what_a_card_without_pictures_says_goes_when_they_come_back() -> None:
    system = SimulatedDevices(script(Event(10, "fail", 1.5)))
    source = CameraSource("card@1", patience_s=0.3, system=system)
    while number_in(_next(source).pixels) < 10:
        pass
    assert "gives no more pictures" not in source.info.notice
    source.interrupt()
    source.close()


def _next(source: CameraSource) -> FramePacket:
    packet = source.read()
    assert packet is not None
    return packet


def test_the_model_is_asked_once_for_each_different_picture_of_a_fast_card() -> None:
    asked: list[int] = []

    def answer(index: int) -> NDArray[np.float32]:
        asked.append(index)
        return nothing(index)

    card = ScriptedDevice(identity="card@1", modes=("160x120@60,yuyv",), content="count", content_rate=25.0)
    system = SimulatedDevices(Script((card,)))
    engine = new_engine(lambda: CameraSource("card@1", system=system), scripted(answer), None)
    engine.start()
    while engine.statistics().classified < 60:
        engine.results.get()
    seen: list[int] = []
    # What reaches the model one after the other; frames between two results may be dropped.
    before = len(asked)
    while len(seen) < 60:
        seen.append(number_in(engine.results.get().packet.pixels))
    engine.stop()
    different = max(seen) - min(seen) + 1  # also those whose result was replaced before it was seen here
    assert len(set(seen)) < len(seen), "the card repeats its pictures"
    assert len(asked) - before <= different + 3
    assert_nothing_lost(engine.statistics())
