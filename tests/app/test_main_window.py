"""The window with the real pipeline: real files, a real model, keys as a user presses them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.application import faults_shown
from app.formatting import RESEARCH_NOTICE, UNLIKE, Tone
from app.main_window import MainWindow
from semc_core.errors import SaveError
from semc_core.imaging.heatmap import HeatStyle
from semc_core.pipeline.state import Phase
from semc_core.runtime.calibration import Calibrator

WAIT_MS = 60_000
KEY = Qt.Key
NO_MODIFIER = Qt.KeyboardModifier.NoModifier


def choosing_region(window: MainWindow) -> bool:
    return window.live_page.view.choosing_region


def wait_for_results(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.live_page.result is not None, timeout=WAIT_MS)


def wait_for_phase(qtbot: QtBot, window: MainWindow, phase: Phase) -> None:
    def reached() -> bool:
        pipeline = window.scan.pipeline
        return pipeline is not None and pipeline.state.phase is phase

    qtbot.waitUntil(reached, timeout=WAIT_MS)


def test_a_file_is_scanned_and_its_plane_named_and_saved(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    page = window.live_page
    assert window.pages.currentWidget() is page
    qtbot.waitUntil(lambda: page.readout.shown.title == "FHP1", timeout=WAIT_MS)
    assert page.readout.shown.detail == "First porta hepatis"
    assert page.readout.shown.tone is Tone.PLANE
    qtbot.waitUntil(lambda: page.readout.shown.saved, timeout=WAIT_MS)
    window.start_stop()
    qtbot.waitUntil(lambda: all(plane.final for plane in page.saved), timeout=WAIT_MS)
    holds = [card.item.hold_id for card in page.strip.cards]
    assert len(set(holds)) == len(holds), "one hold is one card"
    assert {card.item.plane for card in page.strip.cards} == {"FHP1"}
    assert page.traces.marks == page.saved
    png = page.saved[0].png
    assert png is not None
    assert json.loads(png.with_suffix(".json").read_text(encoding="utf-8"))["plane"] == "FHP1"
    assert page.latency.spread().p50_ms > 0


def test_the_status_line_says_model_device_and_what_the_program_is_not(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    pipeline = window.scan.pipeline
    assert pipeline is not None
    assert pipeline.spec is not None
    sha256 = pipeline.spec.sha256
    qtbot.waitUntil(lambda: f"always_fhp1 {sha256[:8]}" in window.status.text, timeout=WAIT_MS)
    assert "OpenVINO" in window.status.text
    assert "Untrained, for tests only." in window.status.text
    assert "Not a medical device" in RESEARCH_NOTICE
    assert window.windowTitle() == "long loop.mkv · SEMC Live"


def test_freeze_holds_the_picture_and_its_label_while_the_scan_goes_on(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    page = window.live_page
    QTest.keyClick(window, KEY.Key_Space)
    assert page.frozen
    qtbot.waitUntil(lambda: page.readout.shown.age == "held", timeout=WAIT_MS)
    held, newest = page.view.packet, page.result
    assert held is not None
    assert page.view.result is not None
    assert page.view.result.packet is held, "the label shown belongs to the frame shown"
    qtbot.waitUntil(lambda: page.result is not newest, timeout=WAIT_MS)
    assert page.view.packet is held
    QTest.keyClick(window, KEY.Key_C)
    qtbot.waitUntil(lambda: any(plane.by_hand for plane in page.saved), timeout=WAIT_MS)
    (by_hand,) = [plane for plane in page.saved if plane.by_hand]
    assert by_hand.frame_index == held.index, "what is captured is what is seen"
    QTest.keyClick(window, KEY.Key_PageUp)
    qtbot.waitUntil(lambda: page.view.packet is not held, timeout=WAIT_MS)


def test_a_held_frame_that_was_not_classified_is_not_captured(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    page = window.live_page
    page._result = None  # as while the model loads
    page.freeze(True)
    assert page.frozen
    assert not page.capture()
    assert page.flash_text == "NOTHING TO CAPTURE"


def test_a_capture_that_the_store_refuses_is_told_apart(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    QTest.keyClick(window, KEY.Key_S)
    wait_for_phase(qtbot, window, Phase.STOPPED)
    assert not window.live_page.capture()
    assert window.live_page.flash_text == "NOT CAPTURED"


def test_the_heat_map_is_laid_over_the_frame_it_was_made_from(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: window.live_page.readout.shown.title == "FHP1", timeout=WAIT_MS)
    view = window.live_page.view
    assert view.heat is None
    QTest.keyClick(window, KEY.Key_H)
    qtbot.waitUntil(lambda: view.heat is not None, timeout=WAIT_MS)
    assert view.result is not None
    assert view.packet is view.result.packet
    assert window.actions_by_name["heat_map"].isChecked()
    assert window.live_page.heat.style is HeatStyle.TINT
    QTest.keyClick(window, KEY.Key_H)
    qtbot.waitUntil(lambda: view.heat is not None and not view.heat.rgba.any(), timeout=WAIT_MS)
    assert view.packet is view.result.packet
    assert window.actions_by_name["heat_map"].isChecked()
    assert window.settings.heat_style is HeatStyle.CONTOUR
    QTest.keyClick(window, KEY.Key_H)
    qtbot.waitUntil(lambda: view.heat is None, timeout=WAIT_MS)
    assert not window.actions_by_name["heat_map"].isChecked()
    assert window.settings.heat_style is None


def test_a_missing_file_is_told_in_the_banner_with_a_way_out(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    window.open_source(str(tmp_path / "not there.mp4"))
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    shown = window.banner.shown
    assert shown is not None
    assert shown.fault
    assert "not there.mp4 was not found" in shown.text
    assert window.live_page.readout.shown.tone is Tone.FAULT
    window.banner.action_chosen.emit("source")
    assert window.pages.currentWidget() is window.start_page
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=WAIT_MS)


def test_a_camera_that_is_not_there_is_told(qtbot: QtBot, window: MainWindow) -> None:
    window.open_source("camera:no such camera")
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    wait_for_phase(qtbot, window, Phase.FAULT)


def test_a_text_file_renamed_to_a_video_is_refused_and_the_next_source_works(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, cine_loop: Path
) -> None:
    wrong = tmp_path / "wrong.mp4"
    wrong.write_text("no video", encoding="utf-8")
    window.open_source(str(wrong))
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    window.open_source(str(cine_loop))
    wait_for_results(qtbot, window)
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=WAIT_MS)


def test_stop_and_start_again_with_one_key(qtbot: QtBot, window: MainWindow, long_loop: Path) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    first = window.scan.pipeline
    QTest.keyClick(window, KEY.Key_S)
    wait_for_phase(qtbot, window, Phase.STOPPED)
    qtbot.waitUntil(lambda: window.actions_by_name["start_stop"].text() == "Start", timeout=WAIT_MS)
    qtbot.waitUntil(window.actions_by_name["start_stop"].isEnabled, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Analysed" in window.status.text, timeout=WAIT_MS)
    assert "fps" not in window.status.text, "rates fade away when nothing comes"
    QTest.keyClick(window, KEY.Key_F2)
    qtbot.waitUntil(lambda: window.scan.pipeline is not first, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.live_page.result is not None, timeout=WAIT_MS)


def test_a_live_scan_unlike_the_training_data_is_said_to_be_so(
    qtbot: QtBot, window: MainWindow, long_loop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Calibrator, "novelty", lambda self, pooled: 2.0)
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    qtbot.waitUntil(lambda: UNLIKE in window.live_page.readout.shown.quality, timeout=WAIT_MS)


def test_another_source_ends_the_first_before_it_begins(
    qtbot: QtBot, window: MainWindow, long_loop: Path, cine_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    first = window.scan.pipeline
    assert first is not None
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: window.scan.pipeline is not first, timeout=WAIT_MS)
    assert first.state.phase is Phase.STOPPED
    qtbot.waitUntil(lambda: window.windowTitle().startswith("cine loop.mkv"), timeout=WAIT_MS)


def test_a_region_is_set_by_dragging_and_given_up_by_key(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    view, pipeline = window.live_page.view, window.scan.pipeline
    assert pipeline is not None
    placed = view.placed
    assert placed is not None
    start, end = placed.to_widget_point(20, 30), placed.to_widget_point(120, 100)
    QTest.keyClick(window, KEY.Key_R)
    assert choosing_region(window)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, NO_MODIFIER, QPoint(*map(round, start)))
    QTest.mouseMove(view, QPoint(*map(round, end)))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, NO_MODIFIER, QPoint(*map(round, end)))
    assert not choosing_region(window)
    crop = pipeline.crop
    assert crop is not None
    assert (crop.left, crop.top, crop.width, crop.height) == pytest.approx((20, 30, 100, 70), abs=1)
    qtbot.waitUntil(lambda: view.result is not None and view.result.crop == crop, timeout=WAIT_MS)
    qtbot.waitUntil(window.actions_by_name["auto_region"].isEnabled, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_A)
    qtbot.waitUntil(lambda: pipeline.crop != crop, timeout=WAIT_MS)


def test_escape_leaves_the_region_mode_and_a_small_drag_changes_nothing(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    view, pipeline = window.live_page.view, window.scan.pipeline
    assert pipeline is not None
    before = pipeline.crop
    QTest.keyClick(window, KEY.Key_R)
    middle = view.rect().center()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, NO_MODIFIER, middle)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, NO_MODIFIER, middle + QPoint(2, 2))
    assert choosing_region(window)
    QTest.keyClick(window, KEY.Key_Escape)
    assert not choosing_region(window)
    assert pipeline.crop == before


def test_a_dropped_file_is_opened(qtbot: QtBot, window: MainWindow, cine_loop: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(cine_loop))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), copy, mime, left, none)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    window.dropEvent(QDropEvent(QPointF(50, 50), copy, mime, left, none))
    wait_for_results(qtbot, window)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("cine loop.mkv"), timeout=WAIT_MS)


def test_keys_that_type_text_stay_in_the_text_field(qtbot: QtBot, window: MainWindow) -> None:
    (field,) = [one for one in window.start_page.findChildren(QLineEdit) if one.placeholderText()]
    field.setFocus()
    QTest.keyClicks(field, "so f")
    assert field.text() == "so f"
    assert window.scan.pipeline is None
    assert not window.isFullScreen()


def test_enter_in_the_address_field_connects(qtbot: QtBot, window: MainWindow) -> None:
    (field,) = [one for one in window.start_page.findChildren(QLineEdit) if one.placeholderText()]
    field.setFocus()
    QTest.keyClicks(field, "gopher://nowhere")
    QTest.keyClick(field, KEY.Key_Return)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert "gopher:// are not supported" in window.banner.shown.text


def test_a_fault_in_a_slot_is_logged_and_shown(
    qtbot: QtBot, window: MainWindow, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("in a slot")

    with faults_shown(window):
        QTimer.singleShot(0, fail)
        qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert "ZeroDivisionError" in caplog.text
    assert window.banner.shown is not None
    assert "ZeroDivisionError" in window.banner.shown.text


def test_the_list_of_keys_opens_and_closes(qtbot: QtBot, window: MainWindow) -> None:
    QTest.keyClick(window, KEY.Key_F1)
    assert window.help.isVisible()
    QTest.keyClick(window, KEY.Key_Escape)
    assert not window.help.isVisible()


def test_a_saved_plane_opens_large(qtbot: QtBot, window: MainWindow, long_loop: Path) -> None:
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: bool(window.live_page.strip.cards), timeout=WAIT_MS)
    window.live_page.strip.cards[0].click()
    assert window.viewer.isVisible()
    QTest.keyClick(window, KEY.Key_Escape)
    assert not window.viewer.isVisible()


def test_what_was_chosen_is_remembered(
    qtbot: QtBot, new_window: Callable[[], MainWindow], cine_loop: Path
) -> None:
    first = new_window()
    first.resize(780, 640)
    first.open_source(str(cine_loop))
    QTest.keyClick(first, KEY.Key_H)
    qtbot.waitUntil(lambda: bool(first.settings.recent_sources), timeout=WAIT_MS)
    first.close()
    second = new_window()
    assert second.live_page.heat.on
    assert (second.width(), second.height()) == (780, 640)
    assert second.settings.recent_sources == [str(cine_loop)]


def test_closing_while_the_scan_runs_ends_every_thread(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    before = set(threading.enumerate())
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    assert {"capture", "inference", "plane-writer"} <= {thread.name for thread in threading.enumerate()}
    window.close()
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if not isinstance(thread, threading._DummyThread)]
    assert not [name for thread in threading.enumerate() if (name := thread.name).startswith("camera-list")]


def test_closing_ends_the_scan_whatever_becomes_of_the_other_parts(
    qtbot: QtBot, window: MainWindow, long_loop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(error: Exception) -> Callable[[], None]:
        def close() -> None:
            raise error

        return close

    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    pipeline = window.scan.pipeline
    assert pipeline is not None
    monkeypatch.setattr(window.train, "close", fails(SaveError("The model cannot be kept.")))
    monkeypatch.setattr(window.dialogs, "close", fails(RuntimeError("the sending thread is stuck")))
    window.close()
    assert pipeline.state.phase is Phase.STOPPED
    assert not [name for thread in threading.enumerate() if (name := thread.name).startswith("session-list")]


def test_full_screen_goes_back_to_what_was_before(window: MainWindow) -> None:
    window.showMaximized()
    before = window.geometry()
    for full in (True, False):
        QTest.keyClick(window, KEY.Key_F)
        assert (window.isFullScreen(), window.isMaximized()) == (full, True)
    assert window.geometry() == before
    window.showNormal()
    small = window.geometry()
    QTest.keyClick(window, KEY.Key_F)
    assert window.isFullScreen()
    QTest.keyClick(window, KEY.Key_Escape)
    assert (window.isFullScreen(), window.isMaximized()) == (False, False)
    assert window.geometry() == small


def test_start_works_only_where_there_is_something_to_start(
    qtbot: QtBot, new_window: Callable[[], MainWindow], cine_loop: Path
) -> None:
    fresh = new_window()
    start = fresh.actions_by_name["start_stop"]
    fresh.tick()
    assert not start.isEnabled()
    assert start.toolTip() == "Nothing was opened yet: choose on this page what to scan."
    fresh.settings.remember_source(str(cine_loop))
    fresh.show_sources()
    assert start.isEnabled()
    assert start.toolTip() == "Start or stop the scan  (S, F2)"
    QTest.keyClick(fresh, KEY.Key_S)
    assert fresh.page_name == "live"


def test_under_a_dialog_no_key_of_the_window_works(qtbot: QtBot, window: MainWindow) -> None:
    actions = window.actions_by_name
    worked = {name for name, action in actions.items() if action.isEnabled()}
    assert worked
    QTest.keyClick(window, KEY.Key_V)
    qtbot.waitUntil(lambda: window.choose.paths.dialog is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not any(action.isEnabled() for action in actions.values()), timeout=WAIT_MS)
    dialog = window.choose.paths.dialog
    assert dialog is not None
    dialog.reject()
    qtbot.waitUntil(lambda: all(actions[name].isEnabled() for name in worked), timeout=WAIT_MS)


def test_the_window_is_drawn_without_clipping_at_its_smallest(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    wait_for_results(qtbot, window)
    window.resize(window.minimumSize())
    assert window.width() <= 900
    assert window.height() <= 600
    picture = window.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    assert np.asarray(picture.constBits()).std() > 5
