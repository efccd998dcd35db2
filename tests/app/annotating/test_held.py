"""Writing and drawing on the picture that is held during a scan: as in review, saved with the plane."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.annotating.controller import Annotating
from app.commands import ANNOTATE, LIVE, REVIEW, Situation, enabled_actions
from app.keys import correcting_tips
from app.main_window import MainWindow
from semc_core.errors import SaveError
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.session.annotations import Annotation
from semc_core.session.erasing.forget import forget
from semc_core.session.session import Session
from semc_core.types import FramePacket
from tests.app.conftest import WAIT_MS
from tests.app.live.test_held import click, measured

KEY = Qt.Key
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


def drawn(window: MainWindow) -> Annotating:
    return window.live_page.held.annotating


def there(window: MainWindow) -> tuple[Annotation, ...]:
    now = drawn(window).keeper.now
    assert now is not None
    return now.items


def at(window: MainWindow, x: float, y: float) -> QPoint:
    placed = window.live_page.view.placed
    assert placed is not None
    right, down = placed.to_widget_point(x, y)
    return QPoint(round(right), round(down))


def drag(window: MainWindow, first: tuple[float, float], last: tuple[float, float]) -> None:
    layer = drawn(window).layer
    QTest.mousePress(layer, LEFT, pos=at(window, *first))
    QTest.mouseMove(layer, at(window, *last))
    QTest.mouseRelease(layer, LEFT, pos=at(window, *last))


def scan(qtbot: QtBot, window: MainWindow, loop: Path) -> None:
    before = window.scan.pipeline
    window.open_source(str(loop))
    qtbot.waitUntil(lambda: window.scan.pipeline is not before, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.live_page.result is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: drawn(window).keeper.now is not None, timeout=WAIT_MS)
    window.tick()


def begin(window: MainWindow, key: Qt.Key) -> FramePacket:
    """The tool of this key; the frame that is held then."""
    QTest.keyClick(window, key, SHIFT)
    assert window.live_page.frozen, "a tool holds the picture"
    window.tick()
    held = window.live_page.view.packet
    assert held is not None
    return held


def write(qtbot: QtBot, window: MainWindow, words: str) -> None:
    line = window.live_page.held.ask_line
    qtbot.waitUntil(line.field.isVisible, timeout=WAIT_MS)
    line.field.clear()
    QTest.keyClicks(line.field, words)
    QTest.keyClick(line.field, KEY.Key_Return)


def ended(qtbot: QtBot, window: MainWindow) -> Path:
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    folder = window.live_page.session_folder
    assert folder is not None
    return folder


def kept(window: MainWindow) -> tuple[Annotation, ...]:
    """What the session of the scan holds."""
    pipeline = window.scan.pipeline
    session = None if pipeline is None else pipeline.session
    return () if session is None else session.annotations.items


def test_what_is_drawn_on_the_held_picture_is_saved_with_its_plane_there_in_review_and_exported(
    qtbot: QtBot, window: MainWindow, long_loop: Path, tmp_path: Path
) -> None:
    scan(qtbot, window, long_loop)
    page, pencil = window.live_page, drawn(window).pencil
    assert not drawn(window).layer.isVisible(), "over the running picture there is nothing"
    held = begin(window, KEY.Key_T)
    assert "Text: click where it begins" in page.view.texts[1]
    assert window.actions_by_name["annotate_text"].isChecked()
    QTest.mouseClick(drawn(window).layer, LEFT, pos=at(window, 30, 60))
    write(qtbot, window, "Zwickel")
    begin(window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    QTest.keyClick(window, KEY.Key_Escape)
    begin(window, KEY.Key_P)
    QTest.keyClick(window, KEY.Key_Return)
    QTest.keyClick(window, KEY.Key_Plus)
    text, arrow, mark = there(window)
    assert text.points[0] == pytest.approx((30, 60), abs=0.6)
    assert (text.text, arrow.kind, mark.figure, mark.turn) == ("Zwickel", "arrow", "abdomen", 15)
    QTest.keyClick(window, KEY.Key_Right)
    assert there(window)[2].points[0][0] == mark.points[0][0] + 1
    qtbot.waitUntil(lambda: len(kept(window)) == 3 and kept(window) == there(window), timeout=WAIT_MS)
    by_hand = [plane for plane in page.saved if plane.by_hand]
    assert [plane.frame_index for plane in by_hand] == [held.index], "captured once"
    wanted = there(window)
    where = {(one.frame_index, one.plane_id, one.width, one.height) for one in wanted}
    assert where == {(held.index, by_hand[0].hold_id, held.picture.width, held.picture.height)}

    QTest.keyClick(window, KEY.Key_Space)
    window.tick()
    assert pencil.shown == (), "they are of the frame that was held"
    assert not drawn(window).layer.isVisible()
    folder = ended(qtbot, window)
    window.review_this()
    qtbot.waitUntil(lambda: window.annotating.keeper.now is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.review_page.view.packet is not None, timeout=WAIT_MS)
    commands = window.review_page.commands
    assert commands is not None
    qtbot.waitUntil(
        lambda: any(plane.plane_id == by_hand[0].hold_id for plane in window.review.snapshot.planes),
        timeout=WAIT_MS,
    )
    commands.choose(by_hand[0].hold_id)
    qtbot.waitUntil(lambda: window.annotating.pencil.shown == wanted, timeout=WAIT_MS)
    window.close()

    options = ExportOptions(report=False, deidentify=False, notes=True)
    with Session.open(folder) as session:
        export_session(session, tmp_path / "exported", options)
    names = [path.name for path in (tmp_path / "exported" / "annotated").iterdir()]
    assert names
    assert all(f"_f{held.index:06d}" in name for name in names)
    with Session.open(folder, read_only=True) as session:
        assert session.verify().ok
    erased = forget(folder).folder
    with Session.open(erased, read_only=True) as session:
        assert session.annotations.items == (), "erased like those of review"


def test_ctrl_z_takes_back_what_was_drawn_and_measured_in_the_order_in_which_it_was_done(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    scan(qtbot, window, long_loop)
    begin(window, KEY.Key_D)
    click(window, (20, 100), (120, 110))
    begin(window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    QTest.keyClick(window, KEY.Key_Escape)
    (arrow,) = there(window)
    QTest.keyClick(window, KEY.Key_D, SHIFT)
    click(window, (20, 20), (120, 20))
    measured(qtbot, window, 2)

    def back() -> None:
        QTest.keyClick(window, KEY.Key_Z, CONTROL)

    back()
    measured(qtbot, window, 1)
    assert len(there(window)) == 1
    back()
    assert there(window) == ()
    measured(qtbot, window, 1)
    back()
    measured(qtbot, window, 0)
    QTest.keyClick(window, KEY.Key_Y, CONTROL)
    measured(qtbot, window, 1)
    assert there(window) == ()
    QTest.keyClick(window, KEY.Key_Y, CONTROL)
    assert [one.points for one in there(window)] == [arrow.points]
    QTest.keyClick(window, KEY.Key_Y, CONTROL)
    measured(qtbot, window, 2)
    qtbot.waitUntil(lambda: kept(window) == there(window), timeout=WAIT_MS)
    assert sum(plane.by_hand for plane in window.live_page.saved) == 1, "one capture for all of it"


def test_what_was_drawn_last_is_saved_though_the_window_is_closed_at_once(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    scan(qtbot, window, long_loop)
    begin(window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    assert window.measured.waiting, "its plane is not written, or nobody looked yet"
    window.close()
    folder = window.live_page.session_folder
    assert folder is not None
    with Session.open(folder) as session:
        (arrow,) = session.annotations.items
        assert arrow.plane_id is not None
        assert session.plane(arrow.plane_id).frame_index == arrow.frame_index


def test_del_takes_one_away_and_a_tool_puts_the_other_kind_away(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    scan(qtbot, window, long_loop)
    page = window.live_page
    page.held.measuring.tools.buttons["annotate_arrow"].click()
    window.tick()
    assert page.frozen
    QTest.keyClick(window, KEY.Key_D, SHIFT)
    window.tick()
    assert not drawn(window).pencil.active
    assert "click on one end" in page.held.hint
    assert not window.actions_by_name["annotate_arrow"].isChecked()
    begin(window, KEY.Key_A)
    assert page.held.measuring.hint == ""
    drag(window, (20, 30), (80, 70))
    QTest.keyClick(window, KEY.Key_Delete)
    assert there(window) == ()
    qtbot.waitUntil(lambda: len(page.saved) > 0, timeout=WAIT_MS)
    assert window.actions_by_name["undo"].isEnabled()
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    assert len(there(window)) == 1


def test_of_the_next_scan_nothing_is_drawn_and_the_first_keeps_its_own(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    scan(qtbot, window, long_loop)
    begin(window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    qtbot.waitUntil(lambda: len(kept(window)) == 1, timeout=WAIT_MS)
    first, wanted = window.live_page.session_folder, there(window)
    assert first is not None
    scan(qtbot, window, long_loop)
    assert there(window) == ()
    assert drawn(window).pencil.shown == ()
    with Session.open(first, read_only=True) as session:
        assert session.annotations.items == wanted


def test_what_cannot_be_kept_is_said_in_the_banner_and_shown_no_longer(
    qtbot: QtBot, window: MainWindow, long_loop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(qtbot, window, long_loop)

    def fails(session: Session, wanted: object) -> None:
        raise SaveError("The disk is full; free some of it.")

    monkeypatch.setattr(Session, "set_annotations", fails)
    begin(window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    qtbot.waitUntil(lambda: window.banner.shown is not None, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert window.banner.shown.text.startswith("What was drawn was not kept. The disk is full")
    qtbot.waitUntil(lambda: drawn(window).keeper.now is not None and there(window) == (), timeout=WAIT_MS)


def test_a_picture_that_was_not_classified_takes_none_and_says_why(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    scan(qtbot, window, long_loop)
    begin(window, KEY.Key_A)
    window.measured.hold_frame(None)  # as of a frame that the model has not seen
    drag(window, (20, 30), (80, 70))
    assert there(window) == ()
    qtbot.waitUntil(lambda: window.banner.shown is not None, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert "was not classified, so it cannot be saved; hold another one" in window.banner.shown.text
    assert [plane for plane in window.live_page.saved if plane.by_hand] == []


def test_a_text_waits_for_its_words_and_is_forgotten_with_the_frame(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    scan(qtbot, window, long_loop)
    begin(window, KEY.Key_T)
    QTest.keyClick(window, KEY.Key_Return)
    qtbot.waitUntil(window.live_page.held.ask_line.field.isVisible, timeout=WAIT_MS)
    window.live_page.freeze(False)
    qtbot.waitUntil(lambda: not window.live_page.held.ask_line.field.isVisible(), timeout=WAIT_MS)
    assert there(window) == ()


def test_on_which_pages_the_keys_work() -> None:
    def able(now: Situation) -> set[bool]:
        enabled = enabled_actions(now)
        return {enabled[name] for name in ANNOTATE}

    assert able(Situation(LIVE, running=True)) == {True}, "a tool holds the picture first"
    assert able(Situation(LIVE, running=True, choosing_region=True)) == {False}
    assert able(Situation(LIVE, frozen=True)) == {False}, "the scan is over"
    held = Situation(LIVE, running=True, frozen=True, review_open=True, looking_only=True)
    assert able(held) == {True}, "a review that is only looked at keeps no scan from it"
    assert "Draw an arrow" in correcting_tips(held)["annotate_arrow"]
    assert able(Situation(REVIEW, review_open=True)) == {True}
    for name in ("turn_left", "turn_right"):
        assert enabled_actions(Situation(LIVE, running=True, frozen=True))[name]
        assert not enabled_actions(Situation(LIVE, running=True))[name]
