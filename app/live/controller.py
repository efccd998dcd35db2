"""The scan that runs: begun, stopped and followed by the next without the window ever waiting. No Qt here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from app.live.shown import ShownSession
from app.scan_options import ScanOptions
from app.tasks import Background, Post
from semc_core.errors import SemcError
from semc_core.language import _
from semc_core.model.registry import check_known
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase, PipelineSettings
from semc_core.runtime.base import Runtime
from semc_core.session.recording.clips import ClipSettings
from semc_core.session.session import Session
from semc_core.session.sink import session_sink
from semc_core.sources.base import FrameSource
from semc_core.sources.open import path_of
from semc_core.types import CaptureInfo, Crop

_log = logging.getLogger(__name__)
_FINAL: Final = (Phase.ENDED, Phase.STOPPED, Phase.FAULT)


class RegionMemory(Protocol):
    """Remembers regions of interest that were set by hand."""

    def crop(self, kind: str, width: int, height: int, device: str = "") -> Crop | None:
        """The one last set for this kind of source, or this device by its identity, and size of frame."""
        ...

    def remember_crop(self, kind: str, width: int, height: int, crop: Crop | None, device: str = "") -> None:
        """Keep it for the next scan; None forgets it."""
        ...


def new_pipeline(options: ScanOptions) -> LivePipeline[Session]:
    """A pipeline for these options, not started. What is slow happens on its threads."""

    def open_it() -> FrameSource:
        from semc_core.sources.open import open_source, remembered_by

        chosen = options.for_source(remembered_by(options.source))
        return open_source(
            options.source,
            images=options.images,
            mode=chosen.mode or None,
            options=chosen.options,
            tap=options.tap,
        )

    def load_it() -> Runtime:
        from semc_core.runtime.load import load_runtime

        check_known(options.model)
        return load_runtime(options.model, options.device)

    clips = ClipSettings() if options.clips else None
    sink = session_sink(options.output, clips, path_of(options.source), options.examination)
    return LivePipeline(open_it, load_it, sink, PipelineSettings(record=options.record))


class ScanController:
    """Holds the scan that runs or ran last. Called by the window's thread; only `close` waits.

    Attributes:
        fault: Why the scan has not stopped yet, or "". It is tried again until it has.
        region_by_hand: Whether the region of interest was set by hand.
        on_begin: Told the pipeline of a scan that begins, and what it was begun with.
        on_open: Told what is scanned from, as it was asked for, once that is open: it can be opened.
    """

    def __init__(
        self,
        post: Post,
        regions: RegionMemory,
        make_pipeline: Callable[[ScanOptions], LivePipeline[Session]] = new_pipeline,
        last_wait_s: float = 60.0,
    ) -> None:
        self._make_pipeline = make_pipeline
        self._regions = regions
        self._last_wait_s = last_wait_s
        self._stops = Background("scan-stop", post)
        self._shown = ShownSession(post)
        self._pipeline: LivePipeline[Session] | None = None
        self._options: ScanOptions | None = None
        self._next: ScanOptions | None = None
        self._stop: Future[None] | None = None
        self._ended = True
        self._region_size: tuple[int, int] | None = None
        self._opened = False
        self.fault = ""
        self.region_by_hand = False
        self.on_begin: Callable[[LivePipeline[Session], ScanOptions], None] = lambda pipeline, options: None
        self.on_open: Callable[[str], object] = lambda source: None

    @property
    def pipeline(self) -> LivePipeline[Session] | None:
        """The scan that runs, or ran last."""
        return self._pipeline

    @property
    def options(self) -> ScanOptions | None:
        """What it was, or the one to come, was begun with."""
        return self._next or self._options

    @property
    def capture(self) -> CaptureInfo | None:
        """The capture card that is scanned from, what it was asked for and what it gives; None of others."""
        info = self._pipeline.source_info if self._pipeline is not None and self.running else None
        return None if info is None else info.capture

    @property
    def stopping(self) -> bool:
        """Whether a scan that ran is being ended."""
        return self._stop is not None and self._pipeline is not None and not self._is_final()

    @property
    def running(self) -> bool:
        """Whether a scan runs or is about to."""
        if self._next is not None:
            return True
        pipeline = self._pipeline
        idle = pipeline is None or pipeline.state.phase is Phase.IDLE
        return not idle and self._stop is None and not self._is_final()

    @property
    def over(self) -> bool:
        """Whether there was a scan, and all of it is done and written."""
        return self._pipeline is not None and self._ended and self._next is None

    def begin(self, options: ScanOptions) -> None:
        """Scan this next; what runs is ended first."""
        self._next = options
        self.fault = ""
        self._go_on()

    def stop(self) -> None:
        """End the scan."""
        self._next = None
        self.fault = ""
        self._stop_current()

    def set_region(self, crop: Crop | None) -> None:
        """Use this region of interest from now on; None finds it."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        pipeline.set_crop(crop)
        self.region_by_hand = crop is not None
        info = pipeline.source_info
        if info is not None:
            self._regions.remember_crop(info.kind, info.width, info.height, crop, info.known_by)

    def tick(self) -> None:
        """End what came to its end by itself; use the region remembered for the size: to be called often."""
        self._notice_opened()
        session = None if self._pipeline is None else self._pipeline.session
        self._shown.follow(None if session is None else session.folder)
        self._use_remembered_region()
        if self._stop is None:
            self._go_on()

    def close(self) -> None:
        """End everything and wait for it: on a busy machine longer than for the next scan.

        Raises:
            SemcError: The source or the model does not answer; `fault` says so, too.
        """
        self.stop()
        stop, self._stop = self._stop, None
        try:
            if stop is not None and stop.exception() is not None:
                self._stop_at_last()
        finally:
            self._ended = True
            self._stops.close()
            self._shown.close()

    def _stop_at_last(self) -> None:
        """Stop what did not stop in time. Raises SemcError."""
        assert self._pipeline is not None
        try:
            self._pipeline.stop(self._last_wait_s)
        except SemcError as error:
            lost = _(
                "What was found last, and the end of a recording, may not be written; open the session in "
                "review, which takes up what is there."
            )
            self.fault = f"{error} {lost}"
            raise SemcError(self.fault) from error

    def _go_on(self) -> None:
        """Take the next step, if there is one."""
        if not self._ended and (self._next is not None or self.fault or self._is_final()):
            self._stop_current()
        if self._next is not None and self._ended:
            options, self._next = self._next, None
            self._options, self._pipeline = options, self._make_pipeline(options)
            self._ended, self._region_size, self.region_by_hand = False, None, False
            self._opened = False
            self._pipeline.start()
            self.on_begin(self._pipeline, options)

    def _stop_current(self) -> None:
        """Let the pipeline stop on another thread, unless that is done or under way."""
        if self._pipeline is not None and self._stop is None and not self._ended:
            self._stop = self._stops.start(self._pipeline.stop, self._stopped)

    def _stopped(self, future: Future[None]) -> None:
        self._stop = None
        try:
            future.result()
        except SemcError as error:
            if not self.fault:
                _log.warning("%s", error)
            self.fault = str(error)
        else:
            self._ended, self.fault = True, ""
        self._go_on()

    def _is_final(self) -> bool:
        return self._pipeline is not None and self._pipeline.state.phase in _FINAL

    def _notice_opened(self) -> None:
        opened = self._pipeline is not None and self._pipeline.source_info is not None
        if opened and not self._opened and self._options is not None:
            self._opened = True
            self.on_open(self._options.source)

    def _use_remembered_region(self) -> None:
        info = None if self._pipeline is None else self._pipeline.source_info
        if self._pipeline is None or info is None or self._region_size == (info.width, info.height):
            return
        self._region_size = info.width, info.height
        crop = self._regions.crop(info.kind, info.width, info.height, info.known_by)
        if crop is not None or self.region_by_hand:
            # Also in the middle of a scan: the region of the size before means nothing in the new one.
            self._pipeline.set_crop(crop)
            self.region_by_hand = crop is not None
