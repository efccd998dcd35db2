"""What a screen reader is told of every page, dialog and state, where Tab goes, and what is said aloud."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.commands import LIVE
from app.formatting import Banner, Tone
from app.live.presenter import Readout
from app.live.readout import ReadoutView
from app.main_window import MainWindow
from app.widgets import accessible, theme
from app.widgets.accessible import Role, announce, told_as
from app.widgets.panels import BannerBar
from app.widgets.saved_strip import SavedStrip
from semc_core.picture import Picture
from semc_core.types import FramePacket
from tests.app.accessible import alike, misnamed, reached, tab_faults, told, told_of, untold
from tests.app.long_words import planes
from tests.app.looks import named, settled, shown
from tests.app.own_process import ALONE, alone
from tests.app.test_any_window import STATES, Stage
from tests.app.test_any_window import stage as stage

SOME: Final = ("start_full", "live_with_a_plane_chosen", "review_annotated", "reason")
TAKES_TAB: Final = ("preferences waiting",)
"""A key is asked for here, and Tab is one; Esc leaves it."""


def wrong(stage: Stage, names: tuple[str, ...]) -> Iterator[str]:
    """All that is wrong, each with its state."""
    for name in names:
        root = STATES[name](stage)
        settled()
        yield from (f"{name}: {each}" for each in faults(root, tab=name not in TAKES_TAB))
        while stage.parts:
            stage.parts.pop()()


def faults(root: QWidget, *, tab: bool) -> Iterator[str]:
    """Everything that is wrong with what is told of `root`."""
    everything = told(root)
    led_to = reached(root)
    for each in everything:
        if id(each.widget) not in led_to:
            yield f"no way leads to {named(each.widget)}"
    yield from misnamed(everything)
    yield from untold(everything)
    yield from alike(everything)
    if tab:
        yield from tab_faults(root.window(), root)


def test_some_states_say_what_they_are_and_tab_goes_through_them(stage: Stage) -> None:
    found = list(wrong(stage, SOME))
    assert not found, "\n".join(found)


@pytest.mark.long
def test_every_state_says_what_it_is_and_tab_goes_through_it(request: pytest.FixtureRequest) -> None:
    if ALONE in os.environ:
        QAccessible.setActive(True)  # as with a screen reader
        assert list(wrong(request.getfixturevalue("stage"), tuple(STATES))) == []
    else:
        alone(__file__, "test_every_state_says_what_it_is_and_tab_goes_through_it")


def test_the_picture_alone_says_what_it_shows(window: MainWindow) -> None:
    window._timer.stop()
    window.go_to(LIVE)
    packet = FramePacket("a", 12, 3.0, 0.0, Picture(np.full((60, 80), 9, np.uint8)))
    window.live_page.view.show_picture(packet, None, None, None)
    window.live_page.view.show_texts((("FROZEN", theme.ACCENT),), "", None)
    window.settings.large_words = True
    window.picture.toggle()
    window.picture.follow(window.live_page)
    settled()
    try:
        everything = told(window.picture)
        assert [*misnamed(everything), *untold(everything), *alike(everything)] == []
        view = told_of(window.picture.view)
        assert view.description == "Frame 12 at 0:03.0. FROZEN"
        assert told_of(window.picture.words).role is Role.StaticText
    finally:
        window.picture.hide()


# That the tests can fail.


@pytest.fixture
def row(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[[QWidget], QWidget]]:
    """Shows a few widgets in a window of their own, one below the other."""
    holder = QWidget()
    qtbot.addWidget(holder)
    column = QVBoxLayout(holder)

    def show(*widgets: QWidget) -> QWidget:
        for each in widgets:
            column.addWidget(each)
        holder.show()
        holder.activateWindow()
        qtbot.waitUntil(holder.isActiveWindow)
        return holder

    yield show
    holder.close()


class _Painted(QWidget):
    def paintEvent(self, event: object) -> None: ...

    def mousePressEvent(self, event: object) -> None: ...


_Painted.__module__ = "app.painted"


def test_what_has_no_name_the_wrong_role_or_the_name_of_another_is_found(
    row: Callable[..., QWidget],
) -> None:
    sign, first, second, painted = QPushButton("▶"), QPushButton("Go"), QPushButton("Go"), _Painted()
    everything = told(row(sign, first, second, painted))
    found = "\n".join((*misnamed(everything), *alike(everything)))
    assert "'▶'" in found
    assert "can be acted on, and is a Client" in found
    assert "is painted, and is a Client" in found
    assert "2 are told as" in found
    assert found.count("has no name") == 2


def test_tab_that_jumps_goes_past_or_is_not_seen_is_found(row: Callable[..., QWidget]) -> None:
    parts = [QPushButton(name) for name in ("one", "two", "three")]
    holder = row(*parts)
    assert list(tab_faults(holder, holder)) == []
    QWidget.setTabOrder(parts[2], parts[1])
    assert any("Tab jumps" in each for each in tab_faults(holder, holder))

    class Hidden(QPushButton):
        def paintEvent(self, event: object) -> None: ...

    unseen = Hidden("unseen")
    row(unseen)
    settled()
    assert any("is not seen" in each and "unseen" in each for each in tab_faults(holder, holder))


def test_what_is_shown_is_asked_for_only_when_somebody_wants_to_know(
    qtbot: QtBot, qapp: QApplication
) -> None:
    accessible.install()
    asked = []

    @told_as(Role.Chart)
    class Curve(QWidget):
        def spoken(self) -> str:
            asked.append(1)
            return "rising"

    curve = Curve()
    qtbot.addWidget(curve)
    curve.setAccessibleName("Curve")
    curve.update()
    assert asked == []
    said = told_of(curve)
    assert (said.role, said.name, said.description) == (Role.Chart, "Curve", "rising")
    curve.setAccessibleDescription("of its own")
    assert told_of(curve).description == "of its own"


# What is said aloud.


@pytest.fixture
def aloud(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Iterator[list[tuple[str, bool]]]:
    """Each sentence that is said, and whether it breaks into others, while somebody listens."""
    said: list[tuple[str, bool]] = []

    def take(event: QAccessibleAnnouncementEvent) -> None:
        urgent = event.politeness() is QAccessible.AnnouncementPoliteness.Assertive
        said.append((event.message(), urgent))

    monkeypatch.setattr(accessible, "_send", take)
    monkeypatch.setattr(accessible, "_said", {})
    QAccessible.setActive(True)
    yield said
    QAccessible.setActive(False)


def test_a_captured_plane_is_said_once_though_better_frames_of_it_come(
    qtbot: QtBot, aloud: list[tuple[str, bool]]
) -> None:
    strip = SavedStrip()
    qtbot.addWidget(strip)
    for count in (1, 1, 2, 2):
        strip.show_planes(planes(3)[1 : 1 + count], {})
    assert aloud == [("FHP2 captured", False), ("LLP captured", False)]


def test_no_signal_is_said_at_once_and_once(qtbot: QtBot, aloud: list[tuple[str, bool]]) -> None:
    view = ReadoutView()
    qtbot.addWidget(view)
    lost, found = Readout("No signal", "Check the cable.", Tone.WARNING), Readout("FHP1", "", Tone.PLANE, 0.9)
    silent = [Readout("No picture", f"No new frame for {i} s.", Tone.WARNING) for i in range(9)]
    over = Readout("Scan ended", "A fault ended it.", Tone.FAULT)
    for each in (*(found, lost) * 50, *silent, over, over):
        view.show_readout(each, theme.TEXT)
    assert aloud == [
        ("No signal. Check the cable.", False),
        ("FHP1", False),
        ("No picture. No new frame for 0 s.", False),
        ("Scan ended. A fault ended it.", True),
    ]


def test_the_banner_is_said(qtbot: QtBot, aloud: list[tuple[str, bool]]) -> None:
    bar = BannerBar({})
    qtbot.addWidget(bar)
    for banner in (Banner("The disk is full.", True), None, Banner("Sent.", False)):
        bar.show_banner(banner)
    bar.hide()
    assert aloud == [("The disk is full.", True), ("Sent.", False)]


def test_an_export_that_is_done_is_said(stage: Stage, aloud: list[tuple[str, bool]]) -> None:
    STATES["export done"](stage)
    while stage.parts:
        stage.parts.pop()()
    assert ("The export is done.", False) in aloud


def test_nothing_is_said_where_nobody_listens(
    qtbot: QtBot, aloud: list[tuple[str, bool]], tmp_path: Path
) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    QAccessible.setActive(False)
    announce(owner, "Nobody hears it.")
    QAccessible.setActive(True)
    announce(owner, "")
    announce(owner, "Somebody does.")
    assert aloud == [("Somebody does.", False)]


def test_tab_reaches_the_newest_card_of_a_scan(window: MainWindow) -> None:
    window._timer.stop()
    window.go_to(LIVE)
    window.live_page.strip.show_planes(planes(3), theme.plane_colours(()))
    settled()
    cards = window.live_page.strip.cards
    for _step in range(len(shown(window))):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        if QApplication.focusWidget() is cards[-1]:
            break
    assert cards[-1].hasFocus()
