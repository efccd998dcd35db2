"""The strip of planes that were saved, and a larger view of one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.geometry import place
from app.live_view import image_of
from app.view_state import percent, scan_time
from semc_core.labels import full_name
from semc_core.session.saved import SavedPlane


def card_state(plane: SavedPlane) -> str:
    """What a card says beside the time: that nothing was written comes before all else."""
    if plane.png is None:
        return "not written"
    if not plane.final:
        return "holding"
    return "by hand" if plane.by_hand else ""


class PlaneCard(QAbstractButton):
    """One saved plane: picture, name, confidence and time."""

    def __init__(self, plane: SavedPlane, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._colour = colour
        self.show_plane(plane)

    @property
    def plane(self) -> SavedPlane:
        """What it shows."""
        return self._plane

    def show_plane(self, plane: SavedPlane) -> None:
        """Show this instead: a better frame of the same hold."""
        self._plane = plane
        self._image = image_of(plane.thumbnail)
        how = "captured by hand" if plane.by_hand else "found"
        saved = "" if plane.png is not None else "\nNot written: saving failed or is off."
        self.setToolTip(
            f"{full_name(plane.plane)}, {plane.confidence:.0%}, {how} at {scan_time(plane.time_s)}, "
            f"frame {plane.frame_index}{saved}"
        )
        self.setAccessibleName(f"{plane.plane} {plane.confidence:.0%}")
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as the texts need."""
        em = theme.em(self)
        return QSize(round(9.5 * em), round(8.5 * em))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Picture above, two lines below. Dashed while a better frame may still come."""
        plane, em = self._plane, theme.em(self)
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
        placed = place(self._image.width(), self._image.height(), room.width(), max(1.0, room.height()))
        painter.drawImage(
            QRectF(
                room.left() + placed.left,
                room.top() + placed.top,
                self._image.width() * placed.scale,
                self._image.height() * placed.scale,
            ),
            self._image,
        )
        first = QRectF(inside.left(), inside.bottom() - 2.4 * em, inside.width(), 1.3 * em)
        second = QRectF(inside.left(), inside.bottom() - 1.15 * em, inside.width(), 1.15 * em)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setFont(theme.scaled_font(self.font(), 1.1, bold=True))
        painter.setPen(QColor(self._colour))
        painter.drawText(first, left | Qt.AlignmentFlag.AlignVCenter, plane.plane)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(first, right | Qt.AlignmentFlag.AlignVCenter, percent(plane.confidence))
        painter.setFont(theme.scaled_font(self.font(), 0.9))
        painter.setPen(QColor(theme.DIM))
        painter.drawText(second, left | Qt.AlignmentFlag.AlignVCenter, scan_time(plane.time_s))
        if plane.png is None:
            painter.setPen(QColor(theme.WARNING))
        painter.drawText(second, right | Qt.AlignmentFlag.AlignVCenter, card_state(plane))
        painter.end()


class SavedStrip(QWidget):
    """All planes of the scan from left to right, the newest last and in view.

    Signals:
        opened: A `SavedPlane` was clicked.
        folder_wanted: The folder is to be shown.
        change_folder_wanted: Another folder is to be chosen.
    """

    opened = Signal(object)
    folder_wanted = Signal()
    change_folder_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: dict[int, PlaneCard] = {}
        self._title = QLabel("Saved planes")
        self._title.setObjectName("heading")
        self._folder = QLabel()
        self._folder.setObjectName("dim")
        self._folder.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        header = QHBoxLayout()
        header.setSpacing(round(0.6 * theme.em(self)))
        header.addWidget(self._title)
        header.addWidget(self._folder, 1)
        for text, wanted in (("Show folder", self.folder_wanted), ("Change …", self.change_folder_wanted)):
            button = QPushButton(text)
            button.setObjectName("flat")
            button.clicked.connect(wanted)
            header.addWidget(button)
        self._row = QHBoxLayout()
        self._row.setContentsMargins(0, 0, 0, 0)
        self._empty = QLabel(
            "None yet. The best frame of every plane that is held is saved by itself; C saves one by hand."
        )
        self._empty.setObjectName("dim")
        self._empty.setWordWrap(True)
        self._row.addWidget(self._empty, 1)
        self._row.addStretch()
        inner = QWidget()
        inner.setLayout(self._row)
        self._scroll = QScrollArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = self._scroll.horizontalScrollBar()
        bar.rangeChanged.connect(lambda _low, high: bar.setValue(high))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(header)
        layout.addWidget(self._scroll, 1)

    @property
    def title(self) -> str:
        """The heading above the cards."""
        return self._title.text()

    @property
    def cards(self) -> list[PlaneCard]:
        """The cards, in order."""
        return list(self._cards.values())

    def show_folder(self, text: str) -> None:
        """Say where the planes are written."""
        self._folder.setText(f"in {text}")
        self._folder.setToolTip(text)

    def show_planes(self, planes: tuple[SavedPlane, ...], colours: dict[str, str]) -> None:
        """Show these: cards of the same hold are kept and changed, others are added or taken away."""
        wanted = {plane.hold_id for plane in planes}
        for hold_id in [h for h in self._cards if h not in wanted]:
            card = self._cards.pop(hold_id)
            self._row.removeWidget(card)
            card.deleteLater()
        for plane in planes:
            known = self._cards.get(plane.hold_id)
            if known is None:
                self._add(plane, colours.get(plane.plane, theme.DIM))
            elif known.plane is not plane:
                known.show_plane(plane)
        self._empty.setVisible(not self._cards)
        self._title.setText(strip_title(planes))

    def _add(self, plane: SavedPlane, colour: str) -> None:
        card = PlaneCard(plane, colour)
        card.clicked.connect(lambda: self.opened.emit(card.plane))
        self._cards[plane.hold_id] = card
        # Before the stretch that keeps the cards to the left.
        self._row.insertWidget(self._row.count() - 1, card)


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
        self._text = QLabel()
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
        self._text.setText(
            f"{plane.plane}  {full_name(plane.plane)}  ·  {plane.confidence:.0%}  ·  "
            f"{scan_time(plane.time_s)}, frame {plane.frame_index}\n{where}"
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
        placed = place(
            max(1, self._image.width()), max(1, self._image.height()), self.width(), max(1.0, high)
        )
        at = QPointF(placed.left, placed.top)
        size = self._image.size().toSizeF() * placed.scale
        painter.drawImage(QRectF(at, size), self._image)
        painter.end()

    def _show_in_folder(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))
