"""What the window makes of the lines that a training writes."""

from __future__ import annotations

import json
import math

import pytest

from app.train.presenter import ALIVE, Phase, RunEvents, RunState, time_left, train_view


def line(event: str, **values: object) -> str:
    return json.dumps({"event": event, "time_s": 1.0, "message": ""} | values)


def told(*lines: str) -> RunEvents:
    events = RunEvents()
    for each in lines:
        events.add(each)
    return events


def test_the_phases_of_a_training_that_goes_well() -> None:
    events = RunEvents()
    assert events.state(True, False).phase is Phase.STARTING
    events.add(line("started", step=0, progress=0.0))
    assert events.state(True, False).phase is Phase.STARTING
    events.add(line("step", step=1, progress=0.1, loss=2.0, eta_s=90.0))
    state = events.state(True, False)
    assert (state.phase, state.progress, state.step, state.eta_s) == (Phase.RUNNING, 0.1, 1, 90.0)
    assert events.state(True, True).phase is Phase.STOPPING
    events.add(line("validated", step=10, progress=1.0, f1=0.8, accuracy=0.9, loss=1.0))
    assert events.state(True, False).phase is Phase.FINISHING
    events.add(line("calibrated", f1=0.85, accuracy=0.92))
    events.add(line("compared", f1=0.86, accuracy=0.93, message="It is better."))
    events.add(line("finished", step=10, progress=1.0))
    assert events.state(True, False).phase is Phase.FINISHING
    state = events.state(False, False)
    assert (state.phase, state.f1, state.accuracy) == (Phase.FINISHED, 0.86, 0.93)
    assert state.compared == "It is better."
    assert events.curves.f1s == [0.8]


def test_the_ends_of_a_training() -> None:
    step = line("step", step=3, progress=0.3, loss=1.0)
    assert told(step, line("stopped", step=3)).state(False, True).phase is Phase.STOPPED
    failed = told(line("failed", message="There is one class only.")).state(False, False)
    assert (failed.phase, failed.message) == (Phase.FAILED, "There is one class only.")
    lost = told(step).state(False, False, "Killed")
    assert lost.phase is Phase.LOST
    assert lost.message == "The training ended before its time. Killed"
    assert told().state(False, False).phase is Phase.LOST


def test_a_training_that_goes_on_does_steps_again_without_drawing_them_twice() -> None:
    steps = [line("step", step=number, progress=number / 10, loss=1.0) for number in range(1, 6)]
    validated = line("validated", step=5, f1=0.5, accuracy=0.5, progress=0.5)
    again = [line("step", step=number, progress=number / 10, loss=0.5) for number in (4, 5)]
    events = told(*steps, validated, line("started", step=3, progress=0.3), *again)
    assert events.curves.steps == [1, 2, 3, 4, 5]
    assert events.curves.losses == [1, 1, 1, 0.5, 0.5]
    assert events.curves.validated == []
    assert events.state(True, False).phase is Phase.RUNNING


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"step": 3}', '{"event": "step", "loss": "x"}'])
def test_a_line_that_makes_no_sense_changes_no_curve(text: str) -> None:
    events = told(text)
    assert events.curves.steps == []
    assert math.isnan(events.state(True, False).f1)


def test_what_can_be_done_in_each_phase() -> None:
    for phase in Phase:
        view = train_view(RunState(phase, step=5))
        alive = phase in ALIVE
        assert view.can_start is not alive
        assert view.can_stop is (phase in (Phase.STARTING, Phase.RUNNING))
        assert view.can_resume is (phase in (Phase.STOPPED, Phase.LOST, Phase.FAILED))
        without = train_view(RunState(phase, step=5), "Training needs more packages.")
        assert not without.can_start
        assert not without.can_resume
    assert not train_view(RunState(Phase.FAILED)).can_resume  # nothing was learned yet
    assert train_view(RunState(), "Install them.").detail == "Install them."


def test_the_words_of_a_training() -> None:
    running = train_view(RunState(Phase.RUNNING, 0.42, 10, 130.0, 0.91, 0.95))
    assert running.title == "Training: 42% done, 2 min left"
    assert running.detail == "Validation pictures: accuracy 95.0%, F1 0.910."
    assert running.bar == 0.42
    assert math.isnan(train_view(RunState(Phase.STARTING)).bar or 0.0)
    assert train_view(RunState(Phase.FAILED, message="No pictures.")).tone == "fault"
    assert time_left(20) == "less than a minute left"
    assert time_left(7300) == "2.0 h left"
    assert time_left(math.nan) == ""
