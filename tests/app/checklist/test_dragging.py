"""Cards of planes are dragged onto lines of the checklist: what is taken, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.checklist.contents import name_for
from app.checklist.panel import ChecklistPanel, RowButton
from app.live.naming import Naming
from app.main_window import MainWindow
from app.view_data import DraggedPlane, StripItem, StripMarks
from app.widgets import dragging
from app.widgets.cards import CardStrip
from app.widgets.dragging import dragged, mime_of
from app.widgets.saved_strip import PlaneCard, SavedStrip
from semc_core.labels import FETAL_CLASSES, LIVER_PLANES
from semc_core.protocols.checklist import Status
from semc_core.protocols.loader import load_protocols
from semc_core.session.correcting.changes import Change, Relabel
from semc_core.session.session import Session
from tests.app.checklist.test_panel import panel, shown_panel, some_view, status_of
from tests.app.conftest import WAIT_MS
from tests.app.live.test_naming import saved
from tests.app.review.test_page import KEY, analysed, press, wait_for_said

__all__ = ("panel",)
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
MOVE = Qt.DropAction.MoveAction
CARD = DraggedPlane(7, "Brain(Tv)")


def enters(target: QWidget, mime: QMimeData) -> bool:
    """Whether `target` takes what comes over it: without, the cursor says that it cannot be dropped."""
    coming = QDragEnterEvent(QPoint(5, 5), MOVE, mime, LEFT, NONE)
    QApplication.sendEvent(target, coming)
    moving = QDragMoveEvent(QPoint(6, 5), MOVE, mime, LEFT, NONE)
    QApplication.sendEvent(target, moving)
    assert coming.isAccepted() == moving.isAccepted()
    return coming.isAccepted()


def drop(target: QWidget, mime: QMimeData) -> bool:
    """Whether it took it; what was not over it first Qt does not hand to it."""
    enters(target, mime)
    dropping = QDropEvent(QPointF(5, 5), MOVE, mime, LEFT, NONE)
    QApplication.sendEvent(target, dropping)
    return dropping.isAccepted()


def line(window: MainWindow, item_id: str) -> RowButton:
    return next(row for row in shown_panel(window).rows if row.row.item_id == item_id)


def pull(card: QWidget, by: int) -> None:
    """Press on a card and move it by so many pixels."""
    begin = QPointF(10, 10)
    for kind, at, button in (
        (QMouseEvent.Type.MouseButtonPress, begin, LEFT),
        (QMouseEvent.Type.MouseMove, begin + QPointF(by, 0), Qt.MouseButton.NoButton),
        (QMouseEvent.Type.MouseButtonRelease, begin + QPointF(by, 0), LEFT),
    ):
        where = QPointF(card.mapToGlobal(at.toPoint()))
        QApplication.sendEvent(card, QMouseEvent(kind, at, where, button, LEFT, NONE))


@pytest.fixture
def drags(monkeypatch: pytest.MonkeyPatch) -> list[DraggedPlane | None]:
    """What was dragged: on this platform no mouse would ever drop it."""
    seen: list[DraggedPlane | None] = []

    def run(drag: QDrag) -> None:
        assert not drag.pixmap().isNull()
        seen.append(dragged(drag.mimeData()))

    monkeypatch.setattr(dragging, "_run", run)
    return seen


def item(key: int, rejected: bool = False) -> StripItem:
    return StripItem(key, np.zeros((6, 8), np.uint8), (("LLP", "90%"),), "LLP", rejected=rejected)


# What goes with a card.


def test_a_card_carries_its_plane_and_nothing_else_is_taken_for_one() -> None:
    assert dragged(mime_of(CARD)) == CARD
    assert dragged(mime_of(None)) is None
    other, wrong = QMimeData(), QMimeData()
    other.setUrls([QUrl.fromLocalFile("/tmp/loop.mp4")])
    other.setText("7 LLP")
    assert dragged(other) is None
    for content in (b"", b"7", b"7 ", b"-7 LLP", b"x LLP", b"\xff"):
        wrong.setData(dragging.FORMAT, content)
        assert dragged(wrong) is None


def test_a_card_is_dragged_from_a_little_way_on_and_is_then_no_click(
    qtbot: QtBot, drags: list[DraggedPlane | None]
) -> None:
    strip = CardStrip(of_planes=True)
    qtbot.addWidget(strip)
    strip.resize(600, 120)
    strip.show_items((item(3), item(4, rejected=True)), {})
    strip.show()
    clicked: list[int] = []
    told: list[bool] = []
    strip.clicked.connect(clicked.append)
    strip.drag.dragging.connect(told.append)
    first, second = strip.cards
    pull(first, QApplication.startDragDistance() - 1)
    assert (clicked, drags) == ([3], [])
    pull(first, QApplication.startDragDistance() + 1)
    qtbot.waitUntil(lambda: drags == [DraggedPlane(3, "LLP")], timeout=WAIT_MS)
    assert (clicked, told) == ([3], [True, False])
    pull(second, 60)
    qtbot.waitUntil(lambda: len(drags) == 2, timeout=WAIT_MS)
    assert drags[1] is None, "what is rejected is no item's"
    assert told == [True, False, False, False], "no line offers itself"


def test_a_card_that_is_taken_away_while_it_is_dragged_does_no_harm(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    strip = CardStrip(of_planes=True)
    qtbot.addWidget(strip)
    strip.resize(600, 120)
    strip.show_items((item(3),), {})
    strip.show()
    seen: list[DraggedPlane | None] = []

    def run(drag: QDrag) -> None:
        strip.show_items((), {})
        for _turn in range(3):
            QApplication.sendPostedEvents()
            QApplication.processEvents()
        seen.append(dragged(drag.mimeData()))

    monkeypatch.setattr(dragging, "_run", run)
    pull(strip.cards[0], 60)
    qtbot.waitUntil(lambda: seen == [DraggedPlane(3, "LLP")], timeout=WAIT_MS)
    assert strip.cards == []


def test_the_best_frames_of_a_plane_are_not_dragged(qtbot: QtBot, drags: list[DraggedPlane | None]) -> None:
    strip = CardStrip()
    qtbot.addWidget(strip)
    strip.resize(600, 120)
    strip.show_items((item(3),), {})
    strip.show()
    clicked: list[int] = []
    strip.clicked.connect(clicked.append)
    pull(strip.cards[0], QApplication.startDragDistance() + 5)
    QTest.qWait(20)
    assert (drags, clicked) == ([], [3])


def test_a_plane_of_a_scan_is_dragged_where_there_is_something_to_name(
    qtbot: QtBot, drags: list[DraggedPlane | None]
) -> None:
    strip = SavedStrip()
    qtbot.addWidget(strip)
    strip.resize(900, 200)
    planes = (saved(1, 10), saved(2, 20), saved(3, 30, png=""))
    strip.show_planes(planes, {}, StripMarks(rejected=frozenset({2})))
    strip.show()
    cards = [card for card in strip.cards if isinstance(card, PlaneCard)]
    assert [card.carried for card in cards] == [DraggedPlane(1, "FHP1"), None, None]
    pull(cards[0], 60)
    qtbot.waitUntil(lambda: drags == [DraggedPlane(1, "FHP1")], timeout=WAIT_MS)


# What takes it.


def test_a_line_takes_a_plane_and_nothing_else(panel: ChecklistPanel) -> None:
    panel.show_view(some_view())
    dropped: list[tuple[str, object]] = []
    panel.plane_dropped.connect(lambda *said: dropped.append(said))
    second = panel.rows[1]
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/tmp/loop.mp4")])
    assert not enters(second, files)
    assert not drop(second, files)
    assert not enters(second, mime_of(None))
    assert enters(second, mime_of(CARD))
    assert drop(second, mime_of(CARD))
    assert dropped == [("b", CARD)]
    panel.looking_only = True
    assert not enters(second, mime_of(CARD))
    assert not drop(second, mime_of(CARD))
    panel.looking_only = False
    panel.can_name = lambda: False
    assert not enters(second, mime_of(CARD))
    assert len(dropped) == 1


def test_lines_are_marked_while_a_card_is_dragged_and_the_one_under_it_more(panel: ChecklistPanel) -> None:
    panel.show_view(some_view())
    row = panel.rows[2]

    def looks() -> bytes:
        image = row.grab().toImage()
        return bytes(image.constBits())

    plain = looks()
    panel.show_targets(True)
    marked = looks()
    assert enters(row, mime_of(CARD))
    over = looks()
    assert len({plain, marked, over}) == 3
    QApplication.sendEvent(row, QDragLeaveEvent())
    assert looks() == marked
    panel.show_targets(False)
    assert looks() == plain
    panel.looking_only = True
    panel.show_targets(True)
    assert looks() == plain


def test_of_a_long_list_the_next_line_comes_into_view(panel: ChecklistPanel) -> None:
    panel.show_view(some_view())
    panel.give_room(400, 400)
    panel.resize(300, 95)
    last = panel.rows[-1]
    bar = panel._scroll.verticalScrollBar()
    QApplication.processEvents()
    assert bar.maximum() > 0
    for row in panel.rows:
        enters(row, mime_of(CARD))
    assert not last.visibleRegion().isEmpty()
    assert bar.value() == bar.maximum()


# What it does.


def test_a_plane_keeps_a_name_that_fulfils_the_item_and_else_gets_the_models() -> None:
    book = load_protocols(Path("none"))
    fasp, liver = book.named("fasp-20-week"), book.named("lp2025-liver")
    assert name_for(fasp, "right-outflow", "3VV", FETAL_CLASSES) == "3VV"
    assert name_for(fasp, "right-outflow", "LVOT", FETAL_CLASSES) == "RVOT"
    assert name_for(fasp, "three-vessels-trachea", "3VV", FETAL_CLASSES) == "3VT", "that no model knows"
    assert name_for(liver, "left-lobe", "NSP", LIVER_PLANES) == "LLP"
    assert name_for(liver, "none", "LLP", LIVER_PLANES) == ""


def test_in_a_scan_a_capture_that_is_asked_for_is_named_by_dropping_it() -> None:
    said: list[Change] = []
    naming = Naming(said.append, lambda sentence: None)
    naming.ask(50, ())
    naming.take([saved(1, 50, by_hand=True)])
    asks = []
    for number, name, fetus in ((2, "LLP", ""), (1, "RLP", "B")):
        naming.name_plane(number, name, fetus)
        asks.append(naming.asks)
    assert asks == [True, False], "the first was another one"
    wanted: list[Change] = [Relabel(2, "LLP"), Relabel(1, "RLP", "B")]
    assert said == wanted


def test_in_review_a_card_on_a_line_names_the_plane_and_undo_takes_it_back(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    folder = analysed(qtbot, window, cine_loop)
    page = window.review_page
    (card,) = page.planes.cards
    carried = mime_of(card.carried)  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: status_of(window, "first-porta-hepatis") is Status.FOUND, timeout=WAIT_MS)
    assert enters(line(window, "left-lobe"), carried)
    assert drop(line(window, "left-lobe"), carried)
    wait_for_said(qtbot, window, "is now LLP (was FHP1).")
    qtbot.waitUntil(lambda: status_of(window, "left-lobe") is Status.FOUND, timeout=WAIT_MS)
    assert status_of(window, "first-porta-hepatis") is Status.MISSING
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    wait_for_said(qtbot, window, "Undone: The plane at")
    qtbot.waitUntil(lambda: status_of(window, "first-porta-hepatis") is Status.FOUND, timeout=WAIT_MS)
    assert drop(line(window, "first-porta-hepatis"), carried)
    wait_for_said(qtbot, window, "is confirmed as FHP1.")
    assert drop(line(window, "first-porta-hepatis"), carried)
    wait_for_said(qtbot, window, "The plane is FHP1 already, by a person.")
    page.planes.drag.dragging.emit(True)
    assert line(window, "left-lobe").target
    page.planes.drag.dragging.emit(False)
    assert not line(window, "left-lobe").target
    window.close()
    with Session.open(folder, read_only=True) as session:
        assert [plane.plane for plane in session.planes()] == ["FHP1"]
        assert session.verify().ok


def test_a_session_that_is_open_elsewhere_takes_no_card(
    qtbot: QtBot, new_window: Callable[[], MainWindow], cine_loop: Path
) -> None:
    first = new_window()
    folder = analysed(qtbot, first, cine_loop)
    second = new_window()
    second.open_review(folder)
    qtbot.waitUntil(lambda: bool(second.review_page.planes.cards), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(shown_panel(second).rows), timeout=WAIT_MS)
    carried = mime_of(second.review_page.planes.cards[0].carried)  # type: ignore[attr-defined]
    assert not enters(line(second, "left-lobe"), carried)
    assert enters(line(first, "left-lobe"), carried)


def test_a_card_on_the_list_of_the_other_twin_moves_it_there_in_one_step(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    window.checklists.follow("fasp-20-week")
    analysed(qtbot, window, cine_loop)
    (card,) = window.review_page.planes.cards
    carried = mime_of(card.carried)  # type: ignore[attr-defined]
    press(window, KEY.Key_End)
    press(window, KEY.Key_F3)
    qtbot.waitUntil(
        lambda: (view := shown_panel(window).view) is not None and view.fetus == "B", timeout=WAIT_MS
    )
    number = window.review.snapshot.planes[0].plane_id

    def stands() -> tuple[str, str]:
        plane = window.review.snapshot.plane(number)
        assert plane is not None
        return plane.plane, plane.fetus

    before = stands()
    assert before[1] == "A"
    assert drop(line(window, "lips"), carried)
    wait_for_said(qtbot, window, "is now Lips, of fetus B.")
    qtbot.waitUntil(lambda: stands() == ("Lips", "B"), timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    wait_for_said(qtbot, window, "and of fetus B")
    qtbot.waitUntil(lambda: stands() == before, timeout=WAIT_MS)


def test_during_a_scan_a_card_on_a_line_names_the_plane_until_the_scan_is_over(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    page = window.live_page
    qtbot.waitUntil(lambda: bool(page.saved) and bool(page.strip.cards), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(shown_panel(window).rows), timeout=WAIT_MS)
    number = page.saved[0].hold_id
    carried = mime_of(DraggedPlane(number, "FHP1"))
    assert enters(line(window, "left-lobe"), carried)
    assert drop(line(window, "left-lobe"), carried)
    qtbot.waitUntil(lambda: any(plane.plane == "LLP" for plane in page.saved), timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: all(plane.plane == "FHP1" for plane in page.saved), timeout=WAIT_MS)
    page.strip.drag.dragging.emit(True)
    assert line(window, "left-lobe").target
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    assert not enters(line(window, "left-lobe"), carried)
