"""A live scan is stopped in every state, and nothing is left behind."""

from __future__ import annotations

import threading

import pytest

from semc_core.errors import SemcError
from semc_core.pipeline.queues import QueueClosed
from semc_core.pipeline.state import Phase
from semc_core.runtime.base import Runtime
from semc_core.sources.base import FrameSource
from semc_core.types import FramePacket
from tests.pipeline.live_scans import SPEC, CountedSource, held, new_engine, phase_of, scripted
from tests.pipeline.scripted import ScriptedRuntime


def test_a_stuck_source_is_told_and_stop_can_be_tried_again() -> None:
    reading, held_up = threading.Event(), threading.Event()

    class Stuck(CountedSource):
        def read(self) -> FramePacket | None:
            reading.set()
            assert held_up.wait(60)
            return None

    engine = new_engine(lambda: Stuck(), scripted(held), None)
    engine.start()
    assert reading.wait(60)
    with pytest.raises(SemcError, match="waiting for capture"):
        engine.stop(timeout_s=0.2)
    held_up.set()
    engine.stop()
    assert phase_of(engine) is Phase.STOPPED


def test_stop_before_start_and_while_opening_leave_nothing_behind() -> None:
    engine = new_engine(CountedSource, scripted(held), None)
    engine.stop()
    assert phase_of(engine) is Phase.STOPPED
    opening, go_on = threading.Event(), threading.Event()
    source = CountedSource()

    def slow() -> FrameSource:
        opening.set()
        assert go_on.wait(60)
        return source

    engine = new_engine(slow, scripted(held), None)
    engine.start()
    assert opening.wait(60)
    with pytest.raises(SemcError, match="waiting for capture"):
        engine.stop(timeout_s=0.1)
    go_on.set()
    engine.stop()
    assert source.closed.is_set(), "what was opened too late is closed again"
    with pytest.raises(QueueClosed):
        engine.results.get()


def test_a_scan_that_ends_after_its_stop_gave_up_is_stopped_and_not_starting() -> None:
    opening, go_on, loading, loaded = (threading.Event() for _ in range(4))

    def slow_source() -> FrameSource:
        opening.set()
        assert go_on.wait(60)
        return CountedSource()

    def slow_model() -> Runtime:
        loading.set()
        assert loaded.wait(60)
        return ScriptedRuntime(SPEC, held)

    engine = new_engine(slow_source, slow_model, None)
    engine.start()
    assert opening.wait(60)
    assert loading.wait(60)
    with pytest.raises(SemcError, match="waiting for capture and inference"):
        engine.stop(timeout_s=0.1)
    assert phase_of(engine) is Phase.STARTING
    go_on.set()
    loaded.set()
    assert engine.wait(60)
    assert phase_of(engine) is Phase.STOPPED
