"""Nothing is told by colour alone: what means something is told apart by people who see fewer colours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.checklist.marks import paint_mark
from app.formatting import Banner, StatusItem, Tone
from app.live.presenter import Readout
from app.live.readout import ReadoutView
from app.review.timeline import TimelineView
from app.view_data import StripItem, StripMarks
from app.widgets import theme
from app.widgets.cards import ItemCard
from app.widgets.colours import DARK, THEMES
from app.widgets.panels import BannerBar, StatusLine
from app.widgets.saved_strip import PlaneCard
from app.widgets.style_sheet import style_sheet
from semc_core.protocols.checklist import Status
from semc_core.session.records import PERSON, PlaneEntry
from semc_core.types import Crop
from tests.app.colour_vision import VISIONS, apart, lab, rgb_of, seen
from tests.app.long_words import planes
from tests.app.looks import faint, settled
from tests.app.own_process import ALONE, alone
from tests.app.test_any_window import STATES, Stage
from tests.app.test_any_window import stage as stage

APART: Final = 10.0
"""In CIELAB (CIE 1976). One just sees 2.3 side by side (Mahy, Van Eycken, Oosterlinck 1994); these stand
apart from each other, are small, and are looked for in a dark room: about four times that.
"""
SEES_FEWER: Final = ("protanopia", "deuteranopia")


def test_colours_are_measured_as_the_papers_have_them() -> None:
    assert lab(rgb_of("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    for vision in VISIONS:
        assert seen(np.ones(3), vision) == pytest.approx(np.ones(3), abs=1e-3), "white stays white"
    assert apart("#ff0000", "#00ff00", "usual") > 150
    # A green and an orange that people without the middle cones take for the same.
    assert apart("#8a5200", "#a03600", "deuteranopia") < 1 < 20 < apart("#8a5200", "#a03600", "usual")


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", THEMES)
def test_what_means_something_has_colours_that_are_told_apart(name: str, vision: str) -> None:
    colours = THEMES[name]
    for roles in ((colours.good, colours.warning, colours.fault), colours.planes):
        for one, other in combinations(roles, 2):
            assert apart(one, other, vision) >= APART, (one, other)


def through_other_eyes(image: QImage, vision: str) -> QImage:
    """What is drawn, as it is seen."""
    kept = image.convertToFormat(QImage.Format.Format_RGB32)
    wide, high = kept.width(), kept.height()
    rows = np.frombuffer(kept.constBits(), np.uint32).reshape(high, kept.bytesPerLine() // 4)
    levels = rows[:, :wide] & 0xFFFFFF
    there = np.zeros(1 << 24, bool)
    there[levels] = True
    colours = np.flatnonzero(there)
    parts = np.stack([(colours >> shift) & 0xFF for shift in (16, 8, 0)], axis=1) / 255
    red, green, blue = np.round(seen(parts, vision) * 255).astype(np.uint32).T
    table = np.empty(1 << 24, np.uint32)
    table[colours] = 0xFF000000 | red << 16 | green << 8 | blue
    return QImage(table[levels].tobytes(), wide, high, 4 * wide, QImage.Format.Format_RGB32).copy()


def unread(stage: Stage, names: tuple[str, ...]) -> Iterator[str]:
    """Texts that are too faint for people who see fewer colours."""
    for name in names:
        root = STATES[name](stage)
        settled()
        image = root.grab().toImage()
        for vision in SEES_FEWER:
            yield from (
                f"{name}, {vision}: {each}" for each in faint(root, through_other_eyes(image, vision))
            )
        while stage.parts:
            stage.parts.pop()()


def test_the_texts_of_a_scan_are_read_by_people_who_see_fewer_colours(stage: Stage) -> None:
    assert list(unread(stage, ("live_with_a_fault",))) == []


@pytest.mark.long
def test_every_text_is_read_by_people_who_see_fewer_colours(request: pytest.FixtureRequest) -> None:
    if ALONE in os.environ:
        assert list(unread(request.getfixturevalue("stage"), tuple(STATES))) == []
    else:
        alone(__file__, "test_every_text_is_read_by_people_who_see_fewer_colours")


# With one colour for all that means something.


@pytest.fixture
def one_colour(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that a colour says is said in that of texts."""
    roles = ("accent", "good", "warning", "fault")
    table = replace(
        DARK,
        **dict.fromkeys(roles, DARK.text),
        fault_ground=DARK.panel,
        notice_ground=DARK.panel,
        planes=(DARK.text,) * 6,
    )
    theme.apply_theme(qapp)
    for role in (*roles, "fault_ground", "notice_ground", "planes"):
        monkeypatch.setattr(theme, role.upper(), getattr(table, role))
    qapp.setStyleSheet(style_sheet(table))
    yield
    monkeypatch.undo()
    theme.apply_theme(qapp)


Drawn = Callable[[QWidget], QImage]


