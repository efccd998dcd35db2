"""Fixtures of the tests of models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from semc_core.model.file import read_model, write_model


@pytest.fixture
def models(tiny_model_path: Path, tmp_path: Path) -> list[Path]:
    """Three model files that differ."""
    spec, arrays = read_model(tiny_model_path)
    paths = [tmp_path / f"model{number}.safetensors" for number in range(3)]
    for number, path in enumerate(paths):
        write_model(path, replace(spec, notice=f"Number {number}"), arrays)
    return paths
