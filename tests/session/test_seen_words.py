"""What the log says of a change, in the window's words and in another language."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from semc_core.language import english
from semc_core.session.correcting.changes import (
    AddMeasurement,
    AddPlane,
    ChooseFrame,
    LabelRegion,
    MarkRegion,
    MoveMeasurement,
    NameMeasurement,
    Reject,
    Relabel,
    RemoveMeasurement,
    RemoveRegion,
    Restore,
    SetAge,
    SetItem,
    SetNote,
    SetScale,
)
from semc_core.session.correcting.sentences import (
    done_sentence,
    item_text,
    measure_text,
    note_text,
    of_fetus_text,
    plane_text,
    region_text,
    seen_words,
)
from tests.languages.made_up import speaking

FRAME = cast(Any, SimpleNamespace(packet=SimpleNamespace(index=90, pts_s=7.3)))
POINTS = cast(Any, ())
TIMES: dict[int, float] = {3: 7.3}
NOWHERE: dict[int, float] = {}
SAID = (
    (plane_text(Relabel(3, "LLP"), 3, "LLP"), "Confirmed the plane at 0:07.3 as LLP"),
    (plane_text(Relabel(3, "HRP"), 3, "LLP"), "The plane at 0:07.3 is HRP, not LLP"),
    (plane_text(Relabel(3, "HRP"), 3, "NSP"), "The plane at 0:07.3 is HRP, not No plane"),
    (
        of_fetus_text(plane_text(Relabel(3, "LLP"), 3, "LLP"), "B"),
        "Confirmed the plane at 0:07.3 as LLP, and of fetus B",
    ),
    (
        of_fetus_text(plane_text(Relabel(3, "HRP"), 3, "LLP"), "C"),
        "The plane at 0:07.3 is HRP, not LLP, and of fetus C",
    ),
    (plane_text(Reject(3), 3, "Brain(Cb)"), "Rejected Brain(Cb) at 0:07.3"),
    (plane_text(Reject(3), 3, "NSP"), "Rejected the capture at 0:07.3"),
    (plane_text(Restore(3), 3, "LLP"), "Restored LLP at 0:07.3"),
    (plane_text(ChooseFrame(3, FRAME), 3, "LLP"), "Chose frame 90 for LLP at 0:07.3"),
    (plane_text(AddPlane("LLP", FRAME), 1000, ""), "Added LLP at 0:07.3"),
    (note_text(SetNote(3, "a")), "Changed the note of the plane at 0:07.3"),
    (note_text(SetNote(None, "a")), "Changed the note of the session"),
    (region_text(MarkRegion(1, 2.5, "gas"), ""), "Marked 1.00 to 2.50 s as gas"),
    (region_text(RemoveRegion(1), "gas"), "Removed the mark gas"),
    (region_text(LabelRegion(1, "rib"), "gas"), "The mark gas is rib"),
    (item_text(SetItem("p", "i", "not possible", title="Plane 3")), "Plane 3 is not possible"),
    (item_text(SetItem("p", "i", "", title="Plane 3")), "Took back the word on Plane 3"),
    (
        measure_text(AddMeasurement("distance", POINTS, 90, 1.5, 640, 480, proposed=True), 2, "distance"),
        "Accepted the distance 2 that was proposed on frame 90",
    ),
    (
        measure_text(AddMeasurement("ellipse", POINTS, 90, 1.5, 640, 480), 2, "ellipse"),
        "Measured the ellipse 2 on frame 90",
    ),
    (measure_text(MoveMeasurement(2, POINTS), 2, "area"), "Moved the area 2"),
    (measure_text(NameMeasurement(2, ""), 2, "trace"), "The trace 2 shows nothing in particular"),
    (measure_text(NameMeasurement(2, "liver"), 2, "trace"), "The trace 2 shows liver"),
    (measure_text(RemoveMeasurement(2), 2, "angle"), "Removed the angle 2"),
    (
        measure_text(SetScale(POINTS, 10.5, 9, 640, 480), 0, ""),
        "Set the scale on frame 9: the line is 10.5 mm",
    ),
    (measure_text(SetAge(None), 0, ""), "Took back the age of the pregnancy"),
    ("Something that a newer program says", "Something that a newer program says"),
    ("Rejected plane 3 (LLP) for another reason", "Rejected LLP at 0:07.3 for another reason"),
)


@pytest.fixture
def marked() -> Iterator[None]:
    with speaking(lambda text: f"<{text}>"):
        yield


@pytest.mark.parametrize(("logged", "seen"), SAID)
def test_english_is_as_it_was(logged: str, seen: str) -> None:
    assert seen_words(logged, TIMES.get) == seen


def test_a_plane_of_unknown_time_is_named_without_it() -> None:
    assert seen_words("Rejected plane 4 (LLP)", TIMES.get) == "Rejected LLP"
    assert seen_words("Plane 4 is HRP, not LLP", TIMES.get) == "The plane is HRP, not LLP"


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("logged", [logged for logged, _seen in SAID[:-2]])
def test_all_that_the_program_logs_is_translated(logged: str) -> None:
    seen = seen_words(logged, TIMES.get)

    assert seen.startswith("<")
    assert seen.endswith(">")


@pytest.mark.usefixtures("marked")
def test_words_within_are_translated_and_labels_of_people_are_not() -> None:
    assert seen_words("Rejected plane 3 (No plane)", TIMES.get) == "<Rejected <the capture at 0:07.3>>"
    assert seen_words("Moved the area 2", NOWHERE.get) == "<Moved the <area> 2>"
    assert seen_words("Removed the mark gas", NOWHERE.get) == "<Removed the mark gas>"


@pytest.mark.usefixtures("marked")
def test_the_title_of_an_item_is_said_in_the_language_and_stored_in_english() -> None:
    word = SetItem("p", "i", "not possible", title="Four chambers")
    assert done_sentence(word, None) == "<<Four chambers> is not possible.>"
    assert english(done_sentence(word, None)) == "Four chambers is not possible."
    assert item_text(word) == "Four chambers is not possible"
    assert seen_words(item_text(word), NOWHERE.get) == "<<Four chambers> is not possible>"
    back = SetItem("p", "i", "", title="Four chambers")
    assert done_sentence(back, None) == "<<Four chambers> is possible after all.>"
    assert seen_words(item_text(back), NOWHERE.get) == "<Took back the word on <Four chambers>>"
    assert done_sentence(SetItem("p", "i", ""), None) == "<<The item> is possible after all.>"
