"""How the window looks and is reached without a mouse: the same on every desktop, all named, none in vain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.export.options_page import OptionsPage
from app.export.preview import ExportPicture
from app.main_window import MainWindow
from app.review.frame_panel import FramePanel
from app.send.server_form import ServerForm
from app.train.data import DataChoice
from app.train.page import ModelRow, TrainPage
from app.widgets import theme
from app.widgets.colours import ON_PICTURE, THEMES, contrast
from app.widgets.image_view import LiveView
from semc_core.export.options import ExportOptions
from semc_core.paths import ASSETS
from semc_core.types import Crop
from tests.app import test_any_window
from tests.app.own_process import alone

WAIT_MS = 60_000


def fields(root: QWidget) -> Iterator[QWidget]:
    """What a user can press or fill in."""
    for each in root.findChildren(QWidget):
        inside = isinstance(each.parent(), QAbstractSpinBox | QComboBox | QAbstractScrollArea)
        if isinstance(each, QAbstractButton | QComboBox | QAbstractSpinBox | QLineEdit) and not inside:
            yield each


def is_named(field: QWidget) -> bool:
    """Whether a screen reader has a word for it: a name, a text with letters, or a label."""
    text = field.text() if isinstance(field, QAbstractButton) else ""
    labels = field.window().findChildren(QLabel)
    return bool(
        field.accessibleName()
        or any(mark.isalpha() for mark in text)
        or any(label.buddy() is field for label in labels)
    )


def unnamed(root: QWidget) -> list[str]:
    return [f"{type(each).__name__} {each.toolTip()}" for each in fields(root) if not is_named(each)]


def tab_stops(root: QWidget) -> list[QWidget]:
    """What Tab goes through, in order."""
    stops, at = [], root.nextInFocusChain()
    while at is not None and at is not root:
        if at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isVisible() and root.isAncestorOf(at):
            stops.append(at)
        at = at.nextInFocusChain()
    return stops


@pytest.mark.requirement("V2")
def test_everything_in_the_window_has_a_name(window: MainWindow) -> None:
    assert unnamed(window) == []


@pytest.mark.requirement("V2")
def test_everything_in_the_dialogs_has_a_name(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    for page in (ServerForm(), OptionsPage(ExportOptions(), tmp_path)):
        qtbot.addWidget(page)
        assert unnamed(page) == []


def test_tab_stops_only_where_something_can_be_done(window: MainWindow) -> None:
    shown: dict[str, Callable[[], None]] = {"start": window.show_sources, "training": window.show_training}
    for name, show in shown.items():
        show()
        assert tab_stops(window), name
        assert not [each for each in tab_stops(window) if isinstance(each, QAbstractScrollArea)], name


def test_tab_goes_through_what_is_put_into_the_page_for_training_later(
    qtbot: QtBot, qapp: QApplication
) -> None:
    page = TrainPage()
    qtbot.addWidget(page)
    page.show_data([DataChoice(name, name) for name in ("first", "second")])
    page.show_models([ModelRow(2, "two", True), ModelRow(1, "one", False)], True)
    page.show()
    first, second = page.ticks.values()
    stops = tab_stops(page)
    use = next(each for each in stops if isinstance(each, QAbstractButton) and each.text() == "Use")
    add = next(each for each in stops if isinstance(each, QAbstractButton) and "folder" in each.text())
    wanted = [first, second, add, page.length, page.start, use, page.rollback]
    assert [stops.index(each) for each in wanted] == sorted(stops.index(each) for each in wanted)


def test_a_font_that_is_too_large_for_the_screen_is_made_smaller(qapp: QApplication) -> None:
    before = qapp.font()
    try:
        qapp.setFont(theme.scaled_font(before, 4))
        theme.apply_theme(qapp)
        line, screen = QFontMetricsF(qapp.font()).height(), qapp.primaryScreen().availableSize()
        assert line * theme.LEAST_EM[0] <= screen.width()
        assert line * theme.LEAST_EM[1] <= screen.height()
        assert line > screen.width() / 100, "but not smaller than it must be"
    finally:
        qapp.setFont(before)


def test_nothing_overlaps_in_the_smallest_window_with_a_banner(
    qtbot: QtBot, window: MainWindow, cine_loop: Path
) -> None:
    window.resize(window.minimumSize())
    window.open_source(str(cine_loop))
    window.report("Something that takes three lines has to be told. " * 4)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT_MS)
    page = window.live_page
    qtbot.waitUntil(lambda: window.checklists.live.view is not None, timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: page.readout.geometry().bottom() < page.checklist.geometry().top(), timeout=WAIT_MS // 3
    )


def test_the_model_of_another_scan_is_not_named_and_one_that_cannot_be_read_is_told(
    qtbot: QtBot, window: MainWindow, cine_loop: Path, tmp_path: Path
) -> None:
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: "always_fhp1" in window.status.text, timeout=WAIT_MS)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no model")
    window.choices.use_model(str(damaged))
    window.show_sources()
    qtbot.waitUntil(lambda: "damaged.safetensors cannot" in window.start_page.protocol_note, timeout=WAIT_MS)
    window.open_source(str(cine_loop))
    qtbot.waitUntil(lambda: "always_fhp1" not in window.status.text, timeout=WAIT_MS)


@pytest.mark.parametrize("ground", ["#ffffff", "#101010"])
def test_the_desktops_own_colours_are_seen_nowhere(qapp: QApplication, ground: str) -> None:
    theme.apply_theme(qapp)
    before = qapp.palette()
    roles = [role for role in QPalette.ColorRole if role is not QPalette.ColorRole.NColorRoles]
    try:
        qapp.setPalette(QPalette(QColor(ground)))
        theme.apply_theme(qapp)
        after = qapp.palette()
        for role in roles:
            assert after.color(role) == before.color(role), role
        # Edges and shadows belong to the dark ground, too.
        for role in (QPalette.ColorRole.Dark, QPalette.ColorRole.Mid, QPalette.ColorRole.Shadow):
            assert after.color(role).lightness() < 100, role
    finally:
        theme.apply_theme(qapp)


def drawn(widget: QWidget, width: int, height: int) -> NDArray[np.uint8]:
    """The widget as uint8 (H, W, 3), RGB."""
    widget.resize(width, height)
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return pixels[..., 2::-1].copy()


def test_lines_round_text_do_not_cross_it(qtbot: QtBot, qapp: QApplication) -> None:
    view = ExportPicture()
    qtbot.addWidget(view)
    view.show_picture(np.zeros((200, 300), np.uint8), None)
    # The same word in many frames of a clip, read a little differently each time.
    view.show_boxes([Crop(100 + shift, 80 + shift, 60, 20) for shift in range(0, 12, 3)])
    shown = drawn(view, 300, 200)
    assert not shown[85:105, 112:158].any(), "the word can be read"
    assert shown[76:80, 110:150].any(), "and has a line round it"


def test_the_share_of_every_expert_is_seen(qtbot: QtBot, qapp: QApplication) -> None:
    theme.apply_theme(qapp)
    panel = FramePanel()
    qtbot.addWidget(panel)
    experts = panel._experts
    experts.show_shares((0.0, 0.0, 1.0))
    colour = QColor(*(int(part) for part in drawn(experts, 200, 40)[20:30, 100].max(axis=0)))
    assert theme.contrast(colour.name(), theme.GROUND) > 4.5


@pytest.mark.parametrize("name", THEMES)
def test_texts_can_be_read_on_their_ground_in_every_theme(name: str) -> None:
    colours, least = THEMES[name], 7.0 if name == "contrast" else 4.5
    grounds = (colours.ground, colours.panel, colours.raised)
    for text in (colours.text, colours.dim, colours.accent, colours.good, colours.warning, colours.fault):
        assert min(contrast(text, ground) for ground in grounds) >= least, text
    for colour in colours.planes:
        assert min(contrast(colour, ground) for ground in grounds) >= least or name == "dark", colour
        assert contrast(colour, colours.panel) >= 4.5, colour
    for ground in (colours.fault_ground, colours.notice_ground):
        assert contrast(colours.text, ground) >= least
    for chip in (colours.accent, colours.good, colours.warning):
        assert contrast(colours.ground, chip) >= least
    assert min(contrast(colours.handle, ground) for ground in grounds) >= 3
    assert len(set(colours.planes)) == 6


def test_every_colour_of_a_theme_is_one(tmp_path: Path) -> None:
    for colours in THEMES.values():
        texts = [value for value in astuple(colours)[:-2] if isinstance(value, str)]
        assert len(texts) == 13
        assert [each for each in (*texts, *colours.planes) if not re.fullmatch("#[0-9a-f]{6}", each)] == []
        for icon in ("check", "down", "up"):
            assert (ASSETS / "icons" / f"{icon}{colours.icons}.svg").is_file()


def test_what_lies_over_a_picture_can_be_read_on_black_in_every_theme() -> None:
    black = "#000000"
    colours = (ON_PICTURE.text, ON_PICTURE.dim, ON_PICTURE.accent, ON_PICTURE.good, ON_PICTURE.warning)
    for colour in (*colours, ON_PICTURE.fault, *ON_PICTURE.planes):
        assert contrast(colour, black) >= 4.5, colour
        assert contrast(ON_PICTURE.ground, colour) >= 4.5, "the words of a badge"


@pytest.mark.parametrize("name", THEMES)
def test_a_theme_is_used_and_pictures_stay_on_black(
    qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    try:
        theme.apply_theme(qapp, name)
        assert THEMES[name].ground == theme.GROUND == qapp.palette().color(QPalette.ColorRole.Window).name()
        assert theme.plane_colours(["a"]) == {"a": THEMES[name].planes[0]}
        view = LiveView()
        qtbot.addWidget(view)
        assert not drawn(view, 300, 200)[:5].any()
        line = QLineEdit("text")
        qtbot.addWidget(line)
        ground = QColor(*(int(part) for part in drawn(line, 200, 40)[20, 190]))
        assert ground.name() == THEMES[name].raised
    finally:
        theme.apply_theme(qapp)


def test_texts_are_as_large_as_wanted_and_as_the_screen_has_room_for(qapp: QApplication) -> None:
    before = qapp.font()
    try:
        qapp.setFont(theme.scaled_font(before, 0.5))
        usual = QFontMetricsF(qapp.font()).height()
        theme.apply_theme(qapp, text_percent=80)
        assert QFontMetricsF(qapp.font()).height() < usual
        qapp.setFont(theme.scaled_font(before, 0.5))
        theme.apply_theme(qapp, text_percent=150)
        assert QFontMetricsF(qapp.font()).height() > 1.3 * usual
        theme.apply_theme(qapp, text_percent=900)
        line, screen = QFontMetricsF(qapp.font()).height(), qapp.primaryScreen().availableSize()
        assert line * theme.LEAST_EM[0] <= screen.width()
    finally:
        qapp.setFont(before)
        theme.apply_theme(qapp)


@pytest.mark.long
@pytest.mark.parametrize("name", ["light", "contrast"])
def test_nothing_is_in_the_other_themes(name: str) -> None:
    alone(
        test_any_window.__file__,
        "test_nothing_is_cut_outside_over_another_part_or_faint",
        SEMC_LOOKS_THEME=name,
    )
