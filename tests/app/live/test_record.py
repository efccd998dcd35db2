"""Recording a scan from the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.live.presenter import badge, size_text, status_of
from app.main_window import MainWindow
from semc_core.io.video_quality import Quality
from semc_core.pipeline.sink import RecordingState
from semc_core.session.recording.parts import RecordedSource

WAIT_MS = 60_000
KEY = Qt.Key


def test_a_recording_is_said_with_its_time_size_and_lost_frames() -> None:
    running = RecordingState(True, Quality.COMPACT, 100, 0, 65.4, 340_000_000)
    assert badge(running) == "REC 1:05"
    assert [item.value for item in status_of(running)] == ["340 MB"]
    over = RecordingState(False, Quality.COMPACT, 100, 3, 65.4, 1_240_000_000)
    assert badge(over) == badge(None) == ""
    size, lost = status_of(over)
    assert (size.name, size.value) == ("Recorded", size_text(1_240_000_000))
    assert lost.worrying
    assert status_of(None) == status_of(RecordingState(False, Quality.COMPACT)) == ()


def test_a_key_records_the_scan_from_then_on_until_it_is_pressed_again(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    page, record = window.live_page, window.actions_by_name["record"]
    window.open_source(str(long_loop))
    qtbot.waitUntil(record.isEnabled, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.result is not None, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_F9)
    qtbot.waitUntil(record.isChecked, timeout=WAIT_MS)

    def frames() -> int:
        state = page.recording_state
        return 0 if state is None else state.frames

    qtbot.waitUntil(lambda: frames() > 10, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert not page.recording
    QTest.keyClick(window, KEY.Key_S)
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    folder = page.session_folder
    assert folder is not None
    source = RecordedSource(folder)
    count = 0
    while source.read() is not None:
        count += 1
    source.close()
    assert count == frames()


def test_a_scan_in_which_no_plane_was_found_can_be_reviewed(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: window.live_page.session_folder is not None, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_S)
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    window.live_page.kept.planes = ()
    qtbot.waitUntil(window.actions_by_name["review"].isEnabled, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_V)
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)


def test_quality_and_clips_are_remembered(new_window: Callable[[], MainWindow]) -> None:
    first = new_window()
    settings = first.start_page.recording
    assert first.choices.options("x").clips
    settings.quality.setCurrentIndex(1)
    settings.quality.activated.emit(1)
    settings.clips.click()
    first.close()
    second = new_window()
    assert second.choices.quality is Quality.LOSSLESS
    assert not second.choices.options("x").clips
    assert not second.start_page.recording.clips.isChecked()
