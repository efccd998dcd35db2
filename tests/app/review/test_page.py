"""The review page with a real loop, a real model and a real session; keys as a user presses them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.commands import CORRECTING, ONLY_LOOKED_AT
from app.main_window import MainWindow
from app.review.frame_panel import ClassButton
from app.review.menu import show_plane_menu
from app.review.presenter import Mode
from app.review.session import LOOKING_ONLY
from app.widgets import theme
from semc_core.pipeline.state import Phase
from semc_core.review.analysis import Candidate
from semc_core.session.correcting.changes import Reject
from semc_core.session.session import Session
from semc_core.sources.seek.base import GiveUp, Passed
from semc_core.types import FramePacket
from tests.export.scans import video_session

WAIT_MS = 60_000
KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


def press(window: MainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(window, key)


def analysed(qtbot: QtBot, window: MainWindow, path: Path) -> Path:
    """Open `path` in review and wait until all is analysed and shown. Returns the session's folder."""
    window.open_review(str(path))
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.review.progress.running, timeout=WAIT_MS)
    opened = window.review.open
    assert opened is not None
    count = opened.session.frame_count

    def shown() -> bool:
        table = window.review.snapshot.table
        return table is not None and len(table) == count and bool(window.review_page.planes.cards)

    qtbot.waitUntil(shown, timeout=WAIT_MS)
    return Path(opened.session.folder)


def wait_for_said(qtbot: QtBot, window: MainWindow, words: str) -> None:
    qtbot.waitUntil(lambda: words in window.status.text, timeout=WAIT_MS)


