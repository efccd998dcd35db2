"""The review without a window: time scale, playhead, lanes, texts, keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.commands import LIVE, REVIEW, START, Situation, enabled_actions
from app.review.lanes import binned, named_lanes
from app.review.playhead import SPEEDS, Playhead
from app.review.presenter import (
    Mode,
    PlaneItems,
    class_rows,
    decided_by,
    mode_hint,
    neighbour,
    plane_sentence,
    progress_short,
    progress_text,
    region_at,
    saved_badge,
    strip_heading,
    where_texts,
)
from app.review.room import timeline_height
from app.review.time_scale import TimeScale, TimeSpan, following, panned, ticks, whole_span, zoomed
from semc_core.labels import LIVER_CLASSES
from semc_core.review.analysis import ReviewPhase, ReviewState
from semc_core.session.correcting.changes import MarkRegion, Reject, Relabel, SetNote
from semc_core.session.correcting.sentences import done_sentence
from semc_core.session.records import PlaneEntry, RegionEntry
from semc_core.types import Crop

WHOLE = TimeSpan(0.0, 60.0)


def plane(plane_id: int, time_s: float, name: str = "FHP1", **changed: object) -> PlaneEntry:
    values: dict[str, object] = {
        "plane_id": plane_id,
        "plane": name,
        "found_as": name,
        "confidence": 0.93,
        "frame_index": round(time_s * 25),
        "time_s": time_s,
        "start_s": time_s - 0.5,
        "end_s": time_s + 0.5,
        "final": True,
        "by_hand": False,
        "rejected": False,
        "reason": "",
        "chosen_by": "model",
        "png": f"{plane_id:03d}.png",
        "png_sha256": "",
        "clip": None,
        "note": "",
        "width": 160,
        "height": 120,
        "crop": Crop(0, 0, 160, 120),
    }
    return PlaneEntry(**(values | changed))  # type: ignore[arg-type]  # checked by the class's own fields


def test_zooming_keeps_the_time_under_the_mouse_and_stays_in_the_loop() -> None:
    near = zoomed(WHOLE, 0.5, 15.0, WHOLE)
    assert near == TimeSpan(7.5, 37.5)
    assert TimeScale(near, 0, 300).x(15.0) == TimeScale(WHOLE, 0, 300).x(15.0)
    assert zoomed(near, 8, 15.0, WHOLE) == WHOLE
    assert zoomed(WHOLE, 1e-9, 60.0, WHOLE).length_s == 0.5
    assert panned(near, 100, WHOLE) == TimeSpan(30.0, 60.0)


def test_the_time_line_follows_a_playhead_that_leaves_it() -> None:
    span = TimeSpan(10.0, 20.0)
    assert following(span, 15.0, WHOLE) is span
    assert following(span, 20.1, WHOLE).start_s == pytest.approx(19.1)
    assert following(span, 5.0, WHOLE) == TimeSpan(0.0, 10.0)


def test_a_place_on_the_time_line_and_back() -> None:
    scale = TimeScale(TimeSpan(2.0, 4.0), 50, 100)
    assert scale.time_s(scale.x(3.25)) == pytest.approx(3.25)
    assert scale.time_s(0) == 2.0
    assert scale.time_s(1e6) == 4.0


@pytest.mark.parametrize(("length_s", "last"), [(0.4, "0:00.4"), (60.0, "1:00"), (7200.0, "2:00:00")])
def test_ticks_are_round_and_apart(length_s: float, last: str) -> None:
    found = ticks(TimeSpan(0.0, length_s), 1000, 80)
    assert found[-1][1] == last
    assert (np.diff([time_s for time_s, _ in found]) * 1000 / length_s >= 80).all()
    assert whole_span(3.0, 3.0).length_s > 0


def test_the_playhead_steps_plays_and_ends() -> None:
    head = Playhead(np.array([0.0, 0.04, 0.2, 0.24, 1.0]))
    head.step(-1)
    assert head.index == 0
    head.step(2)
    assert (head.index, head.time_s) == (2, 0.2)
    head.play(True)
    head.set_speed(0.5)
    head.tick(100.0)
    assert not head.tick(100.05)
    assert head.tick(100.1)
    assert head.index == 3
    assert head.tick(110.0)
    assert (head.index, head.playing) == (4, False)
    head.play(True)
    assert head.index == 0
    head.skip(1.0)
    assert head.index == 4
    head.skip(-0.01)
    assert head.index == 3, "at least one frame"
    for _ in SPEEDS:
        head.change_speed(1)
    assert head.speed == 4.0
    nothing = Playhead(np.zeros(0))
    nothing.play(True)
    nothing.step(1)
    assert (nothing.index, nothing.time_s, nothing.playing) == (0, 0.0, False)


def test_each_bin_shows_its_surest_frame_and_a_gap_shows_none() -> None:
    times_s = np.array([0.0, 0.1, 0.2, 0.3, 5.0])
    shares = np.array([[0.1, 0.0], [0.9, 0.2], [0.3, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)
    found = binned(times_s, shares, TimeSpan(0.0, 10.0), 10, 0.25)
    assert found.shape == (2, 10)
    assert found[:, 0].tolist() == pytest.approx([0.9, 0.8])
    assert np.isnan(found[:, 1:5]).all()
    assert found[:, 5].tolist() == [0.5, 0.5]
    close = binned(times_s, shares, TimeSpan(0.0, 0.4), 40, 0.25)
    assert close[0, 5] == pytest.approx(0.1), "between two frames the first is still shown"
    assert close[0, 12] == pytest.approx(0.9)


def test_going_from_plane_to_plane() -> None:
    planes = (plane(1, 2.0), plane(2, 5.0), plane(3, 5.0), plane(4, 9.0))
    assert neighbour(planes, None, 0.0, 1) == planes[0]
    assert neighbour(planes, 2, 5.0, 1) == planes[2], "two at the same time are both reached"
    assert neighbour(planes, 1, 7.0, 1) == planes[3], "from where the playhead is"
    assert neighbour(planes, 1, 7.0, -1) == planes[2]
    assert neighbour(planes, 4, 9.0, 1) is None


def test_a_card_says_who_decided() -> None:
    planes = (
        plane(1, 2.0),
        plane(2, 3.0, "HRP", found_as="FHP1", chosen_by="person", rejected=True, reason="cut off"),
        plane(1001, 4.0, found_as=None, chosen_by="person", note="faint"),
    )
    cards = PlaneItems().of(planes, {}, 2)
    assert [card.lines[1][1] for card in cards] == ["", "rejected", "by you"]
    captured = plane(3, 5.0, by_hand=True, chosen_by="person")
    assert decided_by(captured) == "captured", "the program named it"
    assert "confirms it" in plane_sentence(captured)
    assert [card.chosen for card in cards] == [False, True, False]
    assert plane_sentence(planes[1]).endswith("renamed by a person (was FHP1). Rejected: cut off.")
    assert plane_sentence(planes[2]).endswith("Added by a person. Note: faint")
    assert strip_heading(planes) == "Planes (2, 1 rejected)"
    assert saved_badge(planes, 50) == "SAVED: FHP1"
    assert saved_badge(planes, 75) == "", "rejected"


def test_a_card_is_made_anew_only_when_something_on_it_changed() -> None:
    make, planes = (
        PlaneItems(),
        tuple(plane(number, float(number), png=f"{number}.png") for number in (1, 2, 3)),
    )
    pictures = {f"{number}.png": np.zeros((4, 4), np.uint8) for number in (1, 2)}
    before = make.of(planes, pictures, 1)

    def changed(planes: tuple[PlaneEntry, ...], chosen: int | None) -> list[int]:
        nonlocal before
        now, old = make.of(planes, pictures, chosen), {id(item) for item in before}
        before = now
        return [item.key for item in now if id(item) not in old]

    assert changed(planes, 1) == []
    assert changed(planes, 2) == [1, 2], "another one is chosen"
    assert changed((replace(planes[0], rejected=True), *planes[1:]), 2) == [1]
    assert changed(planes[::-1], 2) == [1], "taken back; in any order"
    pictures = {**pictures, "3.png": np.ones((4, 4), np.uint8)}
    assert changed(planes, 2) == [3], "its picture was read"
    assert changed(planes[1:], 2) == []
    assert changed(planes, 2) == [1], "and there again"


def test_a_capture_of_no_plane_has_the_words_of_the_live_page() -> None:
    capture = plane(4, 6.0, "NSP", by_hand=True, chosen_by="person")
    (card,) = PlaneItems().of((capture,), {}, None)
    assert card.lines[0][0] == "No plane"
    assert saved_badge((capture,), 150) == "SAVED"
    assert saved_badge((capture, plane(5, 6.0)), 150) == "SAVED: FHP1"
    assert plane_sentence(capture).endswith("Captured by hand; the key of a plane names it.")
    assert done_sentence(Reject(4), capture) == "The capture at 0:06.0 is rejected."
    assert done_sentence(Relabel(4, "LLP"), capture) == "The plane at 0:06.0 is now LLP (was No plane)."


def test_the_keys_of_the_planes_leave_out_the_class_for_none() -> None:
    smoothed = np.linspace(0, 1, len(LIVER_CLASSES), dtype=np.float32)
    rows = class_rows(LIVER_CLASSES, "NSP", smoothed, "FHP2")
    assert [row.key for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert "NSP" not in [row.name for row in rows]
    assert [row.named for row in rows].index(True) == 1
    assert rows[0].title == "First porta hepatis"
    assert "1 FHP1   2 FHP2" in mode_hint(Mode.ADD, None, rows)
    many = class_rows(tuple(map(str, range(14))), "none", None, "")
    assert [row.key for row in many[8:]] == ["9", "0", "", "", "", ""]


def test_what_was_done_is_said() -> None:
    before = plane(1, 62.5)
    assert done_sentence(Relabel(1, "HRP"), before) == "The plane at 1:02.5 is now HRP (was FHP1)."
    assert done_sentence(Relabel(1, "FHP1"), before) == "The plane at 1:02.5 is confirmed as FHP1."
    assert done_sentence(Reject(1), before) == "FHP1 at 1:02.5 is rejected."
    assert "0:01.0 to 0:02.0" in done_sentence(MarkRegion(1, 2, "gas"), None)
    assert done_sentence(SetNote(None, "x"), None) == "The note on the session is kept."


def test_progress_in_words() -> None:
    def said(phase: ReviewPhase, live: bool = False) -> str:
        return progress_text(ReviewState(phase, 300, 400, 2.34), live)

    assert said(ReviewPhase.ANALYSING) == "300 of 400 frames analysed, 2.3x"
    assert said(ReviewPhase.FAULT) == "300 of 400 frames analysed; then the analysis stopped"
    assert said(ReviewPhase.DONE, live=True) == "300 frames analysed live"
    assert progress_short(ReviewState(ReviewPhase.DONE, 300, 400)) == ("Analysed", 1.0)
    assert progress_short(ReviewState(ReviewPhase.ANALYSING, 300, 400)) == ("75%", 0.75)
    assert where_texts(7.3, 60.0, 220, 1800) == ("0:07.3 / 1:00.0   frame 220 of 1800", "0:07.3  220")


def test_the_shortest_region_under_the_playhead_is_meant() -> None:
    regions = (RegionEntry(1, 0.0, 9.0, "a", ""), RegionEntry(2, 2.0, 3.0, "b", ""))
    assert region_at(regions, 2.5) == regions[1]
    assert region_at(regions, 5.0) == regions[0]
    assert region_at(regions, 9.5) is None


def test_keys_work_on_their_page_only_and_none_while_words_are_typed() -> None:
    live = enabled_actions(Situation(LIVE, running=True))
    assert live["freeze"]
    assert not live["play"]
    assert not live["review"], "the scan still runs"
    assert enabled_actions(Situation(LIVE, scan_to_review=True))["review"]
    review = enabled_actions(Situation(REVIEW, review_open=True))
    assert review["play"]
    assert not review["freeze"]
    assert not enabled_actions(Situation(REVIEW))["play"], "nothing is open yet"
    assert not any(enabled_actions(Situation(REVIEW, dialog_open=True, review_open=True)).values())
    typing = enabled_actions(Situation(REVIEW, review_open=True, typing=True))
    assert [name for name, on in typing.items() if on] == ["escape"]
    assert not enabled_actions(Situation(START))["class_1"]


def test_keys_that_act_on_a_scan_work_only_while_it_runs() -> None:
    names = ("freeze", "capture", "region", "auto_region", "record")
    running = Situation(LIVE, running=True, can_record=True, region_by_hand=True)
    assert all(enabled_actions(running)[name] for name in names)
    for over in (replace(running, running=False), replace(running, stopping=True)):
        assert not any(enabled_actions(over)[name] for name in names)
        assert enabled_actions(replace(over, frozen=True))["freeze"], "a held picture can be let go"


def test_of_lanes_that_are_too_low_those_with_planes_are_named_and_no_name_lies_over_another() -> None:
    assert named_lanes(6, 0.8, (), 0.72) == frozenset(range(6)), "all where there is room"
    low = named_lanes(15, 0.47, (4, 9), 0.72)
    assert {4, 9} <= low
    assert len(low) >= 7
    assert all(abs(one - other) >= 2 for one in low for other in low if one != other)
    assert named_lanes(0, 0.5, (), 0.72) == frozenset()


def test_the_time_line_gives_way_before_the_picture_does() -> None:
    assert timeline_height(800, 15, 120, 300, 500) == 288, "a share of the page"
    assert timeline_height(360, 15, 114, 270, 120) == 120, "what the picture leaves"
    assert timeline_height(360, 6, 87, 126, 400) == 94
    assert timeline_height(360, 6, 110, 126, 400) == 110, "its names"
    assert timeline_height(90, 15, 114, 270, -20) == 1
