"""The large text beside the picture: plane, confidence, age. Readable from two metres."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.formatting import Tone
from app.live.presenter import Readout
from app.widgets import theme
from app.widgets.accessible import Role, announce, told_as
from app.widgets.fitted import fitted_lines
from app.widgets.plain import plain_tip
from semc_core.language import _

_WRONG: Final = (Tone.WARNING, Tone.FAULT)


@told_as(Role.StaticText)
class ReadoutView(QWidget):
    """Paints a `Readout`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._shown = Readout("", "", Tone.NEUTRAL)
        self._colour = theme.TEXT
        self.setAccessibleName(_("No scan"))

    def sizeHint(self) -> QSize:
        """Ten lines high; the name takes what is more."""
        em = theme.em(self)
        return QSize(round(22 * em), round(10 * em))

    def minimumSizeHint(self) -> QSize:
        """Narrower and lower: the name gives way."""
        em = theme.em(self)
        return QSize(round(16 * em), round(8 * em))

    @property
    def shown(self) -> Readout:
        """What it says now."""
        return self._shown

    def show_readout(self, readout: Readout, plane_colour: str) -> None:
        """Say something else; `plane_colour` is used where a plane is named."""
        colour = theme.tone_colour(readout.tone.value, plane_colour)
        if (readout, colour) != (self._shown, self._colour):
            self._tell(self._shown, readout)
            self._shown, self._colour = readout, colour
            self.setAccessibleName(f"{readout.title}. {readout.detail} {readout.quality}".strip())
            # What is too long for its line is read here.
            self.setToolTip(plain_tip("\n".join(filter(None, (readout.detail, readout.quality)))))
            self.update()

    def _tell(self, before: Readout, now: Readout) -> None:
        """Say aloud that there is something the matter, or no longer."""
        was, wrong = before.tone in _WRONG, now.tone in _WRONG
        if wrong and (not was or before.title != now.title):
            announce(self, f"{now.title}. {now.detail}", urgent=now.tone is Tone.FAULT)
        elif was and not wrong:
            announce(self, now.title)

    def spoken(self) -> str:
        """How sure the model is, whether it was saved, and how old this is."""
        shown = self._shown
        return ". ".join(filter(None, (shown.number, _("saved") if shown.saved else "", shown.age)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Title, detail, bar, confidence and age from top to bottom."""
        shown, em = self._shown, theme.em(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        panel = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(self._colour if shown.tone is Tone.PLANE else theme.BORDER))
        painter.setBrush(QColor(theme.PANEL))
        painter.drawRoundedRect(panel, 6, 6)
        inside = panel.adjusted(em * 0.8, em * 0.4, -em * 0.8, -em * 0.6)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter

        title = QRectF(inside.left(), inside.top(), inside.width(), inside.height() - em * 5.5)
        painter.setFont(theme.fitted_font(self.font(), shown.title, title.width(), title.height()))
        painter.setPen(QColor(theme.DIM if shown.stale else self._colour))
        painter.drawText(title, left, shown.title)

        alone = shown.confidence is None and not shown.age and not shown.quality
        high = inside.bottom() - title.bottom() if alone else em * 2.8
        detail = QRectF(inside.left(), title.bottom(), inside.width(), high)
        painter.setFont(theme.scaled_font(self.font(), 1.15))
        painter.setPen(QColor(theme.TEXT))
        if not shown.quality:
            # Whole lines only; all of it is on the tool tip.
            metrics = painter.fontMetrics()
            lines = max(1, int(detail.height() // metrics.lineSpacing()))
            fitted = fitted_lines(metrics, shown.detail, int(detail.width()), lines)
            painter.drawText(detail, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, fitted)
        else:
            self._paint_quality(painter, detail)

        bottom = QRectF(inside.left(), detail.bottom(), inside.width(), inside.bottom() - detail.bottom())
        if shown.confidence is not None:
            self._paint_confidence(painter, bottom, shown.confidence)
        elif shown.age:
            painter.setFont(self.font())
            painter.setPen(QColor(theme.DIM))
            painter.drawText(bottom, left, shown.age)
        painter.end()

    def _paint_quality(self, painter: QPainter, room: QRectF) -> None:
        """The plane's name, and a line on the quality of its picture, each as far as there is room."""
        upper = QRectF(room.left(), room.top(), room.width(), room.height() * 0.55)
        lower = QRectF(room.left(), upper.bottom(), room.width(), room.height() * 0.45)
        left, elide = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, Qt.TextElideMode.ElideRight
        for place, text, scale, colour in (
            (upper, self._shown.detail, 1.15, theme.TEXT),
            (lower, self._shown.quality, 0.95, theme.DIM),
        ):
            painter.setFont(theme.scaled_font(self.font(), scale))
            painter.setPen(QColor(colour))
            painter.drawText(place, left, painter.fontMetrics().elidedText(text, elide, round(place.width())))

    def _paint_confidence(self, painter: QPainter, room: QRectF, confidence: float) -> None:
        shown, em = self._shown, theme.em(self)
        bar = QRectF(room.left(), room.top(), room.width(), em * 0.45)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.RAISED))
        painter.drawRoundedRect(bar, 3, 3)
        painter.setBrush(QColor(theme.DIM if shown.tone is Tone.NEUTRAL else self._colour))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * confidence, bar.height()), 3, 3)

        line = QRectF(room.left(), bar.bottom(), room.width(), room.bottom() - bar.bottom())
        painter.setFont(theme.scaled_font(self.font(), 1.6, bold=True))
        painter.setPen(QColor(theme.TEXT))
        number = shown.number
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, number)
        after = painter.fontMetrics().horizontalAdvance(number + " ")
        if shown.saved:
            painter.setFont(theme.scaled_font(self.font(), 1.15, bold=True))
            room_for_age = self.fontMetrics().horizontalAdvance(shown.age) + 0.5 * em
            for word in (_("SAVED"), "✓"):
                wide = painter.fontMetrics().horizontalAdvance(word) + em
                if after + wide + room_for_age <= line.width():
                    break
            box = QRectF(line.left() + after, 0, wide, em * 1.7)
            box.moveTop(line.center().y() - box.height() / 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.GOOD))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(QColor(theme.GROUND))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)
        painter.setFont(self.font())
        painter.setPen(QColor(theme.WARNING if shown.stale else theme.DIM))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown.age)
