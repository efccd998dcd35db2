"""When a plane was held, and which frame is its best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semc_core.pipeline.detector import PlaneDetector, PlaneHysteresis
from semc_core.types import FrameResult, HoldEvent, Quality, Thresholds
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
    def quality_of(shown: FrameResult) -> float:
        return (sharp or {}).get(shown.packet.index, 1.0)

    return PlaneDetector(CLASSES, THRESHOLDS, quality_of=quality_of)


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


def test_of_two_sure_planes_the_surer_is_named_and_of_equal_ones_the_one_named_before() -> None:
    hysteresis = PlaneHysteresis(CLASSES, THRESHOLDS)
    shares = [(0.9, 0.85), (0.85, 0.9), (0.9, 0.9), (0.9, 0.85)]
    named = [hysteresis.update(np.array([*both, 0.0], np.float32)) for both in shares]
    assert named == [0, 1, 1, 0]


def test_a_plane_is_entered_and_left_at_the_thresholds_themselves() -> None:
    exact = Thresholds(enter=0.75, leave=0.5)
    hysteresis = PlaneHysteresis(CLASSES, exact)
    shares = [0.75, 0.5, 0.4375, 0.5]
    assert [hysteresis.update(probabilities("A", share)) for share in shares] == [0, 0, None, None]


def test_every_class_but_the_one_of_none_is_a_plane_wherever_it_stands() -> None:
    hysteresis = PlaneHysteresis(("NSP", "Z", "none", "A"), THRESHOLDS, none_class="none")
    surest = np.eye(4, dtype=np.float32) * 0.95
    named = [PlaneHysteresis(("NSP", "Z", "none", "A"), THRESHOLDS, "none").update(row) for row in surest]
    assert named == [0, 1, None, 3]
    assert hysteresis.update(np.zeros(4, np.float32)) is None


def test_a_sharp_frame_that_is_less_sure_is_not_the_best_after_the_sure_ones_either() -> None:
    script = [("A", 0.95)] * 10 + [("A", 0.9)] * 5 + NOTHING
    assert run(script, new_detector({4: 2.0, 12: 9.0}))[-1].best.packet.index == 4


def test_of_equally_sure_and_sharp_frames_the_first_is_the_best() -> None:
    assert run(HELD + NOTHING)[-1].best.packet.index == 0


def test_a_better_frame_is_announced_a_second_after_the_last_at_any_rate_of_frames() -> None:
    detector = new_detector({index: float(index) for index in range(60)})
    times = [index * 0.07 for index in range(60)]
    announced = [
        event.end_s for index, time_s in enumerate(times)
        for event in detector.update(result(index, time_s, "A", 0.9))
    ]  # fmt: skip
    assert announced == pytest.approx([0.56, 1.61, 2.66, 3.71])


def test_without_a_better_frame_nothing_is_announced_again() -> None:
    assert [event.final for event in run([("A", 0.9)] * 60)] == [False]


def test_a_gap_of_exactly_a_second_goes_on_and_counts_and_a_longer_one_does_not() -> None:
    for gap_s, announced in ((1.0, 1), (1.0625, 0)):
        detector = new_detector()
        events = [each for index, time_s in enumerate((2.0, 2.0 + gap_s))
                  for each in detector.update(result(index, time_s, "A", 0.9))]  # fmt: skip
        assert len(events) == announced


def test_a_step_back_in_time_ends_the_hold_and_what_was_held_before_is_final_at_once() -> None:
    detector = new_detector()
    run(HELD, detector)
    events = detector.update(result(20, 0.5, "A", 0.9))
    assert [(event.hold_id, event.final) for event in events] == [(1, True)]
    fresh = new_detector()
    run([("A", 0.9)] * 10, fresh)
    assert fresh.update(result(10, 0.25, "A", 0.9)) == []
    assert fresh.update(result(11, 0.5, "A", 0.9)) == []


def test_two_frames_of_one_time_are_one_hold_and_another_plane_between_does_not_make_it_final() -> None:
    detector = new_detector()
    run(HELD, detector)
    for index, plane in enumerate(("A", "NSP", "A"), 20):
        assert detector.update(result(index, 19 / RATE, plane, 0.9)) == []
    assert [event.hold_id for event in detector.finish()] == [1]


def test_a_plane_that_comes_back_after_exactly_the_merge_gap_is_the_same_hold() -> None:
    for gap_s, final in ((1.0, []), (1.0625, [1])):
        detector = new_detector()
        for index in range(9):
            detector.update(result(index, index / 8, "A", 0.9))
        for index, later_s in enumerate((0.5, gap_s), 9):
            plane = "NSP" if later_s == 0.5 else "A"
            events = detector.update(result(index, 1.0 + later_s, plane, 0.9))
        assert [event.hold_id for event in events if event.final] == final


def test_a_plane_that_comes_back_goes_on_from_where_it_began() -> None:
    detector = new_detector()
    script = [("A", 0.9)] * 13 + [("B", 0.9)] * 6 + [("A", 0.9)] * 2
    run(script, detector)
    (first,) = detector.finish()
    assert (first.plane, first.start_s) == ("A", 0.0)
    assert first.end_s == pytest.approx(1.0)


def test_holds_that_end_together_come_in_the_order_of_their_numbers() -> None:
    detector = new_detector()
    run([("B", 0.9)] * 12 + [("A", 0.9)] * 12, detector)
    assert [(event.hold_id, event.plane) for event in detector.finish()] == [(1, "B"), (2, "A")]
    again = new_detector()
    run([("B", 0.9)] * 12 + [("A", 0.9)] * 12 + [("B", 0.9)] * 4, again)
    events = again.update(result(28, 9.0, "NSP", 0.9))
    assert [(event.hold_id, event.plane) for event in events] == [(1, "B"), (2, "A")]


def test_numbers_of_holds_may_be_shared() -> None:
    detector = PlaneDetector(CLASSES, THRESHOLDS, numbers=iter([7, 9]))
    assert {event.hold_id for event in run(HELD + NOTHING, detector)} == {7}


def test_of_the_frames_of_a_hold_the_one_with_the_best_quality_is_kept() -> None:
    detector = PlaneDetector(CLASSES, THRESHOLDS)
    for index in range(20):
        shown = result(index, index / RATE, "A", 0.9)
        # One is better, and one was not judged.
        quality = None if index == 3 else Quality(80.0 if index == 7 else 60.0)
        detector.update(replace(shown, quality=quality))
    assert detector.finish()[0].best.packet.index == 7


def test_the_confidence_of_a_hold_is_the_smoothed_one_of_its_best_frame() -> None:
    detector = new_detector({5: 9.0})
    for index in range(20):
        detector.update(result(index, index / RATE, "A", 0.99 if index == 5 else 0.9, alone=0.9))
    (final,) = detector.finish()
    assert final.best.packet.index == 5
    assert final.confidence == pytest.approx(0.99)
