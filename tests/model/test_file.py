"""Model files: what is written is read back, and everything damaged is refused with one sentence."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

from semc_core.errors import ModelFileError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import METADATA_KEY, read_model, read_spec, write_model
from semc_core.model.spec import Calibration, ModelSpec, spec_to_json
from semc_core.types import Thresholds

SPEC = new_spec("semc_tiny", LIVER_CLASSES)
Arrays = dict[str, NDArray[Any]]


def tiny_weights() -> Arrays:
    return dict(random_weights(SPEC.architecture, len(SPEC.classes)))


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A model file at `path` whose description was changed by hand."""
    data = json.loads(spec_to_json(SPEC))
    change(data)
    path.write_bytes(safetensors.numpy.save(tiny_weights(), {METADATA_KEY: json.dumps(data)}))
    return path


def test_description_and_weights_come_back_as_written(tmp_path: Path) -> None:
    spec = replace(
        SPEC,
        calibration=Calibration(1.5, 0.0),
        thresholds=Thresholds(enter=0.7, leave=0.4),
        notice="Knows only the simulated scan.",
        provenance={"seeds": [1, 2], "when": {"day": "2026-01-01"}},
        metrics={"accuracy": 0.9},
    )
    weights = tiny_weights() | {"training.alpha": np.ones((2, 2), np.float32)}
    path = tmp_path / "model.safetensors"
    write_model(path, spec, weights)
    read, arrays = read_model(path)
    assert replace(read, sha256="") == spec
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_spec(path) == read
    assert arrays.keys() == weights.keys()
    assert all(np.array_equal(arrays[name], weights[name]) for name in weights)
    assert list(tmp_path.iterdir()) == [path]


def test_a_fault_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, SPEC, tiny_weights())
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match=r"not written.*missing"):
        write_model(path, SPEC, {})
    assert path.read_bytes() == before
    with pytest.raises(ModelFileError, match="was not written"):
        write_model(tmp_path / "none" / "model.safetensors", SPEC, tiny_weights())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"", "not a safetensors"),
        (lambda content: b"hello, this is a text file", "not a safetensors"),
        (lambda content: content[:-1], "cut short"),
        (lambda content: content[:100], "cut short"),
        (lambda content: content + b"\0", "cut short"),
        (lambda content: content[:8] + b"{?" + content[10:], "header is damaged"),
        (lambda content: struct.pack("<Q", 2) + b"{}", "no description"),
        (lambda content: struct.pack("<Q", 9) + b'{"a":[1]}', "header is damaged"),
    ],
)
def test_damaged_files_are_refused(
    tiny_model_path: Path, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(damage(tiny_model_path.read_bytes()))
    for read in (read_spec, read_model):
        with pytest.raises(ModelFileError, match=rf"damaged\.safetensors cannot be used.*{message}"):
            read(path)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="There is no model file"):
        read_model(tmp_path / "none.safetensors")
    with pytest.raises(ModelFileError, match="could not be read"):
        read_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=2), "'format' must be 1, which this program reads"),
        (lambda d: d.pop("format"), "field 'format' is missing"),
        (lambda d: d.update(colour="red"), "unknown field 'colour'"),
        (lambda d: d["architecture"].update(depth=3), "unknown field 'architecture.depth'"),
        (lambda d: d.pop("classes"), "field 'classes' is missing"),
        (
            lambda d: d["architecture"].update(experts="three"),
            "'architecture.experts' must be a valid integer",
        ),
        (lambda d: d["architecture"].update(experts=True), "'architecture.experts' must be a valid integer"),
        (
            lambda d: d["architecture"].update(experts=0),
            "'architecture.experts' must be greater than or equal to 1",
        ),
        (lambda d: d["architecture"].update(layers=[1, 1, 1]), r"'architecture.layers\[3\]' is missing"),
        (
            lambda d: d["architecture"].update(block="dense"),
            "'architecture.block' must be 'basic' or 'bottleneck'",
        ),
        (lambda d: d["architecture"].update(kind="vgg"), "'architecture.kind' must be 'semc' or 'sononet'"),
        (lambda d: d["architecture"].update(kind="sononet"), "no experts"),
        (lambda d: d.update(none_class="Background"), "one of them Background"),
        (lambda d: d.update(none_class="LLP"), "class NSP must be the one"),
        (lambda d: d.update(architecture=[]), "'architecture' must be an object"),
        (lambda d: d.update(classes=["FHP1", "FHP1", "NSP"]), "classes must be different"),
        (lambda d: d["preprocessing"].update(std=[0.0]), "std above 0"),
        (lambda d: d["preprocessing"].update(height=7), "within 32-2048"),
        (lambda d: d["preprocessing"].update(fit="squeeze"), "fit = 'squeeze'"),
        (lambda d: d["thresholds"].update(leave=0.9), "leave < enter"),
        (lambda d: d["thresholds"].update(min_hold_s=-1.0), "negative time"),
        (lambda d: d["calibration"].update(temperature=0), "temperature above 0"),
        (
            lambda d: d["calibration"].update(temperature=float("nan")),
            "'calibration.temperature' must be a finite number",
        ),
        (lambda d: d["calibration"].update(novelty_slope=4.0), "novelty that it does not hold"),
        (lambda d: d["calibration"].update(novelty_planes=["NSP"]), "planes that it does not have"),
    ],
)
def test_wrong_descriptions_are_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = rewritten(tmp_path / "wrong.safetensors", change)
    with pytest.raises(ModelFileError, match=message):
        read_model(path)


