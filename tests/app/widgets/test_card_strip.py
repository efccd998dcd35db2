"""The strip of small pictures: the wheel moves it sideways, and what is meant is brought into view."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from app.review.presenter import Candidate, candidate_items
from app.view_data import StripItem
from app.widgets.cards import CardStrip
from tests.app.review.test_presenter import plane


@pytest.fixture
def strip(qtbot: QtBot) -> CardStrip:
    made = CardStrip()
    qtbot.addWidget(made)
    made.resize(600, made.height_for_cards())
    made.show()
    return made


def items(keys: Iterable[int], chosen: int | None = None) -> tuple[StripItem, ...]:
    return tuple(StripItem(key, None, (("FHP1", "90%"),), "FHP1", chosen=key == chosen) for key in keys)


def turn(strip: CardStrip, *, up: int = 0, left: int = 0) -> None:
    """Turn the wheel over the strip, in eighths of a degree."""
    area = strip.findChild(QScrollArea)
    assert area is not None
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    at = QPointF(20, 20)
    event = QWheelEvent(at, at, QPoint(), QPoint(left, up), *none, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(area.viewport(), event)


def place(strip: CardStrip) -> int:
    area = strip.findChild(QScrollArea)
    assert area is not None
    return area.horizontalScrollBar().value()


def seen(strip: CardStrip, key: int) -> bool:
    """Whether all of a card is in view, once the cards have their places."""
    area = strip.findChild(QScrollArea)
    assert area is not None
    card = next((card for card in strip.cards if card.item.key == key), None)
    if card is None:
        return False
    left = card.mapTo(area.viewport(), QPoint(0, 0)).x()
    placed = area.horizontalScrollBar().maximum() > 0
    return placed and left >= 0 and left + card.width() <= area.viewport().width()


def test_the_wheel_moves_the_cards_sideways(strip: CardStrip, qtbot: QtBot) -> None:
    strip.show_items(items(range(20)), {})
    qtbot.waitUntil(lambda: len(strip.cards) == 20 and not seen(strip, 19) and seen(strip, 0))
    turn(strip, up=-120)
    moved = place(strip)
    assert 40 < moved < 2 * strip.cards[0].width(), "about half a card"
    turn(strip, up=-240)
    assert abs(place(strip) - 3 * moved) <= 2
    turn(strip, up=10_000)
    assert place(strip) == 0
    turn(strip, left=-120)
    assert place(strip) > 0, "a wheel that turns sideways does, too"


def test_a_card_that_is_chosen_comes_into_view_and_the_strip_is_left_alone_after(
    strip: CardStrip, qtbot: QtBot
) -> None:
    strip.show_items(items(range(20), chosen=17), {})
    qtbot.waitUntil(lambda: seen(strip, 17))
    turn(strip, up=10_000)
    strip.show_items(items(range(21), chosen=17), {})
    qtbot.waitUntil(lambda: len(strip.cards) == 21 and not seen(strip, 20) and strip.cards[20].x() > 0)
    assert place(strip) == 0, "another card came, and the user looks elsewhere"
    strip.show_items(items(range(21), chosen=18), {})
    qtbot.waitUntil(lambda: seen(strip, 18))


def test_many_cards_come_a_few_at_a_time_in_their_order(strip: CardStrip, qtbot: QtBot) -> None:
    strip.show_items(items(range(0, 80, 2), chosen=76), {})
    first = [card.item.key for card in strip.cards]
    assert 0 < len(first) < 40, "the window is not held up"
    assert first == list(range(0, 2 * len(first), 2))
    strip.show_items(items(range(80), chosen=76), {})
    for _ in range(30):  # what is shown changes all the time, as while pictures are read
        strip.show_items(items(range(5, 80), chosen=76), {})
        qtbot.wait(5)
    assert len(strip.cards) > 20
    qtbot.waitUntil(lambda: [card.item.key for card in strip.cards] == list(range(5, 80)))
    qtbot.waitUntil(lambda: seen(strip, 76))
    strip.show_items(items(range(80, 160)), {})
    strip.show_items((), {})
    assert strip.cards == []
    strip.show_items(items(range(3)), {})
    assert len(strip.cards) == 3, "no others are being made"
    qtbot.wait(50)
    assert len(strip.cards) == 3, "none of the others comes late"


def test_a_card_that_is_made_late_does_not_take_the_view_from_the_user(
    strip: CardStrip, qtbot: QtBot
) -> None:
    strip.show_items(items(range(100), chosen=90), {})
    turn(strip, up=-120)
    qtbot.waitUntil(lambda: len(strip.cards) == 100)
    qtbot.wait(50)
    assert not seen(strip, 90)
    strip.show_items(items(range(100), chosen=91), {})
    qtbot.waitUntil(lambda: seen(strip, 91))


def test_what_stays_the_same_is_left_alone_and_what_changed_is_changed_at_once(
    strip: CardStrip, qtbot: QtBot
) -> None:
    many = items(range(40))
    strip.show_items(many, {})
    qtbot.waitUntil(lambda: len(strip.cards) == 40)
    other = items((39,), chosen=39)
    strip.show_items((*many[:39], *other), {})
    assert [card.item for card in strip.cards] == [*many[:39], *other]
    assert all(card.item is item for card, item in zip(strip.cards, many[:39], strict=False))


@pytest.mark.parametrize(("shown", "in_view"), [(0, 70), (70, 70), (90, 90), (10, 10)])
def test_the_best_frames_open_at_the_saved_one_or_at_the_one_that_is_shown(
    strip: CardStrip, qtbot: QtBot, shown: int, in_view: int
) -> None:
    small = np.zeros((4, 4), np.uint8)
    best = [Candidate(index, index / 10, 0.9, small) for index in range(10, 110, 10)]
    saved = plane(1, 2.8)
    assert saved.frame_index == 70
    strip.show_items(candidate_items(best, saved, shown), {})
    qtbot.waitUntil(lambda: seen(strip, in_view))


def test_of_thousands_only_those_near_to_the_view_have_cards(strip: CardStrip, qtbot: QtBot) -> None:
    strip.show_items(items(range(3000), chosen=2990), {})
    qtbot.waitUntil(lambda: seen(strip, 2990))
    area = strip.findChild(QScrollArea)
    assert area is not None
    length = area.horizontalScrollBar().maximum()
    card = strip.cards[0]
    assert length > 2900 * card.width(), "the bar has the length of all"
    qtbot.waitUntil(lambda: [each.item.key for each in strip.cards] == list(range(2880, 3000)))
    turn(strip, up=10**7)
    qtbot.waitUntil(lambda: seen(strip, 0) and [each.item.key for each in strip.cards] == list(range(120)))
    assert area.horizontalScrollBar().maximum() == length, "nothing moves when cards come and go"
    strip.show_items(items(range(3000), chosen=1500), {})
    qtbot.waitUntil(lambda: seen(strip, 1500))
