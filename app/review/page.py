"""The review on screen: picture, time line, planes, what the model says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.display.heat import HeatMaps
from app.formatting import Tone
from app.measuring.controller import Measuring
from app.review.beside import BesideView
from app.review.commands import ReviewCommands
from app.review.frame_panel import FramePanel, TransportBar
from app.review.frames import ReviewReader
from app.review.jumps import Jumps, jump_keys
from app.review.keys import review_keys
from app.review.lanes import lane_shares
from app.review.measured import ReviewSubject
from app.review.menu import show_plane_menu
from app.review.presenter import (
    Candidate,
    FrameReadout,
    Mode,
    PlaneItems,
    better_texts,
    candidate_items,
    empty_text,
    frame_readout,
    mode_hint,
    picture_badges,
    plane_sentence,
    progress_short,
    progress_text,
    strip_heading,
    where_texts,
)
from app.review.room import timeline_height
from app.review.timeline import TimelineView
from app.review.worker import SessionWorker
from app.view_data import ReviewSnapshot
from app.widgets import theme
from app.widgets.cards import CardStrip
from app.widgets.colours import ON_PICTURE
from app.widgets.folding import FoldingPanel
from app.widgets.forms import AskLine
from app.widgets.image_view import LiveView
from semc_core.imaging.heatmap import HeatStyle
from semc_core.language import _
from semc_core.review.inspect import is_known
from semc_core.session.correcting.sentences import called
from semc_core.session.records import FrameTable
from semc_core.types import FramePacket, FrameResult

_PANEL_EM: Final = 18
_LEAST_PANEL_EM: Final = 11
_GAPS_EM: Final = 1.5
_MEASURED_EM: Final = 18  # what the panel and the closed checklist need beside a list of values


class ReviewPage(QWidget):
    """Shows one session at a time.

    Attributes:
        checklist: The panel that was handed in.
        commands: What the keys act on; None while nothing is open.
        heat: The heat map that is laid over the picture.

    Signals:
        changed: What is shown is not what it should be; the window's next tick is wanted now. A person waits
            for a frame, and then for its painting.
        message: What could not be done, a sentence.
    """

    changed = Signal()
    message = Signal(str)

    def __init__(self, checklist: FoldingPanel, parent: QWidget | None = None) -> None:
        """`checklist`: shown beside the picture; whoever made it fills it."""
        super().__init__(parent)
        self.checklist = checklist
        self.commands: ReviewCommands | None = None
        self.heat = HeatMaps()
        self._worker: SessionWorker | None = None
        self._jumps: Jumps | None = None
        self._colours: dict[str, str] = {}
        self._snapshot: ReviewSnapshot | None = None
        self._table: FrameTable | None = None
        self._candidates: list[Candidate] = []
        self._strip_of: tuple[object, ...] = ()
        self._pictures: dict[str, NDArray[np.uint8]] = {}
        self._items = PlaneItems()
        self.view = LiveView()
        self.view.setAccessibleName(_("Picture in review"))
        self.panel = FramePanel()
        self.transport = TransportBar()
        self.timeline = TimelineView()
        self.planes = CardStrip(of_planes=True)
        self.better = CardStrip()
        self.ask_line = AskLine()
        self._strips = QStackedWidget()
        self.beside = BesideView(self.view, self.message.emit, lambda: self.panel.seen_plane)
        self.measuring = Measuring(self.view)
        self._build()
        self._connect()

    def _build(self) -> None:
        em = theme.em(self)
        self._strips.addWidget(self.planes)
        self._strips.addWidget(self.better)
        left = QVBoxLayout()
        left.setSpacing(round(0.3 * em))
        left.addLayout(self.beside.row(self.measuring.tools), 1)
        left.addWidget(self.transport)
        left.addWidget(self.timeline)
        self.panel.setFixedWidth(round(15.5 * em))
        self.checklist.setFixedWidth(round(15.5 * em))
        self.measuring.values.setFixedWidth(round(15.5 * em))
        right = QVBoxLayout()
        right.addWidget(self.panel, 1)
        right.addWidget(self.measuring.values)
        right.addWidget(self.checklist)
        upper = QHBoxLayout()
        upper.addLayout(left, 1)
        upper.addLayout(right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(round(0.4 * em))
        layout.addLayout(upper, 1)
        layout.addWidget(self.ask_line)
        layout.addWidget(self._strips)

    def _connect(self) -> None:
        self.beside.view.wheeled.connect(self._turn_wheel)
        self.timeline.scrubbed.connect(lambda time_s: self._commands().scrub(time_s))
        self.timeline.plane_wanted.connect(lambda key: self._commands().choose(key))
        self.view.wheeled.connect(self._turn_wheel)
        self.planes.clicked.connect(lambda key: self._commands().choose(key))
        self.planes.menu_wanted.connect(lambda key, at: show_plane_menu(self._commands(), key, at, self))
        self.better.clicked.connect(self._go_to_candidate)
        self.panel.class_chosen.connect(lambda name: self._commands().name_it(name))
        self.ask_line.answered.connect(lambda text: self._commands().answer(text))
        self.ask_line.refused.connect(lambda: self._commands().escape())
        self.ask_line.resized.connect(self._share_height)
        self.measuring.changed.connect(self.changed)
        self.measuring.message.connect(self.message)
        self.measuring.values.resized.connect(self._share_room)
        for moved in (self.timeline.scrubbed, self.timeline.plane_wanted, self.planes.clicked):
            moved.connect(lambda _value: self.changed.emit())

    def _commands(self) -> ReviewCommands:
        """What the keys act on; nothing on the page can be clicked before it is there."""
        assert self.commands is not None
        return self.commands

    def _turn_wheel(self, steps: int) -> None:
        """The cine wheel: a frame on, or back, for each step."""
        if self.commands is not None and not self.typing:
            self.commands.step(steps)
            self.changed.emit()

    def choose_row(self, plane_id: int, name: str) -> None:
        """Go to the plane of a row of the checklist; or while one is added, add this frame as `name`."""
        if self._commands().mode is Mode.ADD:
            self.add_as(name)
        else:
            self._commands().choose(plane_id)

    def add_as(self, name: str) -> None:
        """Add the frame that is shown as this plane."""
        self._commands().add_as(name)

    def _go_to_candidate(self, index: int) -> None:
        for one in self._candidates:
            if one.index == index:
                self._commands().scrub(one.time_s)

    def does(self) -> dict[str, Callable[[], object]]:
        """What each key of this page does. Only called while a session is open."""
        does = {
            **review_keys(self._commands, self.timeline),
            "better": self.toggle_better,
            **jump_keys(lambda: self._jumps),
            **self.beside.keys(self._commands),
        }
        return {name: partial(self._do, do) for name, do in self.measuring.over(does).items()}

    def _do(self, do: Callable[[], object]) -> None:
        do()
        self.changed.emit()

    def set_actions(self, actions: dict[str, QAction]) -> None:
        """The transport's buttons do what these do. Called once."""
        self.transport.set_actions(actions)
        self.measuring.set_actions(actions)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A small window keeps its room for the picture."""
        self._share_height()

    def _share_height(self) -> None:
        self._strips.setFixedHeight(self.planes.height_for_cards())
        least, preferred = self.timeline.readable_height, self.timeline.sizeHint().height()
        others = self._strips.height() + self.transport.sizeHint().height() + round(_GAPS_EM * theme.em(self))
        others += self.ask_line.room
        most = self.height() - others - self.measuring.tools.minimumSizeHint().height()
        high = timeline_height(self.height(), len(self._colours), least, preferred, most)
        self.timeline.setFixedHeight(high)
        # Under a long banner in the smallest window there is room for the picture only.
        self.timeline.setVisible(high >= self.timeline.minimumSizeHint().height())
        self._share_room()

    def _share_room(self) -> None:
        """What the checklist gets beside the picture; where it is measured, the panel above gives way."""
        em, beside = theme.em(self), self.height() - self._strips.height() - self.ask_line.room
        values = self.measuring.values.fitted(beside - round(_MEASURED_EM * em))
        needed = max(_LEAST_PANEL_EM * em, self.panel.minimumSizeHint().height() + 3 * em)
        least = round(needed if values else _LEAST_PANEL_EM * em) + values
        self.checklist.give_room(beside - max(round(_PANEL_EM * em), least), beside - least)

    @property
    def shown(self) -> ReviewSnapshot | None:
        """How the session stood when it was last looked at; None before that."""
        return self._snapshot

    @property
    def typing(self) -> bool:
        """Whether the keys are for the line of words."""
        return self.commands is not None and self.commands.asking is not None

    def show_review(self, worker: SessionWorker | None) -> None:
        """Show its session from now on; None shows none."""
        self._worker = worker
        opened = None if worker is None else worker.opened
        self._snapshot, self._table, self._strip_of = None, None, ()
        self._items = PlaneItems()
        self.view.show_picture(None, None, None, None)
        self.view.fit()
        self.beside.leave()
        self._colours = {} if opened is None else theme.plane_colours(opened.planes)
        self.panel.begin(self._colours, worker is not None and worker.looking_only)
        if worker is None or opened is None:
            self._show_nothing()
            return
        self.commands = worker.commands(self.message.emit)
        self._jumps = Jumps(self.commands, opened.session.model, self.message.emit)
        self.measuring.begin(ReviewSubject(worker, self.commands))
        self._set_length()
        self._share_height()

    def _show_nothing(self) -> None:
        """Nothing of the session before stays: what is opened next may be of another patient."""
        self.commands = None
        self.measuring.begin(None)
        self.timeline.begin({}, 0.0, 0.0)
        self.view.show_texts((), "", None)
        self.panel.show_readout(FrameReadout("", "", Tone.NEUTRAL))
        self.panel.show_chosen("")
        self.transport.show_place(("", ""), False, 1.0)
        self.transport.progress.show_progress(("", ""), 0.0)
        for strip in (self.planes, self.better):
            strip.show_texts("", "", "")
            strip.show_items((), {})
        self._strips.setCurrentWidget(self.planes)
        self.ask_line.ask(None)

    def _set_length(self, extend: bool = False) -> None:
        times_s = self._commands().playhead.times_s
        start_s, end_s = (float(times_s[0]), float(times_s[-1])) if len(times_s) else (0.0, 0.0)
        if extend:
            self.timeline.extend(start_s, end_s)
        else:
            self.timeline.begin(self._colours, start_s, end_s)

    def escape(self) -> bool:
        """Leave what is in the way. Returns whether there was anything."""
        if self.commands is None or (not self.typing and self.measuring.back()):
            return self.commands is not None
        busy = self.typing or self.commands.mode is not Mode.LOOK
        return (not busy and self.beside.leave()) or self.commands.escape()

    def name_actions(self, actions: dict[str, QAction]) -> None:
        """Say on the actions what they would do now."""
        commands = self.commands
        if commands is None or self.typing:
            return
        self.measuring.name_actions(actions)
        chosen = commands.chosen
        actions["play"].setText(_("Hold") if commands.playhead.playing else _("Play"))
        actions["reject"].setText(_("Restore") if chosen is not None and chosen.rejected else _("Reject"))
        self.beside.name_actions(actions)
        actions["loop"].setChecked(commands.playhead.loop is not None)
        for name, mode in (("better", Mode.BETTER), ("add", Mode.ADD), ("mark", Mode.MARK)):
            actions[name].setChecked(commands.mode is mode)

    def toggle_better(self) -> None:
        """Show the best frames of the chosen plane, or the planes again."""
        commands, worker = self.commands, self._worker
        if commands is None or worker is None:
            return
        commands.better()
        if commands.mode is Mode.BETTER and commands.chosen is not None:
            worker.reader.find_better(commands.chosen.plane_id)

    def show_heat(self, style: HeatStyle | None) -> None:
        """Lay the heat map over the picture in this style; None does not."""
        self.heat.style = style

    # Every few milliseconds.

    def tick(self, now_s: float) -> None:
        """Move on, and show what is new."""
        worker, commands = self._worker, self.commands
        if worker is None or commands is None:
            return
        opened = worker.opened
        self._take_snapshot(worker, commands)
        commands.playhead.tick(now_s)
        index = commands.playhead.index
        frame_index = opened.frame_index(index, self._table)
        here = opened.source is not None
        packet = worker.reader.frame(index) if here else self._saved(worker, commands, frame_index)
        self._show_picture(worker, commands, packet, frame_index)
        self.beside.tick(worker.reader, commands)
        self.measuring.tick(now_s, packet)
        self._show_place(worker, commands, frame_index)
        self._show_strips(worker, commands, frame_index if packet is None else packet.index)
        self.ask_line.ask(commands.asking)

    def _saved(self, worker: SessionWorker, commands: ReviewCommands, frame_index: int) -> FramePacket | None:
        """Without the loop: the saved frame of the chosen plane, while the playhead is there."""
        chosen = commands.chosen
        if chosen is None or chosen.frame_index != frame_index:
            return None
        packet = worker.reader.saved(chosen.plane_id)
        return packet if packet is not None and packet.index == frame_index else None

    def _take_snapshot(self, worker: SessionWorker, commands: ReviewCommands) -> None:
        opened, snapshot = worker.opened, worker.snapshot
        if snapshot is self._snapshot:
            self._take_times(worker, commands)
            return
        self._snapshot = snapshot
        if snapshot.table is not self._table:
            at = opened.frame_index(commands.playhead.index, snapshot.table)
            if is_known(snapshot.table, at) and not is_known(self._table, at):
                worker.reader.look_again()
            self._table = snapshot.table
            self.timeline.show_shares(lane_shares(self._table, opened.planes, opened.session.model.classes))
        self._take_times(worker, commands)

    def _take_times(self, worker: SessionWorker, commands: ReviewCommands) -> None:
        """The loop may turn out longer or shorter than its packets promised, also after the analysis."""
        times_s = worker.opened.times_s(self._table)
        if times_s is not commands.playhead.times_s:
            commands.playhead.extend(times_s)
            worker.reader.read_again()
            self._set_length(extend=True)

    def _show_picture(
        self, worker: SessionWorker, commands: ReviewCommands, packet: FramePacket | None, frame_index: int
    ) -> None:
        opened = worker.opened
        # A label is only ever painted on the frame that it was made from.
        shown_index = frame_index if packet is None else packet.index
        is_there = packet is not None and packet.index == frame_index
        look = self._look(worker.reader, commands, shown_index, is_there)
        model = opened.session.model
        heat = self.heat.of(look, model.classes, model.preprocessing)
        crop = None if look is None else look.crop
        view = self.view
        if packet is not view.packet or heat is not view.heat or crop != view.crop:
            view.show_picture(packet, None, heat, crop)
        experts = None if look is None or look.prediction is None else look.prediction.expert_weights
        shown = frame_readout(self._table, shown_index, model.classes, model.none_class, experts)
        self.panel.show_readout(shown)
        planes = () if self._snapshot is None else self._snapshot.planes
        texts: tuple[str, ...] = picture_badges(
            planes, None if commands.looking_only else commands.chosen, shown_index
        )
        texts += (_("LOOP") if commands.playhead.loop is not None else "",)
        colours = ON_PICTURE.good, ON_PICTURE.accent, ON_PICTURE.warning
        badges = tuple(badge for badge in zip(texts, colours, strict=True) if badge[0])
        if packet is None and opened.source is None:
            hint = _("The loop is not there; Up and Down show the planes that were saved.")
        else:
            hint = mode_hint(commands.mode, commands.mark_from_s, shown.rows)
        view.show_texts(badges, self.measuring.hint or hint, self._colours.get(shown.title))

    def _look(
        self, reader: ReviewReader, commands: ReviewCommands, shown_index: int, is_there: bool
    ) -> FrameResult | None:
        """What the model says of the very frame that is shown; while it plays, only for the heat map.

        It is asked once the frame at the playhead is there, so that it does not hold up that frame.
        """
        if commands.playhead.playing and not self.heat.on:
            return None
        result = reader.look(commands.playhead.index) if is_there else reader.newest_look
        return result if result is not None and result.packet.index == shown_index else None

    def _show_place(self, worker: SessionWorker, commands: ReviewCommands, frame_index: int) -> None:
        opened, head = worker.opened, commands.playhead
        last_s = float(head.times_s[-1]) if head.count else 0.0
        count = opened.frame_index(head.count - 1, self._table) + 1 if head.count else 0
        where = where_texts(head.time_s, last_s, frame_index, count, commands.fetus)
        self.transport.show_place(where, head.playing, head.speed)
        self.timeline.show_playhead(head.time_s, commands.mark_from_s)
        progress = worker.progress
        text = progress_text(progress, opened.session.source.live)
        short, share = progress_short(progress)
        self.transport.progress.show_progress((text, short), share)

    def _show_strips(self, worker: SessionWorker, commands: ReviewCommands, index: int) -> None:
        snapshot, pictures, chosen = self._snapshot, worker.pictures, commands.chosen
        if snapshot is None:
            return
        chosen_id = None if chosen is None else chosen.plane_id
        better = worker.reader.better(chosen_id) if commands.mode is Mode.BETTER and chosen_id else []
        running = worker.progress.running
        self._candidates = better
        # Of the pictures only their identity can be compared: they are arrays.
        of = (snapshot, id(pictures), chosen_id, commands.mode, better, running, index if better else 0)
        if of == self._strip_of:
            return
        self._strip_of, self._pictures = of, pictures
        self.timeline.show_session(snapshot.planes, snapshot.regions, chosen_id)
        table = snapshot.table
        judged = None if chosen is None or table is None else table.quality_of(chosen.frame_index)
        self.panel.show_chosen("" if chosen is None else plane_sentence(chosen, judged))
        empty = empty_text(running, worker.opened.source is not None)
        note = _("Note: {note}", note=snapshot.note) if snapshot.note else ""
        if chosen is not None and chosen.note:
            note = _("Note on {plane}: {note}", plane=called(chosen), note=chosen.note)
        self.planes.show_texts(strip_heading(snapshot.planes), note, empty)
        self.planes.show_items(self._items.of(snapshot.planes, pictures, chosen_id), self._colours)
        if commands.mode is Mode.BETTER and chosen is not None:
            self.better.show_texts(*better_texts(chosen))
            self.better.show_items(candidate_items(better, chosen, index), self._colours)
            self._strips.setCurrentWidget(self.better)
        else:
            self._strips.setCurrentWidget(self.planes)
