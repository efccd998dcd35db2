"""The calipers and annotations on the picture that is held during a scan, with the line to type into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout

from app.annotating.controller import Annotating
from app.commands import ANNOTATE
from app.display.reference import ReferenceBeside
from app.live.drawn import LiveDrawn
from app.live.measured import LiveSubject
from app.measuring.controller import Measuring
from app.measuring.keys import IN_LIVE
from app.widgets.forms import AskLine, side_by_side
from app.widgets.image_view import LiveView
from semc_core.pipeline.live import LivePipeline
from semc_core.session.session import Session
from semc_core.types import FramePacket, FrameResult


class HeldPicture(QObject):
    """Called by the window's thread.

    Attributes:
        measuring: The calipers; over the picture only while it is held.
        annotating: Words, arrows and body marks, over the calipers.
        ask_line: Where the length of a scale is typed.
        reference: The protocol's picture of the plane, beside it.
        chosen: Gives the class name of the plane that is chosen in the strip; "" for none.

    Signals:
        wanted: A tool was chosen: the picture is to be held.
    """

    wanted = Signal()

    def __init__(self, view: LiveView, subject: LiveSubject) -> None:
        super().__init__(view)
        self._view, self._subject = view, subject
        self._packet: FramePacket | None = None
        self._label = ""
        self._now_s = 0.0
        self.reference = ReferenceBeside()
        self.chosen: Callable[[], str] = str
        self.measuring = Measuring(view, IN_LIVE)
        self.measuring.layer.hide()
        measuring = self.measuring
        self.annotating = Annotating(view, measuring.layer, measuring.leave, subject.post, IN_LIVE)
        self.ask_line = AskLine()
        self.ask_line.answered.connect(self._answer)
        self.ask_line.refused.connect(self.escape)

    def row(self) -> QHBoxLayout:
        """The tools, the picture, and what is seen beside it."""
        row = side_by_side(self.measuring.tools, self._view, self.reference.view, stretch=1)
        row.setStretch(2, 1)
        return row

    def begin(self, pipeline: LivePipeline[Session], source: str) -> None:
        """Measure and draw in this scan from now on; `source` is what the user opened."""
        self._packet = None
        self._subject.begin(pipeline, source)
        self.measuring.begin(self._subject)
        self.annotating.begin(LiveDrawn(self._subject, pipeline, lambda: self._packet))

    def hold(self, packet: FramePacket, result: FrameResult | None) -> None:
        """This frame is held, with what was concluded from it; None where it was not classified."""
        self._packet, self._label = packet, "" if result is None else result.label
        self._subject.hold_frame(result)

    def let_go(self) -> None:
        """No frame is held any more."""
        self._packet = None
        self.reference.leave()
        self.measuring.leave()
        self.annotating.leave()
        self._subject.hold_frame(None)

    def close(self) -> None:
        """End, and wait for what was drawn to be written: before the scan ends."""
        self.annotating.close()

    def tick(self, now_s: float) -> None:
        """Show what is measured and drawn: to be called often."""
        self._now_s = now_s
        self.measuring.layer.setVisible(self._packet is not None and not self._view.choosing_region)
        self.measuring.tick(now_s, self._packet)
        self.annotating.tick()
        self.reference.tick(self.chosen() or self._label)
        self.ask_line.ask(self._subject.asking)

    @property
    def hint(self) -> str:
        """What to do next with the tool that is on, or ""."""
        return self.measuring.hint or self.annotating.hint

    @property
    def typing(self) -> bool:
        """Whether the keys are for the line of words."""
        return self._subject.asking is not None

    def does(self, page: Mapping[str, Callable[[], object]]) -> dict[str, Callable[[], object]]:
        """What the keys do that save, correct, measure or draw; `page`: what those of the page do else."""
        does = {**page, "undo": self._subject.undo, "redo": self._subject.redo}
        does["reference"] = self.reference.toggle
        does = self.annotating.over(self.measuring.over(does))
        return {name: partial(self._hold_and, name, do) for name, do in does.items()}

    def set_actions(self, actions: dict[str, QAction]) -> None:
        """The tools' buttons do what these do. Called once."""
        self.measuring.set_actions(actions)
        self.annotating.set_actions(actions, self.measuring.tools.add)

    def escape(self) -> bool:
        """Leave what is in the way. Returns whether there was anything."""
        if self.typing:
            self._subject.asking = None
            return True
        if self._packet is None:
            return False
        return self.annotating.escape() or self.measuring.back() or self.reference.leave()

    def _hold_and(self, name: str, do: Callable[[], object]) -> None:
        """A tool holds the picture first: only what stands still is measured and drawn on."""
        if name.startswith((IN_LIVE.tools, *ANNOTATE)) and self._packet is None:
            self.wanted.emit()
            self.measuring.tick(self._now_s, self._packet)
        do()

    def _answer(self, text: str) -> None:
        asking, self._subject.asking = self._subject.asking, None
        if asking is not None and asking.then is not None:
            asking.then(text)
