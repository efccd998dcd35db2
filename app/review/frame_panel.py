"""Beside and below the picture in review: what the model says of the frame; play, step, speed, and place."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.formatting import Tone, percent
from app.review.presenter import ClassRow, FrameReadout
from app.widgets import theme
from app.widgets.accessible import Role, told_as
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.language import _, decimal

_LEAST_BAR_EM = 1.5
_ROW_EM = 1.55


class ClassButton(QAbstractButton):
    """One plane of the model: its key, name, and confidence as a bar. A click does what the key does."""

    def __init__(self, colour: str, longest: str, parent: QWidget | None = None) -> None:
        """Show nothing yet.

        Args:
            colour: Of the plane.
            longest: The longest name of all planes, so that all bars begin at one place.
            parent: As Qt has it.
        """
        super().__init__(parent)
        self._colour, self._longest = colour, longest
        self._row = ClassRow("", "", "", None, False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_row(self, row: ClassRow) -> None:
        """Show this."""
        if row == self._row:
            return
        self._row = row
        key = f"  ({row.key})" if row.key and self.isEnabled() else ""
        self.setToolTip(plain_tip(f"{row.title}{key}"))
        self.setAccessibleName(f"{row.name} {'' if row.share is None else percent(row.share)}")
        self.update()

    def sizeHint(self) -> QSize:
        """A line."""
        em = theme.em(self)
        return QSize(round(14 * em), round(_ROW_EM * em))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Key, name, bar, percent."""
        painter, em, row = QPainter(self), theme.em(self), self._row
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 1, -0.5, -1)
        if self.isEnabled() and self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.RAISED))
            painter.drawRoundedRect(box, 4, 4)
        left, middle = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter
        key = QRectF(box.left() + 0.3 * em, box.center().y() - 0.6 * em, 1.2 * em, 1.2 * em)
        painter.setFont(theme.scaled_font(self.font(), 0.85))
        if row.key:
            painter.setPen(QColor(theme.BORDER))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(key, 3, 3)
            painter.setPen(QColor(theme.DIM))
            painter.drawText(key, Qt.AlignmentFlag.AlignCenter, row.key)
        number = QRectF(box.right() - 2.9 * em, box.top(), 2.7 * em, box.height())
        name = QRectF(key.right() + 0.5 * em, box.top(), 0, box.height())
        bold = QFontMetricsF(theme.scaled_font(self.font(), 1.0, bold=True))
        room = number.left() - name.left() - (_LEAST_BAR_EM + 0.4) * em
        name.setWidth(min(room, max(5.2 * em, bold.horizontalAdvance(self._longest) + 1)))
        painter.setFont(theme.scaled_font(self.font(), 1.0, bold=row.named))
        painter.setPen(QColor(self._colour))
        fitted = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, int(name.width()))
        painter.drawText(name, left | middle, fitted)
        bar = QRectF(name.right() + 0.3 * em, 0, number.left() - name.right() - 0.4 * em, 0.45 * em)
        bar.moveTop(box.center().y() - bar.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.RAISED if not self.underMouse() else theme.BORDER))
        painter.drawRoundedRect(bar, 2, 2)
        if row.share is not None:
            painter.setBrush(QColor(self._colour))
            painter.drawRoundedRect(
                QRectF(bar.left(), bar.top(), bar.width() * row.share, bar.height()), 2, 2
            )
            painter.setPen(QColor(theme.TEXT if row.share >= 0.5 else theme.DIM))
            painter.drawText(number, Qt.AlignmentFlag.AlignRight | middle, percent(row.share))
        painter.end()


