"""The scan on screen: picture, readout, traces, saved planes. Shows what the pipeline has."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.display.heat import HeatMaps
from app.formatting import Tone, quality_text
from app.instrumentation import RecentValues
from app.keys import first_key
from app.live.held import HeldPicture
from app.live.kept import KeptPlanes
from app.live.measured import LiveSubject
from app.live.presenter import (
    LabelRun,
    ShownPicture,
    SteadyQuality,
    SteadyUnlike,
    badge,
    is_unlike,
    readout,
    region_shown,
    shown_picture,
)
from app.live.readout import ReadoutView
from app.live.traces import TracesView
from app.widgets import theme
from app.widgets.colours import ON_PICTURE
from app.widgets.folding import FoldingPanel
from app.widgets.image_view import LiveView
from app.widgets.plain import PlainLabel
from app.widgets.saved_strip import SavedStrip
from semc_core.imaging.heatmap import HeatMap, HeatStyle
from semc_core.io.video_quality import Quality
from semc_core.labels import NON_STANDARD
from semc_core.language import N_, _
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.sink import RecordingState
from semc_core.pipeline.state import Phase, PipelineState
from semc_core.session.session import Session
from semc_core.sources.live.outage import NO_PICTURES
from semc_core.types import FramePacket, FrameResult, SavedPlane

_TRACES_EVERY_S: Final = 0.1
_AGE_EVERY_S: Final = 0.25
_FLASH_S: Final = 1.5
_TRACES_EM: Final = 9
_LEAST_SIDE_EM: Final = 10.4
"""The readout in its smallest, above the closed checklist."""

_CLOSED_EM: Final = 3.6
"""The closed checklist, and the gaps round it."""

_REGION_HINT = N_("Drag over the picture to set the region of interest.  Esc: as it was.  {key}: automatic.")
_REGION_TOO_SMALL = N_("That region is too small; drag a larger one.  Esc: as it was.")


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """What the freeze key holds: a picture, and all that was concluded from it."""

    shown: ShownPicture
    result: FrameResult | None
    heat: HeatMap | None
    saved: bool


class LivePage(QWidget):
    """Shows one scan at a time.

    Attributes:
        checklist: The panel that was handed in.
        heat: The heat map that is laid over the picture.
        held: What is measured and drawn on the picture while it is held.
        kept: What was saved, and what a person says of it.
        latency: Capture to overlay, milliseconds.
    """

    def __init__(
        self,
        checklist: FoldingPanel,
        measured: LiveSubject,
        keep_latencies: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Show no scan.

        Args:
            checklist: Shown beside the scan; whoever made it fills it.
            measured: The picture that is held, for the calipers; whoever made it closes it.
            keep_latencies: Whether all latencies are kept, not only the newest.
            parent: Of the widget.
        """
        super().__init__(parent)
        self._measured = measured
        self.checklist = checklist
        self.view = LiveView()
        self.readout = ReadoutView()
        self.traces = TracesView()
        self.strip = SavedStrip()
        self.view.region_movable = True
        self.held = HeldPicture(self.view, measured)
        self.kept = KeptPlanes(self.strip, measured)
        self.held.chosen = lambda: self.kept.chosen_plane
        self.latency = RecentValues(keep_latencies)
        self.heat = HeatMaps()
        self._pipeline: LivePipeline[Session] | None = None
        self._clear()
        self._build()
        self.view.region_refused.connect(lambda: self._show_hint(_(_REGION_TOO_SMALL)))
        self.held.measuring.values.resized.connect(self.fit_checklist)
        self.held.ask_line.resized.connect(self._share_height)
        self.held.wanted.connect(lambda: self.freeze(True))

    def _build(self) -> None:
        heading = self._traces_heading = PlainLabel(_("Confidence, last 20 s"))
        heading.setObjectName("heading")
        side = QWidget()
        column = self._column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.readout)
        column.addWidget(self.held.measuring.values)
        column.addWidget(self.checklist)
        column.addWidget(heading)
        column.addWidget(self.traces, 1)
        column.addStretch(0)  # what is left where there is no room for the curves
        em = theme.em(self)
        side.setMinimumWidth(round(17 * em))
        side.setMaximumWidth(round(38 * em))
        side.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        upper = QHBoxLayout()
        upper.addLayout(self.held.row(), 2)
        upper.addWidget(side, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(upper, 1)
        layout.addWidget(self.held.ask_line)
        layout.addWidget(self.strip)

    def _clear(self) -> None:
        self._spec: ModelSpec | None = None
        self._colours: dict[str, str] = {}
        self._preview: FramePacket | None = None
        self._result: FrameResult | None = None
        self._held: _Held | None = None
        self._run = LabelRun()
        self._steady = SteadyQuality()
        self._quality = ""
        self._steady_unlike, self._unlike = SteadyUnlike(), False
        self._age_s = 0.0
        self._age_at_s = 0.0
        self._traces_at_s = 0.0
        self._flash, self._flash_until_s = "", 0.0
        self._hint = ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A small window keeps its room for the picture."""
        self._share_height()

    def _share_height(self) -> None:
        em = theme.em(self)
        strip = round(min(max(0.2 * self.height(), 8.5 * em), 12 * em))
        self.strip.setFixedHeight(strip)
        # Under a long banner in the smallest window what is seen now comes before what was saved.
        self.strip.setVisible(self.height() - strip - self.held.ask_line.room >= _LEAST_SIDE_EM * em)
        beside = self.height() - self._strip_room - self.held.ask_line.room - _CLOSED_EM * em
        high = min(max(0.3 * self.height(), 10 * em), 17 * em, max(beside, 8 * em))
        self.readout.setFixedHeight(round(high))
        self.fit_checklist()

    @property
    def _strip_room(self) -> int:
        return 0 if self.strip.isHidden() else self.strip.maximumHeight()

    def fit_checklist(self) -> None:
        """Divide the room below the readout; where there is little, the traces give way to the open list."""
        em = theme.em(self)
        room = self.height() - self._strip_room - self.held.ask_line.room - self.readout.height()
        beside = room - round(_CLOSED_EM * em)
        values = self.held.measuring.values.fitted(beside)
        # In the smallest window there is room for what is measured or for what is seen, not for both.
        roomy = values <= max(beside, 0)
        self.readout.setVisible(roomy)
        if not roomy:
            room += self.readout.height()
            values = self.held.measuring.values.fitted(beside + self.readout.height())
        room -= values
        # The curves in their smallest, with their heading and the gaps round them.
        curves = self._traces_heading.sizeHint().height() + self.traces.minimumSizeHint().height()
        curves = max(curves + 4 * self._column.spacing(), round(_TRACES_EM * em))
        self.checklist.give_room(room - curves, room - round(em))
        # A low page has no room for the curves.
        short = room - _CLOSED_EM * em < self.traces.minimumSizeHint().height()
        self.traces.setVisible(not self.checklist.takes_all and not short)
        self._traces_heading.setVisible(not self.checklist.narrow)

    def begin(self, pipeline: LivePipeline[Session], source: str) -> None:
        """Show this scan from now on; `source` is what the user opened."""
        self.freeze(False)
        self._pipeline = pipeline
        self._clear()
        self.held.begin(pipeline, source)
        self.latency.clear()
        self.view.choosing_region = False
        self.view.painted.clear()
        self.view.show_picture(None, None, None, None)
        self.view.fit()
        self.traces.begin(None)
        self.kept.begin()

    @property
    def saved(self) -> tuple[SavedPlane, ...]:
        """The planes saved in this scan, as a person named them; without those that were rejected."""
        return self.kept.planes

    @property
    def session_folder(self) -> Path | None:
        """Where the scan is kept; None before there is something to keep."""
        session = None if self._pipeline is None else self._pipeline.session
        return None if session is None else session.folder

    @property
    def recording_state(self) -> RecordingState | None:
        """Of the recording that runs, or ran last; None if there was none."""
        return None if self._pipeline is None else self._pipeline.tap.recording

    @property
    def recording(self) -> bool:
        """Whether frames are recorded now."""
        state = self.recording_state
        return state is not None and state.active

    @property
    def can_record(self) -> bool:
        """Whether the scan has begun."""
        return self._pipeline is not None and self._pipeline.state.phase is Phase.RUNNING

    def toggle_recording(self, quality: Quality) -> None:
        """Record from the next frame on, or no further.

        Raises:
            SaveError: The scan cannot be recorded.
        """
        if self._pipeline is None:
            return
        if self.recording:
            self._pipeline.tap.stop_recording()
        else:
            self._pipeline.tap.start_recording(quality)

    @property
    def result(self) -> FrameResult | None:
        """The newest result."""
        return self._result

    @property
    def spec(self) -> ModelSpec | None:
        """Of the model, when it is loaded."""
        return self._spec

    @property
    def frozen(self) -> bool:
        """Whether the picture is held."""
        return self._held is not None

    def freeze(self, on: bool) -> None:
        """Hold the picture, or let it go on.

        The newest classified frame is held, with its own label and heat map: all that is shown belongs
        together. Without one, it is the newest frame.
        """
        if not on:
            self._held = None
            self.held.let_go()
            return
        shown = shown_picture(None, self._result, self.heat.on, time.monotonic())
        shown = shown or shown_picture(self._preview, None, False, time.monotonic())
        if shown is not None:
            saved = self._run.saved(self.kept.raw)
            self._held = _Held(shown, self._result, self._heat_of(shown.heat_of), saved)
            same = self._result is not None and self._result.packet is shown.packet
            self.held.hold(shown.packet, self._result if same else None)

    def show_heat(self, style: HeatStyle | None) -> None:
        """Lay the heat map over the picture in this style, also over one that is held; None does not."""
        self.heat.style = style
        if self._held is not None:
            shown = shown_picture(None, self._held.result, self.heat.on, 0.0) or self._held.shown
            self._held = replace(self._held, shown=shown, heat=self._heat_of(shown.heat_of))

    def capture(self) -> bool:
        """Save the frame that is shown.

        Returns:
            False if it was not classified, or the store takes nothing more.
        """
        held, pipeline = self._held, self._pipeline
        result = self._result if held is None else held.result
        if pipeline is None or result is None:
            # Another frame than the one that is held must never be saved in its place.
            self.flash(_("NOTHING TO CAPTURE"))
            return False
        if done := pipeline.capture_now(result):
            self.kept.ask(result.packet.index)
        self.flash(_("CAPTURED") if done else _("NOT CAPTURED"))
        return done

    def does(self) -> dict[str, Callable[[], object]]:
        """What the keys of this page do."""
        return self.held.does({"capture": self.capture, **self.kept.does()})

    def escape(self) -> bool:
        """Leave what is in the way. Returns whether there was anything."""
        return self.held.escape() or self.kept.escape()

    @property
    def flash_text(self) -> str:
        """What was shown over the picture last."""
        return self._flash

    def flash(self, text: str) -> None:
        """Show a short text over the picture for a moment."""
        self._flash, self._flash_until_s = text, time.monotonic() + _FLASH_S

    def plane(self, number: int) -> SavedPlane | None:
        """The saved plane of this hold, if there is one."""
        return self.kept.plane(number)

    def choose_region(self, on: bool) -> None:
        """Let the user drag a region of interest."""
        self.view.choosing_region = on
        self._show_hint(_(_REGION_HINT, key=first_key("auto_region")) if on else "")

    def _show_hint(self, hint: str) -> None:
        self._hint = hint

    def tick(self, now_s: float, stopping: bool, region_by_hand: bool) -> None:
        """Take what the pipeline has, and show what is new.

        Args:
            now_s: `time.monotonic()`.
            stopping: Whether the scan is being ended.
            region_by_hand: Whether the region of interest was set by hand.
        """
        pipeline = self._pipeline
        if pipeline is None:
            return
        self._take_spec(pipeline)
        self._preview = pipeline.preview.take() or self._preview
        new = pipeline.results.take()
        if new is not None:
            self._result = new
            self._run.update(new, 0.0 if self._spec is None else self._spec.thresholds.merge_gap_s)
            self._quality = self._steady.update(new)
            self._unlike = self._steady_unlike.update(new)
            self.traces.add(new)
        self._take_saved(pipeline)
        self._show_picture(pipeline, now_s)
        self.held.tick(now_s)
        self._show_readout(pipeline.state, now_s, stopping, region_by_hand)
        if now_s - self._traces_at_s >= _TRACES_EVERY_S:
            self._traces_at_s = now_s
            self.traces.refresh()
        for result, painted_s in self.view.painted:
            self.latency.add(now_s, (painted_s - result.packet.captured_s) * 1000)
        self.view.painted.clear()

    def finish_measuring(self) -> None:
        """Before the end: wait for the planes that something was measured on; it is saved with them."""
        if self._pipeline is not None:
            self.kept.finish(self._pipeline)

    def _take_saved(self, pipeline: LivePipeline[Session]) -> None:
        if saved := pipeline.take_saved():
            self.kept.take(saved)
        if self.kept.show(self._spec, self._colours):
            self.traces.mark(self.kept.planes)

    def _take_spec(self, pipeline: LivePipeline[Session]) -> None:
        if self._spec is None and pipeline.spec is not None:
            self._spec = pipeline.spec
            self._colours = theme.plane_colours(self._spec.planes)
            self.traces.begin(self._spec, self._spec.thresholds.enter)
            self.fit_checklist()  # the curves may need room from now on

    def _heat_of(self, result: FrameResult | None) -> HeatMap | None:
        spec = self._spec
        return None if spec is None else self.heat.of(result, spec.classes, spec.preprocessing)

    def _show_picture(self, pipeline: LivePipeline[Session], now_s: float) -> None:
        if self._held is not None:
            shown, result, heat = self._held.shown, self._held.result, self._held.heat
        else:
            maybe = shown_picture(self._preview, self._result, self.heat.on, now_s)
            if maybe is None:
                return
            shown, result, heat = maybe, self._result, self._heat_of(maybe.heat_of)
        crop = region_shown(pipeline.crop if self._held is None or result is None else result.crop, result)
        view = self.view
        same = shown.packet is view.packet and result is view.result and heat is view.heat
        if not same or crop != view.crop:
            view.show_picture(shown.packet, result, heat, crop)

    def _show_readout(self, state: PipelineState, now_s: float, stopping: bool, region_by_hand: bool) -> None:
        held = self._held
        result = self._result if held is None else held.result
        if result is not None and now_s - self._age_at_s >= _AGE_EVERY_S:
            self._age_at_s = now_s
            self._age_s = now_s - result.packet.captured_s
        newest = self._preview
        silent_s = 0.0 if newest is None or held is not None else now_s - newest.captured_s
        saved = self._run.saved(self.kept.raw) if held is None else held.saved
        spec = self._spec
        info = None if self._pipeline is None else self._pipeline.source_info
        text = readout(
            state,
            result,
            self._age_s,
            classes=() if spec is None else spec.classes,
            none_class=NON_STANDARD if spec is None else spec.none_class,
            saved=saved,
            held=held is not None,
            silent_s=silent_s,
            silent_known=held is None and info is not None and info.trouble == NO_PICTURES,
            frame_rate=None if info is None else info.frame_rate,
            stopping=stopping,
            quality=self._quality if held is None or result is None else quality_text(result.quality),
            unlike=self._unlike if held is None or result is None else is_unlike(result),
        )
        colour = self._colours.get(text.title, theme.TEXT)
        self.readout.show_readout(text, colour)
        badges = [(_("FROZEN"), ON_PICTURE.accent)] if held is not None else []
        if recorded := badge(self.recording_state):
            badges.insert(0, (recorded, ON_PICTURE.fault))
        if now_s < self._flash_until_s:
            done = self._flash == _("CAPTURED")
            badges.append((self._flash, ON_PICTURE.good if done else ON_PICTURE.warning))
        hint = self._hint or self.held.hint
        if state.phase is Phase.STARTING and not self.view.choosing_region:
            hint = state.message or _("Waiting for the first frame.")
        accent = colour if text.tone is Tone.PLANE else ON_PICTURE.accent if region_by_hand else None
        self.view.show_texts((*badges, *self.kept.badges), hint, accent)
