"""What the window makes of the lines that a training writes."""

from __future__ import annotations

import json
import math
from itertools import pairwise

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
    events.add(line("step", time_s=20.0, step=1, progress=0.1, loss=2.0, eta_s=90.0))
    state = events.state(True, False)
    assert (state.phase, state.progress, state.step, state.eta_s) == (Phase.RUNNING, 0.1, 1, 90.0)
    assert events.state(True, True).phase is Phase.STOPPING
    events.add(line("validated", step=10, progress=1.0, f1=0.8, accuracy=0.9, loss=1.0, kept=True))
    assert events.state(True, False).phase is Phase.FINISHING
    events.add(line("calibrated", f1=0.85, accuracy=0.92))
    events.add(line("compared", f1=0.86, accuracy=0.93, message="It is better."))
    events.add(line("finished", step=10, progress=1.0))
    assert events.state(True, False).phase is Phase.FINISHING
    state = events.state(False, False)
    assert (state.phase, state.f1, state.accuracy) == (Phase.FINISHED, 0.8, 0.9)
    assert (state.tested_f1, state.tested_accuracy) == (0.86, 0.93)
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
    running = train_view(RunState(Phase.RUNNING, 0.42, 10, 130.0, 0.91, 0.95, validated_at=8.0, kept=True))
    assert running.title == "Training: 42% done, 2 min left"
    assert running.detail == "Validation, best so far: F1 0.910, accuracy 0.950, at step 8."
    assert running.bar == 0.42
    assert math.isnan(train_view(RunState(Phase.STARTING)).bar or 0.0)
    assert train_view(RunState(Phase.FAILED, message="No pictures.")).tone == "fault"
    assert time_left(20) == "less than a minute left"
    assert time_left(7300) == "2.0 h left"
    assert time_left(math.nan) == ""


def validated(step: int, f1: float, kept: bool | None = None) -> str:
    return line("validated", step=step, progress=step / 100, f1=f1, accuracy=f1 + 0.01, loss=1.0, kept=kept)


def test_the_figure_is_that_of_the_curve_where_its_weights_are_kept() -> None:
    # Small pictures at first: they look better, and no weights of theirs are kept.
    events = told(validated(10, 0.9, False))
    early = train_view(events.state(True, False))
    assert early.detail == "Validation at step 10: F1 0.900, accuracy 0.910."
    for each in (validated(60, 0.7, True), validated(80, 0.8, True), validated(100, 0.75, False)):
        events.add(each)
    state, curves = events.state(True, False), events.curves
    assert curves.best == 2
    place = curves.validated.index(state.validated_at)
    assert (state.f1, state.accuracy) == (curves.f1s[place], curves.accuracies[place]) == (0.8, 0.81)
    for name, numbers in (("calibrated", 0.85), ("compared", 0.6)):
        events.add(line(name, f1=numbers, accuracy=numbers))
    events.add(line("finished", step=100, progress=1.0))
    said = train_view(events.state(False, False)).detail
    assert said == (
        "Validation, best: F1 0.800, accuracy 0.810, at step 80; these weights were kept. "
        "Held-out pictures: F1 0.600, accuracy 0.600."
    )


def test_a_run_that_does_not_say_what_it_keeps_keeps_the_greatest() -> None:
    events = told(validated(10, 0.5), validated(20, 0.7), validated(30, 0.6))
    assert events.curves.best == 1
    assert events.state(True, False).f1 == 0.7
    events.add(line("started", step=10, progress=0.1))
    assert events.state(True, False).f1 == 0.5


def test_the_time_left_does_not_jump() -> None:
    """Estimates of an uneven machine: half and twice what is right, one after the other."""
    events, shown = told(line("started", time_s=0.0, step=0, progress=0.0)), []
    for at_s in range(1, 300):
        estimate_s = (600 - at_s) * (0.5 if at_s % 2 else 2.0)
        events.add(
            line("step", time_s=float(at_s), step=at_s, progress=at_s / 600, loss=1.0, eta_s=estimate_s)
        )
        shown.append(events.state(True, False).eta_s)
    assert all(math.isnan(each) for each in shown[:9])
    known = shown[20:]
    assert max(abs(after - before) for before, after in pairwise(known)) < 30, (
        "the estimates jump by hundreds"
    )
    assert all(abs(each - (600 - at_s) * 1.25) < 60 for at_s, each in enumerate(known, 21))
    # It goes on later: what was known of the pace is over.
    events.add(line("started", time_s=9000.0, step=299, progress=0.5))
    assert math.isnan(events.state(True, False).eta_s)


LACKING = {
    "needed_patients": 3,
    "needed_pictures": 8,
    "patients": 2,
    "classes": [
        {"name": "FHP1", "patients": 2, "pictures": 14, "to_learn": 14},
        {"name": "NSP", "patients": 1, "pictures": 1, "to_learn": 1},
    ],
}


def test_too_few_patients_are_a_notice_that_says_what_is_needed_and_what_was_found() -> None:
    state = told(line("failed", message="Too few.", lacking=LACKING)).state(False, False)
    view = train_view(state)
    assert (state.phase, view.title, view.tone) == (Phase.FAILED, "Not enough to learn from yet", "notice")
    assert "pictures of 3 patients or videos or more" in view.detail
    assert view.detail.endswith(
        "Found were 2 patients or videos: FHP1: 14 pictures of 2 patients or videos; "
        "No plane: 1 picture of 1 patient or video."
    )
    assert view.can_start
    nothing = told(line("failed", lacking=LACKING | {"patients": 0, "classes": []})).state(False, False)
    assert train_view(nothing).detail.endswith("Found was no picture with a label.")
    # Another fault stays one.
    assert train_view(told(line("failed", message="Full.")).state(False, False)).tone == "fault"