@told_as(Role.StaticText)
class _Heading(QWidget):
    """The plane's name, large, and one or two lines below it."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._shown = FrameReadout("", "", Tone.NEUTRAL)
        self._colour = theme.TEXT
        self.setAccessibleName(_("No frame"))

    def show_readout(self, shown: FrameReadout, plane_colour: str) -> None:
        self._shown, self._colour = shown, theme.tone_colour(shown.tone.value, plane_colour)
        below = shown.extra or shown.note
        self.setAccessibleName(f"{shown.title}. {shown.detail} {below}")
        # What is too long for a line is read here.
        self.setToolTip(plain_tip("\n".join(filter(None, (shown.detail, below)))))
        self.update()

    def sizeHint(self) -> QSize:
        em = theme.em(self)
        return QSize(round(14 * em), round(4.9 * em))

    def minimumSizeHint(self) -> QSize:
        """The name and the line below it; the other line is on the tool tip."""
        return QSize(0, round(3.6 * theme.em(self)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, em = QPainter(self), theme.em(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plane = self._shown.tone is Tone.PLANE
        painter.setPen(QColor(self._colour if plane else theme.BORDER))
        painter.setBrush(QColor(theme.PANEL))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        inside = QRectF(self.rect()).adjusted(0.7 * em, 0.3 * em, -0.7 * em, -0.3 * em)
        title = QRectF(inside.left(), inside.top(), inside.width(), 2.1 * em)
        left, middle = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.fitted_font(self.font(), self._shown.title, title.width(), title.height()))
        painter.setPen(QColor(self._colour))
        painter.drawText(title, left | middle, self._shown.title)
        painter.setFont(self.font())
        extra = self._shown.extra
        below = (extra, theme.WARNING) if extra else (self._shown.note, theme.DIM)
        for i, (text, colour) in enumerate(((self._shown.detail, theme.TEXT), below)):
            line = QRectF(inside.left(), title.bottom() + i * 1.1 * em, inside.width(), 1.1 * em)
            painter.setPen(QColor(colour))
            fitted = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, round(line.width()))
            painter.drawText(line, left | middle, fitted)
        painter.end()


@told_as(Role.StaticText)
class _Experts(QWidget):
    """The gate's shares side by side, as one bar."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._shares: tuple[float, ...] = ()
        self.setAccessibleName(_("Experts"))

    def show_shares(self, shares: tuple[float, ...]) -> None:
        if shares != self._shares:
            self._shares = shares
            self.setToolTip(_("How much each expert of the network counted for this frame."))
            said = ", ".join(percent(share) for share in shares)
            self.setAccessibleName(_("Experts {shares}", shares=said))
            self.update()

    def sizeHint(self) -> QSize:
        em = theme.em(self)
        return QSize(round(14 * em), round(1.9 * em))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, em = QPainter(self), theme.em(self)
        painter.setPen(QColor(theme.DIM))
        painter.setFont(theme.scaled_font(self.font(), 0.9))
        shares = self._shares if len(self._shares) > 1 else ()
        line = QRectF(0.3 * em, 0, self.width() - 0.6 * em, 1.1 * em)
        text = "   ".join(f"{i + 1}: {percent(share)}" for i, share in enumerate(shares))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | middle, _("Experts") if shares else "")
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | middle, text)
        left = line.left()
        for i, share in enumerate(shares):
            box = QRectF(left, 1.3 * em, line.width() * share, 0.4 * em)
            painter.fillRect(box, QColor((theme.ACCENT, theme.TEXT, theme.DIM)[i % 3]))
            left = box.right()
        painter.end()


class FramePanel(QWidget):
    """All of it in a column.

    Signals:
        class_chosen: The name of the plane that was clicked.
    """

    class_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, ClassButton] = {}
        self._shown: FrameReadout | None = None
        self._colours: dict[str, str] = {}
        self._heading = _Heading()
        self._experts = _Experts()
        inner = QWidget()
        self._rows = QVBoxLayout(inner)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self._rows.addStretch(1)
        scroll = self._scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = self._column = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._heading)
        self._chosen = PlainLabel()
        self._chosen.setWordWrap(True)
        self._chosen.setObjectName("dim")
        self._chosen.setTextFormat(Qt.TextFormat.PlainText)
        scroll.setMinimumHeight(1)  # it gives way before the heading does
        layout.addWidget(scroll, 1)
        layout.addWidget(self._chosen)
        layout.addWidget(self._experts)

    @property
    def shown(self) -> FrameReadout | None:
        """What it says."""
        return self._shown

    @property
    def seen_plane(self) -> str:
        """The plane that it names; "" where it names none."""
        shown = self._shown
        return shown.title if shown is not None and shown.tone is Tone.PLANE else ""

    def begin(self, colours: dict[str, str], looking_only: bool = False) -> None:
        """Begin anew with these planes; they cannot be chosen where the session is only looked at."""
        for button in self._buttons.values():
            self._rows.removeWidget(button)
            button.deleteLater()
        self._buttons, self._colours, self._shown = {}, colours, None
        longest = max(colours, key=len, default="")
        for i, (name, colour) in enumerate(colours.items()):
            button = ClassButton(colour, longest)
            button.setEnabled(not looking_only)
            button.clicked.connect(lambda _on=False, n=name: self.class_chosen.emit(n))
            self._buttons[name] = button
            self._rows.insertWidget(i, button)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, what is less needed gives way."""
        self._share_height()

    def _share_height(self) -> None:
        """First the heading and a plane's row; then what is known of the chosen one, then the experts."""
        em, gap = theme.em(self), self._column.spacing()
        left = self.height() - self._heading.sizeHint().height() - gap - round(_ROW_EM * em)
        self._scroll.setVisible(left >= 0)
        for part, needed in ((self._chosen, em), (self._experts, self._experts.sizeHint().height())):
            left -= gap + round(needed)
            part.setVisible(left >= 0)

    def show_chosen(self, text: str) -> None:
        """What there is to know of the chosen plane, or ""."""
        if text != self._chosen.text():
            self._chosen.setText(text)
            # In a small window there is no room for all of it.
            self._chosen.setToolTip(plain_tip(text))
            self._share_height()

    def show_readout(self, shown: FrameReadout) -> None:
        """Say this."""
        if shown == self._shown:
            return
        self._shown = shown
        self._heading.show_readout(shown, self._colours.get(shown.title, theme.TEXT))
        for row in shown.rows:
            self._buttons[row.name].show_row(row)
        self._experts.show_shares(shown.experts)


