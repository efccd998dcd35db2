"""A service that runs, and its model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.serving import Served, serving
from tests.serve.models import write_sure_model


@pytest.fixture(scope="package")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is sure of every picture."""
    return write_sure_model(tmp_path_factory.mktemp("model") / "sure.safetensors")


@pytest.fixture
def served(tmp_path: Path, model: Path) -> Iterator[Served]:
    """With the usual bounds."""
    with serving(tmp_path, model) as each:
        yield each
