"""The strip of planes that were saved, and a larger view of one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.formatting import percent, quality_text
from app.widgets import theme
from app.widgets.cards import Card, Strip, paint_ends
from app.widgets.drawing import draw_in, image_of
from app.widgets.fitted import tell_whole
from app.widgets.plain import PlainLabel
from semc_core.labels import full_name, short_name
from semc_core.text import scan_time
from semc_core.types import SavedPlane


def card_state(plane: SavedPlane) -> str:
    """What a card says beside the time: that nothing was written comes before all else."""
    if plane.png is None:
        return "not written"
    if not plane.final:
        return "holding"
    return "by hand" if plane.by_hand else ""


class PlaneCard(Card[SavedPlane]):
    """One saved plane: picture, name, confidence and time."""

    def show_item(self, item: SavedPlane, colour: str) -> None:
        """Show this instead: a better frame of the same hold."""
        super().show_item(item, colour)
        self._show_pixels(item.thumbnail)
        how = "captured by hand" if item.by_hand else "found"
        judged = f"\n{quality_text(item.quality)}" if item.quality is not None else ""
        saved = "" if item.png is not None else "\nNot written: saving failed or is off."
        self.setToolTip(
            f"{full_name(item.plane)}, {item.confidence:.0%}, {how} at {scan_time(item.time_s)}, "
            f"frame {item.frame_index}{judged}{saved}"
        )
        self.setAccessibleName(f"{short_name(item.plane)} {item.confidence:.0%}")

    def sizeHint(self) -> QSize:
        """As wide as the texts need."""
        em = theme.em(self)
        return QSize(round(9.5 * em), round(8.5 * em))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Picture above, two lines below. Dashed while a better frame may still come."""
        plane, em = self._item, theme.em(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        style = Qt.PenStyle.SolidLine if plane.final else Qt.PenStyle.DashLine
        edge = theme.TEXT if self.hasFocus() or self.underMouse() else self._colour
        painter.setPen(QPen(QColor(edge), 2.0 if self.hasFocus() else 1.4, style))
        painter.setBrush(QColor(theme.PANEL))
        painter.drawRoundedRect(box, 5, 5)
        inside = box.adjusted(0.35 * em, 0.35 * em, -0.35 * em, -0.2 * em)
        room = QRectF(inside.left(), inside.top(), inside.width(), inside.height() - 2.5 * em)
        if self._image is not None:
            draw_in(painter, self._image, room)
        first = QRectF(inside.left(), inside.bottom() - 2.4 * em, inside.width(), 1.3 * em)
        second = QRectF(inside.left(), inside.bottom() - 1.15 * em, inside.width(), 1.15 * em)
        name = theme.scaled_font(self.font(), 1.1, bold=True)
        level = percent(plane.confidence), name, theme.TEXT
        paint_ends(painter, first, (short_name(plane.plane), name, self._colour), level)
        small = theme.scaled_font(self.font(), 0.9)
        state = card_state(plane), small, theme.WARNING if plane.png is None else theme.DIM
        paint_ends(painter, second, (scan_time(plane.time_s), small, theme.DIM), state)
        painter.end()


class SavedStrip(Strip[SavedPlane]):
    """All planes of the scan, the newest last and in view.

    Signals:
        opened: A `SavedPlane` was clicked.
        folder_wanted: The folder is to be shown.
        change_folder_wanted: Another folder is to be chosen.
    """

    opened = Signal(object)
    folder_wanted = Signal()
    change_folder_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        show, change = QPushButton("Show folder"), QPushButton("Change …")
        super().__init__(parent, (show, change))
        for button, wanted in ((show, self.folder_wanted), (change, self.change_folder_wanted)):
            button.setObjectName("flat")
            button.clicked.connect(wanted)
        self._heading.setText(strip_title(()))
        self._header.setSpacing(round(0.6 * theme.em(self)))
        self._empty.setText(
            "None yet. The best frame of every plane that is held is saved by itself; C saves one by hand."
        )
        self._empty.setWordWrap(True)
        self._row.setStretchFactor(self._empty, 1)
        bar = self._scroll.horizontalScrollBar()
        bar.rangeChanged.connect(lambda _low, high: bar.setValue(high))

    def show_folder(self, text: str) -> None:
        """Say where the planes are written."""
        tell_whole(self._hint, f"in {text}")

    def show_planes(self, planes: tuple[SavedPlane, ...], colours: dict[str, str]) -> None:
        """Show these: cards of the same hold are kept and changed, others are added or taken away."""
        self._show((plane.hold_id, plane, colours.get(plane.plane, theme.DIM)) for plane in planes)
        self._heading.setText(strip_title(planes))

    def _new_card(self, key: int, item: SavedPlane, colour: str) -> PlaneCard:
        card = PlaneCard(item, colour)
        card.clicked.connect(lambda: self.opened.emit(card.item))
        return card


def strip_title(planes: tuple[SavedPlane, ...]) -> str:
    """ "Saved planes (3)", with those that were not written counted apart."""
    written = sum(plane.png is not None for plane in planes)
    missing = len(planes) - written
    counts = [str(written)] if written else []
    counts += [f"{missing} not written"] if missing else []
    return "Saved planes" + (f" ({', '.join(counts)})" if counts else "")


class PlaneViewer(QWidget):
    """One saved plane, as large as the window, read from its file. Esc or a click on Close ends it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Widget)
        self._room = parent
        self.setAutoFillBackground(True)
        self._image = QImage()
        self._path: Path | None = None
        self._text = PlainLabel()
        self._text.setWordWrap(True)
        self._show = QPushButton("Show in folder")
        self._show.clicked.connect(self._show_in_folder)
        close = QPushButton("Close  (Esc)")
        close.clicked.connect(self.hide)
        bar = QHBoxLayout()
        bar.addWidget(self._text, 1)
        bar.addWidget(self._show)
        bar.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addLayout(bar)
        self.hide()

    def show_plane(self, plane: SavedPlane) -> None:
        """Fill the parent with this plane."""
        self._path = plane.png
        self._image = QImage() if plane.png is None else QImage(str(plane.png))
        missing = self._image.isNull()
        if missing:
            self._image = image_of(plane.thumbnail)
        where = "not written" if plane.png is None else str(plane.png)
        if missing and plane.png is not None:
            where += " (cannot be read; the small picture is shown)"
        judged = f"  ·  {quality_text(plane.quality)}" if plane.quality is not None else ""
        self._text.setText(
            f"{short_name(plane.plane)}  {full_name(plane.plane)}  ·  {plane.confidence:.0%}  ·  "
            f"{scan_time(plane.time_s)}, frame {plane.frame_index}{judged}\n{where}"
        )
        self._show.setEnabled(plane.png is not None)
        self.setGeometry(self._room.rect())
        self.show()
        self.raise_()
        self.update()  # it may have been open, with another picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture above the bar."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.GROUND))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        high = self._text.geometry().top() - theme.em(self)
        draw_in(painter, self._image, QRectF(0, 0, self.width(), high))
        painter.end()

    def _show_in_folder(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))