def test_files_from_before_there_were_foreign_models_are_read(tmp_path: Path) -> None:
    def older(data: dict[str, Any]) -> None:
        del data["none_class"], data["architecture"]["kind"]
        del data["preprocessing"]["per_image"], data["preprocessing"]["mask"]

    assert replace(read_spec(rewritten(tmp_path / "older.safetensors", older)), sha256="") == SPEC


def test_files_from_before_parts_could_be_left_out_have_them_all(tmp_path: Path) -> None:
    def older(data: dict[str, Any]) -> None:
        del data["architecture"]["ace"], data["architecture"]["samc"]

    assert replace(read_spec(rewritten(tmp_path / "older.safetensors", older)), sha256="") == SPEC


def test_files_from_before_directions_counted_measure_the_features_as_they_are(tmp_path: Path) -> None:
    def older(data: dict[str, Any]) -> None:
        del data["calibration"]["novelty_direction"], data["calibration"]["novelty_planes"]

    read = read_spec(rewritten(tmp_path / "older.safetensors", older))
    assert replace(read, sha256="") == SPEC
    assert not read.calibration.novelty_direction


def test_fields_with_a_default_may_be_missing(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "short.safetensors", lambda d: (d.pop("notice"), d.pop("thresholds")))
    assert read_spec(path).thresholds == Thresholds()


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"conv1.weight": np.zeros((8, 3, 7, 7), np.float32)}, "has the shape"),
        ({"bn1.bias": np.full(8, np.nan, np.float32)}, "not finite"),
        ({"bn1.running_var": np.full(8, -1, np.float32)}, "negative variance"),
        ({"bn1.bias": np.zeros(8, np.float64)}, "float64 and not float32"),
        ({"surplus": np.zeros(1, np.float32)}, "unknown tensor surplus"),
        ({"novelty.mean": np.zeros((1, 64), np.float32)}, "not all of"),
        (
            {
                "novelty.mean": np.zeros((1, 63), np.float32),
                "novelty.whiten": np.zeros((64, 2), np.float32),
                "novelty.limit": np.ones((), np.float32),
            },
            r"must be \(M, 64\)",
        ),
        (
            {
                "novelty.mean": np.zeros((1, 64), np.float32),
                "novelty.whiten": np.zeros((64, 2), np.float32),
                "novelty.limit": np.zeros((), np.float32),
            },
            "limit must be above 0",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path: Path, tensors: Arrays, message: str) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(safetensors.numpy.save(tiny_weights() | tensors, {METADATA_KEY: spec_to_json(SPEC)}))
    with pytest.raises(ModelFileError, match=message):
        read_model(path)


@pytest.mark.parametrize(
    "spec",
    [
        replace(SPEC, provenance={"when": object()}),
        replace(SPEC, metrics={"accuracy": float("nan")}),
        replace(SPEC, preprocessing=Preprocessing(64, 64, mean=(0.0, 0.0))),
    ],
)
def test_descriptions_that_could_not_be_read_back_are_not_written(tmp_path: Path, spec: ModelSpec) -> None:
    with pytest.raises(ModelFileError):
        write_model(tmp_path / "model.safetensors", spec, tiny_weights())
    assert not list(tmp_path.iterdir())
