"""Runs a scan of a screen that shows the clock, as the window does, and measures until the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QCloseEvent

from app.live.presenter import shown_picture
from app.main_window import TICK_MS
from app.widgets.image_view import LiveView
from semc_core.cli.bench.glass import GlassMeter
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase
from semc_core.session.session import Session
from semc_core.types import FramePacket, FrameResult

_FINAL: Final = (Phase.ENDED, Phase.STOPPED, Phase.FAULT)
_PATIENCE_S: Final = 60.0
"""So long the first frame, and the model, may take."""


class _View(LiveView):
    """The picture as the window shows it, in a window of its own."""

    def __init__(self, ended: Callable[[], None]) -> None:
        super().__init__()
        self.setWindowTitle("Delay from glass to overlay · SEMC Live")
        self.resize(960, 600)
        self._ended = ended

    def closeEvent(self, event: QCloseEvent) -> None:
        """Whoever closes it wants no more of it."""
        self._ended()


class GlassBench:
    """One measurement, on the window's thread."""

    def __init__(self, pipeline: LivePipeline[Session], meter: GlassMeter) -> None:
        self._pipeline, self._meter = pipeline, meter
        self._loop = QEventLoop()
        self._view = _View(self.end)
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._preview: FramePacket | None = None
        self._result: FrameResult | None = None
        self._until_s: float | None = None
        self._seconds = self._give_up_s = 0.0

    def run(self, seconds: float) -> None:
        """Measure for so long from the first painted result on, or until it is ended or the scan is over."""
        self._seconds, self._give_up_s = seconds, time.monotonic() + _PATIENCE_S
        self._view.show()
        self._timer.start(TICK_MS)
        self._loop.exec()
        self._timer.stop()
        self._view.close()

    def end(self) -> None:
        """No more of it."""
        self._loop.quit()

    def _tick(self) -> None:
        now_s, pipeline, view = time.monotonic(), self._pipeline, self._view
        until_s = self._give_up_s if self._until_s is None else self._until_s
        if pipeline.state.phase in _FINAL or now_s >= until_s:
            self.end()
            return
        self._preview = pipeline.preview.take() or self._preview
        self._result = pipeline.results.take() or self._result
        shown = shown_picture(self._preview, self._result, False, now_s)
        if shown is not None and (shown.packet is not view.packet or self._result is not view.result):
            view.show_picture(shown.packet, self._result, None, pipeline.crop)
        for result, painted_s in view.painted:
            if self._until_s is None:
                self._until_s = now_s + self._seconds
                self._meter.begin()
            elif result.prediction is not None:
                self._meter.painted(result.packet.index, painted_s)
        view.painted.clear()
