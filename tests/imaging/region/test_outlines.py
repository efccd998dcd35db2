"""Real pictures whose sectors a person outlined by hand are found as that person saw them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.skips import REAL_DATA
from training.region.evaluate import OUTLINED, OUTLINES, outlined


def test_the_outlines_lie_in_their_pictures_and_are_of_sixty() -> None:
    pictures = OUTLINES.read(OUTLINED).pictures
    assert len({picture.file for picture in pictures}) == 60
    for picture in pictures:
        corners = np.array(picture.outline)
        assert len(corners) >= 4, picture.file
        assert (corners >= 0).all(), picture.file
        assert (corners <= [picture.width, picture.height]).all(), picture.file


@pytest.mark.real_data("fetal_planes")
def test_nearly_all_real_pictures_are_found_as_a_person_outlined_them() -> None:
    scores = list(outlined(REAL_DATA))
    boxes = np.array([score.box for score in scores])
    masks = np.array([score.mask for score in scores])
    assert (boxes >= 0.9).mean() >= 0.95, [s.name for s in scores if s.box < 0.9]
    assert (masks >= 0.9).mean() >= 0.95, [s.name for s in scores if s.mask < 0.9]
    assert masks.min() > 0.7
