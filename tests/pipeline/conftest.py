"""No scan outlives its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.live_scans import stop_all


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """A test that fails half-way must not leave its scan running."""
    yield
    stop_all()
