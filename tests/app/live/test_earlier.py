"""A scan goes on with the examination of the scan before, or begins a new one: asked once, in the strip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.checklist.contents import _about, _is_on, _states
from app.commands import LIVE, Situation, enabled_actions
from app.live.earlier import EarlierScan, as_earlier
from app.main_window import MainWindow
from app.same_examination import _is_another
from app.widgets.saved_strip import PlaneCard, card_state
from semc_core.session.examination import Examination
from semc_core.session.fetuses import ONE, with_earlier
from semc_core.session.records import ItemEntry
from semc_core.session.same_examination import scans_of_examination
from semc_core.types import SavedPlane
from tests.app.checklist.test_presenter import PROTOCOL
from tests.app.conftest import WAIT_MS

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier
ANNA = Examination(patient_name="Anna", patient_id="1")


def saved(number: int) -> SavedPlane:
    small = np.zeros((6, 8), np.uint8)
    return SavedPlane(number, "FHP1", 0.9, number, number / 10, 0.0, 1.0, True, False, Path("a.png"), small)


def scan(qtbot: QtBot, window: MainWindow, loop: Path) -> None:
    """A scan that found something, and is over."""
    window.open_source(str(loop))
    qtbot.waitUntil(lambda: bool(window.live_page.saved), timeout=WAIT_MS)
    window.start_stop()
    qtbot.waitUntil(lambda: window.scan.over, timeout=WAIT_MS)
    window.tick()


def asked(window: MainWindow) -> str:
    """What the strip asks."""
    return window.live_page.strip.asked[0]


def patient(window: MainWindow) -> Examination | None:
    """Whose scan it is."""
    return window.dialogs.worklist.current


def numbers(planes: tuple[SavedPlane, ...]) -> list[int]:
    return [plane.hold_id for plane in planes]


def test_planes_of_scans_before_have_numbers_of_their_own() -> None:
    first = as_earlier((saved(1), saved(2)))
    assert numbers(first) == [-3, -2]
    assert numbers(as_earlier((*first, saved(1)))) == [-4, -3, -2]
    assert as_earlier(()) == ()


def test_it_is_another_examination_until_somebody_says_that_it_is_the_same() -> None:
    scan = EarlierScan()
    assert not scan.there
    scan.offer(())
    assert (scan.there, scan.asks) == (False, False), "a scan that found nothing is not asked about"
    before = as_earlier((saved(1),))
    scan.offer(before)
    assert (scan.there, scan.asks, scan.planes) == (True, True, ())
    scan.answer(True)
    assert (scan.asks, scan.planes) == (False, before)
    scan.answer(False)
    assert (scan.there, scan.planes) == (True, ()), "it can be said again"


def test_of_two_patients_nothing_is_asked() -> None:
    assert _is_another(ANNA, replace(ANNA, patient_name="Berta", patient_id="2"))
    assert not _is_another(ANNA, replace(ANNA, accession_number="7"))
    assert not _is_another(ANNA, None)
    assert not _is_another(None, ANNA)


def test_the_key_works_only_where_there_is_a_scan_before() -> None:
    now = Situation(LIVE, running=True)
    assert not enabled_actions(now)["same_examination"]
    assert enabled_actions(replace(now, earlier=True))["same_examination"]
    assert not enabled_actions(replace(now, earlier=True, running=False))["same_examination"]


def test_a_card_of_a_scan_before_says_so_and_is_not_dragged(qtbot: QtBot) -> None:
    own, before = PlaneCard(saved(1), "#ffffff"), PlaneCard(as_earlier((saved(1),))[0], "#ffffff")
    for card in (own, before):
        qtbot.addWidget(card)
    assert card_state(before.item) == "scan before"
    assert "scan before" in before.accessibleName()
    assert own.carried is not None
    assert before.carried is None


def test_strip_list_and_patient_stay_where_the_scan_goes_on_and_go_where_it_does_not(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    page, strip = window.live_page, window.live_page.strip
    window.dialogs.worklist.choose(ANNA)
    scan(qtbot, window, long_loop)
    assert not asked(window), "there is none before the first"

    def found() -> list[str]:
        view = window.checklists.live.view
        return [] if view is None else [row.item_id for row in view.rows if row.plane_id is not None]

    window.tick()
    there, count = found(), len(page.saved)
    assert there
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: "examination before" in asked(window), timeout=WAIT_MS)
    assert page.kept.counted == page.kept.planes
    assert patient(window) is None, "no scan gets the patient before by itself"
    qtbot.waitUntil(window.actions_by_name["same_examination"].isEnabled, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_G, CONTROL)
    window.tick()
    assert not asked(window), "it is asked once"
    assert numbers(page.kept.counted)[:count] == list(range(-1 - count, -1))
    qtbot.waitUntil(lambda: found() == there, timeout=WAIT_MS)  # the protocol is that of the model
    assert strip.cards[0].item.hold_id < 0
    assert patient(window) == ANNA
    plane = page.plane(-2)
    assert plane is not None
    assert plane.png is not None
    assert plane.png.is_file()
    QTest.keyClick(window, KEY.Key_G, CONTROL)
    window.tick()
    assert page.kept.counted == page.kept.planes
    assert patient(window) is None


def test_the_log_of_the_second_scan_says_which_one_it_goes_on_with(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    page = window.live_page
    scan(qtbot, window, long_loop)
    first = page.session_folder
    assert first is not None
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: "examination before" in asked(window), timeout=WAIT_MS)
    window.same._answered(True)
    page.kept.earlier.answer(True)
    qtbot.waitUntil(lambda: page.session_folder not in (None, first), timeout=WAIT_MS)
    second = page.session_folder
    assert second is not None
    window.tick()
    window.same.close()
    assert scans_of_examination(second) == (first, second)


def test_twins_stay_two_fetuses_with_a_list_each_in_the_next_scan() -> None:
    planes = as_earlier((saved(1), saved(2)))
    letters = {-3: "A", -2: "B"}
    scan = EarlierScan()
    scan.offer(planes, letters)
    assert not scan.letters, "not before somebody says that it is the same"
    scan.answer(True)
    fetuses = with_earlier(ONE, scan.letters)
    assert fetuses.letters == ("A", "B")
    assert [fetuses.of_plane(plane.hold_id, plane.time_s) for plane in planes] == ["A", "B"]
    assert (fetuses.newest, fetuses.after("A"), fetuses.one_more) == ("A", "B", "C")
    states = _states(PROTOCOL, planes, None, (), fetuses)
    assert [state.fetus for state in states] == ["A", "B"]
    scan.answer(False)
    assert with_earlier(ONE, scan.letters) is ONE


def test_what_is_said_of_one_twin_is_not_said_of_the_other() -> None:
    said = ItemEntry("p", "head", "not possible", "position", fetus="B")
    assert _is_on(said, "head", "B")
    assert not _is_on(said, "head", "A")
    assert _about(said) != _about(replace(said, fetus="A"))
    assert _about(replace(said, fetus="")) == _about(replace(said, fetus="A")), "one alone is the first"


def test_a_click_or_esc_begins_a_new_examination(qtbot: QtBot, window: MainWindow, long_loop: Path) -> None:
    page, strip = window.live_page, window.live_page.strip
    scan(qtbot, window, long_loop)
    window.open_source(str(long_loop))
    qtbot.waitUntil(lambda: "examination before" in asked(window), timeout=WAIT_MS)
    new = next(each for each in strip.findChildren(QPushButton) if each.text() == "New examination")
    QTest.mouseClick(new, Qt.MouseButton.LeftButton)
    window.tick()
    assert not asked(window)
    assert page.kept.counted == page.kept.planes
    page.kept.earlier.offer(as_earlier((saved(1),)))
    window.tick()
    assert asked(window)
    window.escape()
    window.tick()
    assert not asked(window)
    assert window.page_name == LIVE
