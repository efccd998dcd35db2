"""Which protocol comes with a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.checklist.presenter import AUTOMATIC, NO_PROTOCOL, brought_choice
from semc_core.labels import FETAL_CLASSES, LIVER_PLANES
from semc_core.protocols.fitting import brought_protocol, fitting_protocol
from semc_core.protocols.loader import ProtocolBook, load_protocols

OURS = (
    "Trans-thalamic", "Trans-ventricular", "Trans-cerebellum", "Abdominal", "4CH", "Femur", "Maternal cervix",
    "3VV", "LVOT", "RVOT", "Kidneys", "Lips", "Profile", "Spine(cor)", "Spine(sag)",
)  # fmt: skip
"""Planes of a fetal model with three brain planes."""


@pytest.fixture(scope="module")
def book() -> ProtocolBook:
    return load_protocols()


@pytest.mark.parametrize(
    ("planes", "wanted"),
    [
        (LIVER_PLANES, "lp2025-liver"),
        (FETAL_CLASSES, "fasp-20-week"),
        (OURS, "fasp-20-week"),
        (("4CH", "2CH"), None),
        ((), None),
    ],
)
def test_the_protocol_of_which_a_model_knows_most_comes_with_it(
    planes: tuple[str, ...], wanted: str | None, book: ProtocolBook
) -> None:
    found = fitting_protocol(book, planes)
    assert (found and found.id) == wanted


def test_of_two_that_it_knows_as_well_ones_own_goes_first(book: ProtocolBook) -> None:
    own = replace(book.named("lp2025-liver"), id="mine", own=True)
    more = ProtocolBook((*book.protocols, own))
    assert fitting_protocol(more, LIVER_PLANES) is own


def test_what_the_model_file_says_goes_before_what_fits(book: ProtocolBook) -> None:
    said = brought_protocol(book, OURS, "isuog-mid-trimester")
    assert said is book.named("isuog-mid-trimester")
    assert brought_protocol(book, OURS, "gone") is book.named("fasp-20-week")


def test_a_choice_of_model_brings_its_protocol_unless_none_is_wanted(book: ProtocolBook) -> None:
    assert brought_choice(book, "lp2025-liver", OURS, "") == AUTOMATIC
    assert brought_choice(book, "lp2025-liver", OURS, "fasp-20-week") == AUTOMATIC
    assert brought_choice(book, "lp2025-liver", OURS, "isuog-mid-trimester") == "isuog-mid-trimester"
    assert brought_choice(book, "lp2025-liver", (), "") == AUTOMATIC
    assert brought_choice(book, NO_PROTOCOL, OURS, "isuog-mid-trimester") == NO_PROTOCOL
