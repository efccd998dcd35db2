"""What the window says, without a window."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.commands import BINDINGS, EVERYWHERE, TOOL_BARS
from app.formatting import UNLIKE, UNLIKE_FETAL, Tone, percent
from app.instrumentation import RecentValues, TickGaps
from app.live.presenter import (
    LabelRun,
    SteadyQuality,
    SteadyUnlike,
    age_text,
    banner,
    ended_items,
    merged,
    readout,
    shown_picture,
    status_items,
)
from app.live.traces_data import WINDOW_S, TraceHistory
from app.widgets.placed import place
from semc_core.labels import FETAL_CLASSES, LIVER_CLASSES
from semc_core.picture import Picture
from semc_core.pipeline.state import Phase, PipelineState, Spread, Statistics
from semc_core.text import scan_time
from semc_core.types import Crop, FramePacket, FrameResult, Prediction, Quality, SavedPlane, SourceInfo

RUNNING = PipelineState(Phase.RUNNING)


def packet(index: int = 0, captured_s: float = 100.0) -> FramePacket:
    return FramePacket("test", index, index / 30, captured_s, Picture(np.zeros((4, 4), np.uint8)))


def result(
    label: str = "FHP1", picture: str = "live", of: FramePacket | None = None, confidence: float = 0.9
) -> FrameResult:
    smoothed = np.full(7, (1 - confidence) / 6, np.float32)
    smoothed[LIVER_CLASSES.index(label)] = confidence
    maps = np.zeros((7, 2, 2), np.float32)
    prediction = Prediction(smoothed, 0.0, maps, np.full(3, 1 / 3, np.float32)) if picture == "live" else None
    return FrameResult(
        of or packet(), prediction, smoothed, label, confidence, Crop(0, 0, 4, 4), picture, 100.02
    )


def saved(hold_id: int = 1, plane: str = "FHP1", end_s: float = 2.0, final: bool = True) -> SavedPlane:
    thumb = np.zeros((2, 2), np.uint8)
    return SavedPlane(hold_id, plane, 0.9, 3, 1.0, 0.5, end_s, final, False, Path("a.png"), thumb)


def test_a_found_plane_is_named_with_its_confidence_and_age() -> None:
    said = readout(RUNNING, result(), 0.042, classes=LIVER_CLASSES, saved=True)
    assert (said.title, said.detail, said.number) == ("FHP1", "First porta hepatis", "90%")
    assert (said.tone, said.age, said.stale, said.saved) == (Tone.PLANE, "40 ms ago", False, True)


def test_without_a_plane_the_closest_is_named_but_not_as_found() -> None:
    near = result("NSP", confidence=0.4)
    near.smoothed[LIVER_CLASSES.index("HRP")] = 0.35
    said = readout(RUNNING, near, 0.04, classes=LIVER_CLASSES)
    assert said.title == "No plane"
    assert said.tone is Tone.NEUTRAL
    assert said.detail == "Closest: Hepatorenal"
    assert said.number == "HRP 35%"


def test_a_models_own_class_for_none_of_these_is_never_the_closest_plane() -> None:
    near = result("NSP", confidence=0.4)
    near.smoothed[0] = 0.35
    classes = (*LIVER_CLASSES[:-1], "Background")
    said = readout(RUNNING, near, 0.04, classes=classes, none_class="Background")
    assert said.number == "FHP1 35%"


@pytest.mark.parametrize(
    ("picture", "title"),
    [
        ("black", "No picture"),
        ("flat", "No scan"),
        ("colour", "Colour Doppler"),
        ("frozen", "Still picture"),
        ("no signal", "No signal"),
    ],
)
def test_a_picture_that_is_not_live_is_said_to_be_so(picture: str, title: str) -> None:
    said = readout(RUNNING, result("NSP", picture), 0.0, classes=LIVER_CLASSES)
    assert (said.title, said.tone) == (title, Tone.WARNING)


def test_a_frozen_scanner_keeps_the_planes_name_and_says_that_nothing_is_saved() -> None:
    said = readout(RUNNING, result("FHP1", "frozen"), 0.0, classes=LIVER_CLASSES)
    assert said.title == "FHP1"
    assert "nothing is saved" in said.detail


def test_a_source_that_says_that_nothing_comes_is_told_at_once_and_not_the_plane_from_before() -> None:
    said = readout(RUNNING, result(), 0.1, classes=LIVER_CLASSES, silent_s=0.1, silent_known=True)
    assert (said.title, said.tone) == ("No picture", Tone.WARNING)
    assert "by itself" in said.detail


def test_an_old_prediction_is_stale_and_a_silent_source_is_told() -> None:
    assert readout(RUNNING, result(), 0.8, classes=LIVER_CLASSES).stale
    assert readout(RUNNING, result(), 3.0, silent_s=3.0).title == "No picture"


def test_a_slow_loop_is_not_called_silent_between_its_frames() -> None:
    assert readout(RUNNING, result(), 2.5, silent_s=2.5, frame_rate=0.5).title == "FHP1"
    assert readout(RUNNING, result(), 7.0, silent_s=7.0, frame_rate=0.5).title == "No picture"
    assert readout(RUNNING, result(), 1.5, silent_s=1.5, frame_rate=30.0).title == "No picture"
    assert readout(RUNNING, result(), 1.5, silent_s=1.5, frame_rate=0.0).title == "No picture"


@pytest.mark.parametrize(
    ("phase", "title"),
    [
        (Phase.IDLE, "No scan"),
        (Phase.STARTING, "Starting"),
        (Phase.ENDED, "End of scan"),
        (Phase.STOPPED, "Stopped"),
        (Phase.FAULT, "No scan"),
    ],
)
def test_every_phase_has_its_words(phase: Phase, title: str) -> None:
    assert readout(PipelineState(phase, "why"), None, 0.0).title == title


def test_a_scan_that_broke_off_is_told_from_one_that_never_began() -> None:
    assert readout(PipelineState(Phase.FAULT, "why"), result(), 0.0).title == "Scan ended"


def test_loading_says_what_is_waited_for() -> None:
    assert (
        readout(PipelineState(Phase.STARTING, "Loading the model."), None, 0).detail == "Loading the model."
    )


def test_the_newest_frame_is_shown_unless_the_heat_map_needs_its_own() -> None:
    old, new = packet(0, 100.0), packet(1, 100.03)
    of_old = result(of=old)
    plain = shown_picture(new, of_old, False, 100.05)
    assert plain is not None
    assert plain.packet is new
    assert plain.heat_of is None
    heated = shown_picture(new, of_old, True, 100.05)
    assert heated is not None
    assert heated.packet is old
    assert heated.heat_of is of_old


def test_the_live_picture_does_not_wait_for_a_heat_map_that_is_late() -> None:
    new = packet(40, 102.0)
    shown = shown_picture(new, result(of=packet(0, 100.0)), True, 102.0)
    assert shown is not None
    assert shown.packet is new
    assert shown.heat_of is None


def test_nothing_is_shown_before_the_first_frame() -> None:
    assert shown_picture(None, None, True, 0.0) is None


def test_the_saved_badge_is_for_the_hold_that_is_seen() -> None:
    run = LabelRun()
    run.update(result("FHP1", of=packet(60)))
    assert run.saved([saved(end_s=2.1)])
    run.update(result("NSP", of=packet(90)))
    assert not run.saved([saved(end_s=2.1)])
    run.update(result("FHP1", of=packet(120)))
    assert not run.saved([saved(end_s=2.1)]), "an earlier hold of the same plane"


def test_the_saved_badge_stays_when_the_label_dips_within_the_merge_gap() -> None:
    run = LabelRun()
    run.update(result("FHP1", of=packet(30)), 1.0)
    run.update(result("FHP1", of=packet(90)), 1.0)
    run.update(result("NSP", of=packet(95)), 1.0)
    assert not run.saved([saved(end_s=2.1)])
    run.update(result("FHP1", of=packet(115)), 1.0)
    assert run.saved([saved(end_s=2.1)]), "the detector continues the hold"
    run.update(result("NSP", of=packet(120)), 1.0)
    run.update(result("FHP1", of=packet(150)), 1.0)
    assert not run.saved([saved(end_s=2.1)]), "another hold"


def test_the_saved_badge_is_not_shown_for_a_plane_that_was_not_written() -> None:
    run = LabelRun()
    run.update(result("FHP1", of=packet(60)))
    assert not run.saved([replace(saved(end_s=2.1), png=None)])


def test_a_better_frame_of_a_hold_replaces_the_first_at_its_place() -> None:
    first, other, better = saved(1, final=False), saved(2), saved(1)
    assert merged((first, other), [better]) == (better, other)


def test_the_banner_says_the_most_urgent_thing_and_can_be_put_away() -> None:
    info = SourceInfo("a", "video", 4, 4, 30.0, None, False, "Frames are missing.")
    fault = PipelineState(Phase.FAULT, "It broke.")
    said = banner(fault, info)
    assert said is not None
    assert (said.text, said.fault, said.actions) == ("It broke.", True, ("source", "start_stop"))
    said = banner(fault, info, read={"It broke."})
    assert said is not None
    assert (said.text, said.fault) == ("Frames are missing.", False)
    assert banner(fault, info, read={"It broke.", "Frames are missing."}) is None
    said = banner(PipelineState(Phase.RUNNING, "The disk is full."), None)
    assert said is not None
    assert said.actions == ("change_folder",)
    assert banner(PipelineState(Phase.STARTING, "Loading the model."), None) is None


def test_times_and_shares_in_words() -> None:
    assert [age_text(s) for s in (0.003, 0.044, 2.13, 130.0)] == [
        "10 ms ago",
        "40 ms ago",
        "2.1 s ago",
        "2 min ago",
    ]
    assert [scan_time(s) for s in (0.0, 7.26, 59.97, 760.0)] == ["0:00.0", "0:07.3", "1:00.0", "12:40.0"]
    assert [percent(p) for p in (0.0, 0.996, 1.0)] == ["0%", "99%", "100%"]


def test_the_status_line_marks_what_is_worrying() -> None:
    items = status_items(Statistics(frames_in=10, dropped=6), Spread(40, 200, 210), 120)
    assert [item.name for item in items if item.worrying] == ["Delay p50 / p95", "Drops", "Pause"]


def test_after_a_scan_the_status_line_says_how_much_it_was_and_no_rates() -> None:
    items = ended_items(Statistics(frames_in=200, classified=150, dropped=40, capture_rate=3.0))
    assert [(item.name, item.value) for item in items] == [
        ("Frames", "200"), ("Analysed", "150"), ("Drops", "40 (20.0%)"),
    ]  # fmt: skip


@pytest.mark.parametrize("page", EVERYWHERE)
def test_every_button_of_a_page_works_there_and_no_key_does_two_things(page: str) -> None:
    there = [binding for binding in BINDINGS if page in binding.pages]
    assert set(TOOL_BARS[page]) <= {binding.name for binding in there}
    keys = [key for binding in there for key in binding.keys]
    assert len(keys) == len(set(keys))


def test_traces_keep_twenty_seconds_in_few_points() -> None:
    history = TraceHistory()
    for i in range(60 * 60):
        history.add(i / 60, np.array([i % 2, 0.5], np.float32))
    times, values = history.curves()
    assert times[-1] == 0
    assert -WINDOW_S - 1.1 <= times[0] <= -WINDOW_S
    assert len(times) <= 450
    assert values.shape == (len(times), 2)
    assert (np.diff(times) > 0).all()


def test_traces_begin_anew_when_time_runs_back() -> None:
    history = TraceHistory()
    history.add(9.0, np.zeros(2, np.float32))
    history.add(1.0, np.ones(2, np.float32))
    times, values = history.curves()
    assert times.tolist() == [0.0]
    assert values.tolist() == [[1.0, 1.0]]


def test_a_drag_becomes_pixels_of_the_frame_and_stays_inside() -> None:
    placed = place(640, 480, 1000, 480)
    assert (placed.left, placed.top, placed.scale) == (180, 0, 1)
    assert placed.region((1000, 240), (500, -20)) == Crop(320, 0, 320, 240)
    assert placed.region((300, 200), (310, 400)) is None


def test_gaps_of_the_timer_are_measured() -> None:
    gaps = TickGaps()
    for now_s in (1.0, 1.016, 1.3, 1.316):
        gaps.tick(now_s)
    assert gaps.longest_ms == pytest.approx(284)
    assert gaps.over_100 == 1
    gaps.tick(20.0)
    gaps.tick(31.5)
    assert gaps.recent_ms == pytest.approx(11500)


def test_recent_values_forget_what_is_old() -> None:
    values = RecentValues(keep=True)
    values.add(0.0, 50.0)
    values.add(30.0, 10.0)
    assert values.spread().p99_ms == 10.0
    assert values.all == [50.0, 10.0]


def test_the_quality_of_a_named_plane_is_told_with_what_helps_and_stays_to_be_read() -> None:
    dark = replace(result(), quality=Quality(41.6, ("too dark", "moving")))
    good = replace(result(of=packet(index=20)), quality=Quality(92.4))
    later = replace(good, packet=packet(index=31))
    steady = SteadyQuality()
    texts = [steady.update(each) for each in (dark, good, later)]
    told = "Quality 42 · Too dark: raise the gain."
    assert texts == [told, told, "Quality 92"]
    assert readout(RUNNING, dark, 0.04, classes=LIVER_CLASSES, quality=told).quality == told
    none = replace(result("NSP", of=packet(index=32)), quality=Quality(30.0))
    assert steady.update(none) == ""
    assert readout(RUNNING, none, 0.04, classes=LIVER_CLASSES, quality=told).quality == ""


def test_pictures_unlike_the_training_data_are_said_to_be_so_calmly() -> None:
    def seen(index: int, novelty: float, label: str = "NSP") -> FrameResult:
        known = result(label, of=packet(index=index))
        assert known.prediction is not None
        return replace(known, prediction=replace(known.prediction, novelty=novelty))

    steady = SteadyUnlike()
    said = [steady.update(seen(index, 1.5 if index % 10 else 0.5)) for index in range(120)]
    assert not any(said[:30])
    assert all(said[100:]), "one frame in ten does not make it flicker"
    assert sum(a != b for a, b in itertools.pairwise(said)) == 1
    assert not [steady.update(seen(index, 0.5)) for index in range(120, 240)][-1]

    strange = seen(240, 1.5)
    assert readout(RUNNING, strange, 0.04, classes=LIVER_CLASSES, unlike=True).quality == UNLIKE
    assert readout(RUNNING, strange, 0.04, classes=LIVER_CLASSES).quality == ""
    assert readout(RUNNING, strange, 0.04, classes=FETAL_CLASSES, unlike=True).quality == UNLIKE_FETAL
    named = readout(RUNNING, seen(240, 1.5, "FHP1"), 0.04, quality="Quality 92", unlike=True)
    assert named.quality == f"{UNLIKE} Quality 92"
    black = replace(strange, picture="black")
    assert readout(RUNNING, black, 0.04, classes=LIVER_CLASSES, unlike=True).quality == ""