@pytest.fixture
def drawn(qtbot: QtBot, one_colour: None) -> Drawn:
    """A widget as it is painted, always of one size."""

    def draw(widget: QWidget) -> QImage:
        qtbot.addWidget(widget)
        widget.resize(400, 120)
        return widget.grab().toImage()

    return draw


def all_differ(images: dict[str, QImage]) -> list[str]:
    return [f"{a} looks like {b}" for a, b in combinations(images, 2) if images[a] == images[b]]


def test_each_mark_of_the_checklist_has_a_shape(one_colour: None) -> None:
    images = {}
    for status in Status:
        images[str(status)] = image = QImage(40, 40, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_mark(painter, QRectF(4, 4, 32, 32), status)
        painter.end()
    assert all_differ(images) == []


def test_each_state_of_a_card_is_seen(drawn: Drawn) -> None:
    saved = replace(planes(2)[1], final=True)
    cards = {
        "found": (saved, StripMarks()),
        "holding": (replace(saved, final=False), StripMarks()),
        "by hand": (replace(saved, by_hand=True), StripMarks()),
        "not written": (replace(saved, png=None), StripMarks()),
        "chosen": (saved, StripMarks(saved.hold_id)),
        "rejected": (saved, StripMarks(None, frozenset({saved.hold_id}))),
        "named": (saved, StripMarks(None, frozenset(), frozenset({saved.hold_id}))),
    }
    images = {}
    for name, (plane, marks) in cards.items():
        card = PlaneCard(plane, theme.TEXT)
        card.show_marks(marks)
        images[name] = drawn(card)
    assert all_differ(images) == []


def test_a_card_in_review_shows_whether_it_is_chosen_or_rejected(drawn: Drawn) -> None:
    item = StripItem(1, np.full((30, 40), 90, np.uint8), (("FHP1", "93%"), ("0:12.0", "")), "FHP1")
    items = {"usual": item, "chosen": replace(item, chosen=True), "rejected": replace(item, rejected=True)}
    assert all_differ({name: drawn(ItemCard(each, theme.TEXT)) for name, each in items.items()}) == []


def test_the_reading_shows_whether_it_is_saved_or_old(drawn: Drawn) -> None:
    reading = Readout("FHP1", "First porta hepatis", Tone.PLANE, 0.93, "93%", "120 ms ago")
    readings = {
        "usual": reading,
        "saved": replace(reading, saved=True),
        "stale": replace(reading, stale=True),
    }
    images = {}
    for name, each in readings.items():
        view = ReadoutView()
        view.show_readout(each, theme.TEXT)
        images[name] = drawn(view)
    assert all_differ(images) == []


def test_a_fault_looks_other_than_a_notice_and_a_worry_than_a_number(drawn: Drawn) -> None:
    images = {}
    for fault in (True, False):
        bar = BannerBar({})
        bar.show_banner(Banner("The disk is full.", fault))
        images[f"fault {fault}"] = drawn(bar)
        bar.hide()
    assert all_differ(images) == []
    images = {}
    for worrying in (True, False):
        line = StatusLine()
        drawn(line)
        line.show_numbers((StatusItem("Dropped", "12", worrying),))
        images[f"worrying {worrying}"] = drawn(line)
    assert all_differ(images) == []


def test_the_time_line_shows_what_was_decided(drawn: Drawn) -> None:
    plane = PlaneEntry(
        1, "FHP1", "FHP1", 0.9, 30, 3.0, 2.0, 4.0, True, False, False, "", "model", None, None, None, "",
        640, 480, Crop(0, 0, 640, 480),
    )  # fmt: skip
    kinds = {
        "found": (plane, None),
        "by a person": (replace(plane, chosen_by=PERSON), None),
        "rejected": (replace(plane, rejected=True), None),
        "chosen": (plane, 1),
    }
    images = {}
    for name, (each, chosen) in kinds.items():
        line = TimelineView()
        line.begin({"FHP1": theme.TEXT, "FHP2": theme.TEXT}, 0.0, 10.0)
        line.show_session((each,), (), chosen)
        images[name] = drawn(line)
    assert all_differ(images) == []


@pytest.mark.parametrize("make", [QCheckBox, QPushButton, QLineEdit])
def test_the_focus_is_seen_without_its_colour(
    make: Callable[[str], QWidget], qtbot: QtBot, qapp: QApplication, one_colour: None
) -> None:
    holder = QWidget()
    widget = make("words")
    widget.setParent(holder)
    qtbot.addWidget(holder)
    # Edges as bright as texts, too: only a shape is left.
    qapp.setStyleSheet(style_sheet(replace(DARK, border=DARK.text, accent=DARK.text)))
    holder.show()
    holder.activateWindow()
    qtbot.waitUntil(holder.isActiveWindow)
    widget.clearFocus()
    settled()
    without = widget.grab().toImage()
    widget.setFocus()
    settled()
    assert widget.hasFocus()
    assert widget.grab().toImage() != without
