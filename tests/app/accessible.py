"""What assistive technology is told of a window, and what is wrong with it.

Qt gives each widget an interface (role, name, description, value, state); a screen reader has nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QProgressBar,
    QScrollArea,
    QScrollBar,
    QSplitterHandle,
    QWidget,
)

from app.annotating.layer import AnnotationLayer
from app.checklist.panel import RowButton
from app.live.readout import ReadoutView
from app.review.frame_panel import ProgressLine
from app.review.timeline import TimelineView
from app.widgets.action_button import ActionButton
from app.widgets.cards import ItemCard
from app.widgets.image_view import LiveView
from app.widgets.levels_control import LevelsControl
from app.widgets.saved_strip import PlaneCard, card_state
from semc_core.text import scan_time
from tests.app.looks import named, shown

_WORD: Final = re.compile(r"\w\w")
"""Of a name: a sign alone is read aloud as "black right-pointing triangle", or not at all."""
Role = QAccessible.Role
ACTED_ON: Final = frozenset(
    {
        *(Role.Button, Role.ButtonMenu, Role.CheckBox, Role.RadioButton, Role.ComboBox, Role.EditableText),
        *(Role.Slider, Role.SpinBox, Role.Table, Role.Tree, Role.List, Role.PageTab, Role.Link),
        *(Role.ListItem, Role.Graphic, Role.Splitter, Role.ButtonDropDown),
    }
)
"""What something that can be clicked or typed into may be; a picture is a `Graphic` that is drawn on."""
_EXPECTED: Final = (
    (QComboBox, {Role.ComboBox}),
    (QAbstractSpinBox, {Role.SpinBox}),
    (QLineEdit, {Role.EditableText}),
    (QProgressBar, {Role.ProgressBar}),
    (QAbstractSlider, {Role.Slider, Role.ScrollBar}),
    (QAbstractItemView, {Role.Table, Role.Tree, Role.List}),
    (QAbstractButton, {Role.Button, Role.ButtonMenu, Role.CheckBox, Role.RadioButton, Role.ListItem}),
)
_TAB: Final = Qt.FocusPolicy.TabFocus.value
_SLACK_PX: Final = 2


@dataclass(frozen=True)
class Told:
    """What is told of a widget."""

    widget: QWidget
    role: QAccessible.Role
    name: str
    description: str
    value: str
    state: Any

    @property
    def words(self) -> str:
        """All that is read aloud of it."""
        return " | ".join((self.role.name, self.name, self.description, self.value))


def told_of(widget: QWidget) -> Told:
    """What Qt tells of this widget now."""
    face = QAccessible.queryAccessibleInterface(widget)
    assert face is not None, named(widget)
    kind = QAccessible.Text
    name, description, value = (face.text(each) for each in (kind.Name, kind.Description, kind.Value))
    if isinstance(widget, QComboBox):
        # Where a screen reader goes by labels, Qt gives what is chosen for the name.
        labels = [label.text(kind.Name) for label, _flag in face.relations(QAccessible.RelationFlag.Label)]
        name = next(filter(None, (*labels, widget.accessibleDescription())), "")
    return Told(widget, face.role(), name, description, value, face.state())


def told(root: QWidget) -> list[Told]:
    """What is told of `root` and of all that is seen of it, but for the inner parts of Qt's own."""
    return [told_of(widget) for widget in (root, *shown(root))]


def reached(root: QWidget) -> set[int]:
    """Ids of the widgets that the tree leads to from `root`."""
    found: set[int] = set()

    def walk(face: QAccessibleInterface) -> None:
        owner = face.object()
        if isinstance(owner, QWidget):
            found.add(id(owner))
        if isinstance(owner, QAbstractItemView):
            return
        for number in range(face.childCount()):
            child = face.child(number)
            if child is not None:
                walk(child)

    face = QAccessible.queryAccessibleInterface(root)
    assert face is not None
    walk(face)
    return found


# What each is called.


def acted_on(widget: QWidget) -> bool:
    """Whether it is there to be pressed, filled in or moved."""
    if isinstance(widget, QScrollBar | QSplitterHandle) or _inner(widget):
        return False
    return _has_tab(widget) or isinstance(widget, QAbstractButton | QComboBox | QLineEdit) or _clicked(widget)


