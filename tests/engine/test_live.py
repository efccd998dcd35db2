"""A live scan on its real threads, with a real file, a real tiny model and a real folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.capture.simulated import SimulatedSource
from semc_core.capture.source import FrameSource, SourceInfo
from semc_core.capture.video import VideoSource
from semc_core.engine.live import LiveEngine
from semc_core.engine.mailbox import MailboxClosed
from semc_core.engine.review import review
from semc_core.engine.state import EngineSettings, Phase, Statistics
from semc_core.errors import ModelFileError, RuntimeFault, SemcError, SourceError, SourceInterrupted
from semc_core.frames import Crop, FramePacket
from semc_core.model.presets import new_spec
from semc_core.model.spec import ModelSpec, Thresholds
from semc_core.runtime.load import load_runtime
from semc_core.runtime.runtime import Runtime
from semc_core.session.keeper import KeeperFactory
from semc_core.session.session import Session
from semc_core.session.store import store_in
from tests.capture.capture_clips import write_video
from tests.engine.scripted import CLASSES, ScriptedRuntime, probabilities, textured

SPEC = new_spec("semc_tiny", CLASSES)
WAITING = EngineSettings(paced=False)
EASY = Thresholds(enter=0.2, leave=0.15, min_hold_s=0.2, smoothing_s=0.25, merge_gap_s=0.3)
Answer = Callable[[int], NDArray[np.float32]]


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """A test that fails half-way must not leave its scan running."""
    _started.clear()
    yield
    for engine in _started:
        engine.stop()


_started: list[LiveEngine] = []


def new_engine(
    source: Callable[[], FrameSource],
    runtime: Callable[[], Runtime],
    keeper: KeeperFactory | None = None,
    settings: EngineSettings | None = None,
) -> LiveEngine:
    engine = LiveEngine(source, runtime, keeper, settings)
    _started.append(engine)
    return engine


def phase_of(engine: LiveEngine) -> Phase:
    """A function, because the type checker does not expect a property to change."""
    return engine.state.phase


class CountedSource:
    """Gives frames when the test says so; live, so the engine never makes it wait."""

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
        return FramePacket("counted", index, index / self._rate, 0.0, textured(index))

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


def test_a_busy_model_gets_the_newest_frame_next_and_the_others_count_as_dropped() -> None:
    source = CountedSource()
    busy, go_on = threading.Event(), threading.Semaphore(0)

    def answer(index: int) -> NDArray[np.float32]:
        busy.set()
        assert go_on.acquire(timeout=5)
        return probabilities("NSP", 0.9)

    engine = new_engine(lambda: source, scripted(answer), None)
    engine.start()
    source.go_on.release()
    assert busy.wait(5)
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
        while not over.is_set():
            seen.append(engine.statistics())

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    engine.start()
    for watcher in watchers:
        watcher.start()
    assert engine.wait(60)
    over.set()
    for watcher in watchers:
        watcher.join()
    engine.stop()
    for counted in seen:
        assert_nothing_lost(counted)
    last = engine.statistics()
    assert (last.frames_in, last.in_flight) == (400, 0)
    assert phase_of(engine) is Phase.ENDED


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


def test_a_held_plane_lies_in_a_folder_when_the_source_has_ended(tmp_path: Path) -> None:
    engine = new_engine(
        lambda: CountedSource(live=False, frames=120), scripted(held), store_in(tmp_path), WAITING
    )
    assert phase_of(engine) is Phase.IDLE
    engine.start()
    assert engine.wait(30)
    assert phase_of(engine) is Phase.ENDED
    assert engine.state.message == ""
    saved = engine.take_saved()
    assert saved[-1].final
    assert {plane.hold_id for plane in saved} == {1}
    assert saved[-1].png is not None
    assert saved[-1].png.is_file()
    folder = saved[-1].png.parent
    assert {path.suffix for path in folder.iterdir() if path.is_file()} == {".json", ".png", ".sqlite"}
    with Session.open(folder) as session:
        (plane,) = session.planes()
        assert plane.clip is not None
        assert (folder / plane.clip).is_file()
        assert session.verify().ok
    assert engine.statistics().planes_saved == 1
    assert engine.take_saved() == []
    engine.stop()
    assert phase_of(engine) is Phase.ENDED, "stopping does not undo the end"


def test_stopping_makes_the_hold_final_and_saves_it(tmp_path: Path) -> None:
    source = CountedSource()
    engine = new_engine(lambda: source, scripted(lambda _: probabilities("A", 0.9)), store_in(tmp_path))
    engine.start()
    for _ in range(40):
        source.go_on.release()
        engine.results.get()
    engine.stop()
    assert phase_of(engine) is Phase.STOPPED
    assert engine.take_saved()[-1].final
    engine.stop()
    with pytest.raises(SemcError, match="already started"):
        engine.start()


def test_saving_off_writes_nothing_but_tells_what_was_found(tmp_path: Path) -> None:
    settings = replace(WAITING, save=False)
    engine = new_engine(
        lambda: CountedSource(live=False, frames=90), scripted(held), store_in(tmp_path), settings
    )
    engine.start()
    assert engine.wait(30)
    engine.stop()
    assert [plane.png for plane in engine.take_saved() if plane.final] == [None]
    assert list(tmp_path.iterdir()) == []


def test_the_preview_runs_while_the_model_loads() -> None:
    source, loaded = CountedSource(), threading.Event()

    def load() -> Runtime:
        assert loaded.wait(5)
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


def test_a_frame_captured_by_hand_is_saved_with_its_label(tmp_path: Path) -> None:
    source = CountedSource()
    engine = new_engine(lambda: source, scripted(lambda _: probabilities("NSP", 0.9)), store_in(tmp_path))
    assert not engine.capture_now()
    engine.start()
    source.go_on.release()
    engine.results.get()
    source.go_on.release()
    engine.results.get()
    assert engine.capture_now()
    engine.stop()
    (saved,) = engine.take_saved()
    assert (saved.plane, saved.by_hand, saved.final) == ("NSP", True, True)
    assert saved.png is not None
    assert saved.png.name.startswith("001_NSP_f00000")
    assert not engine.capture_now(), "the scan is over"


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


def missing_file() -> FrameSource:
    raise SourceError("scan.mp4 does not exist; choose another file.")


def missing_model() -> Runtime:
    raise ModelFileError("model.safetensors does not exist; choose another model.")


def test_what_cannot_be_opened_is_told_in_its_own_words() -> None:
    for source, runtime, sentence in (
        (missing_file, scripted(held), "scan.mp4 does not exist"),
        (CountedSource, missing_model, "model.safetensors does not exist"),
    ):
        engine = new_engine(source, runtime, None)
        engine.start()
        assert engine.wait(10)
        engine.stop()
        assert phase_of(engine) is Phase.FAULT
        assert sentence in engine.state.message


def test_a_fault_of_the_model_ends_the_scan_and_keeps_what_was_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(index: int) -> NDArray[np.float32]:
        if index == 50:
            raise RuntimeFault("The model gave numbers that are not finite; choose another model.")
        return probabilities("A", 0.9)

    source = CountedSource(live=False, frames=200)
    engine = new_engine(lambda: source, scripted(answer), store_in(tmp_path), WAITING)
    engine.start()
    assert engine.wait(30)
    engine.stop()
    assert phase_of(engine) is Phase.FAULT
    assert "not finite" in engine.state.message
    assert "RuntimeFault" in caplog.text
    assert engine.take_saved()[-1].final
    assert source.closed.is_set()
    counted = engine.statistics()
    assert_nothing_lost(counted)
    assert (counted.classified, counted.in_flight) == (50, 0)


def test_an_unexpected_fault_is_logged_and_shown(caplog: pytest.LogCaptureFixture) -> None:
    def answer(index: int) -> NDArray[np.float32]:
        raise ZeroDivisionError

    engine = new_engine(lambda: CountedSource(live=False), scripted(answer), None, WAITING)
    engine.start()
    assert engine.wait(10)
    engine.stop()
    assert "ZeroDivisionError" in engine.state.message
    assert "Traceback" in caplog.text


def test_a_source_that_breaks_keeps_what_was_found() -> None:
    class Breaking(CountedSource):
        def read(self) -> FramePacket | None:
            if self._index == 40:
                raise SourceError("The camera was unplugged; plug it in and start again.")
            return super().read()

    engine = new_engine(lambda: Breaking(live=False), scripted(held), None, WAITING)
    engine.start()
    assert engine.wait(10)
    engine.stop()
    assert engine.state.message.startswith("The camera was unplugged")
    assert [plane.plane for plane in engine.take_saved() if plane.final] == ["A"]


def test_a_stuck_source_is_told_and_stop_can_be_tried_again() -> None:
    reading, held_up = threading.Event(), threading.Event()

    class Stuck(CountedSource):
        def read(self) -> FramePacket | None:
            reading.set()
            assert held_up.wait(10)
            return None

    engine = new_engine(lambda: Stuck(), scripted(held), None)
    engine.start()
    assert reading.wait(5)
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
        assert go_on.wait(5)
        return source

    engine = new_engine(slow, scripted(held), None)
    engine.start()
    assert opening.wait(5)
    with pytest.raises(SemcError, match="waiting for capture"):
        engine.stop(timeout_s=0.1)
    go_on.set()
    engine.stop()
    assert source.closed.is_set(), "what was opened too late is closed again"
    with pytest.raises(MailboxClosed):
        engine.results.get()


def test_a_scan_that_ends_after_its_stop_gave_up_is_stopped_and_not_starting() -> None:
    opening, go_on, loading, loaded = (threading.Event() for _ in range(4))

    def slow_source() -> FrameSource:
        opening.set()
        assert go_on.wait(5)
        return CountedSource()

    def slow_model() -> Runtime:
        loading.set()
        assert loaded.wait(5)
        return ScriptedRuntime(SPEC, held)

    engine = new_engine(slow_source, slow_model, None)
    engine.start()
    assert opening.wait(5)
    assert loading.wait(5)
    with pytest.raises(SemcError, match="waiting for capture and inference"):
        engine.stop(timeout_s=0.1)
    assert phase_of(engine) is Phase.STARTING
    go_on.set()
    loaded.set()
    assert engine.wait(10)
    assert phase_of(engine) is Phase.STOPPED


def test_damage_found_while_a_file_is_read_is_told(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = VideoSource(path)
    engine = new_engine(lambda: source, scripted(lambda _: probabilities("NSP", 0.9)), None, WAITING)
    assert source.info.notice == ""
    engine.start()
    assert engine.wait(30)
    engine.stop()
    assert phase_of(engine) is Phase.ENDED
    info = engine.source_info
    assert info is not None
    assert "damaged" in info.notice


def test_black_frames_are_skipped_and_named_so() -> None:
    class Black(CountedSource):
        def read(self) -> FramePacket | None:
            packet = super().read()
            return packet and replace(packet, pixels=np.zeros((64, 64), np.uint8))

    engine = new_engine(lambda: Black(live=False, frames=30), scripted(held), None, WAITING)
    engine.start()
    assert engine.wait(10)
    engine.stop()
    counted = engine.statistics()
    assert (counted.skipped, counted.classified, counted.dropped) == (30, 0, 0)
    last = engine.results.take()
    assert last is not None
    assert (last.picture, last.label, last.confidence, last.prediction) == ("black", "NSP", 1.0, None)


def test_a_model_without_the_class_for_nothing_is_refused() -> None:
    spec = new_spec("semc_tiny", ("A", "B"))
    engine = new_engine(lambda: CountedSource(live=False), scripted(held, spec), None, WAITING)
    engine.start()
    assert engine.wait(10)
    engine.stop()
    assert "no class NSP" in engine.state.message
