"""How long the machine has slept: the same to the bit while it does not."""

from __future__ import annotations

import pytest

from semc_core.io import slept


def test_while_the_machine_is_awake_nothing_changes_and_a_sleep_counts_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([100.0, 100.0 + 2e-7, 100.0 - 3e-7, 190.0, 190.0 + 1e-7])
    monkeypatch.setattr(slept, "_asleep_s", lambda: next(clock))
    monkeypatch.setattr(slept, "_counted_s", 0.0)
    first, second, third, after, later = (slept.asleep_s() for _ in range(5))
    assert first == second == third
    assert after - first == pytest.approx(90.0)
    assert later == after


def test_the_clocks_of_this_machine_agree_while_it_is_awake() -> None:
    assert len({slept.asleep_s() for _ in range(2000)}) == 1
