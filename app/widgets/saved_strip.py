"""The strip of planes that were saved, and a larger view of one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDesktopServices, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.formatting import percent, quality_text, when_text
from app.view_data import NO_MARKS, DraggedPlane, StripMarks
from app.widgets import theme
from app.widgets.accessible import Role, announce, told_as
from app.widgets.cards import Card, Strip, paint_ends
from app.widgets.drawing import draw_in, image_of
from app.widgets.fitted import tell_whole
from app.widgets.plain import PlainLabel
from app.widgets.wrapping import WrapRow
from semc_core.labels import full_name, short_name
from semc_core.language import _
from semc_core.text import scan_time
from semc_core.types import SavedPlane

_CHOICES: Final = 30
"""So many names can be offered; no protocol that ships has more planes."""
_CARDS_EM: Final = 5.2
"""Less than this the cards are not worth seeing while a name is asked for."""


def card_state(plane: SavedPlane, marks: StripMarks = NO_MARKS) -> str:
    """What a card says beside the time: that nothing was written comes before all else."""
    if plane.png is None:
        return _("not written")
    if plane.hold_id < 0:
        return _("scan before")
    if plane.hold_id in marks.rejected:
        return _("rejected")
    if plane.hold_id in marks.named:
        return _("by you")
    if not plane.final:
        return _("holding")
    return _("by hand") if plane.by_hand else ""


class PlaneCard(Card[SavedPlane]):
    """One saved plane: picture, name, confidence and time."""

    marks = NO_MARKS
    drags = True

    def show_marks(self, marks: StripMarks) -> None:
        """Whether it is chosen, rejected, or named by a person."""
        if marks != self.marks:
            self.marks = marks
            self._tell()
            self.update()

    @property
    def when(self) -> str:
        """The time, and of several fetuses the letter of the plane's."""
        return when_text(self._item.time_s, self.marks.fetuses.get(self._item.hold_id, ""))

    @property
    def carried(self) -> DraggedPlane | None:
        """What is dragged with it; None where it is rejected, not written, or of a scan before."""
        plane = self._item
        if plane.png is None or plane.hold_id < 0 or plane.hold_id in self.marks.rejected:
            return None
        return DraggedPlane(plane.hold_id, plane.plane)

    def show_item(self, item: SavedPlane, colour: str) -> None:
        """Show this instead: a better frame of the same hold."""
        super().show_item(item, colour)
        self._show_pixels(item.thumbnail)
        known = {
            "plane": _(full_name(item.plane)),
            "confidence": f"{item.confidence:.0%}",
            "time": scan_time(item.time_s),
            "frame": item.frame_index,
        }
        if item.by_hand:
            said = _("{plane}, {confidence}, captured by hand at {time}, frame {frame}", **known)
        else:
            said = _("{plane}, {confidence}, found at {time}, frame {frame}", **known)
        judged = f"\n{quality_text(item.quality)}" if item.quality is not None else ""
        saved = "" if item.png is not None else "\n" + _("Not written: saving failed or is off.")
        self.setToolTip(f"{said}{judged}{saved}")
        self._tell()

    def _tell(self) -> None:
        """What is read aloud: what the card shows without words, too."""
        item, marks = self._item, self.marks
        letter = marks.fetuses.get(item.hold_id, "")
        of_fetus = _("fetus {letter}", letter=letter) if letter else ""
        words = f"{_(short_name(item.plane))} {item.confidence:.0%}", of_fetus, card_state(item, marks)
        chosen = _("chosen") if marks.chosen == item.hold_id else ""
        self.setAccessibleName(", ".join(filter(None, (*words, chosen))))

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
        chosen, rejected = self.marks.chosen == plane.hold_id, plane.hold_id in self.marks.rejected
        colour = theme.DIM if rejected else self._colour
        seen = chosen or self.hasFocus() or self.underMouse()
        painter.setPen(QPen(QColor(theme.TEXT if seen else colour), 2.4 if chosen else 1.4, style))
        painter.setBrush(QColor(theme.RAISED if chosen else theme.PANEL))
        painter.drawRoundedRect(box, 5, 5)
        inside = box.adjusted(0.35 * em, 0.35 * em, -0.35 * em, -0.2 * em)
        room = QRectF(inside.left(), inside.top(), inside.width(), inside.height() - 2.5 * em)
        if self._image is not None and room.height() > 0:
            painter.setOpacity(0.4 if rejected else 1.0)
            draw_in(painter, self._image, room)
            painter.setOpacity(1.0)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ACCENT), 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(3, 3, -3, -3), 4, 4)
        if rejected:
            painter.setPen(QPen(QColor(theme.FAULT), 2))
            painter.drawLine(room.topLeft(), room.bottomRight())
        first = QRectF(inside.left(), inside.bottom() - 2.4 * em, inside.width(), 1.3 * em)
        second = QRectF(inside.left(), inside.bottom() - 1.15 * em, inside.width(), 1.15 * em)
        name = theme.scaled_font(self.font(), 1.1, bold=True)
        level = percent(plane.confidence), name, theme.TEXT
        paint_ends(painter, first, (_(short_name(plane.plane)), name, colour), level)
        small = theme.scaled_font(self.font(), 0.9)
        state = card_state(plane, self.marks), small, theme.WARNING if plane.png is None else theme.DIM
        paint_ends(painter, second, (self.when, small, theme.DIM), state)
        painter.end()


