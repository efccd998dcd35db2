"""What is said of several loops, and how their list goes on, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.batch.presenter import (
    LoopRow,
    LoopsSnapshot,
    State,
    cells,
    done_row,
    names,
    next_loop,
    sentence,
    waiting_row,
    with_loops,
    with_row,
    without,
)
from tests.app.batch.states import ANALYSING, DONE, FAILED, WAITING

LIST = LoopsSnapshot((DONE, FAILED, ANALYSING, WAITING))


def test_a_line_says_how_its_loop_stands_and_what_was_found() -> None:
    assert cells(WAITING, LIST) == ("later.mp4", "waiting", "", "", "", "")
    assert cells(ANALYSING, LIST) == ("next.mp4", "analysing, 43 %", "0:12", "", "", "")
    assert cells(DONE, LIST) == ("liver.mp4", "done", "12:41", "3", "2 of 6", "FHP1 ×2, LLP")
    assert cells(FAILED, LIST) == ("torn.mp4", "could not be read", "", "", "", FAILED.fault)


@pytest.mark.parametrize(
    "held", [LoopsSnapshot((ANALYSING,), stopped=True), LoopsSnapshot((ANALYSING,), held="It waits.")]
)
def test_what_holds_is_not_said_to_be_analysed(held: LoopsSnapshot) -> None:
    assert cells(ANALYSING, held)[1] == "stopped at 43 %"
    assert cells(replace(ANALYSING, total=0), held)[1] == "waiting"
    assert cells(replace(ANALYSING, total=0), LIST)[1] == "analysing …"


def test_the_checklist_is_complete_or_there_is_none() -> None:
    assert DONE.summary is not None
    whole = done_row(DONE, replace(DONE.summary, settled=6, again=True))
    assert cells(whole, LIST)[1] == "done before"
    assert cells(whole, LIST)[4] == "complete"
    assert cells(done_row(DONE, replace(DONE.summary, required=0)), LIST)[4] == ""
    assert names(()) == ""


def test_each_loop_is_listed_once_in_the_order_in_which_it_came() -> None:
    paths = [Path("/b"), Path("/a"), Path("/b")]
    listed = with_loops(with_loops(LoopsSnapshot(), paths), [Path("/a"), Path("/c")])
    assert [row.path for row in listed.rows] == [Path("/b"), Path("/a"), Path("/c")]
    assert next_loop(listed) == LoopRow(Path("/b"))
    assert next_loop(replace(listed, stopped=True)) is None


def test_all_but_what_is_analysed_can_be_taken_off() -> None:
    for row in LIST.rows:
        assert (row in without(LIST, row.path).rows) is (row is ANALYSING)


def test_a_list_goes_on_until_it_is_stopped_or_nothing_waits() -> None:
    assert LIST.going_on
    assert not replace(LIST, stopped=True).going_on
    assert not LoopsSnapshot((DONE, FAILED)).going_on
    again = with_row(LoopsSnapshot((DONE, FAILED)), waiting_row(FAILED))
    assert again.going_on
    assert next_loop(again) == LoopRow(FAILED.path)


def test_below_the_table_it_is_said_how_far_it_is_and_why_it_waits() -> None:
    assert "No loop is here yet" in sentence(LoopsSnapshot(), None)
    assert sentence(LoopsSnapshot(looking=True), None) == "Looking for loops …"
    assert sentence(LIST, None) == "1 of 4 loops are analysed. 1 could not be read."
    assert sentence(LIST, FAILED).endswith(FAILED.fault)
    assert sentence(replace(LIST, stopped=True, held="Held."), None).endswith("Stopped; Space goes on.")
    assert sentence(replace(LIST, held="Held."), None).endswith("Held.")
    over = LoopsSnapshot((DONE,), stopped=True, held="Held.", message="A message.")
    assert sentence(over, None) == "A message. 1 of 1 loop is analysed."


def test_a_session_is_known_by_its_folder_or_its_loop() -> None:
    assert DONE.summary is not None
    assert LIST.shows(DONE.summary.session, None)
    assert LIST.shows(Path("/other"), str(WAITING.path))
    assert not LIST.shows(Path("/other"), None)
    assert LIST.row(None) is None
    assert ANALYSING.state is State.ANALYSING
