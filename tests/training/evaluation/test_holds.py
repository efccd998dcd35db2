"""Counting of planes held and found."""

from __future__ import annotations

from semc_core.phantom.trajectory import Truth
from training.evaluation.scans import FoundHold, HoldCounts, TrueHold, match, true_holds


def truths(text: str) -> list[Truth]:
    """One letter per tenth of a second; `.` is NSP."""
    planes = {"a": "FHP1", "b": "LLP", ".": "NSP"}
    return [Truth(i, i / 10, planes[letter], 0.5) for i, letter in enumerate(text)]


def test_holds_are_long_runs_of_one_plane() -> None:
    found = true_holds(truths("..aaaaaaa.aaa.aaaaaaabbbbbbb"))
    assert found == [TrueHold("FHP1", 0.2, 0.8), TrueHold("FHP1", 1.4, 2.0), TrueHold("LLP", 2.1, 2.7)]


def test_each_hold_is_matched_once() -> None:
    held = [TrueHold("FHP1", 1.0, 3.0), TrueHold("LLP", 5.0, 7.0)]
    found = [
        FoundHold("FHP1", 1.2, 2.0, 1.5),  # right
        FoundHold("FHP1", 2.2, 3.2, 3.1),  # the same hold again: wrong
        FoundHold("LLP", 6.5, 8.0, 7.5),  # right, but its frame was saved too late
        FoundHold("LLP", 9.0, 9.5, 9.2),  # nothing was held
        FoundHold("RLP", 1.0, 3.0, 2.0),  # another plane
    ]
    counts = match(held, found)
    assert counts["FHP1"] == HoldCounts(held=1, saved=2, right=1, inside=1)
    assert counts["LLP"] == HoldCounts(held=1, saved=2, right=1, inside=0)
    assert counts["RLP"] == HoldCounts(saved=1)


def test_a_save_over_two_holds_matches_the_longer_overlap() -> None:
    held = [TrueHold("FHP1", 0.0, 1.0), TrueHold("FHP1", 1.5, 4.0)]
    counts = match(held, [FoundHold("FHP1", 0.5, 4.0, 3.0)])
    assert counts["FHP1"] == HoldCounts(held=2, saved=1, right=1, inside=1)
    assert counts["FHP1"].as_json()["recall"] == 0.5