@pytest.mark.requirement("V1")
def test_a_loop_is_analysed_corrected_by_key_and_all_of_it_is_in_the_session(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    folder = analysed(qtbot, window, cine_loop)
    page, commands = window.review_page, window.review_page.commands
    assert window.pages.currentWidget() is page
    assert commands is not None
    assert commands.playhead.count == 125
    (card,) = page.planes.cards
    assert card.item is not None
    assert card.item.plane == "FHP1"

    press(window, KEY.Key_Down)
    assert commands.chosen is not None
    assert commands.chosen.frame_index == commands.playhead.index
    qtbot.waitUntil(lambda: page.view.packet is not None, timeout=WAIT_MS)

    press(window, KEY.Key_1)
    wait_for_said(qtbot, window, "is confirmed as FHP1.")
    press(window, KEY.Key_1)
    wait_for_said(qtbot, window, "The plane is FHP1 already, by a person.")
    press(window, KEY.Key_6)
    wait_for_said(qtbot, window, "is now HRP (was FHP1).")
    press(window, KEY.Key_X)
    wait_for_said(qtbot, window, "is rejected.")
    QTest.keyClick(window, KEY.Key_X, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: commands.mode is Mode.REJECT, timeout=WAIT_MS)
    press(window, KEY.Key_2)
    wait_for_said(qtbot, window, "is rejected: poor picture.")
    press(window, KEY.Key_Right, KEY.Key_Right, KEY.Key_U)
    wait_for_said(qtbot, window, f"now shows frame {commands.playhead.index}.")

    press(window, KEY.Key_Home, KEY.Key_Right, KEY.Key_A)
    assert commands.mode is Mode.ADD
    press(window, KEY.Key_2)
    wait_for_said(qtbot, window, "FHP2 is added at 0:00.0.")
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    wait_for_said(qtbot, window, "Undone: Added FHP2 at 0:00.0")
    QTest.keyClick(window, KEY.Key_Y, CONTROL)
    wait_for_said(qtbot, window, "Done again: Added FHP2 at 0:00.0")
    press(window, KEY.Key_Home)
    page.view.wheeled.emit(3)
    assert commands.playhead.index == 3, "the cine wheel"
    page.view.wheeled.emit(-2)
    assert commands.playhead.index == 1
    press(window, KEY.Key_M, KEY.Key_End, KEY.Key_M)
    field = page.ask_line.field
    qtbot.waitUntil(field.isVisible, timeout=WAIT_MS)
    QTest.keyClicks(field, " xs")
    QTest.keyClick(field, KEY.Key_Return)
    wait_for_said(qtbot, window, "is marked.")
    QTest.keyClick(window, KEY.Key_M, CONTROL)
    qtbot.waitUntil(field.isVisible, timeout=WAIT_MS)
    QTest.keyClicks(field, "gas")
    QTest.keyClick(field, KEY.Key_Return)
    wait_for_said(qtbot, window, "is now gas.")
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    wait_for_said(qtbot, window, "Undone:")
    QTest.keyClick(window, KEY.Key_Y, CONTROL)
    wait_for_said(qtbot, window, "Done again:")
    window.close()

    with Session.open(folder, read_only=True) as session:
        assert session.complete
        assert [plane.plane for plane in session.planes()] == ["FHP2"]
        (rejected,) = [plane for plane in session.planes(rejected=True) if plane.rejected]
        assert (rejected.plane, rejected.found_as, rejected.chosen_by) == ("HRP", "FHP1", "person")
        assert rejected.reason == "poor picture"
        assert [region.label for region in session.regions()] == ["gas"]
        assert session.verify().ok


def test_a_key_asks_before_it_renames_a_plane_that_is_not_shown(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    analysed(qtbot, window, cine_loop)
    view, commands = window.review_page.view, window.review_page.commands
    assert commands is not None
    press(window, KEY.Key_Home, KEY.Key_A, KEY.Key_2)
    wait_for_said(qtbot, window, "FHP2 is added")
    qtbot.waitUntil(lambda: len(window.review.snapshot.planes) == 2, timeout=WAIT_MS)
    added = next(plane for plane in window.review.snapshot.planes if plane.plane == "FHP2")
    commands.choose(added.plane_id)
    qtbot.waitUntil(lambda: ("KEYS: FHP2", theme.ACCENT) in view._badges, timeout=WAIT_MS)

    press(window, KEY.Key_End)
    qtbot.waitUntil(lambda: ("KEYS: FHP2 AT 0:00.0", theme.ACCENT) in view._badges, timeout=WAIT_MS)
    press(window, KEY.Key_3)
    wait_for_said(qtbot, window, "The keys act on FHP2 at 0:00.0, not on what is shown")
    press(window, KEY.Key_X)
    wait_for_said(qtbot, window, "press again to reject it")
    assert window.review.worker is not None
    assert window.review.worker.waiting == 0
    assert window.review.snapshot.plane(added.plane_id) == added
    press(window, KEY.Key_X)
    wait_for_said(qtbot, window, "is rejected.")


def test_the_same_loop_is_taken_up_again_and_a_candidate_can_be_chosen(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    first = analysed(qtbot, window, cine_loop)
    assert analysed(qtbot, window, cine_loop) == first
    wait_for_said(qtbot, window, "Taken up again")
    page, commands = window.review_page, window.review_page.commands
    assert commands is not None
    press(window, KEY.Key_Down, KEY.Key_B)
    qtbot.waitUntil(lambda: len(page.better.cards) > 1, timeout=WAIT_MS)
    other = next(card for card in page.better.cards if card.item.lines[0][1] != "saved")
    other.click()
    assert other.item is not None
    assert commands.playhead.index == other.item.key
    press(window, KEY.Key_Return)
    wait_for_said(qtbot, window, f"now shows frame {other.item.key}.")
    assert commands.mode is Mode.LOOK


def test_a_correction_does_not_wait_for_the_better_frames(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed(qtbot, window, cine_loop)
    opened, found = window.review.open, threading.Event()
    assert opened is not None
    assert opened.analysis is not None

    def slow(plane_id: int, count: int) -> list[Candidate]:
        assert found.wait(30)
        return []

    monkeypatch.setattr(opened.analysis, "candidates", slow)
    press(window, KEY.Key_Down, KEY.Key_B, KEY.Key_X)
    wait_for_said(qtbot, window, "is rejected.")
    assert not found.is_set()
    found.set()


def test_the_time_line_scrubs_zooms_and_its_marks_choose_planes(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    analysed(qtbot, window, cine_loop)
    line, commands = window.review_page.timeline, window.review_page.commands
    assert commands is not None
    qtbot.waitUntil(line.isVisible, timeout=WAIT_MS)
    at = QPoint(round(line.scale.x(2.0)), 2)
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert commands.playhead.time_s == pytest.approx(2.0, abs=0.05)
    whole = line.span
    QTest.keyClick(window, KEY.Key_Plus, CONTROL)
    assert line.span.length_s < whole.length_s
    QTest.keyClick(window, KEY.Key_0, CONTROL)
    assert line.span == whole
    (plane,) = window.review.snapshot.planes
    on_mark = QPoint(round(line.scale.x(plane.time_s)), 0)
    on_mark.setY(next(y for y in range(line.height()) if line._plane_at(on_mark.x(), y) is not None))
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    on = QPoint(round(line.scale.x(plane.time_s + 0.5)), on_mark.y())
    QTest.mousePress(line, left, none, on_mark)
    assert commands.chosen == plane
    QTest.mouseMove(line, QPoint(on_mark.x() + 1, on_mark.y()))
    assert commands.playhead.time_s == pytest.approx(plane.time_s), "a hand may tremble"
    QTest.mouseMove(line, on)
    assert commands.playhead.time_s == pytest.approx(plane.time_s + 0.5, abs=0.1), "dragged off the mark"
    QTest.mouseRelease(line, left, none, on)
    assert commands.chosen == plane
    line.grab()
    painted = line._still.cacheKey()
    line.show_playhead(1.0, None)
    line.grab()
    assert line._still.cacheKey() == painted, "only what moves is painted anew"
    line.show_session((), (), None)
    line.grab()
    assert line._still.cacheKey() != painted


def test_heat_map_and_experts_belong_to_the_frame_that_is_shown(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    analysed(qtbot, window, cine_loop)
    page, commands = window.review_page, window.review_page.commands
    assert commands is not None
    press(window, KEY.Key_Down, KEY.Key_H)
    at = commands.playhead.index

    def shown() -> bool:
        return page.view.packet is not None and page.view.packet.index == at and page.view.heat is not None

    qtbot.waitUntil(shown, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.panel.shown is not None and bool(page.panel.shown.experts), timeout=WAIT_MS)


def test_a_frame_that_is_shown_is_not_held_up_by_the_look_at_it(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysed(qtbot, window, cine_loop)
    opened, release = window.review.open, threading.Event()
    assert opened is not None
    assert opened.source is not None
    read, last = opened.source.frame, opened.source.count - 1
    asked: list[bool] = []

    def frame(index: int, give_up: GiveUp | None = None, passed: Passed | None = None) -> FramePacket:
        if index == last:
            asked.append(give_up is not None)
            assert release.wait(30)
        return read(index, give_up, passed)

    monkeypatch.setattr(opened.source, "frame", frame)
    press(window, KEY.Key_End)
    qtbot.wait(200)
    before = list(asked)
    release.set()
    assert before == [True], "only who shows it"
    qtbot.waitUntil(lambda: asked == [True, False], timeout=WAIT_MS)


def test_a_session_without_its_loop_shows_planes_and_time_line_and_says_so(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.mkv"
    moved.write_bytes(cine_loop.read_bytes())
    folder = analysed(qtbot, window, moved)
    moved.unlink()
    analysed(qtbot, window, folder)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert "no longer where it was" in window.banner.shown.text
    commands = window.review_page.commands
    assert commands is not None
    press(window, KEY.Key_Down)
    assert commands.chosen is not None
    qtbot.waitUntil(lambda: window.review_page.view.packet is not None, timeout=WAIT_MS)
    press(window, KEY.Key_2)
    wait_for_said(qtbot, window, "is now FHP2")
    press(window, KEY.Key_A)
    wait_for_said(qtbot, window, "The loop is not there")


def test_what_cannot_be_opened_is_told(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.mp4"
    wrong.write_text("no video", encoding="utf-8")
    window.open_review(str(wrong))
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.review.open is None
    press(window, KEY.Key_Space, KEY.Key_Escape)
    assert window.banner.isVisible()
    press(window, KEY.Key_N)
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=WAIT_MS)
    window.review.fault = "What was open could not be written."
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)


def test_a_review_stays_as_it_was_left_when_a_damaged_file_is_opened(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, tmp_path: Path
) -> None:
    analysed(qtbot, window, cine_loop)
    press(window, KEY.Key_Down, KEY.Key_Right)
    page, before = window.review_page, window.review.open
    assert page.commands is not None
    place, title = page.commands.playhead.index, window.windowTitle()
    assert place > 0
    wrong = tmp_path / "wrong.mp4"
    wrong.write_text("no video", encoding="utf-8")
    window.open_review(str(wrong))
    assert page.planes.cards == [], "what is opened may be of another patient"
    assert page.view.packet is None
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert "wrong.mp4" in window.banner.shown.text
    assert window.review.open is before
    qtbot.waitUntil(lambda: bool(page.planes.cards) and page.view.packet is not None, timeout=WAIT_MS)
    assert page.commands.playhead.index == place
    qtbot.waitUntil(lambda: window.windowTitle() == title, timeout=WAIT_MS)
    press(window, KEY.Key_2)
    wait_for_said(qtbot, window, "is now FHP2")


def test_without_a_folder_to_write_to_another_is_offered_and_used(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a file"
    file.write_text("no folder", encoding="utf-8")
    window.choices.use_output(str(file / "below"))
    window.open_review(str(cine_loop))
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert window.banner.shown.actions == ("change_folder",)
    qtbot.waitUntil(lambda: "Opening" not in window.status.text, timeout=WAIT_MS)
    monkeypatch.setattr(window.choose, "output", lambda use: use(str(tmp_path / "other")))
    window.banner.action_chosen.emit("change_folder")
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    press(window, KEY.Key_Up)


def test_a_scan_is_reviewed_after_its_end(qtbot: QtBot, window: MainWindow, cine_loop: Path) -> None:
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: bool(window.live_page.saved), timeout=WAIT_MS)
    assert not window.actions_by_name["review"].isEnabled()
    qtbot.waitUntil(
        lambda: window.scan.pipeline is not None and window.scan.pipeline.state.phase is Phase.ENDED,
        timeout=WAIT_MS,
    )
    qtbot.waitUntil(window.actions_by_name["review"].isEnabled, timeout=WAIT_MS)
    press(window, KEY.Key_V)
    qtbot.waitUntil(lambda: bool(window.review_page.planes.cards), timeout=WAIT_MS)
    press(window, KEY.Key_N)
    qtbot.waitUntil(lambda: "1 plane" in shown_sessions(window), timeout=WAIT_MS)


def shown_sessions(window: MainWindow) -> str:
    return " ".join(button.text() for button in window.start_page.findChildren(QPushButton))


def test_closing_while_a_loop_is_analysed_loses_nothing(
    qtbot: QtBot, new_window: Callable[[], MainWindow], long_loop: Path
) -> None:
    window = new_window()
    window.open_review(str(long_loop))
    qtbot.waitUntil(lambda: window.review.progress.done > 8, timeout=WAIT_MS)
    assert window.review.open is not None
    folder = window.review.open.session.folder
    window.close()
    with Session.open(folder, read_only=True) as session:
        assert not session.complete
        assert session.frame_count > 8


def test_a_session_that_is_open_elsewhere_is_shown_for_looking_only(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    with video_session(tmp_path / "session") as holder:
        window.open_review(str(holder.folder))
        qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
        wait_for_said(qtbot, window, "For looking only: session")
        qtbot.waitUntil(lambda: window.banner.shown is not None, timeout=WAIT_MS)
        assert window.banner.shown is not None
        assert window.banner.shown.text == LOOKING_ONLY
        page, commands = window.review_page, window.review_page.commands
        assert commands is not None
        qtbot.waitUntil(lambda: len(page.planes.cards) == 2, timeout=WAIT_MS)
        press(window, KEY.Key_Down)
        qtbot.waitUntil(lambda: page.view.packet is not None, timeout=WAIT_MS)

        head = holder.head
        qtbot.waitUntil(lambda: not window.actions_by_name["reject"].isEnabled(), timeout=WAIT_MS)
        for name in CORRECTING:
            action = window.actions_by_name[name]
            assert (action.isEnabled(), action.toolTip()) == (False, ONLY_LOOKED_AT)
        press(window, KEY.Key_2, KEY.Key_X, KEY.Key_Right, KEY.Key_U, KEY.Key_A, KEY.Key_M, KEY.Key_T)
        assert commands.mode is Mode.LOOK
        assert commands.asking is None
        assert not any(button.isEnabled() for button in page.panel.findChildren(ClassButton))
        menu = show_plane_menu(commands, 1, QPoint(0, 0), page)
        assert not any(action.isEnabled() for action in menu.actions())
        menu.close()
        window.review.apply(Reject(1))
        wait_for_said(qtbot, window, "Nothing was changed")
        assert holder.head == head

        holder.apply(Reject(2))

        def rejected() -> list[bool]:
            return [card.item is not None and card.item.rejected for card in page.planes.cards]

        qtbot.waitUntil(lambda: rejected() == [False, True], timeout=WAIT_MS)
        assert window.review.progress.running, "its holder may be analysing it"
        holder.mark_complete()
        qtbot.waitUntil(lambda: not window.review.progress.running, timeout=WAIT_MS)
    window.open_review(str(tmp_path / "session"))
    wait_for_said(qtbot, window, "Taken up again: session")
    qtbot.waitUntil(window.actions_by_name["reject"].isEnabled, timeout=WAIT_MS)
    assert "take it back" in window.actions_by_name["reject"].toolTip()
