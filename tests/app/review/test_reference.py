"""The reference picture beside the one that is looked at: in review, and on a picture held live."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.checklist.references import References, reference
from app.commands import LIVE, REVIEW, Situation, checked_actions, enabled_actions
from app.display.reference import ReferenceBeside
from app.main_window import MainWindow
from app.tasks import Background
from app.view_data import Reference
from app.widgets.reference_view import ReferenceView
from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.protocols import pictures
from semc_core.protocols.loader import load_protocols
from semc_core.protocols.protocol import Protocol, ProtocolItem
from tests.app.conftest import WAIT_MS
from tests.app.review.test_page import KEY, analysed, press, wait_for_said

SHIFT = Qt.KeyboardModifier.ShiftModifier
SIMULATED = "Simulated by this program, no patient's"


def liver() -> Protocol:
    return load_protocols(Path("none")).named("lp2025-liver")


# What is said.


def test_a_plane_has_the_picture_of_its_item_with_its_credit() -> None:
    found = reference(liver(), "LLP", LIVER_PLANES)
    assert (found.title, found.credit, found.sentence) == ("Left lobe", SIMULATED, "")
    assert found.pixels is not None
    assert found.pixels.shape == (360, 480)


def test_where_there_is_none_it_is_said_why_and_how_there_could_be() -> None:
    assert "No protocol is followed here" in reference(None, "LLP", LIVER_PLANES).sentence
    assert "Choose a plane" in reference(liver(), "", LIVER_PLANES).sentence
    assert "Choose a plane" in reference(liver(), NON_STANDARD, LIVER_PLANES).sentence
    said = reference(liver(), "Femur", LIVER_PLANES).sentence
    assert said.startswith("Liver, six planes (LP2025) has no item for Femur")
    own = Protocol("own", "Own", (ProtocolItem("a", "Item A", ("A",)),))
    none = reference(own, "A", ("A",))
    assert (none.title, none.pixels) == ("Item A", None)
    assert "has no reference picture of this item. A protocol of your own can have one" in none.sentence


def test_a_picture_that_cannot_be_read_is_said_in_its_place(tmp_path: Path) -> None:
    own = Protocol("own", "Own", (ProtocolItem("a", "Item A", ("A",), picture="a.png"),), folder=tmp_path)
    assert reference(own, "A", ("A",)).sentence.startswith("Own: the picture a.png is not there")


def test_pictures_are_read_behind_the_window_and_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    reads = pictures.read_picture

    def noted(protocol: Protocol, item: ProtocolItem) -> NDArray[np.uint8] | None:
        read.append(threading.current_thread().name)
        return reads(protocol, item)

    monkeypatch.setattr("app.checklist.references.read_picture", noted)
    posted: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
    work = Background("pictures", posted.put)
    references, protocol = References(work), liver()
    waiting = references.of(protocol, "LLP", LIVER_PLANES)
    assert (waiting.title, waiting.pixels) == ("Left lobe", None)
    assert waiting.sentence == "Reading the picture …"
    posted.get(timeout=60)()
    first = references.of(protocol, "LLP", LIVER_PLANES)
    assert first.pixels is not None
    assert references.of(protocol, "LLP", list(LIVER_PLANES)) is first
    assert len(read) == 1, "the same question reads no file again"
    references.of(protocol, "RLP", LIVER_PLANES)
    assert references.of(protocol, "", LIVER_PLANES).sentence.startswith("Choose a plane")
    posted.get(timeout=60)()
    assert references.of(protocol, "", LIVER_PLANES).pixels is None, "what came late is not wanted any more"
    other = replace(protocol, folder=tmp_path)
    references.of(other, "RLP", LIVER_PLANES)
    posted.get(timeout=60)()
    found = references.of(other, "RLP", LIVER_PLANES)
    assert (found.pixels, bool(found.sentence)) == (None, True)
    assert all(name.startswith("pictures") for name in read), "never on the window's thread"
    work.close()


# What is shown.


def test_the_view_shows_picture_title_and_credit_or_the_sentence_alone(qtbot: QtBot) -> None:
    view = ReferenceView()
    qtbot.addWidget(view)
    view.resize(300, 300)
    view.show()
    view.show_reference(Reference("Left lobe", "J. Doe, CC0", np.full((30, 40), 200, np.uint8)))
    assert view.words == "Reference: Left lobe\nJ. Doe, CC0"
    assert view.grab().toImage().pixelColor(150, 100).lightness() > 150
    view.show_reference(Reference(sentence="There is none."))
    assert view.words == "There is none."
    assert view.grab().toImage().pixelColor(150, 50) == view.palette().window().color()


def test_it_follows_the_plane_and_stays_while_none_is_seen(qtbot: QtBot) -> None:
    beside = ReferenceBeside()
    qtbot.addWidget(beside.view)
    found = {name: Reference(name) for name in ("", "A", "B")}
    beside.find = found.__getitem__
    beside.tick("A")
    assert not beside.view.isVisible(), "nobody wanted it"
    beside.toggle()
    shown = []
    for name in ("", "A", "", NON_STANDARD, "B"):
        beside.tick(name)
        shown.append(beside.view.shown.title)
    assert shown == ["", "A", "A", "A", "B"]
    assert beside.view.isVisible()
    beside.toggle()
    assert not beside.view.isVisible()
    assert not beside.leave()
    beside.toggle()
    beside.tick("")
    assert beside.view.shown.title == "", "that of the time before is forgotten"
    beside.leave()


def test_the_key_works_in_review_and_on_a_held_picture_and_shows_that_it_is_on() -> None:
    assert enabled_actions(Situation(REVIEW, review_open=True, looking_only=True))["reference"]
    assert not enabled_actions(Situation(LIVE, running=True))["reference"]
    held = Situation(LIVE, running=True, frozen=True)
    assert enabled_actions(held)["reference"]
    assert not checked_actions(held)["reference"]
    assert checked_actions(replace(held, reference=True))["reference"]


def test_in_review_it_is_that_of_the_plane_under_its_present_name(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    analysed(qtbot, window, cine_loop)
    page = window.review_page
    view = page.beside.reference.view
    qtbot.waitUntil(lambda: page.panel.seen_plane == "FHP1", timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_K, SHIFT)
    assert view.isVisible()
    qtbot.waitUntil(lambda: view.shown.pixels is not None, timeout=WAIT_MS)
    assert view.words == f"Reference: First porta hepatis\n{SIMULATED}", "as the model calls this frame"
    assert view.shown.pixels is not None
    assert window.actions_by_name["reference"].isChecked()
    press(window, KEY.Key_Down, KEY.Key_3)
    wait_for_said(qtbot, window, "is now LLP (was FHP1).")
    qtbot.waitUntil(lambda: view.shown.title == "Left lobe", timeout=WAIT_MS)
    window.checklists.review.protocol_chosen.emit("fasp-20-week")
    qtbot.waitUntil(lambda: "has no item for LLP" in view.words, timeout=WAIT_MS)
    window.checklists.review.protocol_chosen.emit("")
    qtbot.waitUntil(lambda: "No protocol is followed here" in view.words, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_B, SHIFT)
    assert not view.isVisible(), "there is room for one"
    assert page.beside.view.isVisible()
    QTest.keyClick(window, KEY.Key_K, SHIFT)
    assert view.isVisible()
    assert not page.beside.view.isVisible()
    press(window, KEY.Key_Escape)
    assert not view.isVisible()
    assert page.commands is not None
    assert page.commands.chosen is not None, "Esc ends one thing at each press"
    window.tick()
    assert not window.actions_by_name["reference"].isChecked()


def test_on_a_held_picture_it_is_that_of_its_plane_and_leaves_with_it(
    qtbot: QtBot, window: MainWindow, long_loop: Path
) -> None:
    window.open_source(str(long_loop))
    page = window.live_page
    view = page.held.reference.view
    qtbot.waitUntil(lambda: page.readout.shown.title == "FHP1", timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_K, SHIFT)
    assert not page.held.reference.on
    press(window, KEY.Key_Space)
    qtbot.waitUntil(window.actions_by_name["reference"].isEnabled, timeout=WAIT_MS)
    QTest.keyClick(window, KEY.Key_K, SHIFT)
    qtbot.waitUntil(view.isVisible, timeout=WAIT_MS)
    assert view.shown.title == "First porta hepatis"
    qtbot.waitUntil(lambda: view.shown.pixels is not None, timeout=WAIT_MS)
    press(window, KEY.Key_Escape)
    assert not view.isVisible()
    assert page.frozen, "Esc ends one thing at each press"
    QTest.keyClick(window, KEY.Key_K, SHIFT)
    qtbot.waitUntil(view.isVisible, timeout=WAIT_MS)
    press(window, KEY.Key_Space)
    assert not view.isVisible()


def test_a_broken_picture_of_ones_own_protocol_is_told_at_the_start(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.checklist import protocol_choice
    from app.checklist.protocol_choice import ProtocolChoice

    book = load_protocols(Path("none"))
    told = replace(book, problems=("own.toml: no.",), notices=("Own: the picture a.png is not there.",))
    monkeypatch.setattr(protocol_choice, "load_protocols", lambda: told)
    choice = ProtocolChoice(window.choices, window._main_thread.post)
    assert choice.problems == (
        "A protocol was left out. own.toml: no.",
        "Own: the picture a.png is not there.",
    )
    choice.close()
