"""A card gives pictures again soon after what it lacked is there again, by the clock of the simulated card.

That clock stands still but for what the card and its reader wait for, so nothing here waits, and a busy
machine changes nothing. `python -m tests.pipeline.healing` measures the same by the real clock, and streams.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest

from semc_core.imaging.quality import FROZEN_AFTER_S, LIVE
from semc_core.picture_options import AS_IT_IS
from semc_core.pipeline.stages import PreparationStage
from semc_core.sources.devices.modes import Wish
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live import camera
from semc_core.sources.live.outage import NO_PICTURES, OutageTeller
from semc_core.types import FramePacket
from tests.pipeline.healing import AWAY_S, GOALS_S, OF_CARDS
from tests.pipeline.live_scans import SPEC
from tests.sources.card_clock import CardClock, NeverStopped, put_in_place

GOAL_S: Final = 2.0
TOLD_S: Final = 2.0
PATIENCE_S: Final = 1.5
RATE: Final = 20


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> CardClock:
    return put_in_place(monkeypatch)


def outcome(clock: CardClock, what: Any, away_s: float) -> tuple[float, float | None]:
    """Seconds from the end of a fault to the first live picture, and from its beginning until it was told."""
    event = Event(RATE // 2, what, away_s, number=3, card="bars")
    card = ScriptedDevice(
        identity="card@1", modes=(f"160x120@{RATE},mjpg",), content="count", events=(event,)
    )
    system = SimulatedDevices(Script((card,)))
    teller = OutageTeller("Camera 0")
    told_s: list[float] = []

    def look() -> None:
        info = reader.info
        if info is not None and teller.added_to(info).trouble == NO_PICTURES:
            told_s.append(clock.monotonic())

    reader = camera._Camera(
        system.devices()[0], "Camera 0", Wish(), PATIENCE_S, system, teller, AS_IT_IS, None
    )
    reader.open()
    judge = PreparationStage(SPEC.preprocessing)
    live_s = [clock.monotonic()]
    without_s = away_s - (FROZEN_AFTER_S if what == "freeze" else 0)
    try:
        for packet in packets(reader, NeverStopped(clock, look)):
            if judge.look(packet).picture == LIVE:
                live_s.append(packet.captured_s)
                if live_s[-1] - live_s[-2] > 0.8 * without_s:
                    break
    finally:
        reader.release()
    last_s, first_s = live_s[-2:]
    return first_s - last_s - without_s, told_s[0] - last_s if told_s else None


def packets(reader: Any, stopping: threading.Event) -> Iterator[FramePacket]:
    for index in range(RATE * 20):
        grabbed = reader.grab(stopping)
        yield FramePacket("camera 0", index, grabbed.pts_s, grabbed.captured_s, grabbed.picture)
    raise AssertionError("it never healed")


@pytest.mark.parametrize("away_s", AWAY_S)
@pytest.mark.parametrize("what", OF_CARDS)
def test_a_card_heals_within_the_stated_time_after_its_fault_is_over(
    clock: CardClock, what: str, away_s: float
) -> None:
    healed_s, told_s = outcome(clock, what, away_s)
    assert healed_s <= GOALS_S.get(what, GOAL_S)
    if what in ("unplug", "fail") and away_s > TOLD_S:
        assert told_s is not None, "meanwhile it was said that no pictures come"
        assert told_s <= TOLD_S
