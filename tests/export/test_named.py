"""What the sentences of an export call a plane: its name and time, as the window does, and no number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from semc_core.export.collect import named
from semc_core.labels import NON_STANDARD
from tests.export.dicom.examples import PLANE


@pytest.mark.parametrize(("plane", "called"), [(NON_STANDARD, "No plane"), ("Brain(Tv)", "Brain(Tv)")])
def test_a_plane_is_called_by_the_one_name_of_its_kind_and_its_time(plane: str, called: str) -> None:
    assert named(replace(PLANE, plane=plane, plane_id=1005, time_s=51.13)) == f"{called} at 0:51.1"
