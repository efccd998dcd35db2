"""How items stand: found, weak, missing, not possible, unknown to the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from main import main
from semc_core.errors import ProtocolError
from semc_core.labels import FETAL_CLASSES, LIVER_PLANES
from semc_core.protocols.checklist import (
    Checklist,
    Evidence,
    Status,
    checklist,
    of_entry,
    progress_words,
    session_checklist,
)
from semc_core.protocols.loader import load_protocols, read_protocol
from semc_core.protocols.protocol import Protocol, ProtocolItem
from semc_core.session.correcting.changes import AddPlane, ChooseFrame, Reject, Relabel, Restore, SetItem
from semc_core.session.records import ItemEntry, PlaneEntry
from semc_core.types import Crop
from tests.session.sessions import filled_session, find_plane, frame

ITEMS = (
    ProtocolItem("a", "Plane A", ("A",)),
    ProtocolItem("b", "Plane B", ("B", "C")),
    ProtocolItem("d", "Plane D", ("D",)),
    ProtocolItem("e", "Plane E", ("E",), optional=True),
)
PROTOCOL = Protocol("own", "Own", ITEMS)
SEEN = Evidence(1, "A", 0.9, 1.0, saved=True, named=False, by_hand=False)


def status(state: Checklist, item_id: str) -> Status:
    row = state.row(item_id)
    assert row is not None
    return row.status


def check(*evidence: Evidence, words: tuple[ItemEntry, ...] = ()) -> Checklist:
    return checklist(PROTOCOL, evidence, words, ("A", "B"), 0.8)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (SEEN, Status.FOUND),
        (replace(SEEN, confidence=0.8), Status.FOUND),
        (replace(SEEN, confidence=0.79), Status.WEAK),
        (replace(SEEN, saved=False), Status.WEAK),
        (replace(SEEN, by_hand=True, confidence=0.3), Status.WEAK),
        (replace(SEEN, named=True, confidence=0.1), Status.FOUND),
        (replace(SEEN, named=True, saved=False), Status.WEAK),
        (replace(SEEN, plane="B"), Status.MISSING),
    ],
)
def test_one_plane_decides(evidence: Evidence, expected: Status) -> None:
    assert status(check(evidence), "a") is expected


def test_any_name_of_an_item_fulfils_it_and_the_best_plane_is_shown() -> None:
    weak = replace(SEEN, plane_id=2, plane="B", confidence=0.7)
    unwritten = replace(SEEN, plane_id=3, plane="C", confidence=0.99, saved=False)
    strong = replace(SEEN, plane_id=4, plane="C", confidence=0.85)
    row = check(unwritten, weak, strong).rows[1]
    assert row.status is Status.FOUND
    assert row.best == strong
    row = check(unwritten, weak).rows[1]
    assert row.status is Status.WEAK
    assert row.best == weak


def test_what_the_model_does_not_know_can_be_found_by_a_person() -> None:
    assert status(check(), "d") is Status.UNKNOWN
    assert status(check(replace(SEEN, plane="D", confidence=0.0, named=True)), "d") is Status.FOUND
    unknown_yet = checklist(PROTOCOL, (), (), None, 0.8)
    assert {row.status for row in unknown_yet.rows} == {Status.MISSING}


def test_a_persons_word_stands_until_the_plane_is_found() -> None:
    word = ItemEntry("own", "a", "not possible", "bowel gas")
    other = replace(word, protocol_id="other")
    row = check(words=(word,)).rows[0]
    assert (row.status, row.reason, row.settled) == (Status.NOT_POSSIBLE, "bowel gas", True)
    assert check(words=(other,)).rows[0].status is Status.MISSING
    assert check(replace(SEEN, confidence=0.5), words=(word,)).rows[0].status is Status.NOT_POSSIBLE
    row = check(SEEN, words=(word,)).rows[0]
    assert (row.status, row.reason) == (Status.FOUND, "")


@pytest.mark.requirement("S6")
def test_completeness_counts_what_is_required() -> None:
    assert check().completeness == 0
    word = ItemEntry("own", "b", "not possible", "gas")
    state = check(SEEN, replace(SEEN, plane="E"), words=(word,))
    assert state.completeness == pytest.approx(2 / 3)
    assert progress_words(state) == "1 of 3 found, 1 not possible, 1 unknown to the model"
    nothing = checklist(replace(PROTOCOL, items=ITEMS[3:]), (), (), (), 0.8)
    assert nothing.completeness == 1
    assert progress_words(nothing) == "nothing is required"


def test_a_session_says_what_stands_after_corrections(tmp_path: Path) -> None:
    with filled_session(tmp_path / "scan") as session:

        def stands(item_id: str) -> Status:
            items, planes = session.items(), session.planes(rejected=True)
            return status(session_checklist(PROTOCOL, session.model, planes, items), item_id)

        enter = session.model.thresholds.enter
        assert {plane.plane for plane in session.planes()} == {"A", "B"}
        assert all((plane.confidence >= enter) == (stands(plane.plane.lower()) is Status.FOUND)
                   for plane in session.planes())  # fmt: skip
        session.apply(Reject(1))
        assert stands("a") is Status.MISSING
        session.apply(Restore(1))
        assert stands("a") is Status.FOUND
        session.apply(SetItem("own", "d", "not possible", "not in view"))
        assert stands("d") is Status.NOT_POSSIBLE
        session.undo()
        assert stands("d") is Status.UNKNOWN
        session.apply(AddPlane("D", frame(30)))
        assert stands("d") is Status.FOUND
        session.apply(Relabel(2, "C"))
        assert stands("b") is Status.FOUND
        session.apply(ChooseFrame(2, frame(41)))
        assert stands("b") is Status.FOUND


def test_a_frame_captured_by_hand_in_the_scan_is_not_a_persons_word_on_its_name() -> None:
    captured = PlaneEntry(
        1, "A", "A", 0.6, 3, 0.1, 0.1, 0.1, True, True, False, "", "person", "a.png", "0", None, "",
        8, 8, Crop(0, 0, 8, 8),
    )  # fmt: skip
    assert (of_entry(captured).named, of_entry(captured).by_hand) == (False, True)
    assert of_entry(replace(captured, plane="B")).named
    assert of_entry(replace(captured, by_hand=False)).named
    assert of_entry(replace(captured, found_as=None)).named
    assert not of_entry(replace(captured, by_hand=False, chosen_by="model")).named


def test_the_command_shows_the_checklist_of_a_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with filled_session(tmp_path / "scan") as session:
        find_plane(session, 3, 50)
        session.apply(SetItem("lp2025-liver", "left-lobe", "not possible", "bowel gas"))
    assert main(["protocols", "lp2025-liver", "--session", str(tmp_path / "scan")]) == 0
    shown = capsys.readouterr().out
    assert "bowel gas" in shown
    assert "17% complete: 0 of 6 found, 1 not possible, 5 unknown to the model." in shown


def test_an_analysis_warns_before_it_begins_and_shows_the_checklist(
    tmp_path: Path, tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = tmp_path / "loop"
    loop.mkdir()
    rng = np.random.default_rng(5)
    for number in range(4):
        cv2.imwrite(str(loop / f"{number}.png"), rng.integers(30, 220, (64, 80), dtype=np.uint8))
    arguments = ["--out", str(tmp_path / "out"), "--model", str(tiny_model_path), "--device", "cpu"]
    assert main(["analyse", str(loop), *arguments, "--protocol", "fasp-20-week"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("knows no plane of the protocol") < shown.index("complete: 0 of 10 found")
    assert main(["analyse", str(loop), *arguments, "--protocol", "nothing"]) == 1


FETAL_FOUR = replace(SEEN, plane="4CH")
OLD_FILE = """
format = 1
id = "own-heart"
title = "My own heart"

