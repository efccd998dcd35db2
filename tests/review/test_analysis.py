"""A loop in review: the same detections as `semc analyse`, whatever happens meanwhile."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import ModelFileError
from semc_core.model.architecture import new_spec
from semc_core.pipeline.batch import review
from semc_core.review.analysis import LoopAnalysis, ReviewPhase
from semc_core.review.viewer import PAINTING_S
from semc_core.session.correcting.changes import Reject, Relabel
from semc_core.session.records import model_entry, source_entry
from semc_core.session.session import Session
from semc_core.sources.open import open_seekable, open_source
from semc_core.types import FrameResult, HoldEvent
from tests.pipeline.scripted import CLASSES, ScriptedRuntime, probabilities, textured

SPEC = replace(new_spec("semc_tiny", CLASSES), sha256="a" * 64)
COUNT = 90


def answer(index: int) -> NDArray[np.float32]:
    """A from frame 10 to 39, B from 50 to 79."""
    if 10 <= index < 40:
        return probabilities("A", 0.9 + 0.001 * (index % 7))
    return probabilities("B", 0.95) if 50 <= index < 80 else probabilities("NSP", 0.9)


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """Three seconds of noise at 30 frames/s, another picture each time."""
    folder = tmp_path / "loop"
    folder.mkdir()
    for index in range(COUNT):
        assert cv2.imwrite(str(folder / f"{index:03d}.png"), textured(index))
    return folder


def new_session(loop: Path, folder: Path) -> Session:
    source = open_source(str(loop))
    entry = source_entry(source.info, loop)
    source.close()
    return Session.create(folder, entry, model_entry(SPEC, SPEC.thresholds, "scripted", {}))


def expected(loop: Path) -> tuple[list[FrameResult], list[HoldEvent]]:
    steps = list(review(open_source(str(loop)), ScriptedRuntime(SPEC, answer)))
    results = [result for step in steps for result in step.results]
    return results, [event for step in steps for event in step.events if event.final]


def assert_as_analysed(session: Session, loop: Path) -> None:
    results, events = expected(loop)
    planes = session.planes(rejected=True)
    assert [(p.plane_id, p.plane, p.frame_index, p.start_s, p.end_s, p.final) for p in planes] == [
        (e.hold_id, e.plane, e.best.packet.index, e.start_s, e.end_s, True) for e in events
    ]
    table = session.frames()
    assert table.index.tolist() == [result.packet.index for result in results]
    np.testing.assert_array_equal(table.smoothed, [result.smoothed for result in results])
    assert session.complete
    found = session.verify()
    assert found.ok
    assert found.covers == "", "of a whole loop all is proven"


def wait_until_over(engine: LoopAnalysis) -> None:
    thread = engine._thread
    assert thread is not None
    thread.join(60)
    assert not engine.state.running


def test_a_loop_in_review_gives_what_analysing_it_gives(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    runtime = ScriptedRuntime(SPEC, answer)
    engine = LoopAnalysis(session, source, lambda: runtime)
    wait_until_over(engine)
    state = engine.state
    assert (state.phase, state.done, state.total, state.message) == (ReviewPhase.DONE, COUNT, COUNT, "")
    assert_as_analysed(session, loop)
    assert len(engine.table()) == COUNT
    pngs = sorted(path.name for path in session.folder.glob("*.png"))
    assert pngs == [plane.png for plane in session.planes()]
    engine.close()
    source.close()
    assert runtime.closed.is_set()
    session.close()


def test_an_interrupted_analysis_goes_on_without_asking_the_model_again(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    reached = threading.Event()

    def until_half(index: int) -> NDArray[np.float32]:
        if index == COUNT // 2:
            engine.pause(True)
            reached.set()
        return answer(index)

    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, until_half))
    assert reached.wait(60)
    engine.close()
    assert engine.state.phase is ReviewPhase.STOPPED
    session.close()

    session = Session.open(tmp_path / "s")
    known = session.frame_count
    assert COUNT // 2 < known < COUNT
    assert not session.complete
    asked: list[int] = []

    def the_rest(index: int) -> NDArray[np.float32]:
        asked.append(index)
        return answer(known + index)

    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, the_rest))
    wait_until_over(engine)
    assert len(asked) == COUNT - known
    assert_as_analysed(session, loop)
    engine.close()
    source.close()
    session.close()


@pytest.mark.parametrize(("logged", "broken"), [(range(40), 12), (range(COUNT), COUNT - 1), (range(40), 39)])
def test_an_analysis_is_not_taken_up_where_a_frame_that_was_logged_is_left_out_now(
    loop: Path, tmp_path: Path, logged: range, broken: int
) -> None:
    session = new_session(loop, tmp_path / "s")
    session.add_frames(expected(loop)[0][: len(logged)])
    session.flush()
    (loop / f"{broken:03d}.png").write_bytes(b"")
    source = open_seekable(loop)
    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, answer))
    wait_until_over(engine)
    assert engine.state.phase is ReviewPhase.FAULT
    assert "begin a new session" in engine.state.message
    assert session.frame_count == len(logged)
    assert not session.complete
    engine.close()
    source.close()
    session.close()


def test_the_analysis_holds_while_somebody_waits_and_finds_the_same(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    begin, held, free = threading.Event(), threading.Event(), threading.Event()
    asked: list[int] = []

    def noted(index: int) -> NDArray[np.float32]:
        asked.append(index)
        return answer(index)

    def load() -> ScriptedRuntime:
        assert begin.wait(60)
        return ScriptedRuntime(SPEC, noted)

    def wait(limit_s: float) -> None:
        if len(asked) > COUNT // 2:
            held.set()
            assert free.wait(60)

    engine = LoopAnalysis(session, source, load)
    engine.give_way_to(wait)
    begin.set()
    assert held.wait(60)
    assert len(asked) < COUNT
    assert engine.state.phase is ReviewPhase.ANALYSING
    free.set()
    wait_until_over(engine)
    assert len(asked) == COUNT
    assert_as_analysed(session, loop)
    engine.close()
    source.close()
    session.close()


def test_a_complete_session_needs_no_model(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, answer))
    wait_until_over(engine)
    engine.close()
    session.close()

    def missing() -> ScriptedRuntime:
        raise ModelFileError("The model was not found; choose another.")

    with Session.open(tmp_path / "s") as again:
        engine = LoopAnalysis(again, source, missing)
        assert engine.state.phase is ReviewPhase.DONE
        assert engine.state.done == len(engine.table()) == COUNT
        assert engine.state.message == ""
        looked = engine.look_at(30)
        assert looked.label == "A"
        assert looked.prediction is not None
        assert not looked.prediction.maps.any()
        assert "not found" in engine.state.message
        engine.close()
    source.close()


def test_a_frame_is_looked_at_wherever_the_analysis_is(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    begun, go_on = threading.Event(), threading.Event()

    def answer_slowly(index: int) -> NDArray[np.float32]:
        begun.set()
        assert go_on.wait(60)
        return probabilities("B", 0.95)

    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, answer_slowly), batch=1)
    assert begun.wait(60)
    engine.pause(True)
    looks: list[FrameResult] = []
    looker = threading.Thread(target=lambda: looks.append(engine.look_at(60)))
    looker.start()
    go_on.set()
    looker.join(60)
    (looked,) = looks
    assert (looked.packet.index, looked.label, looked.picture) == (60, "B", "live")
    np.testing.assert_array_equal(looked.packet.pixels, textured(60))
    assert engine.look_at(60, seen=looked) is looked
    assert engine.look_at(61, seen=looked).packet.index == 61
    engine.pause(False)
    wait_until_over(engine)
    assert engine.look_at(60, seen=looked) is not looked, "more is known of it"
    engine.close()
    source.close()
    session.close()


def test_the_analysis_holds_inside_held_and_goes_on_after(
    loop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.review.analysis.GIVE_WAY_S", 30.0)
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    begin, asked = threading.Event(), threading.Event()
    asked_s: list[float] = []

    def load() -> ScriptedRuntime:
        assert begin.wait(60)
        return ScriptedRuntime(SPEC, noted)

    def noted(index: int) -> NDArray[np.float32]:
        asked_s.append(time.monotonic())
        asked.set()
        return answer(index)

    engine = LoopAnalysis(session, source, load)
    with engine.held():
        begin.set()
        assert not asked.wait(0.1)
        end_s = time.monotonic()
    assert asked.wait(60)
    assert asked_s[0] >= end_s + PAINTING_S, "what was done is painted first"
    wait_until_over(engine)
    assert_as_analysed(session, loop)
    engine.close()
    source.close()
    session.close()


def test_who_only_looks_sees_what_is_analysed_meanwhile(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    with Session.open(tmp_path / "s", read_only=True) as looked_at:
        looking = LoopAnalysis(looked_at, source, lambda: ScriptedRuntime(SPEC, answer))
        assert len(looking.table()) == 0
        engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, answer))
        wait_until_over(engine)
        assert len(looking.table()) == COUNT
        assert looking.look_at(30, maps=False).label == "A"
        assert len(looking.candidates(session.planes()[0].plane_id, 3)) == 3
        looking.close()
        engine.close()
    source.close()
    session.close()


def test_a_frame_that_was_analysed_is_had_without_the_model_where_no_maps_are_wanted(
    loop: Path, tmp_path: Path
) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    asked: list[int] = []

    def noted(index: int) -> NDArray[np.float32]:
        asked.append(index)
        return answer(index)

    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, noted))
    wait_until_over(engine)
    assert engine.look_at(30, maps=False).label == "A"
    assert len(asked) == COUNT
    engine.look_at(30)
    assert len(asked) == COUNT + 1
    engine.close()
    source.close()
    session.close()


def test_what_a_person_decided_meanwhile_stays(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)

    def correcting(index: int) -> NDArray[np.float32]:
        if index == 48:
            session.apply(Relabel(1, "B"))
            session.apply(Reject(1))
        return answer(index)

    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, correcting))
    wait_until_over(engine)
    assert engine.state.phase is ReviewPhase.DONE, engine.state.message
    first = session.plane(1)
    assert (first.plane, first.found_as, first.rejected, first.final) == ("B", "A", True, True)
    assert session.verify().ok
    engine.close()
    source.close()
    session.close()


def test_another_model_is_refused(loop: Path, tmp_path: Path) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(replace(SPEC, sha256="b" * 64), answer))
    wait_until_over(engine)
    assert engine.state.phase is ReviewPhase.FAULT
    assert "another model" in engine.state.message
    engine.close()
    source.close()
    session.close()


def test_candidates_are_spread_over_the_hold_and_chosen_by_the_detectors_measure(
    loop: Path, tmp_path: Path
) -> None:
    session, source = new_session(loop, tmp_path / "s"), open_seekable(loop)
    engine = LoopAnalysis(session, source, lambda: ScriptedRuntime(SPEC, answer))
    wait_until_over(engine)
    plane = session.planes()[0]
    found = engine.candidates(plane.plane_id, 4)
    times_s = [one.packet.pts_s for one in found]
    assert len(found) == 4
    assert times_s == sorted(times_s)
    assert plane.start_s <= times_s[0] < times_s[-1] <= plane.end_s
    assert all(one.score > 0.7 and one.merit > 0 for one in found)
    (best,) = engine.candidates(plane.plane_id, 1)
    assert best.packet.index == plane.frame_index
    engine.close()
    source.close()
    session.close()
