"""Numbers of things in words."""

from __future__ import annotations

import pytest

from semc_core.text import counted


@pytest.mark.parametrize(
    ("given", "said"),
    [((0, "group"), "0 groups"), ((1, "group"), "1 group"), ((2, "entry", "entries"), "2 entries")],
)
def test_one_is_not_many(given: tuple[int, str], said: str) -> None:
    assert counted(*given) == said
