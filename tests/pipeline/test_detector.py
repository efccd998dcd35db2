"""When a plane was held, and which frame is its best."""

from __future__ import annotations

import pytest

from semc_core.pipeline.detector import PlaneDetector, PlaneHysteresis
from semc_core.types import FrameResult, HoldEvent, Thresholds
from tests.pipeline.scripted import CLASSES, probabilities, result

RATE = 20.0
THRESHOLDS = Thresholds(enter=0.8, leave=0.5, min_hold_s=0.5, smoothing_s=0.0, merge_gap_s=1.0)


def run(
    script: list[tuple[str, float]],
    detector: PlaneDetector | None = None,
    *,
    first: int = 0,
    picture: str = "live",
    moving: bool = True,
) -> list[HoldEvent]:
    """Events for one (label, confidence) per frame at 20 frames/s."""
    detector = detector or new_detector()
    events: list[HoldEvent] = []
    for index, (plane, share) in enumerate(script, first):
        shown = result(index, index / RATE, plane, share, picture=picture)
        events += detector.update(shown, moving=moving)
    return events


def new_detector(sharp: dict[int, float] | None = None) -> PlaneDetector:
    def sharpness_of(shown: FrameResult) -> float:
        return (sharp or {}).get(shown.packet.index, 1.0)

    return PlaneDetector(CLASSES, THRESHOLDS, sharpness_of=sharpness_of)


HELD = [("A", 0.9)] * 20
NOTHING = [("NSP", 0.9)] * 30


def test_a_held_plane_is_announced_after_half_a_second_and_final_after_the_merge_gap() -> None:
    events = run(HELD + NOTHING)
    assert [(event.hold_id, event.plane, event.final) for event in events] == [
        (1, "A", False),
        (1, "A", True),
    ]
    assert events[0].end_s == pytest.approx(0.5)
    assert [events[1].start_s, events[1].end_s] == pytest.approx([0.0, 19 / RATE])
    assert events[1].confidence == pytest.approx(0.9)


def test_a_plane_held_too_briefly_is_nothing() -> None:
    assert run([("A", 0.9)] * 10 + NOTHING) == []


def test_the_end_of_the_scan_makes_a_hold_final_but_not_a_short_one() -> None:
    detector = new_detector()
    run(HELD, detector)
    assert [(event.hold_id, event.final) for event in detector.finish()] == [(1, True)]
    assert detector.finish() == []
    short = new_detector()
    run([("A", 0.9)] * 5, short)
    assert short.finish() == []


def test_a_short_interruption_does_not_make_two_holds_and_a_long_one_does() -> None:
    short = run(HELD + [("NSP", 0.9)] * 10 + HELD + NOTHING)
    assert {event.hold_id for event in short} == {1}
    assert short[-1].end_s == pytest.approx(49 / RATE)
    long = run(HELD + NOTHING + HELD + NOTHING)
    assert [event.hold_id for event in long if event.final] == [1, 2]


def test_two_planes_in_turn_are_two_holds_even_within_the_merge_gap() -> None:
    events = run(HELD + [("B", 0.9)] * 20 + NOTHING)
    assert [(event.hold_id, event.plane) for event in events if event.final] == [(1, "A"), (2, "B")]


def test_the_best_frame_is_the_sharpest_of_the_sure_ones() -> None:
    script = [("A", 0.81)] * 5 + [("A", 0.95)] * 10 + [("A", 0.93)] * 10 + NOTHING
    # Frame 3 is the sharpest but not sure; 8 is surest with others and sharper than they; 20 is within the
    # margin and sharper still.
    events = run(script, new_detector({3: 9.0, 8: 2.0, 20: 3.0}))
    assert events[-1].final
    assert events[-1].best.packet.index == 20
    assert run(script, new_detector({3: 9.0, 8: 2.0}))[-1].best.packet.index == 8


def test_a_frame_that_is_itself_unsure_is_not_the_best_however_steady_the_label() -> None:
    detector = new_detector({9: 100.0})
    for index in range(20):
        alone = 0.3 if index == 9 else 0.9
        detector.update(result(index, index / RATE, "A", 0.9, alone=alone))
    (final,) = detector.finish()
    assert final.best.packet.index != 9


def test_a_better_frame_is_announced_at_most_once_a_second() -> None:
    rising = [("A", 0.8 + index / 1000) for index in range(80)]
    sharp = {index: float(index) for index in range(80)}
    events = run(rising, new_detector(sharp))
    times = [event.end_s for event in events]
    assert times == [pytest.approx(0.5 + second) for second in range(4)]
    assert {event.hold_id for event in events} == {1}
    assert [event.best.packet.index for event in events] == [10, 30, 50, 70]


def test_a_frozen_picture_ends_the_hold_and_gives_none() -> None:
    detector = new_detector()
    live = run(HELD, detector)
    frozen = run([("A", 0.9)] * 40, detector, first=20, picture="frozen", moving=False)
    assert [event.final for event in live + frozen] == [False, True]
    assert frozen[0].end_s == pytest.approx(19 / RATE)
    assert frozen[0].best.packet.index < 20
    assert detector.finish() == []


def test_a_picture_that_only_repeats_is_no_hold_even_before_it_counts_as_frozen() -> None:
    assert run([("A", 0.9)] * 40, moving=False) == []


def test_a_gap_in_time_ends_the_hold() -> None:
    detector = new_detector()
    run(HELD, detector)
    events = detector.update(result(20, 60.0, "A", 0.9))
    assert [(event.hold_id, event.final, event.end_s) for event in events] == [(1, True, 19 / RATE)]


def test_the_steady_label_has_two_thresholds() -> None:
    hysteresis = PlaneHysteresis(CLASSES, THRESHOLDS)
    shares = [0.7, 0.85, 0.6, 0.49, 0.7, 0.8]
    named = [hysteresis.update(probabilities("A", share)) for share in shares]
    assert named == [None, 0, 0, None, None, 0]
    assert hysteresis.update(probabilities("B", 0.9)) == 1