class SavedStrip(Strip[SavedPlane]):
    """All planes of the scan, the newest last and in view.

    Signals:
        opened: A `SavedPlane` was clicked.
        named: The name of a plane that was clicked, where one is asked for.
        folder_wanted: The folder is to be shown.
        change_folder_wanted: Another folder is to be chosen.
    """

    opened = Signal(object)
    named = Signal(str)
    folder_wanted = Signal()
    change_folder_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        show, change = QPushButton(_("Show folder")), QPushButton(_("Change …"))
        super().__init__(parent, (show, change))
        for button, wanted in ((show, self.folder_wanted), (change, self.change_folder_wanted)):
            button.setObjectName("flat")
            button.clicked.connect(wanted)
        self._heading.setText(strip_title(()))
        self._header.setSpacing(round(0.6 * theme.em(self)))
        self._empty.setText(
            _(
                "None yet. The best frame of every plane that is held is saved by itself; "
                "Capture saves one by hand."
            )
        )
        self._empty.setWordWrap(True)
        self._row.setStretchFactor(self._empty, 1)
        bar = self._scroll.horizontalScrollBar()
        bar.rangeChanged.connect(lambda _low, high: bar.setValue(high))
        self._marks = NO_MARKS
        self._asked: tuple[str, tuple[tuple[str, str], ...]] = ("", ())
        # Made once: what is taken away amid its own events takes the program with it.
        self._question, self._way_out = PlainLabel(), PlainLabel()
        self._way_out.setObjectName("dim")
        self._choices = [self._choice(number) for number in range(_CHOICES)]
        self._names = WrapRow(self._question, *self._choices, self._way_out)
        self._names.hide()
        self._column.insertWidget(1, self._names)
        self._scroll.setMinimumHeight(1)  # it gives way before the question does

    def show_folder(self, text: str) -> None:
        """Say where the planes are written."""
        tell_whole(self._hint, _("in {folder}", folder=text))

    def show_planes(
        self, planes: tuple[SavedPlane, ...], colours: dict[str, str], marks: StripMarks = NO_MARKS
    ) -> None:
        """Show these: cards of the same hold are kept and changed, others are added or taken away."""
        before, self._marks = self._marks, marks
        self._tell_new(planes)
        self._show((plane.hold_id, plane, colours.get(plane.plane, theme.DIM)) for plane in planes)
        self._heading.setText(strip_title(planes))
        for card in self._cards.values():
            if isinstance(card, PlaneCard):
                card.show_marks(marks)
        if marks.chosen != before.chosen and marks.chosen in self._place_of:
            self._show_place(self._place_of[marks.chosen])

    def _tell_new(self, planes: tuple[SavedPlane, ...]) -> None:
        """Say aloud that a plane was captured: once, not with each better frame of it."""
        new = [plane for plane in planes if plane.hold_id > 0 and plane.hold_id not in self._place_of]
        if new:
            name = _(short_name(new[-1].plane))
            saved = new[-1].png is not None
            announce(
                self, _("{plane} captured", plane=name) if saved else _("{plane} not written", plane=name)
            )

    @property
    def asked(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What is asked, and which keys and names are offered."""
        return self._asked

    def ask(self, question: str, offered: tuple[tuple[str, str], ...], way_out: str | None = None) -> None:
        """Ask for the name of a plane above the cards; nothing waits for the answer. "" asks nothing.

        Args:
            question: That is asked.
            offered: Key, or "", and name of each plane.
            way_out: What other keys do; None: Esc is for later.
        """
        if (question, offered) == self._asked:
            return
        self._asked = question, offered
        self._question.setText(question)
        self._way_out.setText(_("Esc: later") if way_out is None else way_out)
        for number, button in enumerate(self._choices):
            key, name = offered[number] if number < len(offered) else ("", "")
            button.setText(f"{key} {name}".strip().replace("&", "&&"))
            button.setToolTip(_(full_name(name)))
            button.setAccessibleName(_(full_name(name)) if name else _unused(number))
            button.setVisible(bool(name))
        self._names.setVisible(bool(question))
        self._share_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the question is seen and the cards are not."""
        self._share_height()

    def _share_height(self) -> None:
        em, names = theme.em(self), self._names
        left = self.height() - self._heading.sizeHint().height()
        left -= 0 if names.isHidden() else names.heightForWidth(self.width())
        self._scroll.setVisible(names.isHidden() or left >= _CARDS_EM * em)

    def _choose(self, number: int) -> None:
        offered = self._asked[1]
        if number < len(offered):
            self.named.emit(offered[number][1])

    def _choice(self, number: int) -> QPushButton:
        button = QPushButton()
        button.setObjectName("flat")
        button.setAccessibleName(_unused(number))
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda: self._choose(number))
        button.hide()
        return button

    def _new_card(self, key: int, item: SavedPlane, colour: str) -> PlaneCard:
        card = PlaneCard(item, colour)
        card.show_marks(self._marks)
        card.clicked.connect(lambda: self.opened.emit(card.item))
        card.drag_wanted.connect(lambda: self.drag.begin(card, card.carried))
        return card


