"""Twins in the window: one key changes between them; each has a list, and every plane is of one of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.checklist.panel import ChecklistPanel
from app.checklist.presenter import ChecklistView, of_several, word_on
from app.commands import LIVE, REVIEW, Situation, enabled_actions
from app.live.naming import of_fetuses
from app.main_window import MainWindow
from app.picture_window import words_of
from app.review.menu import show_plane_menu
from app.review.presenter import PlaneItems, where_texts
from app.view_data import NO_MARKS
from app.widgets.saved_strip import PlaneCard
from semc_core.labels import FETAL_CLASSES, LIVER_CLASSES
from semc_core.pipeline.state import Phase
from semc_core.protocols.checklist import Evidence, checklist
from semc_core.protocols.concepts import is_fetal
from semc_core.protocols.loader import load_protocols
from semc_core.protocols.protocol import Protocol, ProtocolItem, scans_fetuses
from semc_core.session.fetuses import Fetuses
from semc_core.session.session import Session
from semc_core.types import SavedPlane
from tests.app.checklist.test_presenter import PLANES, PROTOCOL
from tests.app.review.test_page import KEY, WAIT_MS, analysed, press, wait_for_said

SHIFT = Qt.KeyboardModifier.ShiftModifier
TWINS = Fetuses(((2.0, "B"),))


def seen(plane: str) -> Evidence:
    return Evidence(7, plane, 0.9, 1.0, saved=True, named=False, by_hand=False)


def twins(shown: str = "", scanned: str = "B") -> ChecklistView:
    """A has one of four items, B two."""
    of = {"A": [seen("A")], "B": [seen("A"), seen("B")]}
    states = [
        replace(checklist(PROTOCOL, found, (), PLANES, 0.8), fetus=letter) for letter, found in of.items()
    ]
    return of_several(states, shown, scanned, PLANES, 0.8)


def saved(number: int, time_s: float) -> SavedPlane:
    small = np.zeros((6, 8), np.uint8)
    return SavedPlane(number, "FHP1", 0.9, 10, time_s, 0.0, 1.0, True, False, Path("a.png"), small)


def view_of(window: MainWindow) -> ChecklistView | None:
    panel = window.checklist
    assert isinstance(panel, ChecklistPanel)
    return panel.view


# What is fetal.


def test_a_protocol_says_whether_fetuses_are_scanned_or_else_the_names_do() -> None:
    book = load_protocols()
    assert is_fetal(FETAL_CLASSES)
    assert not is_fetal(LIVER_CLASSES)
    assert not is_fetal(("4CH", "Femur")), "of whom these are nobody knows"
    assert not is_fetal(("Brain(Tv)", "A4C")), "of both"
    assert scans_fetuses(book.named("fasp-20-week"), LIVER_CLASSES)
    assert not scans_fetuses(book.named("lp2025-liver"), FETAL_CLASSES)
    assert not scans_fetuses(None, LIVER_CLASSES)
    own = Protocol("own", "Own", (ProtocolItem("a", "A", ("My plane",)),))
    assert scans_fetuses(own, FETAL_CLASSES)
    assert not scans_fetuses(own, ())


def test_the_keys_work_while_something_is_scanned_and_in_review() -> None:
    keys = ("fetus", "one_more_fetus", "move_fetus")

    def able(now: Situation) -> list[bool]:
        return [enabled_actions(now)[key] for key in keys]

    assert able(Situation(LIVE)) == [False, False, False]
    assert able(Situation(LIVE, running=True)) == [True, True, False]
    assert able(Situation(REVIEW, review_open=True)) == [True, True, True]
    assert able(Situation(REVIEW, review_open=True, looking_only=True)) == [False, False, False]


# What is shown.


def test_each_fetus_has_a_tab_with_its_own_counts() -> None:
    view = twins()
    assert (view.title, view.progress, view.fetus) == ("Fetus B: Own", "2 / 4", "B")
    assert [tab.text for tab in view.tabs] == ["A  1 / 4", "▸ B  2 / 4"]
    assert [tab.tip for tab in view.tabs] == [
        "Fetus A: 1 done, 3 open.",
        "Fetus B, which is scanned here: 2 done, 2 open.",
    ]
    assert not view.away
    other = twins(shown="A")
    assert (other.title, other.progress, other.away) == ("Fetus A: Own", "1 / 4", True)


def test_of_one_fetus_there_is_no_tab_and_no_letter() -> None:
    state = checklist(PROTOCOL, [seen("A")], (), PLANES, 0.8)
    view = of_several([state], "", "", PLANES, 0.8)
    assert (view.title, view.fetus, view.tabs, view.away) == ("Own", "", (), False)
    assert where_texts(3.0, 9.0, 30, 90)[1].startswith("0:03.0")


def test_a_click_on_a_tab_asks_for_that_list(qtbot: QtBot) -> None:
    panel = ChecklistPanel(can_add=True)
    qtbot.addWidget(panel)
    panel.resize(300, 400)
    panel.show()
    panel.show_view(replace(twins(), tabs=(), fetus=""))
    assert not any(button.isVisible() for button in panel.tabs.buttons.values())
    panel.show_view(twins())
    shown = [letter for letter, button in panel.tabs.buttons.items() if button.isVisible()]
    assert shown == ["A", "B"]
    assert [panel.tabs.buttons[letter].isChecked() for letter in shown] == [False, True]
    with qtbot.waitSignal(panel.fetus_chosen) as wanted:
        QTest.mouseClick(panel.tabs.buttons["A"], Qt.MouseButton.LeftButton)
    assert wanted.args == ["A"]
    words = [action.text() for action in panel.menu_of(panel.rows[2].row).actions()]
    assert "The picture shows it: add it here" in words
    panel.show_view(twins(shown="A"))
    words = [action.text() for action in panel.menu_of(panel.rows[2].row).actions()]
    assert "The picture shows it: add it here" not in words, "the picture is of the other one"
    assert "Not possible …" in words


def test_cards_and_places_say_the_letter_where_there_is_more_than_one(qtbot: QtBot) -> None:
    planes = (saved(1, 1.0), saved(2, 3.0))
    assert of_fetuses(NO_MARKS, planes, Fetuses()) == NO_MARKS
    marks = of_fetuses(NO_MARKS, planes, TWINS)
    assert marks.fetuses == {1: "A", 2: "B"}
    card = PlaneCard(planes[1], "#ffffff")
    qtbot.addWidget(card)
    assert (card.when, card.accessibleName()) == ("0:03.0", "FHP1 90%")
    card.show_marks(marks)
    assert (card.when, card.accessibleName()) == ("B, 0:03.0", "FHP1 90%, fetus B")
    assert where_texts(3.0, 9.0, 30, 90, TWINS.at(3.0))[1].startswith("B, 0:03.0")


def test_a_word_on_an_item_is_of_the_fetus_whose_list_is_shown() -> None:
    assert word_on(PROTOCOL, "b", "gas", "B").fetus == "B"
    assert word_on(PROTOCOL, "b", "gas").fetus == ""


# In the window.


def test_the_key_changes_between_twins_while_the_scan_goes_on(
    window: MainWindow, qtbot: QtBot, long_loop: Path
) -> None:
    window.checklists.follow("fasp-20-week")
    window.open_source(str(long_loop))
    page = window.live_page
    qtbot.waitUntil(lambda: page.result is not None and page.session_folder is not None, timeout=WAIT_MS)
    assert page.kept.badges == ()
    press(window, KEY.Key_F3)
    qtbot.waitUntil(lambda: [text for text, _colour in page.kept.badges] == ["FETUS B"], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: (view := view_of(window)) is not None and view.fetus == "B", timeout=WAIT_MS)
    turned_s = page.kept.fetuses.turns[0][0]
    qtbot.waitUntil(lambda: page.result is not None and page.result.packet.pts_s > turned_s, timeout=WAIT_MS)
    assert page.capture()
    qtbot.waitUntil(lambda: any(plane.by_hand for plane in page.saved), timeout=WAIT_MS)
    view = view_of(window)
    assert view is not None
    assert [tab.letter for tab in view.tabs] == ["A", "B"]
    window.checklists.say_of_scan("profile", "Position")
    engine = window.scan.pipeline
    assert engine is not None
    session = engine.session
    assert session is not None
    qtbot.waitUntil(lambda: bool(session.items()), timeout=WAIT_MS)
    assert [word.fetus for word in session.items()] == ["B"]
    press(window, KEY.Key_F3)
    qtbot.waitUntil(lambda: page.kept.fetuses.newest == "A", timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_F3, SHIFT)
    qtbot.waitUntil(lambda: page.kept.fetuses.newest == "C", timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.kept.fetuses.newest == "A", timeout=WAIT_MS)
    folder = page.session_folder
    assert folder is not None
    press(window, KEY.Key_S)
    qtbot.waitUntil(lambda: engine.state.phase is Phase.STOPPED and window.scan.over, timeout=WAIT_MS)
    window.close()
    with Session.open(folder, read_only=True) as kept:
        captured = [plane for plane in kept.planes() if plane.by_hand]
        assert [plane.fetus for plane in captured] == ["B"]
        assert kept.fetuses().letters == ("A", "B")
        assert kept.verify().ok


def test_a_scan_of_no_fetus_says_why_there_is_none_to_change_to(
    window: MainWindow, qtbot: QtBot, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    page = window.live_page
    qtbot.waitUntil(lambda: page.result is not None and page.session_folder is not None, timeout=WAIT_MS)
    press(window, KEY.Key_F3)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    assert window.banner.shown is not None
    assert "Neither the protocol nor the model here is for a fetus" in window.banner.shown.text
    assert page.kept.badges == ()
    view = view_of(window)
    assert view is None or not view.tabs


def test_in_review_the_key_turns_at_the_frame_and_planes_are_moved(
    window: MainWindow, qtbot: QtBot, cine_loop: Path
) -> None:
    window.checklists.follow("fasp-20-week")
    folder = analysed(qtbot, window, cine_loop)
    page, commands = window.review_page, window.review_page.commands
    assert commands is not None
    (plane,) = window.review.snapshot.planes

    def letters() -> list[str]:
        return [each.fetus for each in window.review.snapshot.planes]

    def view() -> ChecklistView:
        window.tick()
        shown = view_of(window)
        assert shown is not None
        return shown

    QTest.keyClick(window, KEY.Key_O, SHIFT)
    wait_for_said(qtbot, window, "Choose a plane first")
    commands.choose(plane.plane_id)
    QTest.keyClick(window, KEY.Key_O, SHIFT)
    wait_for_said(qtbot, window, "is of fetus B now.")
    assert letters() == ["B"]
    QTest.keyClick(window, KEY.Key_O, SHIFT)
    qtbot.waitUntil(lambda: letters() == [""], timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: letters() == ["B"], timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: letters() == [""], timeout=WAIT_MS)

    press(window, KEY.Key_Home)
    press(window, KEY.Key_F3)
    wait_for_said(qtbot, window, "From 0:00.0 on it is fetus B.")
    assert letters() == ["B"]
    assert view().fetus == "B"
    commands.scrub(plane.time_s + 0.2)
    press(window, KEY.Key_F3)
    qtbot.waitUntil(lambda: len((window.review.snapshot.fetuses or Fetuses()).turns) == 2, timeout=WAIT_MS)
    assert letters() == ["B"], "its frame lies before that"
    assert view().fetus == "A"
    assert words_of(page).fetus == "A", "so do the words beside the picture alone"
    press(window, KEY.Key_Home)
    assert view().fetus == "B", "the list is that of the frame that is shown"
    assert words_of(page).fetus == "B"
    window.checklists.review.fetus_chosen.emit("A")
    assert view().fetus == "A"
    (card,) = PlaneItems().of(window.review.snapshot.planes, {}, None)
    assert card.lines[1][0].startswith("B, ")
    menu = show_plane_menu(commands, plane.plane_id, page.mapToGlobal(page.rect().center()), page)
    words = [action.text() for action in menu.actions()]
    assert "Move to fetus A" in words
    assert "Move to fetus B" not in words
    menu.close()
    window.close()
    with Session.open(folder, read_only=True) as session:
        assert [each.fetus for each in session.planes()] == ["B"]
        assert session.verify().ok


def test_there_are_four_at_most(window: MainWindow, qtbot: QtBot, cine_loop: Path) -> None:
    window.checklists.follow("fasp-20-week")
    analysed(qtbot, window, cine_loop)
    for letter in "BCD":
        QTest.keyClick(window, KEY.Key_F3, SHIFT)
        wait_for_said(qtbot, window, f"on it is fetus {letter}.")
    QTest.keyClick(window, KEY.Key_F3, SHIFT)
    wait_for_said(qtbot, window, "There are four fetuses already")