_ACTIONS = ("previous_plane", "step_back", "play", "step_on", "next_plane", "slower", "faster")
_SIGNS = {
    "previous_plane": "|◀",
    "step_back": "◀|",
    "play": "▶",
    "step_on": "|▶",
    "next_plane": "▶|",
    "slower": "−",
    "faster": "+",
}


@told_as(Role.ProgressBar)
class ProgressLine(QWidget):
    """How far the analysis is: a text over a bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._text, self._short, self._share = "", "", 0.0
        self.setAccessibleName(_("Progress of the analysis"))

    @property
    def text(self) -> str:
        """What it says."""
        return self._text

    def spoken(self) -> str:
        """How far it is."""
        return self._text

    def show_progress(self, texts: tuple[str, str], share: float) -> None:
        """Say this, at length or in short; the bar is filled to `share`, 0-1."""
        text, short = texts
        if (text, short, share) != (self._text, self._short, self._share):
            self._text, self._short, self._share = text, short, share
            self.setToolTip(plain_tip(text))
            self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        em = theme.em(self)
        return QSize(round(16 * em), round(1.7 * em))

    def minimumSizeHint(self) -> QSize:
        """The text is shortened where there is no room."""
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text on the right, a thin bar below while there is work left."""
        painter, em = QPainter(self), theme.em(self)
        painter.setPen(QColor(theme.DIM))
        room = QRectF(self.rect())
        fits = painter.fontMetrics().horizontalAdvance(self._text) <= self.width()
        # A number that is cut short would be read as another one.
        text = self._text if fits else self._short
        if painter.fontMetrics().horizontalAdvance(text) > self.width():
            text = ""  # the tool tip has it
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        if 0 < self._share < 1:
            bar = QRectF(0, self.height() - 0.18 * em, self.width(), 0.18 * em)
            painter.fillRect(bar, QColor(theme.RAISED))
            bar.setWidth(bar.width() * self._share)
            painter.fillRect(bar, QColor(theme.ACCENT))
        painter.end()


def _follow(button: QToolButton, action: QAction) -> None:
    """Works as the action does, and is called so."""
    button.setEnabled(action.isEnabled())
    button.setAccessibleName(action.text())


class TransportBar(QWidget):
    """Buttons that follow the window's actions, and what there is to know of the place in the loop."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.progress = ProgressLine()
        self._where = PlainLabel()
        self._where.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._speed = PlainLabel()
        self._speed.setObjectName("dim")
        self._speed.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(3)
        self._play: QToolButton | None = None
        em = theme.em(self)
        self._speed.setFixedWidth(round(3.2 * em))
        self._where.setContentsMargins(round(0.6 * em), 0, round(0.6 * em), 0)

    def set_actions(self, actions: dict[str, QAction]) -> None:
        """Make the buttons; they do and look as the actions with their names. Called once."""
        for name in _ACTIONS:
            button = QToolButton()
            button.setText(_SIGNS[name])
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setFixedSize(round(2.3 * theme.em(self)), round(1.8 * theme.em(self)))
            action = actions[name]
            button.clicked.connect(action.trigger)
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text())
            action.changed.connect(lambda b=button, a=action: _follow(b, a))
            if name == "faster":
                self._row.addWidget(self._speed)
            self._row.addWidget(button)
            if name == "play":
                self._play = button
        self._row.addWidget(self._where)
        self._row.addWidget(self.progress, 1)

    @property
    def where(self) -> str:
        """The place in the loop, as shown."""
        return self._where.text()

    def show_place(self, where: tuple[str, str], playing: bool, speed: float) -> None:
        """Where the review is, at length and in short; whether it plays, and how fast."""
        place = self._where.geometry()
        before = self.width() - place.right() - 1 if self.isRightToLeft() else place.x()
        room = self.width() - before - self._where.contentsMargins().right() * 2
        long = self.fontMetrics().horizontalAdvance(where[0]) <= room
        text = where[0] if long else where[1]
        if text != self._where.text():
            self._where.setText(text)
        speed_text = f"{decimal(speed, len(f'{speed:g}'.partition('.')[2]))}x"
        if speed_text != self._speed.text():
            self._speed.setText(speed_text)
        sign = "❚❚" if playing else "▶"
        if self._play is not None and self._play.text() != sign:
            self._play.setText(sign)
