"""Captures are named, and saved planes corrected, while the scan goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.commands import BINDINGS, LIVE, Situation, enabled_actions
from app.live.naming import Naming, as_corrected, key_of, marks_of, names_offered
from app.main_window import MainWindow
from app.view_data import LIVE_NAME_KEYS
from semc_core.pipeline.state import Phase
from semc_core.session.correcting.changes import Change, Reject, Relabel, Restore
from semc_core.session.records import PERSON
from semc_core.session.session import Session
from semc_core.types import SavedPlane
from tests.app.conftest import WAIT_MS

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier


def saved(number: int, frame: int, by_hand: bool = False, png: str = "a.png") -> SavedPlane:
    path = Path(png) if png else None
    small = np.zeros((6, 8), np.uint8)
    return SavedPlane(number, "FHP1", 0.9, frame, frame / 10, 0.0, 1.0, True, by_hand, path, small)


@pytest.fixture
def said() -> list[object]:
    return []


@pytest.fixture
def naming(said: list[object]) -> Naming:
    """Of three planes; its changes and refusals are kept in `said`."""
    made = Naming(said.append, said.append)
    made.names = ("FHP1", "FHP2", "LLP")
    return made


def test_the_protocols_planes_come_first_each_with_a_key_of_its_own() -> None:
    assert names_offered(("B", "A", "B"), ("A", "C")) == ("B", "A", "C")
    assert [key_of(number) for number in (0, 8, 9)] == ["1", "9", "B"]
    assert key_of(len(LIVE_NAME_KEYS)) == ""


def test_a_letter_that_names_a_plane_does_nothing_else_during_a_scan() -> None:
    others = {
        key for one in BINDINGS if LIVE in one.pages and not one.name.startswith("name_") for key in one.keys
    }
    assert not others & set(LIVE_NAME_KEYS)


def test_the_capture_is_named_once_it_is_written_though_the_key_was_pressed_before(
    naming: Naming, said: list[object]
) -> None:
    naming.ask(50, (saved(1, 50, by_hand=True),))
    assert naming.question(()) == "Which plane is the capture?"
    naming.name(1)
    assert not naming.asks
    assert naming.waiting
    naming.take([saved(1, 50, by_hand=True), saved(2, 50), saved(3, 49, by_hand=True)])
    assert said == []
    naming.take([saved(4, 50, by_hand=True)])
    assert said == [Relabel(4, "FHP2")]
    assert not naming.waiting


def test_a_name_for_a_capture_that_could_not_be_written_is_dropped(
    naming: Naming, said: list[object]
) -> None:
    naming.ask(50, ())
    naming.name(0)
    naming.take([saved(1, 50, by_hand=True, png="")])
    naming.ask(60, ())
    naming.take([saved(2, 60, by_hand=True, png="")])
    assert (said, naming.waiting, naming.asks) == ([], False, False)


def test_esc_leaves_the_capture_as_it_is_and_the_next_question_is_about_the_next(
    naming: Naming, said: list[object]
) -> None:
    naming.ask(50, ())
    assert naming.escape()
    assert not naming.escape()
    naming.take([saved(1, 50, by_hand=True)])
    naming.name(0)
    assert said == []
    naming.ask(70, ())
    naming.take([saved(2, 70, by_hand=True)])
    naming.name(2)
    assert said == [Relabel(2, "LLP")]


def test_the_keys_go_through_the_strip_rename_reject_and_take_back(
    naming: Naming, said: list[object]
) -> None:
    planes = (saved(1, 10), saved(2, 20), saved(3, 30))
    naming.step(-1, planes)
    assert naming.chosen == 3
    naming.step(1, planes)
    assert naming.chosen == 3
    naming.step(-1, planes)
    assert naming.question(planes) == "FHP1 at 0:02.0 is:"
    naming.name(1)
    naming.reject(())
    naming.reject((2,))
    wanted: list[Change] = [Relabel(2, "FHP2"), Reject(2), Restore(2)]
    assert said == wanted
    assert naming.escape()
    naming.reject(())
    assert "first" in str(said[-1])


def test_without_a_plane_to_name_the_keys_of_names_are_off() -> None:
    now = Situation(page=LIVE, running=True)
    assert not enabled_actions(now)["name_1"]
    assert enabled_actions(now)["strip_back"]
    assert enabled_actions(now)["undo"]
    asked = enabled_actions(replace(now, naming=True))
    assert asked["name_1"]
    assert asked["capture"]
    assert asked["start_stop"]
    assert not enabled_actions(replace(now, naming=True, running=False))["name_1"]


def test_a_capture_is_named_while_the_scan_goes_on_and_undo_takes_the_name_back(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    page = window.live_page
    qtbot.waitUntil(lambda: page.readout.shown.title == "FHP1", timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_C)
    window.tick()
    question, offered = page.strip.asked
    assert question == "Which plane is the capture?"
    assert offered[:2] == (("1", "FHP1"), ("2", "FHP2"))
    first = page.view.packet
    qtbot.waitUntil(lambda: page.view.packet is not first, timeout=WAIT_MS)  # nothing waits for the answer
    qtbot.waitUntil(lambda: window.actions_by_name["name_2"].isEnabled(), timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_2)
    qtbot.waitUntil(lambda: any(plane.plane == "FHP2" for plane in page.saved), timeout=WAIT_MS)
    assert page.strip.asked == ("", ())
    (capture,) = [plane for plane in page.saved if plane.by_hand]
    assert capture.plane == "FHP2"
    (card,) = [card for card in page.strip.cards if card.item.hold_id == capture.hold_id]
    assert card.item.plane == "FHP2"
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: all(plane.plane == "FHP1" for plane in page.saved), timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Y, CONTROL)
    qtbot.waitUntil(lambda: any(plane.plane == "FHP2" for plane in page.saved), timeout=WAIT_MS)
    pipeline = window.scan.pipeline
    assert pipeline is not None
    assert pipeline.state.phase is Phase.RUNNING
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    assert page.session_folder is not None
    with Session.open(page.session_folder, read_only=True) as session:
        entry = session.plane(capture.hold_id)
        assert (entry.plane, entry.chosen_by) == ("FHP2", PERSON)
        assert session.verify().ok


def test_a_saved_plane_is_rejected_by_key_and_leaves_the_checklist(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    page = window.live_page
    qtbot.waitUntil(lambda: bool(page.saved), timeout=WAIT_MS)
    number = page.saved[0].hold_id
    assert page.kept.foremost is page.saved[-1]
    QTest.keyClick(window, KEY.Key_Comma)
    window.tick()
    assert page.kept.naming.chosen == number
    QTest.keyClick(window, KEY.Key_X)
    qtbot.waitUntil(lambda: not page.saved, timeout=WAIT_MS)
    assert [card.item.hold_id for card in page.strip.cards] == [number], "it is shown, crossed out"
    QTest.keyClick(window, KEY.Key_L)
    assert window.viewer.isVisible()
    QTest.keyClick(window, KEY.Key_Escape)
    assert page.kept.naming.asks, "Esc ends one thing at each press"
    qtbot.waitUntil(window.actions_by_name["undo"].isEnabled, timeout=WAIT_MS)
    assert marks_of(window.measured.snapshot.planes, None).rejected == {number}
    assert as_corrected(page.kept.raw, window.measured.snapshot.planes) == ()
    QTest.keyClick(window, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: bool(page.saved), timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Delete)
    qtbot.waitUntil(lambda: not page.saved, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_Escape)
    assert window.live_page.kept.naming.chosen is None
    assert page.kept.foremost is None, "none that counts is left"


def test_a_name_can_be_clicked(qtbot: QtBot, window: MainWindow, long_loop: Path) -> None:
    window.open_source(str(long_loop))
    page = window.live_page
    qtbot.waitUntil(lambda: page.result is not None, timeout=WAIT_MS)
    assert page.capture()
    window.tick()
    button = next(one for one in page.strip.findChildren(QPushButton) if one.text() == "3 LLP")
    button.click()
    qtbot.waitUntil(lambda: any(plane.plane == "LLP" for plane in page.saved), timeout=WAIT_MS)
