"""Scans for tests: sources that give frames on demand, models that answer what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceInterrupted
from semc_core.model.architecture import new_spec
from semc_core.model.spec import ModelSpec
from semc_core.picture import Picture
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.sink import SinkFactory
from semc_core.pipeline.state import Phase, PipelineSettings, Statistics
from semc_core.runtime.base import Runtime
from semc_core.session.session import Session
from semc_core.sources.base import FrameSource
from semc_core.types import Crop, FramePacket, SourceInfo, Thresholds
from tests.pipeline.scripted import CLASSES, ScriptedRuntime, probabilities, textured

SPEC = new_spec("semc_tiny", CLASSES)
WAITING = PipelineSettings(paced=False)
EASY = Thresholds(enter=0.2, leave=0.15, min_hold_s=0.2, smoothing_s=0.25, merge_gap_s=0.3)
Answer = Callable[[int], NDArray[np.float32]]
_started: list[LivePipeline[Session]] = []


def stop_all() -> None:
    """Stop every scan that was made here, and forget it."""
    while _started:
        _started.pop().stop(60)


def new_engine(
    source: Callable[[], FrameSource],
    runtime: Callable[[], Runtime],
    sink: SinkFactory[Session] | None = None,
    settings: PipelineSettings | None = None,
) -> LivePipeline[Session]:
    engine = LivePipeline(source, runtime, sink, settings)
    _started.append(engine)
    return engine


def phase_of(engine: LivePipeline[Session]) -> Phase:
    """A function, because the type checker does not expect a property to change."""
    return engine.state.phase


class CountedSource:
    """Gives frames when the test says so; live, so the engine never makes it wait."""

    hinted_crop: Crop | None = None

    def __init__(self, live: bool = True, frames: int | None = None, rate: float = 30.0) -> None:
        self._rate = rate
        self.info = SourceInfo("counted", "camera", 64, 64, 30.0, frames, live)
        self.go_on = threading.Semaphore(0)
        self.closed = threading.Event()
        self._frames = frames
        self._index = 0
        self._interrupted = False

    def read(self) -> FramePacket | None:
        if self.info.live:
            self.go_on.acquire()
        if self._interrupted:
            raise SourceInterrupted("stopped")
        if self._frames is not None and self._index >= self._frames:
            return None
        index, self._index = self._index, self._index + 1
        return FramePacket("counted", index, index / self._rate, 0.0, Picture(textured(index)))

    def interrupt(self) -> None:
        self._interrupted = True
        self.go_on.release()

    def close(self) -> None:
        self.closed.set()


def scripted(answer: Answer, spec: ModelSpec = SPEC) -> Callable[[], Runtime]:
    return lambda: ScriptedRuntime(spec, answer)


def held(index: int) -> NDArray[np.float32]:
    """A held for the first 60 frames, nothing after."""
    return probabilities("A" if index < 60 else "NSP", 0.95)


def assert_nothing_lost(counted: Statistics) -> None:
    assert counted.frames_in == (
        counted.classified + counted.skipped + counted.dropped + counted.in_flight
    ), counted
    assert 0 <= counted.in_flight <= 2
