"""What is said of the frame that is shown in review."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.formatting import UNLIKE, UNLIKE_FETAL, quality_text
from app.review.presenter import frame_readout
from semc_core.labels import FETAL_CLASSES
from semc_core.session.frame_table import frame_row, pack, unpack
from tests.session.sessions import frame

CLASSES = ("A", "B", "NSP")


def test_the_quality_of_a_frame_has_a_line_of_its_own() -> None:
    frames = [frame(index) for index in range(6)]
    table = unpack([pack([frame_row(each) for each in frames], CLASSES, "NSP")], len(CLASSES))
    said = {index: frame_readout(table, index, CLASSES, "NSP", None) for index in range(6)}
    named = [index for index in said if said[index].title != "No plane"]
    assert named
    for index in named:
        assert said[index].note == quality_text(frames[index].quality) != ""
        assert "uality" not in said[index].detail, "there it would be cut off"
    assert not frame_readout(None, 0, CLASSES, "NSP", None).note


def test_a_frame_unlike_what_the_model_was_made_for_is_said_to_be_so() -> None:
    table = unpack([pack([frame_row(frame(0))], CLASSES, "NSP")], len(CLASSES))
    strange = replace(table, novelty=np.array([1.2], np.float32))
    assert frame_readout(table, 0, CLASSES, "NSP", None).extra == ""
    assert frame_readout(strange, 0, CLASSES, "NSP", None).extra == UNLIKE
    fetal = (*FETAL_CLASSES[:2], "Brain(Tv)")
    assert frame_readout(strange, 0, fetal, "NSP", None).extra == UNLIKE_FETAL
