"""A few faults in a row; `python -m tests.pipeline.faults 200` plays an hour of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.faults import faults, play


@pytest.mark.long
def test_ten_faults_in_a_row_leave_nothing_behind_and_every_gap_is_in_the_log(tmp_path: Path) -> None:
    outcome = play(faults(10, 2, spacing_s=3), tmp_path, speed=6)
    assert len(outcome.happened) == 5, "every kind"
    assert outcome.gaps >= sum(outcome.happened[what] for what in ("unplug", "fail", "hang"))
    assert (outcome.twice, outcome.unlogged, outcome.intact) == (0, 0, True), outcome
    assert outcome.after.threads <= outcome.before.threads
    assert outcome.after.handles <= outcome.before.handles + 1
