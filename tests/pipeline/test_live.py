"""A live scan on its real threads: what is read, dropped, classified and shown."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.picture import Picture
from semc_core.pipeline.batch import review
from semc_core.pipeline.state import Phase, Statistics
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.sources.base import FrameSource
from semc_core.sources.simulated import SimulatedSource
from semc_core.types import Crop, FramePacket
from tests.pipeline.live_scans import (
    EASY,
    SPEC,
    WAITING,
    CountedSource,
    assert_nothing_lost,
    held,
    new_engine,
    phase_of,
    scripted,
)
from tests.pipeline.scripted import ScriptedRuntime, probabilities


@pytest.mark.requirement("S2")
def test_a_busy_model_gets_the_newest_frame_next_and_the_others_count_as_dropped() -> None:
    source = CountedSource()
    busy, go_on = threading.Event(), threading.Semaphore(0)

    def answer(index: int) -> NDArray[np.float32]:
        busy.set()
        assert go_on.acquire(timeout=60)
        return probabilities("NSP", 0.9)

    engine = new_engine(lambda: source, scripted(answer), None)
    engine.start()
    source.go_on.release()
    assert busy.wait(60)
    source.go_on.release(23)
    while engine.preview.get().index < 23:
        pass
    counted = engine.statistics()
    assert (counted.dropped, counted.in_flight) == (22, 2)
    assert_nothing_lost(counted)
    for index in (0, 23):
        go_on.release()
        assert engine.results.get().packet.index == index
    engine.stop()
    assert source.closed.is_set()
    counted = engine.statistics()
    assert (counted.frames_in, counted.classified, counted.dropped, counted.in_flight) == (24, 2, 22, 0)


def test_the_sum_holds_at_any_moment(tiny_model_path: Path) -> None:
    engine = new_engine(
        lambda: CountedSource(live=False, frames=400, rate=300.0),
        lambda: load_runtime(tiny_model_path, "cpu", 1),
        None,
    )
    seen: list[Statistics] = []
    over = threading.Event()

    def watch() -> None:
        # Often, but not all the time: on a busy machine nothing else would be done.
        while not over.wait(0.0005):
            seen.append(engine.statistics())

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    engine.start()
    for watcher in watchers:
        watcher.start()
    try:
        assert engine.wait(60)
    finally:
        over.set()
        for watcher in watchers:
            watcher.join()
        engine.stop()
    assert len(seen) > 10
    for counted in seen:
        assert_nothing_lost(counted)
    last = engine.statistics()
    assert (last.frames_in, last.in_flight) == (400, 0)
    assert phase_of(engine) is Phase.ENDED


@pytest.mark.long
@pytest.mark.requirement("S5")
def test_live_without_drops_saves_the_same_planes_as_the_file_in_batches(tiny_model_path: Path) -> None:
    def source() -> FrameSource:
        return SimulatedSource(seed=5, seconds=5, width=320, height=240)

    runtime = load_runtime(tiny_model_path, "cpu", 1)
    engine = new_engine(source, lambda: runtime, None, replace(WAITING, thresholds=EASY))
    engine.start()
    assert engine.wait(60)
    engine.stop()
    counted = engine.statistics()
    assert (counted.frames_in, counted.dropped) == (150, 0)
    live = [
        (plane.hold_id, plane.plane, plane.frame_index, plane.hold_start_s, plane.hold_end_s, plane.final)
        for plane in engine.take_saved()
    ]
    runtime = load_runtime(tiny_model_path, "cpu", 1)
    for batch in (1, 8):
        events = [event for step in review(source(), runtime, EASY, batch=batch) for event in step.events]
        assert live == [
            (event.hold_id, event.plane, event.best.packet.index, event.start_s, event.end_s, event.final)
            for event in events
        ]
    assert any(final for *_, final in live), "the thresholds should let the untrained model find something"
    runtime.close()


def test_the_preview_runs_while_the_model_loads() -> None:
    source, loaded = CountedSource(), threading.Event()

    def load() -> Runtime:
        assert loaded.wait(60)
        return ScriptedRuntime(SPEC, held)

    engine = new_engine(lambda: source, load, None)
    engine.start()
    source.go_on.release()
    assert engine.preview.get().index == 0
    assert phase_of(engine) is Phase.STARTING
    assert engine.state.message == "Loading the model."
    assert engine.device_name == ""
    loaded.set()
    assert engine.results.get().packet.index == 0
    assert phase_of(engine) is Phase.RUNNING
    assert engine.spec == SPEC
    assert engine.device_name == "scripted"
    engine.stop()


def test_the_region_of_interest_can_be_set_and_given_back() -> None:
    source = CountedSource()
    engine = new_engine(lambda: source, scripted(lambda _: probabilities("NSP", 0.9)), None)
    engine.start()
    for wanted in (Crop(8, 4, 32, 40), Crop(-10, 0, 300, 20)):
        engine.set_crop(wanted)
        source.go_on.release()
        used = engine.results.get().crop
        assert used == (wanted if wanted.left == 8 else Crop(0, 0, 64, 20)), "clipped to the frame"
        assert engine.crop == wanted or engine.crop == used
    engine.set_crop(None)
    source.go_on.release()
    assert engine.results.get().crop == Crop(0, 0, 64, 64)
    engine.stop()


def test_black_frames_are_skipped_and_named_so() -> None:
    class Black(CountedSource):
        def read(self) -> FramePacket | None:
            packet = super().read()
            return packet and replace(packet, picture=Picture(np.zeros((64, 64), np.uint8)))

    engine = new_engine(lambda: Black(live=False, frames=30), scripted(held), None, WAITING)
    engine.start()
    assert engine.wait(60)
    engine.stop()
    counted = engine.statistics()
    assert (counted.skipped, counted.classified, counted.dropped) == (30, 0, 0)
    last = engine.results.take()
    assert last is not None
    assert (last.picture, last.label, last.confidence, last.prediction) == ("black", "NSP", 1.0, None)
