"""Beside the picture alone: the plane, how sure the model is, and what is open, to be read from afar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.checklist.presenter import ChecklistRow, ChecklistView
from app.commands import LIVE, REVIEW
from app.formatting import Tone
from app.live.presenter import Readout
from app.main_window import MainWindow
from app.review.presenter import ClassRow, FrameReadout
from app.view_data import ReviewSnapshot
from app.widgets import theme
from app.widgets.colours import ON_PICTURE
from app.widgets.large_words import LEAST_SHARE, MOST_SHARE, LargeWords, Words, room_beside
from semc_core.picture import Picture
from semc_core.protocols.checklist import Status
from semc_core.session.fetuses import Fetuses
from semc_core.types import FramePacket

OPEN = ("Heart, four chambers", "Abdomen", "Femur")


def packet(width: int = 80, height: int = 60) -> FramePacket:
    return FramePacket("a", 1, 0.0, 0.0, Picture(np.full((height, width), 200, np.uint8)))


def checklist() -> ChecklistView:
    said = (Status.FOUND, Status.MISSING, Status.WEAK, Status.NOT_POSSIBLE, Status.UNKNOWN, Status.MISSING)
    titles = ("Head", OPEN[0], OPEN[1], "Lips", OPEN[2], "Cord")
    rows = tuple(
        ChecklistRow(title, title, status, "", "", optional=title == "Cord")
        for title, status in zip(titles, said, strict=True)
    )
    return ChecklistView("A protocol", "2 / 5", 0.4, "", rows)


def scanning(window: MainWindow) -> MainWindow:
    window._timer.stop()
    window.go_to(LIVE)
    page = window.live_page
    page.view.show_picture(packet(), None, None, None)
    page.view.show_texts((), "", theme.PLANES[1])
    readout = Readout("FHP1", "Four chambers", Tone.PLANE, 0.93, "93%", "", False, True)
    page.readout.show_readout(readout, theme.PLANES[1])
    window.checklists.live.show_view(checklist())
    return window


@pytest.mark.parametrize(
    ("screen", "picture", "beside", "share"),
    [
        ((1920, 1080), (800, 600), True, 0.25),  # what is black beside it, all of it
        ((1920, 1080), (1920, 1080), True, LEAST_SHARE),  # there is none: the picture gets smaller
        ((3840, 1080), (800, 600), True, MOST_SHARE),
        ((1080, 1920), (800, 600), False, MOST_SHARE),
        ((1080, 1350), (1080, 1000), False, 350 / 1350),
        ((1920, 1080), None, True, 0.25),
    ],
)
def test_the_words_take_what_is_black_first(
    screen: tuple[int, int], picture: tuple[int, int] | None, beside: bool, share: float
) -> None:
    told, room = room_beside(*screen, picture)
    assert told is beside
    assert room == pytest.approx(share * max(screen), abs=1)


def test_the_key_shows_them_says_what_the_page_says_and_is_remembered(
    window: MainWindow, new_window: Callable[[], MainWindow]
) -> None:
    scanning(window)
    alone = window.picture
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert alone.isVisible()
    assert alone.words.isVisible()
    window.picture.follow(window.live_page)
    colour = ON_PICTURE.planes[1]
    assert alone.words.said == Words("FHP1", colour, 0.93, "93%", True, "2 / 5", OPEN)
    assert alone.words.accessibleName().startswith("FHP1. 93%. saved. Open  (2 / 5). Heart, four chambers")
    stale = Readout("FHP1", "", Tone.PLANE, 0.5, "50%", "2 s ago", True)
    window.live_page.readout.show_readout(stale, theme.PLANES[1])
    window.picture.follow(window.live_page)
    assert alone.words.said.colour == ON_PICTURE.dim

    window.actions_by_name["large_words"].trigger()
    assert alone.isVisible()
    assert not alone.words.isVisible()
    window.actions_by_name["large_words"].trigger()
    window.escape()
    assert not alone.isVisible()
    other = new_window()
    other.picture.toggle()
    assert other.picture.words.isVisible(), "remembered"
    other.picture.hide()


def test_of_twins_they_say_which_one_is_scanned_and_whose_list_it_is(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanning(window)
    words = window.picture.words
    window.picture.toggle_words()
    window.picture.follow(window.live_page)
    assert words.said.fetus == ""
    assert "etus" not in words.accessibleName(), "there is one only"
    twins = ReviewSnapshot(fetuses=Fetuses(((2.0, "B"),)))
    monkeypatch.setattr(window.measured, "_snapshot", twins)
    window.checklists.live.show_view(replace(checklist(), fetus="B"))
    window.picture.follow(window.live_page)
    assert words.said == Words("FHP1", ON_PICTURE.planes[1], 0.93, "93%", True, "2 / 5", OPEN, "B", "B")
    assert "saved. Fetus B. Open  (2 / 5). Heart, four chambers" in words.accessibleName()
    window.checklists.live.show_view(replace(checklist(), fetus="A"))
    window.picture.follow(window.live_page)
    assert "saved. Fetus B. Fetus A, open  (2 / 5). Heart" in words.accessibleName()
    window.checklists.live.show_view(replace(checklist(), fetus="A", rows=()))
    window.picture.follow(window.live_page)
    assert words.accessibleName().endswith("Fetus B. Fetus A, all seen  (2 / 5)")
    window.picture.hide()


def test_the_letter_is_painted_above_the_list_and_without_one_too(qtbot: QtBot) -> None:
    words = LargeWords()
    qtbot.addWidget(words)
    words.resize(480, 1080)
    words.say(Words("FHP1", ON_PICTURE.text, progress="2 / 5", missing=OPEN))
    assert lines_of(words.grab().toImage(), ON_PICTURE.accent) == 0
    with_list = Words("FHP1", ON_PICTURE.text, progress="2 / 5", missing=OPEN, fetus="B", listed="B")
    for said in (with_list, Words("FHP1", ON_PICTURE.text, fetus="B")):
        words.say(said)
        assert lines_of(words.grab().toImage(), ON_PICTURE.accent) > 8


def test_in_review_they_name_the_plane_of_the_frame(window: MainWindow) -> None:
    window._timer.stop()
    window.go_to(REVIEW)
    page = window.review_page
    page.view.show_picture(packet(), None, None, None)
    page.panel.begin({"FHP1": theme.PLANES[0], "LLP": theme.PLANES[1]})
    rows = (ClassRow("1", "FHP1", "", 0.1, False), ClassRow("2", "LLP", "", 0.87, True))
    page.panel.show_readout(FrameReadout("LLP", "87%", Tone.PLANE, rows))
    page.view.show_texts((), "", theme.PLANES[1])
    window.checklists.review.show_view(checklist())
    window.picture.toggle_words()
    window.picture.follow(page)
    assert window.picture.words.said == Words("LLP", ON_PICTURE.planes[1], 0.87, "87%", False, "2 / 5", OPEN)
    window.picture.hide()


@pytest.mark.parametrize("screen", [(1920, 1080), (1080, 1920), (1280, 720)])
@pytest.mark.parametrize("picture", [(80, 60), (160, 90)])
def test_nothing_of_them_lies_over_the_picture_which_is_as_large_as_the_rest_lets_it(
    window: MainWindow, screen: tuple[int, int], picture: tuple[int, int]
) -> None:
    scanning(window)
    window.live_page.view.show_picture(packet(*picture), None, None, None)
    alone = window.picture
    window.settings.large_words = True
    alone.words.show()
    alone.show()
    alone.resize(*screen)
    alone.follow(window.live_page)
    view, words = alone.view.geometry(), alone.words.geometry()
    assert not view.intersects(words)
    assert alone.rect().contains(words)
    assert view.united(words) == alone.rect()
    placed = alone.view.placed
    assert placed is not None
    least = 0.99 * min(1 - MOST_SHARE, 1 - LEAST_SHARE) * min(screen[0] / picture[0], screen[1] / picture[1])
    assert placed.scale >= least
    alone.hide()


def lines_of(image: QImage, colour: str) -> int:
    """How many rows of pixels have this colour."""
    wanted = QColor(colour)
    return sum(
        any(image.pixelColor(x, y) == wanted for x in range(0, image.width(), 2))
        for y in range(image.height())
    )


def test_letters_are_large_and_what_has_no_room_is_counted(qtbot: QtBot) -> None:
    words = LargeWords()
    qtbot.addWidget(words)
    words.resize(480, 1080)  # the window is the widget itself: as narrow as it is
    words.say(Words("FHP1", ON_PICTURE.planes[1], 0.5, "50%", False, "0 / 40", tuple("abcdef" * 7)))
    image = words.grab().toImage()
    assert lines_of(image, ON_PICTURE.planes[1]) > 60, "name and bar"
    left = [image.pixelColor(x, y) for x in range(0, 480, 4) for y in range(0, 1080, 4)]
    assert QColor("#000000") in left
    assert lines_of(image, ON_PICTURE.text) > 300, "items down to the bottom"


def test_a_checklist_that_is_complete_says_so_and_none_says_nothing(qtbot: QtBot) -> None:
    words = LargeWords()
    qtbot.addWidget(words)
    words.say(Words("FHP1", progress="6 / 6"))
    assert words.accessibleName() == "FHP1. All seen  (6 / 6)"
    words.say(Words("No scan"))
    assert words.accessibleName() == "No scan"
