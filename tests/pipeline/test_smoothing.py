"""Smoothing over time, not over frames."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.pipeline.stages import ProbabilitySmoother


def shares(first: float) -> NDArray[np.float32]:
    return np.array([first, 1 - first], np.float32)


def test_a_step_reaches_63_percent_after_one_time_constant_at_any_rate() -> None:
    for rate in (10, 30, 100):
        smoother = ProbabilitySmoother(0.5)
        smoother.update(shares(0), 0.0)
        for index in range(1, rate // 2 + 1):
            smoothed = smoother.update(shares(1), index / rate)
        assert smoothed[0] == pytest.approx(1 - np.exp(-1), abs=1e-5)
        assert smoothed.sum() == pytest.approx(1, abs=1e-6)


def test_an_uneven_rate_gives_what_an_even_one_gives() -> None:
    even, uneven = ProbabilitySmoother(0.25), ProbabilitySmoother(0.25)
    even.update(shares(0), 0)
    uneven.update(shares(0), 0)
    for index in range(1, 11):
        left = even.update(shares(1), index * 0.1)
    for time_s in (0.01, 0.4, 0.41, 0.9, 1.0):
        right = uneven.update(shares(1), time_s)
    assert left == pytest.approx(right, abs=1e-6)


def test_a_gap_of_more_than_a_second_forgets_the_past() -> None:
    smoother = ProbabilitySmoother(10.0)
    smoother.update(shares(0), 0)
    assert smoother.update(shares(1), 0.9)[0] < 0.1
    assert smoother.update(shares(1), 2.0)[0] == 1


def test_a_time_that_stands_still_changes_nothing_and_no_smoothing_is_possible() -> None:
    smoother = ProbabilitySmoother(0.25)
    smoother.update(shares(0.2), 1.0)
    assert smoother.update(shares(0.9), 1.0)[0] == pytest.approx(0.2)
    plain = ProbabilitySmoother(0.0)
    plain.update(shares(0.2), 0.0)
    assert plain.update(shares(0.9), 0.1)[0] == pytest.approx(0.9)


def test_the_result_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ProbabilitySmoother(0.1).update(shares(0.5), 0)[0] = 1
