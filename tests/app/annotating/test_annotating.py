"""Writing and drawing on the picture in review, with a real window, a real loop and a real session."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from semc_core.errors import SaveError, SessionInUse
from semc_core.session.annotations import Annotation
from semc_core.session.session import Session
from tests.app.review.test_measuring import at, click, measured, reviewed
from tests.app.review.test_page import CONTROL, KEY, WAIT_MS, press, wait_for_said

__all__ = ["reviewed"]
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


def on_picture(window: MainWindow, *places: tuple[float, float]) -> None:
    for x, y in places:
        QTest.mouseClick(window.annotating.layer, LEFT, pos=at(window, x, y))


def drag(window: MainWindow, first: tuple[float, float], last: tuple[float, float]) -> None:
    layer = window.annotating.layer
    QTest.mousePress(layer, LEFT, pos=at(window, *first))
    QTest.mouseMove(layer, at(window, *last))
    QTest.mouseRelease(layer, LEFT, pos=at(window, *last))


def begin(qtbot: QtBot, window: MainWindow, key: Qt.Key) -> None:
    qtbot.waitUntil(lambda: window.annotating.keeper.now is not None, timeout=WAIT_MS)
    QTest.keyClick(window, key, SHIFT)


def write(qtbot: QtBot, window: MainWindow, words: str) -> None:
    line = window.review_page.ask_line
    qtbot.waitUntil(line.isVisible, timeout=WAIT_MS)
    line.field.clear()
    QTest.keyClicks(line.field, words)
    QTest.keyClick(line.field, KEY.Key_Return)


def there(window: MainWindow) -> tuple[Annotation, ...]:
    now = window.annotating.keeper.now
    assert now is not None
    return now.items


def taken(qtbot: QtBot, folder: Path) -> Session:
    """The session, open elsewhere, as soon as the window has let go of it."""
    found: list[Session] = []

    def take() -> bool:
        with suppress(SessionInUse):
            found.append(Session.open(folder))
        return bool(found)

    qtbot.waitUntil(take, timeout=WAIT_MS)
    return found[0]


def kept(folder: Path) -> tuple[Annotation, ...]:
    with Session.open(folder, read_only=True) as session:
        return session.annotations.items


def test_a_text_is_written_moved_edited_and_taken_back(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    plane = window.review.snapshot.planes[0]
    begin(qtbot, window, KEY.Key_T)
    on_picture(window, (40, 60))
    write(qtbot, window, "Zwickel")
    (one,) = there(window)
    assert (one.text, one.frame_index, one.plane_id) == ("Zwickel", plane.frame_index, plane.plane_id)
    assert one.points[0] == pytest.approx((40, 60), abs=0.6)
    press(window, KEY.Key_Right)
    QTest.keyClick(window, KEY.Key_Down, SHIFT)
    (moved,) = there(window)
    assert moved.points[0] == pytest.approx((one.points[0][0] + 1, one.points[0][1] + 10))
    press(window, KEY.Key_Return)
    write(qtbot, window, "Quastel")
    assert [each.text for each in there(window)] == ["Quastel"]
    for wanted in ("Zwickel", "Zwickel", "Zwickel"):
        QTest.keyClick(window, KEY.Key_Z, CONTROL)
        assert [each.text for each in there(window)] == [wanted]
    assert there(window) == (one,)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    assert there(window) == ()
    for _ in range(4):
        QTest.keyClick(window, KEY.Key_Y, CONTROL)
    assert [each.text for each in there(window)] == ["Quastel"]
    qtbot.waitUntil(lambda: kept(reviewed) == there(window), timeout=WAIT_MS)


def test_an_arrow_is_dragged_or_clicked_and_deleted(qtbot: QtBot, window: MainWindow, reviewed: Path) -> None:
    begin(qtbot, window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    begin(qtbot, window, KEY.Key_A)
    on_picture(window, (100, 30), (120, 90))
    first, second = there(window)
    for one, wanted in ((first, ((20, 30), (80, 70))), (second, ((100, 30), (120, 90)))):
        for place, point in zip(one.points, wanted, strict=True):
            assert place == pytest.approx(point, abs=0.6)
    # Taken by its line, all of it goes along.
    drag(window, (50, 50), (60, 60))
    moved = there(window)[0]
    assert moved.points[1][0] - first.points[1][0] == pytest.approx(10, abs=1)
    assert moved.points[0][0] - first.points[0][0] == pytest.approx(10, abs=1)
    press(window, KEY.Key_Delete)
    assert there(window) == (second,)
    assert window.review.snapshot.planes[0].rejected is False, "the plane stays"


def test_a_body_mark_is_placed_by_keys_turned_and_changed(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    begin(qtbot, window, KEY.Key_P)
    press(window, KEY.Key_Return)
    (one,) = there(window)
    assert (one.kind, one.figure, one.turn) == ("mark", "abdomen", 0)
    press(window, KEY.Key_Plus, KEY.Key_Plus)
    assert there(window)[0].turn == 30
    begin(qtbot, window, KEY.Key_P)
    assert there(window)[0].figure == "neck"
    before = there(window)[0].points
    press(window, KEY.Key_Right)
    assert [x for x, _ in there(window)[0].points] == [x + 1 for x, _ in before], "the probe goes along"
    press(window, KEY.Key_W, KEY.Key_Right)
    assert there(window)[0].points[0][0] == before[0][0] + 1
    assert there(window)[0].points[1][0] == before[1][0] + 2


def test_esc_leaves_and_what_was_changed_last_is_taken_back_first(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    begin(qtbot, window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    press(window, KEY.Key_Escape)
    assert not window.annotating.pencil.active
    # Beside an arrow the picture is measured as ever.
    press(window, KEY.Key_D)
    click(window, (20, 100), (120, 110))
    measured(qtbot, window, 1)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    measured(qtbot, window, 0)
    assert len(there(window)) == 1
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    assert there(window) == ()


def test_another_frame_shows_none_and_they_are_there_again_when_it_is_opened_again(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    begin(qtbot, window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    made = there(window)
    press(window, KEY.Key_Escape, KEY.Key_Right)
    qtbot.waitUntil(lambda: window.annotating.pencil.shown == (), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: kept(reviewed) == made, timeout=WAIT_MS)
    window.open_review(reviewed)
    qtbot.waitUntil(lambda: window.review.open is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.annotating.keeper.now is not None, timeout=WAIT_MS)
    assert there(window) == made


def test_one_tool_is_on_at_a_time_and_its_button_says_so(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    measuring, buttons = window.review_page.measuring, window.review_page.measuring.tools.buttons
    press(window, KEY.Key_D)
    qtbot.waitUntil(lambda: window.annotating.keeper.now is not None, timeout=WAIT_MS)
    buttons["annotate_arrow"].click()
    window.tick()
    assert measuring.hint == ""
    assert window.actions_by_name["annotate_arrow"].isChecked()
    press(window, KEY.Key_D)
    window.tick()
    assert "click" in measuring.hint
    assert not window.annotating.pencil.active
    assert not window.actions_by_name["annotate_arrow"].isChecked()


def test_what_cannot_be_kept_is_said_and_shown_no_longer(
    qtbot: QtBot, window: MainWindow, reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(qtbot, window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    made = there(window)
    qtbot.waitUntil(lambda: kept(reviewed) == made, timeout=WAIT_MS)

    def fails(session: Session, wanted: object) -> None:
        raise SaveError("The disk is full; free some of it.")

    monkeypatch.setattr(Session, "set_annotations", fails)
    press(window, KEY.Key_Right)
    assert there(window) != made
    wait_for_said(qtbot, window, "What was drawn was not kept. The disk is full")
    qtbot.waitUntil(
        lambda: window.annotating.keeper.now is not None and there(window) == made, timeout=WAIT_MS
    )


def test_where_a_session_is_only_looked_at_nothing_is_moved(
    qtbot: QtBot, window: MainWindow, reviewed: Path
) -> None:
    begin(qtbot, window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    made = there(window)
    qtbot.waitUntil(lambda: kept(reviewed) == made, timeout=WAIT_MS)
    window.review.release()
    with taken(qtbot, reviewed):
        window.open_review(reviewed)
        view = window.review_page.view
        qtbot.waitUntil(lambda: window.annotating.keeper.now is not None, timeout=WAIT_MS)
        press(window, KEY.Key_Down)
        qtbot.waitUntil(
            lambda: view.packet is not None and bool(window.annotating.pencil.shown), timeout=WAIT_MS
        )
        drag(window, (50, 50), (60, 60))
        assert there(window) == made
        wait_for_said(qtbot, window, "Nothing can be changed here")


def test_a_click_beside_them_is_for_what_lies_below(qtbot: QtBot, window: MainWindow, reviewed: Path) -> None:
    press(window, KEY.Key_D)
    for x, y in ((30, 40), (90, 100)):
        place: QPoint = at(window, x, y)
        QTest.mouseClick(window.annotating.layer, LEFT, pos=place)
    measured(qtbot, window, 1)


def test_what_an_analysis_finds_meanwhile_does_not_keep_an_arrow_from_being_taken_back(
    qtbot: QtBot, window: MainWindow, reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(qtbot, window, KEY.Key_A)
    drag(window, (20, 30), (80, 70))
    assert len(there(window)) == 1
    now = window.review.snapshot
    found = replace(now.planes[-1], plane_id=77, chosen_by="model", rejected=False, note="")
    later = replace(now, planes=(*now.planes, found))
    monkeypatch.setattr(window.review_page._worker, "snapshot", later)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    assert there(window) == ()
