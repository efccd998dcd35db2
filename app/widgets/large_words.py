"""What is read from across the room: the plane, how sure the model is, and what is still open. On black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.colours import ON_PICTURE
from semc_core.language import N_, _

LINES: Final = 16
"""Of items that the shorter side of a screen is high.

On one of 24 inches their capitals are 6 to 10 mm high: from three metres 7 to 12 minutes of arc, where good
sight needs 5.
"""
LEAST_SHARE: Final = 0.22
MOST_SHARE: Final = 0.36
"""Of the longer side, for the words; what is black beside the picture is taken first."""
_SMALLEST: Final = 0.55
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Words:
    """What is said.

    Attributes:
        title: The plane, or what is the matter.
        colour: Of the title, on black.
        confidence: 0-1; None shows no bar.
        number: The same in words.
        saved: A frame of what is shown was saved.
        progress: "4 / 6" of the checklist; "" without one.
        missing: Its items that are open, in its order.
        fetus: Letter of the fetus that is scanned; "" where there is one only.
        listed: Letter of the one whose checklist that is.
    """

    title: str = ""
    colour: str = ON_PICTURE.text
    confidence: float | None = None
    number: str = ""
    saved: bool = False
    progress: str = ""
    missing: tuple[str, ...] = ()
    fetus: str = ""
    listed: str = ""


def room_beside(width: int, height: int, picture: tuple[int, int] | None) -> tuple[bool, int]:
    """Whether the words stand beside the picture, else below it; and how wide, or high, they are, pixels.

    Args:
        width: Of the screen.
        height: Of the screen.
        picture: Its width and height; None without one.
    """
    beside = width >= height
    longer, shorter = (width, height) if beside else (height, width)
    shape = (picture if beside else picture[::-1]) if picture is not None else (4, 3)
    black = longer - shorter * shape[0] / shape[1]
    return beside, round(min(max(black, LEAST_SHARE * longer), MOST_SHARE * longer))


@told_as(Role.StaticText)
class LargeWords(QWidget):
    """Paints `Words`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._said = Words()
        self.setAccessibleName(_("No scan"))

    @property
    def said(self) -> Words:
        """What is said."""
        return self._said

    def say(self, words: Words) -> None:
        """Say something else."""
        if words != self._said:
            self._said = words
            saved = _("saved") if words.saved else ""
            about = (words.title, words.number, saved, _scanned(words), *_heading(words))
            self.setAccessibleName(". ".join(filter(None, (*about, *words.missing))))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The plane above the items; beside them where the room is low."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        window = self.window()
        line = min(window.width(), window.height()) / LINES
        room = QRectF(self.rect()).adjusted(line * 0.4, line * 0.4, -line * 0.4, -line * 0.4)
        upper, lower = QRectF(room), QRectF(room)
        if room.width() > room.height():
            upper.setWidth(room.width() / 2 - line / 4)
            lower.setLeft(room.left() + room.width() / 2 + line / 4)
            upper.setHeight(min(room.height(), 5 * line))
        else:
            upper.setHeight(5 * line)
            lower.setTop(upper.bottom() + line)
        self._paint_plane(painter, upper, line)
        self._paint_items(painter, lower, line)
        painter.end()

    def _paint_plane(self, painter: QPainter, room: QRectF, line: float) -> None:
        said = self._said
        title = QRectF(room.left(), room.top(), room.width(), room.height() - 2.1 * line)
        painter.setFont(theme.fitted_font(self.font(), said.title, title.width(), title.height()))
        painter.setPen(QColor(said.colour))
        painter.drawText(title, _LEFT, said.title)
        if said.confidence is None:
            return
        bar = QRectF(room.left(), title.bottom() + 0.1 * line, room.width(), 0.6 * line)
        painter.setPen(Qt.PenStyle.NoPen)
        for share, colour in ((1.0, ON_PICTURE.border), (said.confidence, said.colour)):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * share, bar.height()), 4, 4)
        number = QRectF(room.left(), bar.bottom() + 0.1 * line, room.width(), 1.2 * line)
        text = _("{number}  SAVED", number=said.number) if said.saved else said.number
        painter.setFont(theme.fitted_font(self.font(), text, number.width(), number.height()))
        painter.setPen(QColor(ON_PICTURE.good if said.saved else ON_PICTURE.text))
        painter.drawText(number, _LEFT, text)

    def _paint_items(self, painter: QPainter, room: QRectF, line: float) -> None:
        said = self._said
        lines = [(text, ON_PICTURE.accent) for text in filter(None, (_scanned(said),))]
        lines += [(text, ON_PICTURE.dim) for text in _heading(said)]
        lines += [(text, ON_PICTURE.text) for text in said.missing]
        fit = max(1, int(room.height() // line))
        if len(lines) > fit:
            left_out = len(lines) - fit + 1
            lines = [*lines[: fit - 1], (_("and {count} more", count=left_out), ON_PICTURE.dim)]
        font = self._font_of([text for text, _colour in lines], room.width(), line)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        for at, (text, colour) in enumerate(lines):
            painter.setPen(QColor(colour))
            place = QRectF(room.left(), room.top() + at * line, room.width(), line)
            painter.drawText(
                place, _LEFT, metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            )

    def _font_of(self, texts: list[str], width: float, line: float) -> QFont:
        """One for all of them: as large as a line, smaller for a long one, but never too small to be read."""
        longest = max(texts, key=len, default="")
        font = theme.fitted_font(self.font(), longest, width, 0.9 * line)
        if QFontMetricsF(font).height() < _SMALLEST * line:
            font = theme.fitted_font(self.font(), "", width, _SMALLEST * line)
        return font


def _scanned(said: Words) -> str:
    return _("Fetus {letter}", letter=said.fetus) if said.fetus else ""


def _heading(said: Words) -> tuple[str, ...]:
    """Of the list; with the letter where it is of another fetus than the one that is scanned."""
    if not said.progress:
        return ()
    if said.listed in ("", said.fetus):
        text = N_("Open  ({progress})") if said.missing else N_("All seen  ({progress})")
        return (_(text, progress=said.progress),)
    text = N_("Fetus {letter}, open  ({progress})")
    if not said.missing:
        text = N_("Fetus {letter}, all seen  ({progress})")
    return (_(text, letter=said.listed, progress=said.progress),)
