"""The file of the network that finds outlines."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from semc_core.errors import ModelFileError
from semc_core.model.outline import METADATA_KEY, OutlineSpec, read_outline, tensor_shapes, write_outline

SPEC = OutlineSpec(height=64, width=96, channels=(4, 6, 8), error=0.031)


def random_arrays(spec: OutlineSpec, seed: int = 1) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    arrays = {
        name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in tensor_shapes(spec).items()
    }
    for name, each in arrays.items():
        if name.endswith("running_var"):
            each[:] = np.abs(each) + 0.1
    return arrays


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "outline.safetensors"
    arrays = random_arrays(SPEC)
    write_outline(path, SPEC, arrays)
    spec, read = read_outline(path)
    assert replace(spec, sha256="") == SPEC
    assert len(spec.sha256) == 64
    assert read.keys() == arrays.keys()
    assert all(np.array_equal(read[name], arrays[name]) for name in arrays)


def test_the_network_that_ships_has_less_than_two_million_weights() -> None:
    count = sum(
        math.prod(shape) for shape in tensor_shapes(OutlineSpec(channels=(24, 48, 96, 128, 160))).values()
    )
    assert 1_000_000 < count < 2_000_000


@pytest.mark.parametrize(
    "changed",
    [
        {"height": 60},
        {"width": 0},
        {"channels": (8,)},
        {"channels": (0, 8)},
        {"presence": 0.0},
        {"error": float("nan")},
    ],
)
def test_a_description_of_no_network_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="its "):
        replace(SPEC, **changed)  # type: ignore[arg-type]


def _damaged(path: Path, how: str) -> None:
    arrays = random_arrays(SPEC)
    write_outline(path, SPEC, arrays)
    metadata = {METADATA_KEY: '{"height": 64, "width": 96, "channels": [4, 6, 8]}'}
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "text":
        path.write_text("hello", encoding="utf-8")
    elif how == "gone":
        path.unlink()
    else:
        if how == "nan":
            arrays["mask.bias"][:] = np.nan
        elif how == "missing":
            del arrays["presence.bias"]
        elif how == "shape":
            arrays["mask.bias"] = np.zeros(2, np.float32)
        elif how == "wild":
            metadata = {METADATA_KEY: '{"channels": [1000000, 2]}'}
        elif how == "foreign":
            metadata = {"other": "thing"}
        path.write_bytes(safetensors.numpy.save(arrays, metadata))


@pytest.mark.parametrize("how", ["cut", "text", "gone", "nan", "missing", "shape", "wild", "foreign"])
def test_a_damaged_or_foreign_file_is_refused_in_a_sentence(tmp_path: Path, how: str) -> None:
    path = tmp_path / "outline.safetensors"
    _damaged(path, how)
    with pytest.raises(ModelFileError) as refused:
        read_outline(path)
    assert str(refused.value).endswith(".")
    assert "outline.safetensors" in str(refused.value)


def test_what_does_not_fit_is_not_written(tmp_path: Path) -> None:
    arrays = random_arrays(SPEC)
    arrays["mask.bias"] = np.array([np.inf], np.float32)
    with pytest.raises(ModelFileError, match="not finite"):
        write_outline(tmp_path / "outline.safetensors", SPEC, arrays)
    assert not list(tmp_path.iterdir())
