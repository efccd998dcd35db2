"""The scan that runs: begun, stopped and followed by the next without the window ever waiting. No Qt here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from app.settings import ScanOptions
from app.tasks import Job
from semc_core.errors import SemcError
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase, PipelineSettings
from semc_core.runtime.base import Runtime
from semc_core.session.recording.clips import ClipSettings
from semc_core.session.session import Session
from semc_core.session.writer import session_sink
from semc_core.sources.base import FrameSource

_log = logging.getLogger(__name__)
_FINAL: Final = (Phase.ENDED, Phase.STOPPED, Phase.FAULT)


def new_pipeline(options: ScanOptions) -> LivePipeline[Session]:
    """An engine for these options, not started. What is slow happens on its threads."""

    def open_it() -> FrameSource:
        from semc_core.sources.open import open_source

        return open_source(options.source)

    def load_it() -> Runtime:
        from semc_core.runtime.load import load_runtime

        return load_runtime(options.model, options.device)

    keeper = session_sink(options.output, ClipSettings() if options.clips else None)
    return LivePipeline(open_it, load_it, keeper, PipelineSettings(record=options.record))


class ScanController:
    """Holds the scan that runs or ran last. Called by one thread; only `close` waits.

    Attributes:
        fault: Why the scan has not stopped yet, or "". It is tried again until it has.
    """

    def __init__(self, make_pipeline: Callable[[ScanOptions], LivePipeline[Session]] = new_pipeline) -> None:
        self._make_engine = make_pipeline
        self._engine: LivePipeline[Session] | None = None
        self._options: ScanOptions | None = None
        self._next: ScanOptions | None = None
        self._stop: Job[None] | None = None
        self._ended = True
        self.fault = ""

    @property
    def engine(self) -> LivePipeline[Session] | None:
        """The scan that runs, or ran last."""
        return self._engine

    @property
    def options(self) -> ScanOptions | None:
        """What it was, or the one to come, was begun with."""
        return self._next or self._options

    @property
    def stopping(self) -> bool:
        """Whether a scan that ran is being ended."""
        return self._stop is not None and self._engine is not None and self._engine.state.phase not in _FINAL

    @property
    def running(self) -> bool:
        """Whether a scan runs or is about to."""
        if self._next is not None:
            return True
        engine = self._engine
        return engine is not None and self._stop is None and engine.state.phase not in (*_FINAL, Phase.IDLE)

    @property
    def over(self) -> bool:
        """Whether there was a scan, and all of it is done and written."""
        return self._engine is not None and self._ended and self._next is None

    def begin(self, options: ScanOptions) -> None:
        """Scan this next; what runs is ended first."""
        self._next = options
        self.fault = ""
        self.stop_current()
        self.poll()

    def stop(self) -> None:
        """End the scan; `poll` sees it through."""
        self._next = None
        self.fault = ""
        self.stop_current()

    def stop_current(self) -> None:
        """Let the engine stop on another thread, unless that is done or under way."""
        if self._engine is not None and self._stop is None and not self._ended:
            self._stop = Job(self._engine.stop, "scan-stop")

    def poll(self) -> None:
        """Take the next step, if there is one: to be called often. Returns at once."""
        if self._stop is not None and self._stop.done:
            self._finish_stop(self._stop)
        if self._must_stop():
            self.stop_current()
        if self._next is not None and self._stop is None and self._ended:
            options, self._next = self._next, None
            self._options, self._engine = options, self._make_engine(options)
            self._ended = False
            self._engine.start()

    def close(self) -> None:
        """End everything and wait for it.

        Raises:
            SemcError: The source or the model does not answer.
        """
        self.stop()
        while self._stop is not None:
            job, self._stop = self._stop, None
            job.result()
            self._ended = True

    def _must_stop(self) -> bool:
        """Whether the engine is at its end, or was asked to stop and did not in time."""
        if self._engine is None or self._ended:
            return False
        return self._next is not None or bool(self.fault) or self._engine.state.phase in _FINAL

    def _finish_stop(self, job: Job[None]) -> None:
        self._stop = None
        try:
            job.result()
        except SemcError as error:
            if not self.fault:
                _log.warning("%s", error)
            self.fault = str(error)
        else:
            self._ended, self.fault = True, ""


def warm_up(device: str) -> None:
    """Import what the first scan will need, before the window is shown.

    Loading a library keeps Python from doing anything else, on whichever thread it happens: 0.3 s for
    OpenVINO, more for PyTorch. Later the window would stand still for it.
    """
    from semc_core.runtime.load import nvidia_gpu_present

    if device in ("auto", "cuda") and nvidia_gpu_present():
        import semc_core.runtime.torch.runtime
    else:
        import semc_core.runtime.openvino.runtime
    import semc_core.sources.open
    import semc_core.sources.video  # noqa: F401 - imported to have it
