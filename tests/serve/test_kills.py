"""A service that is killed; `python -m tests.pacs.serve_kills` does so with many objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pacs.serve_kills import run


@pytest.mark.long
# pynetdicom leaves a socket to the collector where the other side was killed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.requirement("D1")
def test_a_service_that_is_killed_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    found = run(tmp_path, 4, 2, 1)
    assert not any(found.values()), found