def _inner(widget: QWidget) -> bool:
    """Whether it is a part of one of Qt's own, which speaks for it."""
    holder = widget.parentWidget()
    return isinstance(holder, QComboBox | QAbstractSpinBox | QAbstractItemView)


def _has_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy().value & _TAB)


def _defined(widget: QWidget, method: str) -> bool:
    """Whether a class of the program, and not one of Qt, says how."""
    return any(method in vars(each) for each in type(widget).__mro__ if each.__module__.startswith("app."))


def _clicked(widget: QWidget) -> bool:
    return _defined(widget, "mousePressEvent") or _defined(widget, "mouseReleaseEvent")


def painted(widget: QWidget) -> bool:
    """Whether the program itself paints what is seen of it."""
    return _defined(widget, "paintEvent") and not widget.isWindow()


def misnamed(everything: Iterable[Told]) -> Iterator[str]:
    """Controls and painted parts without a name in words, or with the wrong role."""
    for each in everything:
        widget = each.widget
        control = acted_on(widget)
        if isinstance(widget, QLabel) and not widget.text():
            continue
        if (control or painted(widget)) and not _WORD.search(each.name):
            yield f"{named(widget)} has no name but {each.name!r}"
        scrolls = isinstance(widget, QScrollArea)
        if control and each.role not in ACTED_ON and not widget.isWindow() and not scrolls:
            yield f"{named(widget)} can be acted on, and is a {each.role.name}"
        if painted(widget) and each.role in (Role.Client, Role.NoRole, Role.Border):
            yield f"{named(widget)} is painted, and is a {each.role.name}"
        for kind, roles in _EXPECTED:
            if isinstance(widget, kind):
                if each.role not in roles:
                    yield f"{named(widget)} is a {each.role.name}"
                break
        if isinstance(widget, QLabel) and each.role not in (Role.StaticText, Role.Graphic, Role.Link):
            yield f"{named(widget)} is a label, and is a {each.role.name}"


def alike(everything: Iterable[Told]) -> Iterator[str]:
    """Controls that cannot be told apart."""
    same: dict[tuple[object, ...], list[QWidget]] = defaultdict(list)
    for each in everything:
        if acted_on(each.widget):
            same[each.role, each.name, each.description].append(each.widget)
    for key, widgets in same.items():
        if len(widgets) > 1:
            yield f"{len(widgets)} are told as {key}: {', '.join(named(widget) for widget in widgets)}"


def untold(everything: Iterable[Told]) -> Iterator[str]:
    """Controls of which it is not told whether they are able, on, open, chosen, or what they stand at."""
    for each in everything:
        widget, state = each.widget, each.state
        if acted_on(widget) and bool(state.disabled) is widget.isEnabled():
            yield f"{named(widget)} does not tell whether it is able"
        if isinstance(widget, QAbstractButton):
            on = widget.isChecked()
            if widget.isCheckable() and (not state.checkable or bool(state.checked) is not on):
                yield f"{named(widget)} does not tell whether it is on"
            if isinstance(widget, ActionButton) and widget._action.isCheckable() is not widget.isCheckable():
                yield f"{named(widget)} does not tell that it can be on"
        yield from (
            f"{named(widget)} does not tell {word!r}" for word in _wanted(widget) if not _says(each, word)
        )


def _says(each: Told, word: str) -> bool:
    return word in each.words


def _wanted(widget: QWidget) -> Iterator[str]:
    """What must be told of the parts that the program paints, in words."""
    if isinstance(widget, PlaneCard):
        yield scan_time(widget.item.time_s)
        yield card_state(widget.item, widget.marks)
        yield "chosen" if widget.marks.chosen == widget.item.hold_id else ""
    elif isinstance(widget, ItemCard):
        yield "chosen" if widget.item.chosen else ""
        yield "rejected" if widget.item.rejected else ""
    elif isinstance(widget, TimelineView):
        yield scan_time(widget._playhead_s) if widget._colours else "No loop"
        yield from (f"{one.plane} from {scan_time(one.start_s)}" for one in widget._planes[:5])
    elif isinstance(widget, ReadoutView):
        yield from (widget.shown.title, widget.shown.detail, widget.shown.number, widget.shown.age)
        yield "saved" if widget.shown.saved else ""
    elif isinstance(widget, LiveView):
        yield from (text for text, _colour in widget.texts[0])
        yield "No picture" if widget.packet is None else f"Frame {widget.packet.index}"
    elif isinstance(widget, RowButton):
        yield from (widget.row.title, str(widget.row.status))
    elif isinstance(widget, ProgressLine):
        yield widget.text
    elif isinstance(widget, LevelsControl):
        yield widget.text or "Neutral"
    elif isinstance(widget, AnnotationLayer):
        yield from (one.text for one in widget._drawn)


