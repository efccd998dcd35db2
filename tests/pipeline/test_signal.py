"""When the machine slept, by pictures that were taken before it did and looked at after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semc_core.io.slept import pretend
from semc_core.picture import Picture
from semc_core.pipeline.signal import ArrivalWatch, SignalGap
from semc_core.types import FramePacket, SourceInfo

RATE = 50


def told(kind: str, times_s: list[float], sleeps_before: int) -> list[list[SignalGap]]:
    """What ended with each picture; before that one is looked at, the machine slept for 90 s."""
    info = SourceInfo("card", kind, 8, 8, float(RATE), None, live=True)
    watch, picture = ArrivalWatch(), Picture(np.zeros((8, 8), np.uint8))
    found = []
    for index, time_s in enumerate(times_s):
        if index == sleeps_before:
            pretend(90.0)
        found.append(watch.update(FramePacket("card", index, time_s, index / RATE, picture), info))
    return found


def test_the_gap_lies_where_the_pictures_time_jumps() -> None:
    at_once = told("camera", [0, 0.02, 90.04, 90.06], sleeps_before=2)
    late = told("camera", [0, 0.02, 0.04, 90.06, 90.08], sleeps_before=2)
    assert [len(each) for each in at_once] == [0, 0, 1, 0]
    assert [len(each) for each in late] == [0, 0, 0, 1, 0], "the third was taken before"
    for (gap,), start_s, end_s in ((at_once[2], 0.02, 90.04), (late[3], 0.04, 90.06)):
        assert (gap.cause, gap.start_s, gap.end_s) == ("machine slept", start_s, end_s)
        assert gap.why == "The machine slept for 90 s; the scan went on."


def test_a_spell_of_too_few_pictures_is_kept_with_the_sentence_that_was_shown_first() -> None:
    watch, picture, found = ArrivalWatch(), Picture(np.zeros((8, 8), np.uint8)), []
    for index in range(9):
        slow = 3 <= index < 6
        info = SourceInfo("card", "camera", 8, 8, float(RATE), None, live=True)
        info = replace(
            info, trouble="slow" if slow else "", outage=f"Too few at {index}." if slow else "Gone."
        )
        found += watch.update(FramePacket("card", index, index / RATE, index / RATE, picture), info)
    assert found == [SignalGap("slow", 3 / RATE, 6 / RATE, "Too few at 3.")]


def test_a_stream_that_counts_its_own_time_is_said_to_have_slept_once_and_soon() -> None:
    found = told("stream", [index / RATE for index in range(40)], sleeps_before=3)
    (gap,) = [gap for each in found for gap in each if gap.cause == "machine slept"]
    assert gap.end_s < 0.5