[[item]]
id = "four"
title = "Four chambers"
planes = ["A4C", "4CH"]
"""


def test_fetal_four_chambers_are_not_an_adults_apical_four_chambers(tmp_path: Path) -> None:
    book = load_protocols(tmp_path)
    adult, fetal = book.named("adult-echo"), book.named("fasp-20-week")

    def stands(model_planes: tuple[str, ...]) -> tuple[Status, Status]:
        """An adult's four chambers, and a fetus's."""
        known = (FETAL_FOUR,), (), model_planes, 0.8
        return (
            status(checklist(adult, *known), "apical-four"),
            status(checklist(fetal, *known), "four-chambers"),
        )

    assert stands(FETAL_CLASSES) == (Status.UNKNOWN, Status.FOUND)
    assert stands(("4CH", "2CH")) == (Status.FOUND, Status.UNKNOWN)
    assert stands(("4CH",)) == (Status.FOUND, Status.FOUND)  # nothing says which
    assert stands(LIVER_PLANES) == (Status.FOUND, Status.FOUND)  # named by a person: this model has no 4CH


def test_a_plane_that_is_added_for_an_item_counts_for_it(tmp_path: Path) -> None:
    for protocol in load_protocols(tmp_path).protocols:
        for planes in (FETAL_CLASSES, LIVER_PLANES, ("4CH", "2CH")):
            for item in protocol.items:
                assert protocol.takes(item, protocol.name_by_hand(item, planes), planes), item.id


def test_a_protocol_file_without_concepts_is_read_and_means_what_its_names_tell(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OLD_FILE, encoding="utf-8")
    old = read_protocol(path)
    assert old.population is None
    assert status(checklist(old, (FETAL_FOUR,), (), FETAL_CLASSES, 0.8), "four") is Status.UNKNOWN
    assert status(checklist(old, (FETAL_FOUR,), (), ("4CH", "2CH"), 0.8), "four") is Status.FOUND

    path.write_text(OLD_FILE.replace("title", 'population = "fetus"\ntitle', 1), encoding="utf-8")
    assert (
        status(checklist(read_protocol(path), (FETAL_FOUR,), (), FETAL_CLASSES, 0.8), "four") is Status.FOUND
    )
    path.write_text(OLD_FILE.replace("title", 'population = "dog"\ntitle', 1), encoding="utf-8")
    with pytest.raises(ProtocolError, match="Population must be 'adult' or 'fetus'"):
        read_protocol(path)
