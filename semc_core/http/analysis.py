"""The thread that analyses what was sent, one loop after the other, as `semc analyse` does."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from semc_core.errors import RuntimeFault, SemcError, SourceInterrupted
from semc_core.http.bounds import Refusal
from semc_core.http.counters import Counters
from semc_core.pipeline.batch import review
from semc_core.pipeline.sink import saved_plane
from semc_core.runtime.base import Runtime
from semc_core.session.analyse import origin_of
from semc_core.session.results_document import results_document
from semc_core.sources.base import FrameSource
from semc_core.sources.open import open_source
from semc_core.types import SavedPlane

_log = logging.getLogger(__name__)
_TOO_LONG: Final = 504
ENDING: Final = "The service is ending; send it again later."


class Analysis:
    """One loop's. Waits for those before it.

    Attributes:
        answer: The document of its results, or the Refusal; may come before the work has ended.
    """

    def __init__(self, path: Path, limit_s: float) -> None:
        self.answer: Future[dict[str, Any]] = Future()
        self._path = path
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._ended = 0
        self._source: FrameSource | None = None

    def end(self, status: int, sentence: str) -> None:
        """Answer so, unless it is answered, and stop working on it soon. From any thread."""
        with self._lock:
            source = self._source
            if not self.answer.done():
                self._ended = status
                self.answer.set_exception(Refusal(status, sentence))
        if source is not None:
            source.interrupt()

    def work(self, runtime: Runtime, counters: Counters) -> dict[str, Any] | Exception | None:
        """Do it, on the thread that may use `runtime`. Returns what is to be settled; None where it is."""
        if self.answer.done():
            return None
        counters.at_work.inc()
        begun_s = time.perf_counter()
        limit = threading.Timer(
            self._limit_s,
            self.end,
            (_TOO_LONG, f"Its analysis took more than {self._limit_s:g} s; cut the loop."),
        )
        limit.daemon = True
        limit.start()
        found: dict[str, Any] | Exception
        try:
            found = self._analyse(runtime)
        except Exception as error:  # noqa: BLE001 - the boundary of one loop
            found = error
        limit.cancel()
        limit.join()
        # Before the answer: who has it may look at what is counted.
        counters.at_work.dec()
        counters.seconds.observe(time.perf_counter() - begun_s)
        if not isinstance(found, Exception):
            counters.analysed.inc()
        elif self._ended in (0, _TOO_LONG):
            counters.failed.inc()
        return found

    def _analyse(self, runtime: Runtime) -> dict[str, Any]:
        pictures: Counter[str] = Counter()
        planes: list[SavedPlane] = []
        source = open_source(str(self._path))
        with closing(source):
            self._watch(source)
            origin = origin_of(source, runtime, None)
            with closing(review(source, runtime)) as steps:
                for reviewed in steps:
                    self._check()
                    pictures.update(result.picture for result in reviewed.results)
                    planes += [saved_plane(event, None) for event in reviewed.events if event.final]
            return results_document(origin, source.info, pictures, planes)

    def _watch(self, source: FrameSource) -> None:
        with self._lock:
            self._source = source
            if self._ended:
                source.interrupt()

    def _check(self) -> None:
        """What was read before it was interrupted is not answered any more, however short the loop is."""
        if self._ended:
            raise SourceInterrupted("Its analysis was ended.")

    def settle(self, found: dict[str, Any] | Exception) -> None:
        """Answer so, unless it is answered."""
        with self._lock:
            self._source = None
            if self.answer.done():
                return
            if isinstance(found, Exception):
                self.answer.set_exception(_refusal(found))
            else:
                self.answer.set_result(found)


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, RuntimeFault):
        return Refusal(500, str(error))
    if isinstance(error, SemcError):
        return Refusal(422, str(error))
    # The type only: an error may quote what is in the file.
    _log.error("An upload could not be analysed: %s", type(error).__name__)
    return Refusal(422, f"It could not be analysed ({type(error).__name__}); check the file.")


class Analyser:
    """Analyses what it is given, in its order. Closed once."""

    def __init__(self, runtime: Runtime, counters: Counters, limit_s: float) -> None:
        """Begin.

        Args:
            runtime: The model; stays open.
            counters: Told what becomes of loops.
            limit_s: Longest analysis of one loop.
        """
        self._runtime = runtime
        self._counters = counters
        self._limit_s = limit_s
        self._under_way: set[Analysis] = set()
        self._lock = threading.Lock()
        self._ended = False
        self._thread = ThreadPoolExecutor(1, "http analysis")

    def begin(self, path: Path, over: Callable[[], None]) -> Analysis:
        """Let the loop at `path` be analysed; `over` is called once the file is no longer needed."""
        analysis = Analysis(path, self._limit_s)
        with self._lock:
            self._under_way.add(analysis)
            ended = self._ended
        self._counters.waiting.inc()
        if ended:
            _end(analysis)
        work = self._thread.submit(self._work, analysis, over)
        # Answered before its turn: nobody waits for it, and its file need not wait either.
        analysis.answer.add_done_callback(lambda _: self._drop(analysis, over) if work.cancel() else None)
        return analysis

    def end(self) -> None:
        """Answer all that wait or are worked on that the service ends. From any thread."""
        with self._lock:
            self._ended = True
            under_way = list(self._under_way)
        for analysis in under_way:
            _end(analysis)

    def close(self) -> None:
        """End, and wait for the thread."""
        self.end()
        self._thread.shutdown()

    def _work(self, analysis: Analysis, over: Callable[[], None]) -> None:
        self._counters.waiting.dec()
        try:
            found = analysis.work(self._runtime, self._counters)
        finally:
            # Before the answer: who has it finds nothing left, and may send the next.
            self._done(analysis, over)
        if found is not None:
            analysis.settle(found)

    def _drop(self, analysis: Analysis, over: Callable[[], None]) -> None:
        self._counters.waiting.dec()
        self._done(analysis, over)

    def _done(self, analysis: Analysis, over: Callable[[], None]) -> None:
        over()
        with self._lock:
            self._under_way.discard(analysis)


def _end(analysis: Analysis) -> None:
    analysis.end(503, ENDING)
