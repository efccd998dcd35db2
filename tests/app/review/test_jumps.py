"""Going to what is worth a look, and playing a hold again and again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.review.playhead import SPEEDS, Playhead
from app.review.stretches import corrected_times, doubts, next_time
from semc_core.session.records import PICTURES, FrameTable, ModelEntry, RegionEntry
from semc_core.session.session import Session
from tests.app.review.test_page import analysed, press, wait_for_said
from tests.app.review.test_presenter import plane
from tests.export.scans import video_session

KEY, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelEntry:
    with video_session(tmp_path_factory.mktemp("model") / "session", count=20) as session:
        return session.model


def table(model: ModelEntry, shares: list[float], picture: str = "live", named: bool = False) -> FrameTable:
    """Ten frames a second, whose second class has these shares."""
    count, classes = len(shares), len(model.classes)
    none = model.classes.index(model.none_class)
    smoothed = np.zeros((count, classes), np.float32)
    smoothed[:, _first(model)] = shares
    numbers = np.arange(count)
    nothing = np.full(count, np.nan)
    return FrameTable(
        index=numbers,
        pts_s=numbers / 10,
        picture=np.full(count, PICTURES.index(picture), np.uint8),
        label=np.full(count, _first(model) if named else none, np.int16),
        confidence=smoothed.max(axis=1),
        smoothed=smoothed,
        probabilities=smoothed,
        novelty=np.zeros(count, np.float32),
        expert_weights=np.ones((count, 1), np.float32),
        crop=np.zeros((count, 4), np.int32),
        moving=np.ones(count, np.bool_),
        quality=nothing,
        reasons=np.zeros((count, 2), np.uint8),
        sharpness=nothing,
    )


def _first(model: ModelEntry) -> int:
    return next(i for i, name in enumerate(model.classes) if name != model.none_class)


def test_a_doubtful_stretch_is_where_a_plane_is_likely_and_not_named(model: ModelEntry) -> None:
    shares = [0.0, 0.4, 0.6, 0.5, 0.1, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.99, 0.99, 0.7, 0.6, 0.5]
    first, second = doubts(table(model, shares), model)
    assert (first.start_s, first.end_s) == pytest.approx((0.1, 0.3))
    assert first.plane == model.classes[_first(model)]
    assert first.share == pytest.approx(0.6)
    assert (second.start_s, second.end_s) == pytest.approx((1.6, 1.8)), "a single frame is no stretch"
    assert doubts(table(model, shares, named=True), model) == ()
    assert doubts(table(model, shares, picture="frozen"), model) == ()
    assert doubts(None, model) == ()


def test_the_rise_to_a_plane_that_is_named_is_no_doubt(model: ModelEntry) -> None:
    rising = table(model, [0.4, 0.5, 0.6, 0.99, 0.99, 0.6, 0.5, *[0.4] * 8])
    label = rising.label.copy()
    label[3:5] = _first(model)
    (after,) = doubts(replace(rising, label=label), model)
    assert after.start_s == pytest.approx(1.0), "long after it, it is"


def test_corrections_are_what_a_person_decided_in_order_of_time() -> None:
    rejected = plane(3, 5.0, chosen_by="person", rejected=True)
    planes = (plane(1, 3.0), plane(2, 1.0, chosen_by="person"), rejected)
    times = corrected_times(planes, (RegionEntry(1, 2.0, 2.5, "marked", ""),))
    assert times == (1.0, 2.0, 5.0)
    assert [next_time(times, now, 1) for now in (0.0, 1.0, 5.0)] == [1.0, 2.0, None]
    assert [next_time(times, now, -1) for now in (1.0, 4.0, 9.0)] == [None, 2.0, 5.0]


def test_a_loop_is_played_round_and_round_at_every_speed() -> None:
    head = Playhead(np.arange(100) / 10)
    assert (min(SPEEDS), max(SPEEDS)) == (0.1, 4.0)
    for speed in SPEEDS:
        head.set_speed(speed)
        head.loop_over(20, 24)
        seen = []
        for tick in range(25):
            head.tick(100 + tick * 0.1 / speed + 1e-6)
            seen.append(head.index)
        assert set(seen) == {20, 21, 22, 23, 24}, speed
        assert seen.count(20) >= 4, speed
        assert head.playing
    head.step(30)
    assert head.index > 24, "a step leaves it"
    assert not head.playing
    head.play(True)
    assert head.index == 20, "playing on comes back to it"
    head.loop = None
    head.tick(0.0)
    head.tick(1000.0)
    assert (head.index, head.playing) == (99, False)


def loops(window: MainWindow) -> bool:
    commands = window.review_page.commands
    return commands is not None and commands.playhead.loop is not None


def test_keys_loop_the_hold_of_the_chosen_plane(qtbot: QtBot, window: MainWindow, cine_loop: Path) -> None:
    analysed(qtbot, window, cine_loop)
    page, commands = window.review_page, window.review_page.commands
    assert commands is not None
    press(window, KEY.Key_Down, KEY.Key_R)
    head, chosen = commands.playhead, commands.chosen
    assert chosen is not None
    assert head.loop == (head.at(chosen.start_s), head.at(chosen.end_s))
    assert head.playing
    assert head.index == head.loop[0]
    wait_for_said(qtbot, window, "again and again")
    qtbot.waitUntil(lambda: "LOOP" in [text for text, _ in page.view.texts[0]], timeout=10_000)
    press(window, KEY.Key_R)
    assert not loops(window)
    assert not commands.playhead.playing
    press(window, KEY.Key_R)
    assert loops(window)
    press(window, KEY.Key_Escape)
    assert not loops(window)
    assert commands.chosen is not None, "Esc ends one thing at each press"


def test_keys_go_to_corrections_and_say_where_there_is_no_doubt(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    folder = analysed(qtbot, window, cine_loop)
    commands = window.review_page.commands
    assert commands is not None
    press(window, KEY.Key_J)
    wait_for_said(qtbot, window, "There is no correction.")
    press(window, KEY.Key_Down, KEY.Key_2)
    wait_for_said(qtbot, window, "is now FHP2")
    at = commands.playhead.index
    press(window, KEY.Key_Escape, KEY.Key_Home if at else KEY.Key_End)
    assert commands.playhead.index != at
    QTest.keyClick(window, KEY.Key_J, Qt.KeyboardModifier.NoModifier if at else SHIFT)
    assert commands.playhead.index == at
    assert commands.chosen is not None
    press(window, KEY.Key_Z)
    wait_for_said(qtbot, window, "doubtful stretch")
    with Session.open(folder, read_only=True) as session:
        assert [entry.plane for entry in session.planes()] == ["FHP2"]
