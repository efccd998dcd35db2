"""What the checklist says, without a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.checklist.presenter import (
    AUTOMATIC,
    NO_PROTOCOL,
    checklist_view,
    choices,
    chosen_protocol,
    word_on,
)
from semc_core.labels import FETAL_CLASSES, LIVER_PLANES
from semc_core.protocols.checklist import Evidence, checklist
from semc_core.protocols.loader import ProtocolBook, load_protocols
from semc_core.protocols.protocol import Protocol, ProtocolItem
from semc_core.session.correcting.sentences import done_sentence
from semc_core.session.records import ItemEntry

ITEMS = (
    ProtocolItem("a", "Plane A", ("A", "AA")),
    ProtocolItem("b", "Plane B", ("B",)),
    ProtocolItem("c", "Plane C", ("C",), optional=True),
    ProtocolItem("d", "Plane D", ("D",)),
    ProtocolItem("e", "Plane E", ("E",)),
)
PROTOCOL = Protocol("own", "Own", ITEMS, own=True)
PLANES = ("A", "B", "C", "E")


@pytest.fixture
def book(tmp_path: Path) -> ProtocolBook:
    return load_protocols(tmp_path)


def test_by_itself_the_protocol_is_the_one_that_the_model_knows(book: ProtocolBook) -> None:
    found = chosen_protocol(book, AUTOMATIC, LIVER_PLANES)
    assert found is not None
    assert found.id == "lp2025-liver"
    fetal = chosen_protocol(book, AUTOMATIC, FETAL_CLASSES)
    assert fetal is not None
    assert fetal.id == "fasp-20-week"
    assert chosen_protocol(book, AUTOMATIC, ("A", "B", "Femur")) is None
    assert chosen_protocol(book, AUTOMATIC, None) is None
    assert chosen_protocol(book, NO_PROTOCOL, LIVER_PLANES) is None
    own = Protocol("own", "Own", (ProtocolItem("x", "X", ("LLP",)),), own=True)
    assert chosen_protocol(ProtocolBook((*book.protocols, own)), AUTOMATIC, LIVER_PLANES) is own


def test_a_chosen_protocol_holds_for_any_model_and_one_that_is_gone_does_not(book: ProtocolBook) -> None:
    assert chosen_protocol(book, "adult-echo", None) is book.named("adult-echo")
    assert chosen_protocol(book, "adult-echo", LIVER_PLANES) is book.named("adult-echo")
    gone = chosen_protocol(book, "gone", LIVER_PLANES)
    assert gone is book.named("lp2025-liver")
    assert choices(book)[0][0] == AUTOMATIC
    assert choices(book)[-1][0] == NO_PROTOCOL


def test_every_status_has_words_of_its_own() -> None:
    evidence = (
        Evidence(1, "AA", 0.93, 7.3, saved=True, named=False, by_hand=False),
        Evidence(2, "B", 0.62, 9.0, saved=True, named=False, by_hand=True),
    )
    words = (ItemEntry("own", "e", "not possible", "gas"),)
    view = checklist_view(checklist(PROTOCOL, evidence, words, PLANES, 0.8), PLANES, 0.8)
    assert [row.status_text for row in view.rows] == [
        "93%",
        "weak 62%",
        "optional",
        "by hand",
        "not possible",
    ]
    assert [row.plane_id for row in view.rows] == [1, 2, None, None, None]
    assert view.progress == "2 / 4"
    assert view.share == 0.5
    assert view.summary == "50% complete: 1 of 4 found, 1 not possible, 1 weak, 1 unknown to the model."
    assert "does not know 1 of the 5 items" in view.warning
    tips = [row.tip for row in view.rows]
    assert tips[0] == "Plane A: found, AA 93% at 0:07.3."
    assert tips[1].startswith(
        "Plane B: weak, B 62% at 0:09.0. Captured by hand; the model should be 80% sure."
    )
    assert tips[2] == "Plane C (optional): missing (C)."
    assert "does not know this plane" in tips[3]
    assert tips[4] == "Plane E: not possible. gas."


@pytest.mark.parametrize(
    ("evidence", "said", "tip"),
    [
        (Evidence(1, "A", 0.1, 1.0, saved=True, named=True, by_hand=False), "by you", "named by a person"),
        (Evidence(1, "A", 0.9, 1.0, saved=False, named=False, by_hand=False), "not saved", "not written"),
    ],
)
def test_a_persons_plane_and_one_that_was_not_written(evidence: Evidence, said: str, tip: str) -> None:
    row = checklist_view(checklist(PROTOCOL, (evidence,), (), PLANES, 0.8), PLANES, 0.8).rows[0]
    assert row.status_text == said
    assert tip in row.tip


def test_before_the_model_is_known_nothing_is_unknown_to_it() -> None:
    view = checklist_view(checklist(PROTOCOL, (), (), None, 1.0), None, 1.0)
    assert view.warning == ""
    assert {row.status_text for row in view.rows} == {"missing", "optional"}


def test_a_word_on_an_item_speaks_of_it_by_its_title() -> None:
    assert done_sentence(word_on(PROTOCOL, "d", "gas"), None) == "Plane D is not possible."
    assert done_sentence(word_on(PROTOCOL, "d", None), None) == "Plane D is possible after all."