# Tab.


def stops(root: QWidget) -> list[QWidget]:
    """What Tab must reach."""
    found = []
    for widget in shown(root):
        if _has_tab(widget) and widget.isEnabled() and not _inner(widget) and widget.focusProxy() is None:
            found.append(widget)
    return found


def tabbed(window: QWidget, most: int) -> tuple[list[QWidget], list[str]]:
    """Where Tab goes from the window's first place on, until it comes round; and where no focus is seen."""
    window.activateWindow()
    window.setFocus()
    at = QApplication.focusWidget()
    if at is not None and at is not window:
        at.clearFocus()
    ring: list[QWidget] = []
    unseen = []
    focused: QImage | None = None
    for _step in range(most):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if ring and focused is not None:
            before = ring[-1]
            if now is not before and before.grab().toImage() == focused:
                unseen.append(f"the focus on {named(before)} is not seen")
        if now is None or now in ring:
            break
        ring.append(now)
        focused = now.grab().toImage()
    return ring, unseen


def tab_faults(window: QWidget, root: QWidget) -> Iterator[str]:
    """What Tab does not reach, where it gets stuck, jumps, or is not seen."""
    wanted = stops(window)
    ring, unseen = tabbed(window, 2 * len(wanted) + 4)
    if not wanted:
        return
    inside = [each for each in wanted if each is root or root.isAncestorOf(each)]
    groups = {id(each.parentWidget()) for each in ring if _one_of_several(each)}
    for each in inside:
        # Of buttons of which one is on, Tab reaches one, and arrows go on from there.
        if each not in ring and not (_one_of_several(each) and id(each.parentWidget()) in groups):
            yield f"Tab does not reach {named(each)}"
    others = [each for each in ring if each not in wanted and each is not window]
    yield from (f"Tab goes to {named(each)}" for each in others)
    yield from unseen
    yield from _jumps(window, [each for each in ring if each in inside])


def _one_of_several(widget: QWidget) -> bool:
    return isinstance(widget, QAbstractButton) and widget.autoExclusive()


def _jumps(window: QWidget, ring: list[QWidget]) -> Iterator[str]:
    """Where Tab leaves a part before it is through with it, or goes from one to what is read before it."""
    if len(ring) < 2:
        return
    # It comes round: begin with what is read first.
    for holder in _holders(window, ring):
        parts: list[QWidget] = []
        for stop in ring:
            part = _part_of(holder, stop)
            if part is not None and (not parts or parts[-1] is not part):
                parts.append(part)
        if len(parts) > 1 and parts[0] is parts[-1]:
            parts.pop()
        if len(set(map(id, parts))) < len(parts):
            yield f"Tab leaves and comes back to a part of {named(holder)}: {[named(each) for each in parts]}"
            continue
        rounds = (parts[i:] + parts[:i] for i in range(len(parts)))
        if not any(all(_read_before(a, b) for a, b in pairwise(one)) for one in rounds):
            yield f"Tab jumps in {named(holder)}: {[named(each) for each in parts]}"


def _holders(window: QWidget, ring: list[QWidget]) -> list[QWidget]:
    found: dict[int, QWidget] = {}
    for stop in ring:
        at = stop.parentWidget()
        while at is not None:
            found.setdefault(id(at), at)
            if at is window or at.isWindow():
                break
            at = at.parentWidget()
    return list(found.values())


def _part_of(holder: QWidget, widget: QWidget) -> QWidget | None:
    """The child of `holder` in which `widget` is."""
    at: QWidget | None = widget
    while at is not None and at.parentWidget() is not holder:
        at = None if at.isWindow() else at.parentWidget()
    return at


def _read_before(one: QWidget, other: QWidget) -> bool:
    """Whether it stands above, or further left."""
    first, second = one.geometry(), other.geometry()
    below = second.top() >= first.bottom() - _SLACK_PX
    beside = second.left() >= first.right() - _SLACK_PX  # or at the top of the next column
    return below or beside
