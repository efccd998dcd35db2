"""The checklist of the protocol: a line for each item, or with little room one line of marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QColor,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.checklist.marks import MarksLine, paint_mark, status_colour
from app.checklist.presenter import ChecklistRow, ChecklistView, status_word
from app.checklist.tabs import FetusTabs
from app.commands import ONLY_LOOKED_AT
from app.keys import first_key
from app.view_data import DraggedPlane
from app.widgets import theme
from app.widgets.dragging import dragged
from app.widgets.fitted import FittedLabel
from app.widgets.folding import FoldingPanel
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.language import _
from semc_core.protocols.checklist import Status

_LEAST_EM = 2.5 + 4 * 1.45
"""With room for fewer than four lines it is closed at first."""

_CLOSED_EM = 3.8


class RowButton(QAbstractButton):
    """One item: mark, title, and the status in words. The card of a plane can be dropped on it.

    Signals:
        menu_wanted: The right button was pressed here (global position).
        dragged_over: A card is over it that can be dropped here.
        dropped: A `DraggedPlane` was.

    Attributes:
        target: Whether a card is being dragged that can be dropped here.
    """

    menu_wanted = Signal(object)
    dragged_over = Signal()
    dropped = Signal(object)

    def __init__(
        self, row: ChecklistRow, takes: Callable[[], bool] = lambda: True, parent: QWidget | None = None
    ) -> None:
        """Show `row`; `takes` says whether a plane can be named here at all."""
        super().__init__(parent)
        self._takes, self._over, self.target = takes, False, False
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._row: ChecklistRow | None = None
        self.show_row(row)

    @property
    def row(self) -> ChecklistRow:
        """What it shows."""
        assert self._row is not None
        return self._row

    def show_row(self, row: ChecklistRow) -> None:
        """Show this."""
        if row == self._row:
            return
        self._row = row
        self.setToolTip(plain_tip(row.tip))
        self.setAccessibleName(f"{row.title}: {status_word(row.status)}")
        self.update()

    def sizeHint(self) -> QSize:
        """A line."""
        em = theme.em(self)
        return QSize(round(12 * em), round(1.45 * em))

    def show_target(self, on: bool) -> None:
        """Whether a card can be dropped here now."""
        self.target, self._over = on, False
        self.update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A card of a plane is taken; anything else is refused, as the cursor says."""
        self._over = self._takes() and self._taken(event) is not None
        self.update()
        if self._over:
            self.dragged_over.emit()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """As when it came."""
        if not self._takes() or self._taken(event) is None:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It went on."""
        self._over = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        """The plane is this item's."""
        self._over = False
        self.update()
        if self._takes() and (plane := self._taken(event)) is not None:
            self.dropped.emit(plane)

    def _taken(self, event: QDropEvent) -> DraggedPlane | None:
        """The plane that is dragged, which is accepted; None where it is something else."""
        plane = dragged(event.mimeData())
        if plane is not None:
            event.acceptProposedAction()
        return plane

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """What else can be done."""
        self.menu_wanted.emit(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Mark, title, words."""
        painter, em, row = QPainter(self), theme.em(self), self.row
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.RAISED))
            painter.drawRoundedRect(box, 4, 4)
        if self.target:
            style = Qt.PenStyle.SolidLine if self._over else Qt.PenStyle.DotLine
            painter.setPen(QPen(QColor(theme.ACCENT), 2 if self._over else 1, style))
            painter.setBrush(QColor(theme.RAISED if self._over else theme.PANEL))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 4, 4)
        mark = QRectF(box.left() + 0.3 * em, box.center().y() - 0.45 * em, 0.9 * em, 0.9 * em)
        paint_mark(painter, mark, row.status)
        painter.setFont(theme.scaled_font(self.font(), 0.88))
        wide = painter.fontMetrics().horizontalAdvance(row.status_text)
        right = QRectF(box.right() - wide - 0.4 * em, box.top(), wide + 1, box.height())
        painter.setPen(QColor(status_colour(row.status)))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(right, Qt.AlignmentFlag.AlignRight | middle, row.status_text)
        painter.setFont(self.font())
        room = QRectF(
            mark.right() + 0.5 * em, box.top(), right.left() - mark.right() - 0.9 * em, box.height()
        )
        title = painter.fontMetrics().elidedText(
            row.title, Qt.TextElideMode.ElideRight, max(0, round(room.width()))
        )
        painter.setPen(QColor(theme.DIM if row.optional else theme.TEXT))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, title)
        painter.end()


class _Header(QAbstractButton):
    """The title; a click anywhere on it opens or closes the list, as its key does."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        """What stands in it paints itself."""


class ChecklistPanel(FoldingPanel):
    """The checklist, open or closed.

    Signals:
        row_chosen: The id of the item that was clicked, which has a plane.
        word_wanted: The id of the item that is to be called not possible.
        word_taken_back: The id of the item that is possible after all.
        add_wanted: The id of the item that the picture shows.
        protocol_chosen: The id of another protocol.
        fetus_chosen: The letter of the fetus whose list is wanted.
        plane_dropped: The id of an item, and the `DraggedPlane` that was dropped on its line.

    Attributes:
        looking_only: Whether nothing of the session can be changed here.
        can_name: Says whether a plane can be named now, where it is not only looked at.
        tabs: A button for each of several fetuses.
    """

    row_chosen = Signal(str)
    word_wanted = Signal(str)
    word_taken_back = Signal(str)
    add_wanted = Signal(str)
    protocol_chosen = Signal(str)
    fetus_chosen = Signal(str)
    plane_dropped = Signal(str, object)

    def __init__(self, can_add: bool = False, parent: QWidget | None = None) -> None:
        """`can_add`: whether the picture that is shown can be added as an item's plane."""
        super().__init__(_LEAST_EM, _CLOSED_EM, parent)
        self.setObjectName("panel")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._can_add = can_add
        self.looking_only = False
        self.can_name: Callable[[], bool] = lambda: True
        self._view: ChecklistView | None = None
        self._choices: tuple[tuple[str, str], ...] = ()
        self._choice = ""
        self._rows: dict[str, RowButton] = {}
        self._title = FittedLabel()
        self._title.setObjectName("heading")
        self._progress = PlainLabel()
        self._progress.setObjectName("heading")
        self._inline, self._below = MarksLine(), MarksLine()
        self.tabs = FetusTabs()
        self.tabs.chosen.connect(self.fetus_chosen)
        self._warning = PlainLabel()
        self._warning.setObjectName("notice")
        self._warning.setWordWrap(True)
        self._build()
        self.follow()

    def _build(self) -> None:
        em = theme.em(self)
        other = QToolButton()
        other.setText("⋯")
        other.setToolTip(_("Choose a protocol"))
        other.setAccessibleName(_("Choose a protocol"))
        other.setAutoRaise(True)
        other.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        other.clicked.connect(lambda: self._choose_protocol(other))
        header = self._header = _Header()
        header.setCursor(Qt.CursorShape.PointingHandCursor)
        header.clicked.connect(self.toggle)
        line = QHBoxLayout(header)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._title, 1)
        line.addWidget(self._inline, 1)
        line.addWidget(self._progress)
        line.addWidget(other)
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        self._list.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidget(inner)
        self._scroll.setWidgetResizable(True)
        inner.setAutoFillBackground(False)  # on the ground of the card
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = self._whole = QVBoxLayout(self)
        layout.setContentsMargins(round(0.5 * em), round(0.2 * em), round(0.4 * em), round(0.3 * em))
        layout.setSpacing(round(0.2 * em))
        layout.addWidget(header)
        layout.addWidget(self.tabs)
        layout.addWidget(self._below)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self._warning)

    @property
    def view(self) -> ChecklistView | None:
        """What it shows."""
        return self._view

    @property
    def rows(self) -> list[RowButton]:
        """The lines, from top to bottom."""
        return sorted(self._rows.values(), key=self._list.indexOf)

    def hasHeightForWidth(self) -> bool:
        """The size hint knows the height better than the lines' scroll area does."""
        return False

    def show_choices(self, choices: Sequence[tuple[str, str]], choice: str) -> None:
        """The protocols (id and title), and which one was chosen."""
        self._choices, self._choice = tuple(choices), choice

    def show_view(self, view: ChecklistView | None) -> None:
        """Show this; None where there is no protocol."""
        if view == self._view:
            return
        self._view = view
        rows = () if view is None else view.rows
        if [row.item_id for row in rows] != [button.row.item_id for button in self.rows]:
            self._rebuild(rows)
        for row in rows:
            self._rows[row.item_id].show_row(row)
        self.follow()

    def sizeHint(self) -> QSize:
        """All lines, where there is room."""
        em, margins, gap = theme.em(self), self._whole.contentsMargins(), self._whole.spacing()
        high = margins.top() + self._header.sizeHint().height() + margins.bottom() + 2 * self.frameWidth()
        if self.is_open:
            high += gap + self._list.sizeHint().height() + 2
        if not self.tabs.isHidden():
            high += gap + self.tabs.sizeHint().height()
        if not self._below.isHidden():
            high += gap + self._below.sizeHint().height()
        if not self._warning.isHidden():
            wide = max(1, self.width() - margins.left() - margins.right())
            high += gap + self._warning.heightForWidth(wide)
        return QSize(round(14 * em), high)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The warning needs more lines where it is narrow."""
        if not self._warning.isHidden():
            self.updateGeometry()

    def _rebuild(self, rows: Sequence[ChecklistRow]) -> None:
        for button in self._rows.values():
            self._list.removeWidget(button)
            button.deleteLater()
        self._rows = {}
        for at, row in enumerate(rows):
            button = RowButton(row, self._takes)
            button.clicked.connect(lambda checked=False, b=button: self._clicked(b))
            button.dragged_over.connect(lambda b=button: self._show_beside(b))
            button.dropped.connect(lambda plane, b=button: self.plane_dropped.emit(b.row.item_id, plane))
            button.menu_wanted.connect(lambda where, b=button: self._open_menu(b, where))
            self._rows[row.item_id] = button
            self._list.insertWidget(at, button)

    def show_targets(self, on: bool) -> None:
        """A card of a plane is dragged, or no longer: say on which lines it can be dropped."""
        for button in self._rows.values():
            button.show_target(on and self._takes())

    def _takes(self) -> bool:
        return not self.looking_only and self.can_name()

    def _show_beside(self, button: RowButton) -> None:
        """Of a long list the next line comes into view, so that a card can be carried on to it."""
        self._scroll.ensureWidgetVisible(button, 0, button.height())

    @property
    def filled(self) -> bool:
        """Whether there is a protocol."""
        return self._view is not None

    def follow(self) -> None:
        """Show the list or the marks."""
        view = self._view
        title = _("No protocol") if view is None else f"{'▾' if self.is_open else '▸'} {view.title}"
        self._title.setText(title)
        plain = _("No protocol") if view is None else view.title
        self._title.setAccessibleName(plain)
        self._header.setAccessibleName(_("Checklist: {title}", title=plain))
        self._header.setAccessibleDescription(_("Open") if self.is_open else _("Closed"))
        summary = "" if view is None else f"{view.title}. {view.summary} {view.warning}\n"
        click = _("Click to open or close the checklist ({key}).", key=first_key("checklist"))
        self._header.setToolTip(summary + click)
        # With little room the marks take the place of the title.
        self._inline.setVisible(view is not None and self.narrow and not self.is_open)
        self._title.setVisible(self._inline.isHidden())
        self._progress.setText("" if view is None else view.progress)
        self._progress.setAccessibleName("" if view is None else view.summary)
        done = view is not None and view.share >= 1
        self._progress.setStyleSheet(f"color: {theme.GOOD if done else theme.TEXT};")
        self.tabs.show_tabs(() if view is None else view.tabs, "" if view is None else view.fetus)
        self.tabs.setVisible(view is not None and bool(view.tabs) and self.is_open)
        for marks in (self._inline, self._below):
            marks.show_statuses(() if view is None else tuple(row.status for row in view.rows))
        self._below.setVisible(view is not None and not self.is_open and self._inline.isHidden())
        self._scroll.setVisible(self.is_open)
        warning = "" if view is None else view.warning
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning) and self.is_open)
        self.updateGeometry()

    def _clicked(self, button: RowButton) -> None:
        if button.row.plane_id is not None:
            self.row_chosen.emit(button.row.item_id)
        else:
            self._open_menu(button, button.mapToGlobal(button.rect().bottomLeft()))

    def menu_of(self, row: ChecklistRow) -> QMenu:
        """What can be done with an item."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = menu.addAction(row.title)
        title.setEnabled(False)
        item = row.item_id
        if row.plane_id is not None:
            menu.addAction(_("Show the plane"), lambda: self.row_chosen.emit(item))
        if self.looking_only:
            menu.addAction(_(ONLY_LOOKED_AT)).setEnabled(False)
            return menu
        away = self._view is not None and self._view.away
        if self._can_add and not away:
            menu.addAction(_("The picture shows it: add it here"), lambda: self.add_wanted.emit(item))
        if row.status is Status.NOT_POSSIBLE:
            menu.addAction(_("Possible after all"), lambda: self.word_taken_back.emit(item))
        elif row.status is not Status.FOUND:
            menu.addAction(_("Not possible …"), lambda: self.word_wanted.emit(item))
        return menu

    def _open_menu(self, button: RowButton, where: object) -> None:
        self.menu_of(button.row).popup(where)  # type: ignore[arg-type]  # a QPoint

    def protocol_menu(self) -> QMenu:
        """The protocols to choose from."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        for key, title in self._choices:
            action: QAction = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(key == self._choice)
            action.triggered.connect(lambda checked=False, k=key: self.protocol_chosen.emit(k))
            group.addAction(action)
        return menu

    def _choose_protocol(self, button: QToolButton) -> None:
        self.protocol_menu().popup(button.mapToGlobal(button.rect().bottomLeft()))