def _unused(number: int) -> str:
    """What a choice is called that offers nothing now."""
    return _("Plane {number}", number=number + 1)


def strip_title(planes: tuple[SavedPlane, ...]) -> str:
    """ "Saved planes (3)", with those that were not written counted apart."""
    written = sum(plane.png is not None for plane in planes)
    missing = len(planes) - written
    if written and missing:
        return _("Saved planes ({written}, {missing} not written)", written=written, missing=missing)
    if missing:
        return _("Saved planes ({missing} not written)", missing=missing)
    return _("Saved planes ({written})", written=written) if written else _("Saved planes")


@told_as(Role.Pane)
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
        self._show = QPushButton(_("Show in folder"))
        self._show.clicked.connect(self._show_in_folder)
        close = QPushButton(_("Close  (Esc)"))
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
        where = _("not written") if plane.png is None else str(plane.png)
        if missing and plane.png is not None:
            where = _("{file} (cannot be read; the small picture is shown)", file=where)
        judged = f"  ·  {quality_text(plane.quality)}" if plane.quality is not None else ""
        place = _("{time}, frame {frame}", time=scan_time(plane.time_s), frame=plane.frame_index)
        self._text.setText(
            f"{_(short_name(plane.plane))}  {_(full_name(plane.plane))}  ·  {plane.confidence:.0%}  ·  "
            f"{place}{judged}\n{where}"
        )
        self._show.setEnabled(plane.png is not None)
        self.setAccessibleName(_("Saved plane: {plane}", plane=_(full_name(plane.plane))))
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
        painter.fillRect(QRectF(0, 0, self.width(), high), QColor("#000000"))
        draw_in(painter, self._image, QRectF(0, 0, self.width(), high))
        painter.end()

    def _show_in_folder(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))
