"""Sets of so few pictures that the parts of a patient's share are rounded to more than the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.synthetic import RenderOptions, render_patient


@pytest.mark.parametrize("count", [1, 5, 14])
def test_a_patient_has_as_many_pictures_as_asked_for(count: int, tmp_path: Path) -> None:
    render_patient(tmp_path, RenderOptions(count, 128), 3)
    (shard,) = tmp_path.glob("*.npy")
    assert len(np.load(shard)) == count
