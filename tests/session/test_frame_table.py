"""Frames of the log as rows, in the layouts of this version and of older ones."""

from __future__ import annotations

import numpy as np
import pytest

from semc_core.session.frame_table import Batch, frame_row, pack, row_type, unpack
from tests.session.sessions import frame


def test_frames_of_an_older_layout_keep_the_sharpness_by_which_they_were_chosen() -> None:
    older = np.zeros(3, row_type(3, 2, 1))
    older["index"], older["sharpness"] = (0, 1, 2), (5.0, np.nan, 7.0)
    newer = pack([frame_row(frame(3)), frame_row(frame(4))], ("A", "B", "NSP"), "NSP")
    table = unpack([Batch(3, 2, 3, older.tobytes(), 1), newer], 3)
    assert table.index.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(table.merit, [5.0, np.nan, 7.0, 4.5, 6.0], equal_nan=True)
    assert [table.quality_at(row) for row in range(3)] == [None] * 3
    assert table.quality_at(4) == frame(4).quality
    with pytest.raises(ValueError, match="another number or size"):
        unpack([Batch(3, 2, 3, older.tobytes(), 2)], 3)
