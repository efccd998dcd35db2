"""Measurements in a session: kept to the thousandth of a pixel, in the log, and taken back."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.errors import SessionError
from semc_core.measure.calibration import FROM_REGION, Calibration
from semc_core.measure.gestation import GestationalAge
from semc_core.session.correcting.changes import (
    AddMeasurement,
    Change,
    MoveMeasurement,
    NameMeasurement,
    RemoveMeasurement,
    SetAge,
    SetScale,
)
from semc_core.session.records import ACCEPTED, BY_HAND, BY_REGION, CORRECTED, NO_SCALE, PERSON
from semc_core.session.session import Session
from tests.session.sessions import filled_session, tamper

LINE = AddMeasurement("distance", ((10.25, 20.5), (110.12345, 20.5)), 10, 0.4, 320, 240, plane_id=1)
HEAD = AddMeasurement(
    "ellipse",
    ((60.0, 120.0), (260.0, 120.0), (160.0, 40.0)),
    10,
    0.4,
    320,
    240,
    structure="head",
    proposed=True,
    error=0.03,
)
SCALE = SetScale(((10.0, 10.0), (10.0, 110.0)), 50.0, 10, 320, 240)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return filled_session(tmp_path / "s")


def test_a_measurement_comes_back_as_it_was_drawn(session: Session) -> None:
    header = Calibration(0.2, 0.25, FROM_REGION)
    assert session.apply(LINE) == 1
    assert session.apply(replace(LINE, scale=header, plane_id=None)) == 2
    session.close()
    with Session.open(session.folder) as again:
        first, second = again.measurements()
        assert again.verify().ok
    assert first.points == ((10.25, 20.5), (110.123, 20.5)), "a thousandth of a pixel"
    assert (first.frame_index, first.plane_id, first.width, first.height) == (10, 1, 320, 240)
    assert (first.scale, first.calibration, first.made_by) == (NO_SCALE, None, PERSON)
    assert (second.scale, second.mm_x, second.mm_y, second.plane_id) == (BY_REGION, 0.2, 0.25, None)


def test_each_step_of_measuring_is_taken_back_and_made_again(session: Session) -> None:
    seen = [session.measurements()]
    for change in (
        HEAD,
        MoveMeasurement(1, ((60.0, 120.0), (262.0, 120.0), (160.0, 40.0))),
        NameMeasurement(1, ""),
        RemoveMeasurement(1),
        LINE,
    ):
        session.apply(change)
        seen.append(session.measurements())
    for before in reversed(seen[:-1]):
        assert session.undo() is not None
        assert session.measurements() == before
    assert session.undo() is None
    for after in seen[1:]:
        assert session.redo() is not None
        assert session.measurements() == after
    assert session.measurements()[0].measurement_id == 2, "a number is not used again"
    assert session.verify().ok
    session.close()


def test_a_proposal_that_a_person_moves_is_no_longer_the_programs(session: Session) -> None:
    session.apply(HEAD)
    assert (session.measurements()[0].made_by, session.measurements()[0].error) == (ACCEPTED, 0.03)
    session.apply(MoveMeasurement(1, HEAD.points))
    assert session.measurements()[0].made_by == ACCEPTED, "it lies where it lay"
    session.apply(MoveMeasurement(1, ((60.0, 121.0), (260.0, 120.0), (160.0, 40.0))))
    (moved,) = session.measurements()
    assert (moved.made_by, moved.error) == (CORRECTED, None)
    session.close()


def test_a_scale_by_hand_holds_for_pictures_of_its_size_and_not_against_the_header(session: Session) -> None:
    session.apply(LINE)
    session.apply(replace(LINE, scale=Calibration(0.2, 0.2, FROM_REGION)))
    session.apply(replace(LINE, width=640))
    session.apply(SCALE)
    session.apply(LINE)
    assert [each.scale for each in session.measurements()] == [BY_HAND, BY_REGION, NO_SCALE, BY_HAND]
    assert {each.mm_x for each in session.measurements() if each.scale == BY_HAND} == {0.5}
    (scale,) = session.scales()
    assert (scale.size, scale.length_mm, scale.frame_index) == ("320x240", 50.0, 10)
    session.apply(replace(SCALE, length_mm=25.0))
    assert session.measurements()[0].mm_y == 0.25, "the new one holds for what was measured before"
    session.undo()
    session.undo()
    session.undo()
    assert [each.scale for each in session.measurements()] == [NO_SCALE, BY_REGION, NO_SCALE]
    assert session.scales() == ()
    assert session.verify().ok
    session.close()


def test_a_scale_by_hand_knows_that_pixels_are_not_square(session: Session) -> None:
    session.apply(replace(SCALE, aspect=2.0))
    (scale,) = session.scales()
    assert (scale.mm_x, scale.mm_y) == (0.25, 0.5)
    session.close()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (replace(LINE, points=((1.0, 1.0),)), "does not have the points"),
        (replace(LINE, points=((1.0, 1.0), (math.nan, 2.0))), "beside the picture"),
        (replace(LINE, points=((1.0, 1.0), (321.0, 2.0))), "beside the picture"),
        (replace(LINE, points=((1.0, 1.0), (1.2, 1.2))), "too small"),
        (replace(HEAD, points=((60.0, 120.0), (260.0, 120.0), (160.0, 120.0))), "too small"),
        (replace(LINE, kind="volume"), "no kind of measurement"),
        (replace(LINE, structure="head"), "another tool"),
        (replace(LINE, plane_id=77), "no such plane"),
        (MoveMeasurement(5, LINE.points), "no such measurement"),
        (RemoveMeasurement(5), "no such measurement"),
        (NameMeasurement(5, ""), "no such measurement"),
        (replace(SCALE, length_mm=0.0), "above 0"),
        (replace(SCALE, length_mm=math.inf), "above 0"),
        (replace(SCALE, length_mm=math.nan), "above 0"),
        (replace(SCALE, length_mm=5000.0), "no scanner's"),
        (replace(SCALE, length_mm=290.0), "check that"),
    ],
)
def test_what_can_be_none_is_refused_and_changes_nothing(
    session: Session, change: Change, sentence: str
) -> None:
    head = session.head
    with pytest.raises(SessionError, match=sentence):
        session.apply(change)
    assert session.head == head
    session.close()


def test_points_that_somebody_changed_are_not_taken_for_points(session: Session) -> None:
    session.apply(LINE)
    session.close()
    tamper(session.folder, "UPDATE measurements SET points = '[[1, 1], [\"a\", 2]]'")
    with pytest.raises(SessionError, match="damaged"):
        Session.open(session.folder)


def test_the_age_of_a_pregnancy_is_kept_without_its_dates_and_taken_back(session: Session) -> None:
    ages = [GestationalAge(140, "due date"), GestationalAge(147, "CRL"), None]
    seen = [session.age()]
    for age in ages:
        session.apply(SetAge(age))
        seen.append(session.age())
    assert seen == [None, *ages]
    for before in reversed(seen[:-1]):
        assert session.undo() is not None
        assert session.age() == before
    with pytest.raises(SessionError, match="4 and 44 weeks"):
        session.apply(SetAge(GestationalAge(400, "due date")))
    session.apply(SetAge(ages[0]))
    session.close()
    with Session.open(session.folder) as again:
        assert again.age() == ages[0]
        assert again.verify().ok
