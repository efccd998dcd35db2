"""What is wrong with what a window shows: texts cut, parts outside or over each other, faint texts."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QFontMetrics, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QGraphicsView,
    QHeaderView,
    QLabel,
    QLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QScrollBar,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)
from shiboken6 import isValid

from app.widgets.action_button import ActionButton
from app.widgets.fitted import FittedBox, FittedLabel
from app.widgets.plain import plain_tip

_INSIDE: Final = (QAbstractItemView, QAbstractSpinBox, QComboBox, QGraphicsView, QHeaderView, QScrollBar)
"""What is made of parts that Qt itself places."""
_CUT: Final = re.compile(r"\S…")
"""Words that go on have a space before the dots."""
_LONGER: Final = 0.4
_LEAST_CONTRAST: Final = 4.5
_LEAST_OF_LARGE: Final = 3.0
_LARGE_PX, _LARGE_BOLD_PX = 24, 18.66
_SLACK_PX: Final = 1
_JUDGED: Final = 3
"""Of a text with fewer letters no pixel may be as bright as its colour."""
_PADDING_EM: Final = 0.57
"""Beside the text of a list, as `app.widgets.theme` has it."""


def settled() -> None:
    """What is to be placed has its place. Nothing is drawn meanwhile: who looks at it draws it."""
    windows = [window for window in QApplication.topLevelWidgets() if window.updatesEnabled()]
    for window in windows:
        window.setUpdatesEnabled(False)
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.sendPostedEvents()
        QApplication.processEvents()
    for window in filter(isValid, windows):
        window.setUpdatesEnabled(True)


def shown(root: QWidget) -> list[QWidget]:
    """All that is seen of `root`, but for the inner parts of Qt's own."""
    found = []

    def add(widget: QWidget) -> None:
        for child in widget.children():
            if isinstance(child, QWidget) and child.isVisible() and not child.isWindow():
                found.append(child)
                if not isinstance(child, _INSIDE):
                    add(child)

    add(root)
    return found


def named(widget: QWidget) -> str:
    """For people who read why a test failed."""
    words = _text_of(widget) or widget.accessibleName() or widget.objectName()
    return f"{type(widget).__name__} {words[:60]!r} {widget.geometry().getRect()}"


# Cut texts.


def cut(widget: QWidget) -> bool:
    """Whether its text has too little room, or was shortened, and no tool tip has the whole."""
    if isinstance(widget, QLabel):
        return _label_cut(widget)
    if isinstance(widget, QComboBox):
        room = widget.width() - round((1.4 + 2 * _PADDING_EM) * widget.fontMetrics().height())
        text = widget.currentText()
        return _wide(widget, text) > room and not (isinstance(widget, FittedBox) and _told(widget, text))
    if isinstance(widget, QAbstractButton) and widget.text():
        tight = isinstance(widget, QPushButton | QCheckBox | QRadioButton)
        short = widget.width() + _SLACK_PX < widget.sizeHint().width() if tight else False
        shortened = bool(_CUT.search(widget.text()))
        return (short or shortened) and not tip_of(widget)
    return False


def _label_cut(label: QLabel) -> bool:
    text = label.text()
    if not text or label.textFormat() is Qt.TextFormat.RichText:
        return False
    room = label.contentsRect()
    if label.wordWrap():
        return label.heightForWidth(label.width()) > label.height() + _SLACK_PX and not _told(label, text)
    lines = text.split("\n")
    wide = max(_wide(label, line) for line in lines) > room.width() + _SLACK_PX
    if wide and not isinstance(label, FittedLabel):
        return True  # it ends amid a letter: nobody sees that there is more
    return (wide or bool(_CUT.search(text))) and not tip_of(label)


def _wide(widget: QWidget, text: str) -> int:
    return widget.fontMetrics().horizontalAdvance(text)


def tip_of(widget: QWidget) -> str:
    """What is shown where the mouse rests on it: its own tool tip, or that of what holds it."""
    tip, holder = widget.toolTip(), widget.parentWidget()
    while not tip and holder is not None and not holder.isWindow():
        tip, holder = holder.toolTip(), holder.parentWidget()
    return tip


