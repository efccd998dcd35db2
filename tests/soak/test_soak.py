"""What `make soak` calls a slope."""

from __future__ import annotations

import numpy as np
import pytest

from tests.soak.__main__ import row, too_steep
from tests.soak.slopes import AT_REST, LATENCY, Course, course

TIMES_S = [2.0 * number for number in range(150)]


def test_a_slope_is_of_a_minute_and_not_tilted_by_a_peak() -> None:
    noise = np.random.default_rng(3).normal(0, 0.5, len(TIMES_S))
    values = [300 + time_s / 60 * 12 + each for time_s, each in zip(TIMES_S, noise, strict=True)]
    values[100] = 4_000
    found = course(TIMES_S, values)
    assert found.per_minute == pytest.approx(12, abs=0.5)
    assert found.last - found.first == pytest.approx(12 * (0.9 * 5), abs=2)


def test_what_only_goes_up_and_down_has_none() -> None:
    found = course(TIMES_S, [20.0 + number % 7 for number in range(len(TIMES_S))])
    assert abs(found.per_minute) < 0.5


def test_what_rises_by_more_than_its_bound_is_said() -> None:
    for bound in (*AT_REST, LATENCY):
        assert too_steep(bound, Course(0, 0, bound.per_minute * 1.01))
        assert not too_steep(bound, Course(0, 0, bound.per_minute * 0.99))
        assert row(bound, Course(1, 2, bound.per_minute * 1.01)).endswith("| TOO STEEP |")
