"""Of which fetus a plane is: by when its frame was seen, or as a person said."""

from __future__ import annotations

from pathlib import Path

import pytest

from semc_core.errors import SessionError
from semc_core.session import database
from semc_core.session.correcting.changes import (
    AddMeasurement,
    ChooseFrame,
    MoveToFetus,
    Relabel,
    SetFetus,
    SetItem,
)
from semc_core.session.correcting.sentences import done_sentence, seen_words
from semc_core.session.fetuses import ONE, Fetuses
from semc_core.session.session import Session
from tests.session.sessions import filled_session, find_plane, frame

# The session's planes: 1 at 10 / 30 s, 2 at 40 / 30 s.


def of(session: Session) -> dict[int, str]:
    return {plane.plane_id: plane.fetus for plane in session.planes(rejected=True)}


def test_a_session_is_of_one_fetus_and_says_no_letter(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        assert of(session) == {1: "", 2: ""}
        assert session.fetuses() == ONE
        assert session.fetuses().letters == ()
        assert session.apply(SetFetus(0.5, "A")) is None
        assert not session.can_undo, "it is of the first already"
        assert of(session) == {1: "", 2: ""}


def test_a_plane_is_of_the_fetus_that_was_scanned_at_its_frame(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(SetFetus(1.0, "B"))
        assert of(session) == {1: "A", 2: "B"}
        find_plane(session, 3, 55)
        find_plane(session, 4, 20)
        assert of(session) == {1: "A", 2: "B", 3: "B", 4: "A"}
        session.apply(SetFetus(1.5, "A"))
        assert of(session) == {1: "A", 2: "B", 3: "A", 4: "A"}
        session.apply(ChooseFrame(2, frame(50, label="B")))
        assert of(session)[2] == "A", "as the frame that is chosen"
    with Session.open(tmp_path / "s") as again:
        assert of(again) == {1: "A", 2: "A", 3: "A", 4: "A"}
        assert again.fetuses().turns == ((1.0, "B"), (1.5, "A"))
        assert again.verify().ok


def test_turns_are_undone_and_made_again_as_all_corrections(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(SetFetus(1.0, "B"))
        session.apply(SetFetus(1.0, "C"))
        assert session.fetuses().turns == ((1.0, "C"),), "at one moment there is one"
        assert session.undo() == "Fetus C from 1.00 s on"
        assert of(session) == {1: "A", 2: "B"}
        assert session.undo() == "Fetus B from 1.00 s on"
        assert of(session) == {1: "", 2: ""}
        session.redo()
        assert of(session) == {1: "A", 2: "B"}
        assert session.verify().ok


def test_a_plane_is_moved_and_moved_back(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        assert session.apply(MoveToFetus(2, "B")) == 2
        assert of(session) == {1: "A", 2: "B"}
        session.apply(SetFetus(0.0, "B"))
        session.apply(MoveToFetus(1, "A"))
        assert of(session) == {1: "A", 2: "B"}
        session.apply(MoveToFetus(1, "B"))
        assert session.fetuses().moved == {2: "B"}, "as its time says anyway"
        done = session.corrections
        session.apply(MoveToFetus(1, "B"))
        assert session.corrections == done
        for _step in range(4):
            session.undo()
        assert of(session) == {1: "", 2: ""}
        assert session.verify().ok
        with pytest.raises(SessionError, match="no such plane"):
            session.apply(MoveToFetus(9, "B"))
        for change in (MoveToFetus(1, "E"), SetFetus(0.0, ""), SetItem("p", "i", "", fetus="E")):
            with pytest.raises(SessionError, match="called A, B, C and D"):
                session.apply(change)


def test_a_plane_is_named_and_moved_in_one_step(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        before = session.planes()
        session.apply(SetFetus(1.0, "B"))
        one, two = session.planes()
        done = session.corrections
        change = Relabel(1, "B", "B")
        assert done_sentence(change, one) == "The plane at 0:00.3 is now B, of fetus B."
        session.apply(change)
        assert [(plane.plane, plane.fetus) for plane in session.planes()] == [("B", "B"), (two.plane, "B")]
        assert session.corrections == done + 1
        times = {plane.plane_id: plane.time_s for plane in session.planes()}
        logged = session.undo()
        assert logged is not None
        assert seen_words(logged, times.get) == f"The plane at 0:00.3 is B, not {one.plane}, and of fetus B"
        assert session.planes() == (one, two)
        session.redo()
        assert of(session) == {1: "B", 2: "B"}
        assert session.verify().ok
        session.apply(Relabel(2, two.plane, "B"))
        assert session.fetuses().moved == {1: "B"}, "it is of that one already"
        session.apply(Relabel(2, two.plane, "A"))
        assert of(session) == {1: "B", 2: "A"}
        logged = session.undo()
        assert logged is not None
        said = seen_words(logged, times.get)
        assert said == f"Confirmed the plane at 0:01.3 as {two.plane}, and of fetus A"
        with pytest.raises(SessionError, match="called A, B, C and D"):
            session.apply(Relabel(1, "B", "E"))
        assert before[0].plane == one.plane


def test_words_and_measurements_are_of_a_fetus(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        session.apply(SetItem("p", "i", "not possible", "Gas"))
        session.apply(SetItem("p", "i", "not possible", "Position", fetus="B"))
        assert [(each.fetus, each.reason) for each in session.items()] == [("", "Gas"), ("B", "Position")]
        session.apply(SetItem("p", "i", "", fetus="A"))
        assert [(each.fetus, each.reason) for each in session.items()] == [("B", "Position")]
        session.apply(AddMeasurement("distance", ((1.0, 1.0), (5.0, 4.0)), 10, 10 / 30, 8, 8, 1))
        session.apply(AddMeasurement("distance", ((1.0, 1.0), (5.0, 4.0)), 55, 55 / 30, 8, 8))
        assert [each.fetus for each in session.measurements()] == ["", ""]
        session.apply(SetFetus(1.0, "B"))
        assert [each.fetus for each in session.measurements()] == ["A", "B"]
        session.apply(MoveToFetus(1, "B"))
        assert [each.fetus for each in session.measurements()] == ["B", "B"], "with its plane"


def test_an_old_session_opens_with_one_fetus_and_can_get_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(database, "SCHEMA_VERSION", 4)
        with filled_session(tmp_path / "s") as session:
            planes = session.planes()
    with Session.open(tmp_path / "s", read_only=True) as session:
        assert (session.planes(), session.fetuses()) == (planes, ONE)
        assert session.verify().ok
    with Session.open(tmp_path / "s") as session:
        assert session.planes() == planes
        session.apply(SetFetus(1.0, "B"))
        assert of(session) == {1: "A", 2: "B"}
        assert session.verify().ok


def test_the_next_one_and_one_more() -> None:
    assert (ONE.after(""), ONE.one_more) == ("B", "B")
    two = Fetuses(((1.0, "B"),))
    assert (two.letters, two.after("A"), two.after("B"), two.one_more) == (("A", "B"), "B", "A", "C")
    four = Fetuses((), {3: "D"})
    assert (four.letters, four.after("D"), four.one_more) == (("A", "B", "C", "D"), "A", "")
    assert (four.of_plane(3, 0.0), four.of_plane(4, 0.0)) == ("D", "A")


def test_what_is_said_of_it(tmp_path: Path) -> None:
    with filled_session(tmp_path / "s") as session:
        plane = session.plane(2)
        session.apply(MoveToFetus(2, "B"))
        text = session.undo()
    assert text == "Moved plane 2 (B) to fetus B"
    assert seen_words(text, {2: plane.time_s}.get) == "Moved B at 0:01.3 to fetus B"
    assert done_sentence(MoveToFetus(2, "B"), plane) == "B at 0:01.3 is of fetus B now."
    assert done_sentence(SetFetus(12.34, "B"), None) == "From 0:12.3 on it is fetus B."
