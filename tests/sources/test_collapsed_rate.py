"""A source that suddenly gives far fewer pictures says so within a second, and no longer than it lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from semc_core.io.slept import pretend
from semc_core.sources.live import outage
from semc_core.sources.live.outage import SLOW, OutageTeller
from semc_core.types import SourceInfo
from tests.sources.card_clock import CardClock

STREAM = SourceInfo("rtsp://host/live", "stream", 640, 480, 90.0, None, live=True)
CARD = SourceInfo("camera 0", "camera", 640, 480, 50.0, None, live=True)
SAYS = "Less than a third of the 25 frames/s that came before come from rtsp://host/live"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> CardClock:
    now = CardClock()
    monkeypatch.setattr(outage, "time", now)
    return now


def slow_at(
    clock: CardClock,
    intervals_s: Sequence[float],
    info: SourceInfo = STREAM,
    *,
    own_pace: bool = True,
    teller: OutageTeller | None = None,
) -> list[tuple[float, bool, str]]:
    """Seconds from the first picture, whether too few come, and what is said, ten times a second."""
    teller = teller or OutageTeller("rtsp://host/live")
    found, begun_s, due_s = [], clock.monotonic(), clock.monotonic()
    for interval_s in intervals_s:
        due_s += interval_s
        while clock.monotonic() < due_s - 1e-9:
            clock.sleep(min(0.1, due_s - clock.monotonic()))
            told = teller.added_to(info)
            found.append((clock.monotonic() - begun_s, told.trouble == SLOW, told.notice))
        teller.came(clock.monotonic(), own_pace=own_pace)
    return found


def test_a_stream_that_falls_to_two_frames_a_second_is_named(
    clock: CardClock,
) -> None:
    found = slow_at(clock, [0.04] * 250 + [0.5] * 40 + [0.04] * 100)
    when_s = [at_s for at_s, slow, _ in found if slow]
    assert when_s
    assert 10.0 < when_s[0] <= 11.0, "ten seconds of 25 frames/s, then two"
    assert 30.0 < when_s[-1] <= 31.0, "as long as it lasts"
    assert all(slow == notice.startswith(SAYS) for _, slow, notice in found)
    assert all(slow for at_s, slow, _ in found if 11 < at_s < 30)


def test_another_rate_that_stays_is_the_usual_one_after_half_a_minute_unless_it_is_none(
    clock: CardClock,
) -> None:
    with_colour = slow_at(clock, [0.04] * 250 + [0.125] * 480)
    when_s = [at_s for at_s, slow, _ in with_colour if slow]
    assert 10.0 < when_s[0] <= 11.0
    assert 35.0 < when_s[-1] < 50.0
    assert slow_at(clock, [0.04] * 250 + [0.5] * 200)[-1][1], "for ever"


@pytest.mark.parametrize(
    "intervals_s",
    [
        [0.04] * 500,
        [0.5] * 40,
        [0.04] * 250 + [0.08] * 120,
        [0.001] * 40 + [0.04] * 300,
        ([0.01] * 25 + [0.75]) * 20,
        [0.04] * 100 + [0.5] * 20,
    ],
    ids=["even", "two frames/s from the start", "half", "a rush first", "in bursts", "before it is known"],
)
def test_what_is_no_collapse_is_not_named(clock: CardClock, intervals_s: list[float]) -> None:
    assert not any(slow for _, slow, _ in slow_at(clock, intervals_s))


def test_what_came_before_an_outage_still_counts_after_it_and_the_outage_does_not(
    clock: CardClock,
) -> None:
    teller = OutageTeller("rtsp://host/live")
    slow_at(clock, [0.04] * 250, teller=teller)
    back = slow_at(clock, [30.0] + [0.04] * 100 + [0.5] * 6, teller=teller)
    when_s = [at_s for at_s, slow, _ in back if slow and at_s > 30]
    assert 34.0 < when_s[0] <= 35.0


def test_a_recording_that_is_read_as_fast_as_can_be_has_no_rate_of_its_own(clock: CardClock) -> None:
    assert not any(slow for _, slow, _ in slow_at(clock, [0.005] * 2000 + [0.2] * 50, own_pace=False))


def test_a_machine_that_slept_says_nothing_of_the_rate(clock: CardClock) -> None:
    teller = OutageTeller("rtsp://host/live")
    slow_at(clock, [0.04] * 250, teller=teller)
    pretend(90.0)
    assert not any(slow for _, slow, _ in slow_at(clock, [0.04] * 50, teller=teller))


def test_a_card_whose_driver_tells_no_rate_is_held_against_what_came_before(clock: CardClock) -> None:
    info = replace(CARD, frame_rate=None)
    found = slow_at(clock, [0.02] * 400 + [0.1] * 30, info, teller=OutageTeller("Camera 0"))
    when_s = [at_s for at_s, slow, _ in found if slow]
    assert 8.0 < when_s[0] <= 9.0
    assert found[-1][2].startswith("Less than half of the 50 frames/s come from Camera 0")


def test_that_a_card_gives_too_few_is_said_beside_what_else_is_told(clock: CardClock) -> None:
    chosen = "By the picture options: full range."
    info = replace(CARD, notice=chosen)
    teller = OutageTeller("Camera 0")
    (*_, (_, slow, notice)) = slow_at(clock, [0.5] * 6, info, teller=teller)
    assert slow
    assert notice.startswith("Less than half of the 50 frames/s come from Camera 0")
    assert notice.endswith(chosen)
    teller.rate_is_told = True
    told = teller.added_to(info)
    assert told.outage.startswith("Less than half of the 50 frames/s"), "for the session's log"
    assert (told.trouble, told.notice) == (SLOW, chosen), "not twice"