def _told(widget: QWidget, text: str) -> bool:
    return text in tip_of(widget) or plain_tip(text) in tip_of(widget)


@dataclass
class Shortened:
    """Texts that were painted shorter than they are, by widgets without a tool tip."""

    untold: set[str] = field(default_factory=set)


@contextmanager
def painted_texts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shortened]:
    """Notice while a widget shortens what it paints itself."""
    told = Shortened()
    as_it_is = QFontMetrics.elidedText

    def elided(self: QFontMetrics, text: str, *how: Any) -> str:
        fitted = as_it_is(self, text, *how)
        if fitted != text:
            owner = _painting()
            if owner is not None and owner.isVisible() and not tip_of(owner):
                told.untold.add(f"{named(owner)} shortens {text!r} without a tool tip")
        return fitted

    with monkeypatch.context() as patch:
        patch.setattr(QFontMetrics, "elidedText", elided)
        yield told


def _painting() -> QWidget | None:
    """The widget whose `paintEvent` is under way."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "paintEvent":
            owner = frame.f_locals.get("self")
            return owner if isinstance(owner, QWidget) else None
        frame = frame.f_back
    return None


# Places.


def misplaced(root: QWidget) -> list[str]:
    """Parts that lie outside of what holds them, or that are smaller than they can be."""
    found = []
    for widget in shown(root):
        holder = widget.parentWidget()
        assert holder is not None
        area = holder.parentWidget()
        if isinstance(area, QAbstractScrollArea) and area.viewport() is holder:
            if (
                isinstance(area, QScrollArea)
                and not _scrolls_across(area)
                and widget.width() > holder.width()
            ):
                found.append(f"{named(widget)} is wider than what it scrolls in ({holder.width()})")
            continue
        inside = holder.rect().adjusted(-_SLACK_PX, -_SLACK_PX, _SLACK_PX, _SLACK_PX)
        if not inside.contains(widget.geometry()):
            found.append(f"{named(widget)} lies outside of {named(holder)}")
        if widget.width() + _SLACK_PX < widget.minimumSizeHint().width() and not _gives_way(widget):
            found.append(f"{named(widget)} is narrower than {widget.minimumSizeHint().width()}")
        if widget.height() + _SLACK_PX < widget.minimumSizeHint().height() and not _gives_way(widget):
            found.append(f"{named(widget)} is lower than {widget.minimumSizeHint().height()}")
    return found


def _scrolls_across(area: QScrollArea) -> bool:
    return area.horizontalScrollBarPolicy() is not Qt.ScrollBarPolicy.ScrollBarAlwaysOff


def _gives_way(widget: QWidget) -> bool:
    """Whether it can be smaller: what holds others, and what shortens its text, which is asked elsewhere."""
    ignored = widget.sizePolicy().horizontalPolicy() is QSizePolicy.Policy.Ignored
    holds = widget.layout() is not None or isinstance(widget, QStackedWidget | QAbstractScrollArea)
    shortens = isinstance(widget, QScrollBar | QProgressBar | QLabel | QLineEdit | QComboBox | ActionButton)
    return ignored or holds or shortens


def overlapping(root: QWidget) -> list[str]:
    """Parts that one layout places, and that lie over each other."""
    found = []
    for holder in (root, *shown(root)):
        layout = holder.layout()
        if layout is None:
            continue
        parts = [part for part in _parts_of(layout) if part.isVisible()]
        for i, one in enumerate(parts):
            for other in parts[i + 1 :]:
                common = one.geometry() & other.geometry()
                if common.width() > _SLACK_PX and common.height() > _SLACK_PX:
                    found.append(f"{named(one)} lies over {named(other)}")
    return found


def _parts_of(layout: QLayout) -> Iterator[QWidget]:
    if type(layout).__name__ == "QStackedLayout":
        return
    for i in range(layout.count()):
        item = layout.itemAt(i)
        assert item is not None
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            yield widget
        elif inner is not None:
            yield from _parts_of(inner)


# Contrast.


def faint(root: QWidget, image: QImage) -> list[str]:
    """Texts that stand out too little from their ground, in `image`, which is what `root` shows."""
    pixels = _levels(image)
    ratio = image.width() / max(1, root.width())
    found = []
    for widget in shown(root):
        text = _text_of(widget)
        if len(text.strip()) < _JUDGED or not widget.isEnabled():
            continue
        seen = widget.visibleRegion().boundingRect()
        if seen.size() != widget.size():
            continue  # scrolled, or behind something
        edge = min(3, seen.height() // 4)
        seen = seen.adjusted(edge, edge, -edge, -edge)
        at = QRect(widget.mapTo(root, seen.topLeft()), seen.size())
        covered = root.childAt(at.center()) not in (widget, *widget.findChildren(QWidget))
        if at.width() < 4 or at.height() < 4 or covered:
            continue
        left, top, right, bottom = (round(ratio * x) for x in (at.left(), at.top(), at.right(), at.bottom()))
        reached = _contrast(pixels[top:bottom, left:right])
        if reached < (_LEAST_OF_LARGE if _is_large(widget) else _LEAST_CONTRAST):
            found.append(f"{named(widget)} has a contrast of {reached:.1f}")
    return found


def _text_of(widget: QWidget) -> str:
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.text() or widget.placeholderText() if isinstance(widget, QLineEdit) else ""


def _is_large(widget: QWidget) -> bool:
    font = widget.font()
    size = font.pixelSize() if font.pixelSize() > 0 else widget.fontMetrics().ascent() * 1.1
    return size >= (_LARGE_BOLD_PX if font.bold() else _LARGE_PX)


def _levels(image: QImage) -> NDArray[np.uint32]:
    """uint32 (H, W), 0xffRRGGBB."""
    kept = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(kept.constBits(), np.uint32).reshape(kept.height(), kept.bytesPerLine() // 4).copy()


def _contrast(pixels: NDArray[np.uint32]) -> float:
    """WCAG contrast of the colour that differs most from the ground, which is the one seen most."""
    colours, counts = np.unique(pixels, return_counts=True)
    parts = np.stack([(colours >> shift) & 0xFF for shift in (16, 8, 0)], axis=1) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    light = linear @ np.array([0.2126, 0.7152, 0.0722])
    ground = light[counts.argmax()]
    return float(((np.maximum(light, ground) + 0.05) / (np.minimum(light, ground) + 0.05)).max())


# All of it.


def faults(root: QWidget, monkeypatch: pytest.MonkeyPatch, *, contrast: bool = True) -> list[str]:
    """Everything that is wrong with what `root` shows now."""
    settled()
    with painted_texts(monkeypatch) as texts:
        image = root.grab().toImage()
    told = [f"{named(widget)} is cut, and no tool tip says it" for widget in shown(root) if cut(widget)]
    told += [*sorted(texts.untold), *misplaced(root), *overlapping(root)]
    return told + (faint(root, image) if contrast else [])


def longer(text: str) -> str:
    """Each word by 40 % longer, as another language may have it."""
    return re.sub(r"\w+", lambda word: word[0] + word[0][-1] * round(_LONGER * len(word[0]) + 0.2), text)


@contextmanager
def longer_words(root: QWidget) -> Iterator[None]:
    """Every text of `root` that is said once and for all is longer."""
    changed: list[tuple[QLabel | QAbstractButton, str, str]] = []
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, QLabel | QAbstractButton) or isinstance(widget.parent(), _INSIDE):
            continue
        fits_itself = widget.sizePolicy().horizontalPolicy() is QSizePolicy.Policy.Ignored
        rich = isinstance(widget, QLabel) and widget.textFormat() is Qt.TextFormat.RichText
        if widget.text() and not fits_itself and not rich and not _CUT.search(widget.text()):
            text, tip = widget.text(), widget.toolTip()
            changed.append((widget, text, tip))
            widget.setText(longer(text))
            if tip == plain_tip(text):
                widget.setToolTip(plain_tip(longer(text)))
    try:
        yield
    finally:
        for widget, text, tip in changed:
            widget.setText(text)
            widget.setToolTip(tip)
