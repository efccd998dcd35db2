"""Two people's sessions of one loop: compared, their kappa as scikit-learn has it, and merged by a third."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main
from semc_core.errors import SemcError, UsageError
from semc_core.groups.bootstrap import GroupDraws
from semc_core.review.raters.agreement import agreements, kappas
from semc_core.review.raters.decisions import COLUMNS, differences_csv
from semc_core.review.raters.merge import merge
from semc_core.review.raters.units import Unit, loop_key, mark_units, plane_units
from semc_core.session.correcting.changes import AddPlane, MarkRegion, MoveToFetus, Reject, Relabel, SetFetus
from semc_core.session.examination import Examination
from semc_core.session.session import Session
from tests.export.scans import frame, new_session, result, video_session


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Session, Session]]:
    """FHP1 at 0.4 s and LLP at 1 s were found; the second renamed FHP1 and added one; both rejected LLP."""
    frames = [frame(index) for index in range(30)]
    planes = {1: ("FHP1", 8), 2: ("LLP", 20)}
    with (
        video_session(tmp_path / "one", count=30) as one,
        new_session(tmp_path / "two", frames, source=one.source, planes=planes) as two,
    ):
        two.apply(Relabel(1, "FHP2"))
        two.apply(AddPlane("FHP1", result(29, frames[29], "FHP1")))
        for session in (one, two):
            session.apply(Reject(2))
        one.apply(MarkRegion(0.0, 0.5, "LLP"))
        two.apply(MarkRegion(0.1, 0.6, "LLP"))
        two.apply(MarkRegion(1.2, 1.3, "FHP1"))
        yield one, two


def table_of(pair: tuple[Session, Session], path: Path, *decisions: str) -> Path:
    """The differences, as a third filled them in."""
    loop = loop_key(pair[0])
    units: list[Unit[Any]] = [*plane_units(*pair), *mark_units(*pair)]
    path.write_bytes(differences_csv((loop, unit) for unit in units))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        written = csv.DictWriter(file, COLUMNS)
        written.writeheader()
        for row, decision in zip(rows, decisions, strict=True):
            written.writerow(row | {"decision": decision})
    return path


def test_planes_are_matched_by_time_and_one_that_only_one_has_is_none_for_the_other(
    pair: tuple[Session, Session],
) -> None:
    said = [(unit.number, unit.labels) for unit in plane_units(*pair)]
    assert said == [(1, ("FHP1", "FHP2")), (2, ("NSP", "NSP")), (3, ("NSP", "FHP1"))]
    assert [unit.labels for unit in mark_units(*pair)] == [("LLP", "LLP"), ("-", "FHP1")]
    turned = [unit.labels for unit in plane_units(pair[1], pair[0])]
    assert turned == [labels[::-1] for _, labels in said]


def test_kappa_is_that_of_scikit_learn_and_its_interval_draws_whole_loops() -> None:
    from sklearn.metrics import cohen_kappa_score  # slow to load

    rng = np.random.default_rng(5)
    names = np.array(["A", "B", "C", "NSP"])
    first = rng.integers(0, 4, 200)
    second = np.where(rng.random(200) < 0.6, first, rng.integers(0, 4, 200))
    labels = list(zip(names[first].tolist(), names[second].tolist(), strict=True))
    groups = [f"loop {number // 10}" for number in range(200)]
    found = {each.plane: each for each in agreements(labels, groups)}
    assert list(found) == ["", "A", "B", "C"]
    for name, each in found.items():
        ours, theirs = (first, second) if not name else (names[first] == name, names[second] == name)
        expected = cohen_kappa_score(ours, theirs)
        assert each.kappa.value == pytest.approx(expected)
        assert each.kappa.low is not None
        assert each.kappa.high is not None
        assert each.kappa.low < expected < each.kappa.high
    draws = GroupDraws(groups, draws=3)
    cell = first * 4 + second
    _, drawn = draws.cells(cell, 16)
    again = [
        cohen_kappa_score(first[picked], second[picked])
        for row in draws.weights
        for picked in [np.repeat(np.arange(200), row[draws.of_frame].astype(int))]
    ]
    np.testing.assert_allclose(kappas(drawn, 4), again)
    (alone, *_) = agreements(labels, ["one loop"] * 200)
    assert alone.kappa.value == pytest.approx(found[""].kappa.value)
    assert alone.kappa.low is None


def test_where_chance_alone_agrees_there_is_no_kappa() -> None:
    (whole,) = agreements([("NSP", "NSP")] * 5, list("aabbc"))
    assert (whole.both, whole.kappa.value) == (5, None)
    assert agreements([], []) == ()


def test_a_third_decides_and_the_new_session_says_it_as_a_persons_word(
    pair: tuple[Session, Session], tmp_path: Path
) -> None:
    decisions = table_of(pair, tmp_path / "table.csv", "FHP2", "FHP1", "-")
    done = merge(*pair, tmp_path / "merged", decisions)
    assert (done.planes, done.agreed, done.decided) == (3, 2, 3)
    with Session.open(tmp_path / "merged") as made:
        stands = [(p.frame_index, p.plane, p.found_as, p.rejected) for p in made.planes(rejected=True)]
        assert stands == [
            (8, "FHP2", "FHP1", False), (20, "LLP", "LLP", True), (29, "FHP1", None, False)
        ]  # fmt: skip
        assert {plane.chosen_by for plane in made.planes(rejected=True)} >= {"person"}
        assert [(each.start_s, each.end_s, each.label) for each in made.regions()] == [(0.1, 0.5, "LLP")]
        np.testing.assert_array_equal(made.frames().probabilities, pair[0].frames().probabilities)
        np.testing.assert_array_equal(made.frames().crop, pair[0].frames().crop)
        assert made.source == pair[0].source
        assert made.verify().ok
    assert pair[0].plane(1).plane == "FHP1", "the two stay as they are"


def test_of_twins_each_plane_stays_with_its_own(pair: tuple[Session, Session], tmp_path: Path) -> None:
    pair[0].apply(SetFetus(0.7, "B"))
    pair[1].apply(SetFetus(1.4, "B"))
    pair[1].apply(MoveToFetus(1, "B"))
    decisions = table_of(pair, tmp_path / "table.csv", "FHP2", "FHP1", "-")
    merge(*pair, tmp_path / "merged", decisions)
    with Session.open(tmp_path / "merged") as made:
        assert made.fetuses().turns == ((0.7, "B"),), "as the first one said"
        stands = [(plane.frame_index, plane.fetus) for plane in made.planes(rejected=True)]
        assert stands == [(8, "B"), (20, "B"), (29, "B")], "as in the session that a plane comes from"
        assert made.verify().ok


def test_what_is_not_decided_or_decided_of_something_else_makes_no_session(
    pair: tuple[Session, Session], tmp_path: Path
) -> None:
    out, path = tmp_path / "merged", tmp_path / "table.csv"
    with pytest.raises(UsageError, match=r"3 of 5 are not decided, first the plane at 0\.4 s"):
        merge(*pair, out, None)
    with pytest.raises(UsageError, match="1 of 5 are not decided"):
        merge(*pair, out, table_of(pair, path, "FHP2", "", "-"))
    with pytest.raises(UsageError, match="decided to be 'liver'"):
        merge(*pair, out, table_of(pair, path, "liver", "NSP", "-"))
    table_of(pair, path, "FHP2", "NSP", "-")
    pair[1].apply(Relabel(1, "LLP"))
    with pytest.raises(UsageError, match="compare them again"):
        merge(*pair, out, path)
    path.write_text("loop,kind\n1,2\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no column number"):
        merge(*pair, out, path)
    assert not out.exists()


@pytest.mark.parametrize("which", [0, 1])
def test_the_examination_goes_along_and_that_of_two_patients_is_refused(
    pair: tuple[Session, Session], tmp_path: Path, which: int
) -> None:
    decisions = table_of(pair, tmp_path / "table.csv", "FHP2", "FHP1", "-")
    asked = Examination("Zweistein^Alberta", "4711", accession_number="A1")
    pair[which].set_examination(asked)
    merge(*pair, tmp_path / "merged", decisions)
    with Session.open(tmp_path / "merged", read_only=True) as made:
        assert made.examination == asked
    pair[1 - which].set_examination(Examination(operator="Quastel^Io"))
    merge(*pair, tmp_path / "with nobody", decisions)
    with Session.open(tmp_path / "with nobody", read_only=True) as made:
        assert made.examination == asked
    pair[1 - which].set_examination(Examination("Meierhofer^Anna", "4712"))
    with pytest.raises(UsageError, match="two patients"):
        merge(*pair, tmp_path / "other", decisions)
    assert not (tmp_path / "other").exists()


def test_a_picture_that_is_gone_leaves_no_half_of_a_session(
    pair: tuple[Session, Session], tmp_path: Path
) -> None:
    decisions = table_of(pair, tmp_path / "table.csv", "FHP2", "FHP1", "-")
    last = pair[1].planes()[-1]
    assert last.png is not None
    (pair[1].folder / last.png).unlink()
    with pytest.raises(SemcError):
        merge(*pair, tmp_path / "merged", decisions)
    assert not (tmp_path / "merged").exists()


def test_sessions_of_other_loops_are_refused(pair: tuple[Session, Session], tmp_path: Path) -> None:
    with video_session(tmp_path / "three", name="other.mkv", count=31) as three:
        with pytest.raises(UsageError, match="not of the same loop"):
            plane_units(pair[0], three)
        with pytest.raises(UsageError, match="given twice"):
            plane_units(three, three)


def test_what_nobody_corrected_is_told_as_no_persons_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy of what the program found agrees with it in everything."""
    with video_session(tmp_path / "one", count=30) as one:
        pass
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with Session.open(tmp_path / "two") as two:
        two.apply(Relabel(1, one.plane(1).plane))
    command = ["session", "compare", str(tmp_path / "one"), str(tmp_path / "two")]
    assert main.main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["uncorrected"] == ["one"]
    assert main.main(command) == 0
    assert "one holds no correction" in " ".join(capsys.readouterr().out.split())


def test_the_commands_compare_write_the_table_and_merge(
    pair: tuple[Session, Session], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for session in pair:
        session.close()
    one, two, path = (str(tmp_path / name) for name in ("one", "two", "table.csv"))
    assert main.main(["session", "compare", one, two, "--json", "--out", path]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["loops"] == 1
    assert [each["second"] for each in printed["differences"]] == ["FHP2", "FHP1", "FHP1"]
    assert main.main(["session", "merge", one, two, "--out", str(tmp_path / "made")]) == 2
    assert "3 of 5 are not decided" in capsys.readouterr().err
    content = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(content.replace(",\n", ",FHP1\n"), encoding="utf-8")
    assert (
        main.main(["session", "merge", one, two, "--out", str(tmp_path / "made"), "--decisions", path]) == 0
    )
    assert "3 planes; 2 agreed, 3 decided by a third" in capsys.readouterr().out.replace("\n", " ")
    assert main.main(["session", "compare", one, str(tmp_path)]) == 2
    assert "are one person's and of the same loop" in capsys.readouterr().err
