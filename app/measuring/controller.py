"""Connects the calipers with a session: what is drawn is kept there, what is kept is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.keys import first_key
from app.measuring.calipers import TOOLS, Calipers, Tool
from app.measuring.geometry import inner_points
from app.measuring.heads import HeadProposal
from app.measuring.keys import IN_REVIEW, MeasureKeys
from app.measuring.layer import CaliperLayer
from app.measuring.presenter import (
    MeasureRow,
    measure_row,
    millimetres_of,
    names_for,
    proposal_row,
    proposal_text,
    scale_text,
    tool_hint,
)
from app.measuring.subject import Subject
from app.measuring.tools import ToolColumn
from app.measuring.values import ValueList
from app.view_data import Asking, ReviewSnapshot
from app.widgets.image_view import LiveView
from semc_core.errors import UsageError
from semc_core.language import N_, _
from semc_core.measure.calibration import Calibration, over_line
from semc_core.measure.calipers import scale_at
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.gestation import read_age
from semc_core.measure.shapes import Place, points_of
from semc_core.session.correcting.changes import (
    AddMeasurement,
    MoveMeasurement,
    NameMeasurement,
    RemoveMeasurement,
    SetAge,
    SetScale,
)
from semc_core.session.correcting.measuring import size_of
from semc_core.session.records import BY_HAND, MeasurementEntry, ScaleEntry
from semc_core.types import FramePacket

_HOW_LONG: Final = N_("How long is the line in millimetres?")
_HOW_OLD: Final = N_("Due date, last period or CRL (due 2026-09-30)")


class ScaleMemory(Protocol):
    """Keeps the scale that was set last for a source."""

    def scale_line(self, source: str, width: int, height: int) -> tuple[Place, Place, float] | None:
        """The line and its millimetres, as set last for this source and size of picture."""
        ...

    def remember_scale_line(
        self, source: str, width: int, height: int, line: tuple[Place, Place], length_mm: float
    ) -> None:
        """Keep this one."""
        ...


class Measuring(QObject):
    """Called by the window's thread.

    Attributes:
        calipers: What is drawn.
        layer: Over the picture.
        tools: The column of tools.
        values: The list of what was measured.
        memory: Keeps scales beyond the session; None keeps none.

    Signals:
        changed: The mouse did something; what is shown is not what it should be.
        message: What could not be done, a sentence.
    """

    changed = Signal()
    message = Signal(str)

    def __init__(self, view: LiveView, keys: MeasureKeys = IN_REVIEW) -> None:
        super().__init__(view)
        self._view, self._keys = view, keys
        self.memory: ScaleMemory | None = None
        self.calipers = Calipers(self._drawn, self._moved, self._taken)
        self.layer = CaliperLayer(view, self.calipers)
        self.tools, self.values = ToolColumn(), ValueList()
        self._subject: Subject | None = None
        self._packet: FramePacket | None = None
        self.layer.touched.connect(self._touched)
        self.values.chosen.connect(self._choose)
        self.values.menu_wanted.connect(self.show_names)

    def set_actions(self, actions: dict[str, QAction]) -> None:
        """The tools' buttons do what these do. Called once."""
        self.tools.set_actions(actions, self._keys.tools)

    def begin(self, subject: Subject | None) -> None:
        """Measure this from now on."""
        self.leave()
        self._subject, self._packet = subject, None
        self.calipers.show((0, 0), (), None, settled=True)
        self.layer.show_shapes()
        self.values.show_rows((), "", wanted=False)

    def leave(self) -> None:
        """Put the tool away; keep what is measured."""
        self.calipers.leave_frame()
        self.calipers.tool = None

    # Keys.

    def over(self, does: Mapping[str, Callable[[], object]]) -> dict[str, Callable[[], object]]:
        """What the page's keys do, with those that measure, and what some of them do first while it is."""
        first: dict[str, Callable[[], bool]] = {self._keys.enter: self.entered, "remove": self.removed}
        first |= {name: partial(self.nudged, *by) for name, by in self._keys.arrows.items()}
        first |= dict.fromkeys(("undo", "redo"), self.kept)
        return {
            **does,
            **{f"{self._keys.tools}{tool}": partial(self._begin_tool, tool) for tool in TOOLS},
            "next_handle": partial(self._next_handle, 1),
            "handle_back": partial(self._next_handle, -1),
            "name_measure": self._ask_name,
            "accept_head": self._accept,
            "ask_age": self._ask_age,
            **{name: partial(_first, does.get(name, self._refuse_nudge), do) for name, do in first.items()},
        }

    def nudged(self, right: float, down: float) -> bool:
        """Move the chosen handle by so many pixels of the frame. Returns whether one is chosen."""
        if not self.calipers.handle_chosen or self._looking_only:
            return False
        self.calipers.nudge(right, down, self._now_s)
        self._show()
        return True

    def removed(self) -> bool:
        """Take the chosen measurement away. Returns whether one is chosen."""
        number = self.calipers.chosen
        if number is None or self._subject is None:
            return False
        self.calipers.let_go()
        self._subject.apply(RemoveMeasurement(number))
        return True

    def entered(self) -> bool:
        """Enter ends a line, or takes the scale that was set last. Returns whether it did."""
        if self.calipers.tool is None:
            return False
        if self.calipers.tool == "scale" and self.calipers.count == 0:
            return self._take_remembered()
        return self.calipers.finish()

    def back(self) -> bool:
        """Leave what was begun. Returns whether there was anything."""
        return self.calipers.back()

    def kept(self) -> bool:
        """Keep what the arrow keys moved, so that it is what is taken back. Always False."""
        self.calipers.keep()
        return False

    def name_actions(self, actions: dict[str, QAction]) -> None:
        """Say which tool is on."""
        for tool in TOOLS:
            actions[f"{self._keys.tools}{tool}"].setChecked(self.calipers.tool == tool)

    @property
    def hint(self) -> str:
        """What to do next with the tool that is on, or ""."""
        if self.calipers.tool is None:
            return ""
        remembered = self._remembered()
        mm = None if remembered is None else over_line(*remembered).mm_x
        return tool_hint(self.calipers.tool, self.calipers.count, mm)

    def _begin_tool(self, tool: Tool) -> None:
        if self._packet is None:
            self.message.emit(_("No frame is shown that could be measured; go to one."))
            return
        if self._subject is not None:
            self._subject.hold()
        self.calipers.begin(tool)

    def _next_handle(self, step: int) -> None:
        if not self.calipers.next_handle(step):
            key = first_key(f"{self._keys.tools}distance")
            self.message.emit(_("Nothing is measured on this frame yet; {key} measures a distance.", key=key))

    def _refuse_nudge(self) -> None:
        key = first_key("next_handle")
        self.message.emit(_("Choose a handle first: click on it, or press {key}.", key=key))

    def _ask_name(self) -> None:
        number = self.calipers.chosen
        if number is None:
            key = first_key("next_handle")
            self.message.emit(_("Choose a measurement first: click on it, or press {key}.", key=key))
        else:
            self.show_names(number, self.values.mapToGlobal(QPoint(0, 0)))

    def show_names(self, number: int, at: QPoint) -> QMenu | None:
        """Offer what a measurement may show, and to take it away; `at` is on the screen."""
        entry = next((each for each in self._there() if each.measurement_id == number), None)
        subject = self._subject
        if entry is None or subject is None or subject.looking_only:
            return None
        self._choose(number)
        menu = QMenu(self.values)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for key, title in names_for(entry.kind):
            action = menu.addAction(title, partial(subject.apply, NameMeasurement(number, key)))
            action.setCheckable(True)
            action.setChecked(key == entry.structure)
        menu.addSeparator()
        menu.addAction(_("Take away") + "\tDel", self.removed)
        menu.popup(at)
        return menu

    # What was drawn.

    def _drawn(self, tool: Tool, points: tuple[Place, ...]) -> None:
        packet, subject = self._packet, self._subject
        if packet is None or subject is None:
            return
        if tool == "scale":
            self._ask_length(packet, points)
            return
        width, height = packet.picture.width, packet.picture.height
        plane_id, told = subject.plane_of(packet.index), self._told(points)
        subject.apply(AddMeasurement(tool, points, packet.index, packet.pts_s, width, height, plane_id, told))

    def _moved(self, number: int, points: tuple[Place, ...]) -> None:
        if self._subject is not None:
            self._subject.apply(MoveMeasurement(number, points, self._told(points)))

    def _taken(self, outline: Ellipse) -> None:
        """A proposal is accepted."""
        packet, subject, found = self._packet, self._subject, self._proposal()
        if packet is None or subject is None or found is None or subject.looking_only:
            return
        points = inner_points(outline, packet.picture.width, packet.picture.height)
        subject.apply(
            AddMeasurement(
                "ellipse", points, packet.index, packet.pts_s, packet.picture.width, packet.picture.height,
                subject.plane_of(packet.index), self._told(points), "head", proposed=True, error=found.error,
            )
        )  # fmt: skip

    def _accept(self) -> None:
        found = self._proposal()
        if found is None or found.outline is None:
            key = first_key(self._keys.tools + "ellipse")
            self.message.emit(
                _("No head is proposed on this frame; {key} measures an ellipse by hand.", key=key)
            )
        else:
            self._taken(found.outline)

    def _proposal(self) -> HeadProposal | None:
        """What is proposed for the frame, once it is known: on brain planes whose head is not measured."""
        if self._packet is None or self._subject is None or not self._lacks_head():
            return None
        return self._subject.head_of(self._packet)

    def _lacks_head(self) -> bool:
        packet, subject = self._packet, self._subject
        brain = packet is not None and subject is not None and subject.is_brain(packet.index)
        return brain and all(each.structure != "head" for each in self._there())

    def _ask_age(self, text: str = "") -> None:
        subject = self._subject
        if subject is None or subject.looking_only:
            return
        subject.hold()
        known = subject.snapshot.age
        subject.asking = Asking(
            _(_HOW_OLD), text or ("" if known is None else str(known)), then=self._set_age
        )
        self.changed.emit()

    def _set_age(self, text: str) -> None:
        subject = self._subject
        if subject is None:
            return
        try:
            age = read_age(text, subject.scanned) if text.strip() else None
        except UsageError as error:
            self.message.emit(str(error))
            self._ask_age(text)
            return
        subject.apply(SetAge(age))

    def _ask_length(self, packet: FramePacket, points: tuple[Place, ...], text: str = "") -> None:
        assert self._subject is not None
        line = (points[0], points[1])
        self._subject.asking = Asking(_(_HOW_LONG), text, then=partial(self._set_scale, packet, line))
        self.changed.emit()

    def _set_scale(self, packet: FramePacket, line: tuple[Place, Place], text: str) -> None:
        if not text.strip():
            return
        try:
            length_mm = millimetres_of(text)
        except UsageError as error:
            self.message.emit(str(error))
            self._ask_length(packet, line, text)
            return
        self._apply_scale(packet, line, length_mm)

    def _apply_scale(self, packet: FramePacket, line: tuple[Place, Place], length_mm: float) -> None:
        subject = self._subject
        if subject is None:
            return
        width, height = packet.picture.width, packet.picture.height
        subject.apply(SetScale(line, length_mm, packet.index, width, height, subject.scale.aspect))
        if self.memory is not None and not subject.looking_only:
            self.memory.remember_scale_line(subject.source, width, height, line, length_mm)

    def _take_remembered(self) -> bool:
        remembered, packet = self._remembered(), self._packet
        if remembered is None or packet is None:
            return False
        first, last, length_mm = remembered[:3]
        self.calipers.tool = None
        self._apply_scale(packet, (first, last), length_mm)
        return True

    def _remembered(self) -> tuple[Place, Place, float, float] | None:
        packet, subject = self._packet, self._subject
        if self.memory is None or packet is None or subject is None:
            return None
        line = self.memory.scale_line(subject.source, packet.picture.width, packet.picture.height)
        return None if line is None else (*line, subject.scale.aspect)

    def _told(self, points: tuple[Place, ...]) -> Calibration | None:
        """What the source itself says of its millimetres there."""
        packet, subject = self._packet, self._subject
        if packet is None or subject is None:
            return None
        told = subject.scale
        same = told.size == (packet.picture.width, packet.picture.height)
        return scale_at(told.scales, points) if same else None

    # What is shown.

    def tick(self, now_s: float, packet: FramePacket | None) -> None:
        """Show the measurements of this frame: to be called often."""
        self._now_s = now_s
        before = None if self._packet is None else self._packet.index
        if (None if packet is None else packet.index) != before:
            self.calipers.leave_frame()
        self._packet = packet
        self.calipers.rest(now_s)
        self._view.show_depth(self._depth(packet or self._view.packet))
        self._show()

    _now_s = 0.0

    @property
    def _snapshot(self) -> ReviewSnapshot:
        return ReviewSnapshot() if self._subject is None else self._subject.snapshot

    @property
    def _looking_only(self) -> bool:
        return self._subject is None or self._subject.looking_only

    def _there(self) -> tuple[MeasurementEntry, ...]:
        packet = self._packet
        if packet is None:
            return ()
        return tuple(each for each in self._snapshot.measurements if each.frame_index == packet.index)

    def _show(self) -> None:
        packet, subject = self._packet, self._subject
        settled = subject is None or (subject.settled and subject.asking is None)
        size = (0, 0) if packet is None else (packet.picture.width, packet.picture.height)
        # Not while it plays: a frame that is gone in a moment is not worth to be looked at.
        playing = subject is not None and subject.playing
        head = None if playing else self._proposal()
        outline = None if head is None else head.outline
        self.calipers.show(size, self._there(), outline, settled)
        self.layer.show_shapes()
        rows = tuple(self._row(each) for each in self._there())
        foot = [] if not rows and self.calipers.tool is None and outline is None else [self._foot()]
        if head is not None and outline is not None:
            rows = (proposal_row(outline, head.error, self._scale_for(points_of(outline))), *rows)
        if not playing and self._lacks_head():
            foot.insert(0, proposal_text(outline is not None, "" if head is None else head.why))
        self.values.show_rows(rows, " ".join(foot), bool(rows or foot))

    def _row(self, entry: MeasurementEntry) -> MeasureRow:
        return measure_row(entry, entry.measurement_id == self.calipers.chosen, self._snapshot.age)

    def _foot(self) -> str:
        packet, subject = self._packet, self._subject
        if packet is None or subject is None:
            return ""
        width, height = packet.picture.width, packet.picture.height
        told = subject.scale
        scale = told.scales[0] if told.scales and told.size == (width, height) else None
        return scale_text(
            scale, self._by_hand(width, height), told.why, first_key(self._keys.tools + "scale")
        )

    def _scale_for(self, points: tuple[Place, ...]) -> Calibration | None:
        """What will hold for points that are drawn now."""
        told = self._told(points)
        return told if told is not None or self._packet is None else self._by_hand_scale(self._packet)

    def _depth(self, packet: FramePacket | None) -> Calibration | None:
        """What the ruler beside a picture is made from: what its source says, or a person."""
        if packet is None or self._subject is None:
            return None
        width, height = packet.picture.width, packet.picture.height
        told = self._subject.scale
        if told.scales and told.size == (width, height):
            return told.scales[0]
        return self._by_hand_scale(packet)

    def _by_hand_scale(self, packet: FramePacket) -> Calibration | None:
        by_hand = self._by_hand(packet.picture.width, packet.picture.height)
        return None if by_hand is None else Calibration(by_hand.mm_x, by_hand.mm_y, BY_HAND)

    def _by_hand(self, width: int, height: int) -> ScaleEntry | None:
        size = size_of(width, height)
        return next((each for each in self._snapshot.scales if each.size == size), None)

    def _choose(self, number: int) -> None:
        self.calipers.choose(number)
        self.changed.emit()

    def _touched(self) -> None:
        self._show()
        self.changed.emit()


def _first(otherwise: Callable[[], object], do: Callable[[], bool]) -> None:
    """What a key does while it is measured; else what it does."""
    if not do():
        otherwise()
