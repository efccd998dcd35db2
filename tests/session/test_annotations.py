"""What a person writes and draws on a frame: kept beside the log, proven by it, and erasable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import UsageError
from semc_core.imaging.figures import FIGURES
from semc_core.session.annotations import LONGEST, MOST, Annotation, Annotations, annotations_of
from semc_core.session.erasing.forget import forget
from semc_core.session.records import Proof
from semc_core.session.session import Session
from tests.session.sessions import new_session
from tests.session.test_examination import log_of
from tests.session.test_forget import files_with

TEXT = Annotation(1, "text", ((10.0, 20.0),), 7, 320, 240, text="Zwickel's liver")
ARROW = Annotation(2, "arrow", ((10.0, 20.0), (100.0, 90.0)), 7, 320, 240)
MARK = Annotation(3, "mark", ((60.0, 60.0), (70.0, 50.0)), 7, 320, 240, 1, figure="fetus", turn=30)
ALL = Annotations((TEXT, ARROW, MARK))


def test_they_are_kept_beside_the_log_and_forgotten(tmp_path: Path) -> None:
    with new_session(tmp_path / "scan") as session:
        assert session.annotations == Annotations()
        session.set_annotations(ALL)
        assert session.annotations == ALL
    with Session.open(session.folder, read_only=True) as opened:
        assert opened.annotations == ALL
        assert opened.verify().proof is Proof.PROVEN
    assert "Zwickel" not in log_of(session.folder)
    assert list(files_with(session.folder, ("Zwickel",)))
    folder = forget(session.folder).folder
    assert list(files_with(folder, ("Zwickel",))) == []
    with Session.open(folder, read_only=True) as opened:
        assert opened.annotations == Annotations()
        assert opened.verify().proof is Proof.PROVEN


def test_all_taken_away_is_none(tmp_path: Path) -> None:
    with new_session(tmp_path / "scan") as session:
        session.set_annotations(ALL)
        session.set_annotations(Annotations())
        assert session.annotations == Annotations()


def test_one_is_put_moved_and_taken_away() -> None:
    made = Annotations()
    for each in ALL.items:
        made = made.put(each)
    assert made == ALL
    moved = replace(ARROW, points=((-5.0, 20.0), (1000.0, 90.005)))
    assert made.put(moved).items[1].points == ((0.0, 20.0), (320.0, 90.0))
    assert made.without(2).items == (TEXT, MARK)
    assert made.without(3).next_number() == 3
    assert made.without(3).next_number(made.items) == 4
    assert annotations_of(made.to_text()) == made


@pytest.mark.parametrize(
    "wrong",
    [
        replace(TEXT, text=" "),
        replace(TEXT, text="x" * (LONGEST + 1)),
        replace(TEXT, text="a\x07b"),
        replace(ARROW, points=((1.0, 1.0),)),
        replace(MARK, figure=""),
        replace(ARROW, text="words"),
    ],
)
def test_what_is_none_is_refused_and_passed_over_where_it_is_stored(wrong: Annotation) -> None:
    with pytest.raises(UsageError):
        Annotations().put(wrong)
    assert wrong not in annotations_of(Annotations((wrong, ARROW)).to_text()).items


def test_there_are_bounds_and_damage_is_nothing() -> None:
    full = Annotations(tuple(replace(ARROW, number=number) for number in range(1, MOST + 1)))
    with pytest.raises(UsageError, match="take one away"):
        full.put(replace(ARROW, number=MOST + 1))
    for damaged in ("", "(forgotten)", "{", '{"items": [{"number": 0}]}'):
        assert annotations_of(damaged) == Annotations()


@pytest.mark.parametrize("figure", list(FIGURES))
def test_a_figure_lies_round_its_middle_and_has_its_probe(figure: str) -> None:
    lines = np.concatenate(replace(MARK, figure=figure).lines)
    assert np.isfinite(lines).all()
    assert np.abs(lines - (60, 60)).max() < 240 * 0.22
    turned = np.concatenate(replace(MARK, figure=figure, turn=0).lines)
    assert not np.array_equal(lines, turned)
