"""A quantised model is kept only if it hardly changes what is said. Simple ranges stand in for NNCF's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.model.file import INT8_PREFIX, VERIFY_INT8, Arrays, read_model, write_model
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import build_network, verification_tensors
from semc_core.runtime import quantize
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.runtime.quantize import (
    LEAST_MEASURED,
    Picture,
    Pictures,
    folder_pictures,
    quantize_file,
    ranged_arrays,
    simulated_pictures,
)
from semc_core.runtime.verify import verify


@pytest.fixture
def model(tiny_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model with what it can be verified by."""
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")
    spec, arrays = read_model(tiny_model_path)
    path = tmp_path / "model.safetensors"
    network = build_network(spec.architecture, len(spec.classes), arrays)
    write_model(path, spec, arrays | verification_tensors(network, spec))
    return path


@pytest.fixture
def pictures(model: Path) -> Pictures:
    """Noise that float32 is surest about, labelled by what float32 says of it."""
    noise = np.random.default_rng(7).standard_normal((5 * LEAST_MEASURED, 1, 64, 64)).astype(np.float32)
    runtime = OpenVinoRuntime(model, 1, precision="float32")
    given = np.stack([p.probabilities for p in runtime.classify(noise)])
    runtime.close()
    best = np.sort(given, axis=1)
    surest = np.argsort(best[:, -2] / best[:, -1])[: LEAST_MEASURED + 8]
    labelled = [Picture(noise[i], int(given[i].argmax())) for i in surest]
    return Pictures(labelled[:8], labelled[8:], "noise")


def tried(monkeypatch: pytest.MonkeyPatch, spoiled: int) -> list[tuple[str, ...]]:
    """Put simple ranges in NNCF's place, useless ones in the first `spoiled` attempts. Lists the attempts."""
    attempts: list[tuple[str, ...]] = []

    def ranges(
        spec: ModelSpec,
        arrays: Arrays,
        calibration: list[NDArray[np.float32]],
        left: tuple[str, ...],
    ) -> Arrays:
        attempts.append(left)
        made = ranged_arrays(spec, arrays, np.stack(calibration))
        if len(attempts) <= spoiled:
            made |= {name: np.float32(1e-3) * v for name, v in made.items() if name.endswith(".input")}
        return {n: v for n, v in made.items() if not any(part in n for part in left)}

    monkeypatch.setattr(quantize, "quantized_arrays", ranges)
    monkeypatch.setattr(quantize, "require_nncf", lambda: None)
    return attempts


def test_what_says_the_same_is_written_with_what_it_can_be_verified_by(
    model: Path, pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = tried(monkeypatch, spoiled=0)
    out = tmp_path / "int8.safetensors"
    result = quantize_file(model, out, pictures, threads=1)
    assert result.accepted
    assert attempts == [()]
    assert (result.calibrated_on, result.measured_on) == (8, LEAST_MEASURED)
    assert result.accuracy_float32 == 1.0
    spec, arrays = read_model(out)
    assert VERIFY_INT8 in arrays
    assert spec.metrics["int8"]["agreement"] == result.agreement
    assert spec.provenance["int8"]["from"] == read_model(model)[0].sha256
    verified = {one.runtime: one for one in verify(out, threads=1)}
    assert verified["CPU, OpenVINO int8"].passed
    assert verified["CPU, OpenVINO float32"].passed


@pytest.mark.long
def test_what_says_something_else_is_tried_with_less_and_then_not_written(
    model: Path, pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = tried(monkeypatch, spoiled=3)
    out = tmp_path / "int8.safetensors"
    result = quantize_file(model, out, pictures, threads=1)
    assert not result.accepted
    assert attempts == [(), ("samc.",), ("samc.", "ace.")]
    assert result.agreement < quantize.LEAST_AGREEMENT
    assert not out.exists()


@pytest.mark.long
def test_the_second_attempt_says_what_it_left_in_float32(
    model: Path, pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried(monkeypatch, spoiled=1)
    out = tmp_path / "int8.safetensors"
    result = quantize_file(model, out, pictures, threads=1)
    assert result.accepted
    assert result.left_in_float32 == ("samc.",)
    assert not any(name.startswith(f"{INT8_PREFIX}samc.") for name in read_model(out)[1])


@pytest.mark.parametrize(
    ("lost", "agreement", "accepted"),
    [(0.0, 1.0, True), (0.004, 0.99, True), (0.006, 1.0, False), (0.0, 0.98, False)],
)
def test_half_a_point_and_one_picture_in_a_hundred_are_the_most_that_may_be_lost(
    lost: float, agreement: float, accepted: bool
) -> None:
    result = quantize.Quantized(8, 1000, 0.9, 0.9 - lost, agreement, ())
    assert result.accepted is accepted


def test_too_few_pictures_to_judge_by_are_refused(
    model: Path, pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried(monkeypatch, spoiled=0)
    with pytest.raises(UsageError, match="99 pictures to measure int8 on, and it takes 100 at least"):
        quantize_file(model, tmp_path / "o", replace(pictures, measured=pictures.measured[1:]), threads=1)


def test_no_patient_of_a_folder_is_on_both_sides(model: Path, tmp_path: Path) -> None:
    spec = read_model(model)[0]
    for patient in range(6):
        for place, name in enumerate(spec.classes[:2]):
            folder = tmp_path / "pictures" / name / f"patient {patient}"
            folder.mkdir(parents=True)
            # All of a patient's pictures have one gray level, by which it is known again below.
            cv2.imwrite(str(folder / "a.png"), np.full((80, 80), 20 + 30 * patient + place, np.uint8))
    found = folder_pictures(spec, tmp_path / "pictures")
    p = spec.preprocessing

    def patients(side: object) -> set[int]:
        assert isinstance(side, list)
        levels = [255 * (float(one.inputs.mean()) * p.std[0] + p.mean[0]) for one in side]
        return {round((level - 20.5) / 30) for level in levels}

    both = patients(found.calibration), patients(found.measured)
    assert not both[0] & both[1]
    assert both[0] | both[1] == set(range(6))


@pytest.mark.long
def test_simulated_pictures_are_for_models_of_the_simulated_scan(model: Path) -> None:
    spec = read_model(model)[0]
    made = simulated_pictures(spec, range(0, 1), range(1000, 1001))
    assert (len(made.calibration), len(made.measured)) == (12, 60)
    assert {picture.inputs.shape for picture in made.measured} == {(1, 64, 64)}
    assert len({picture.label for picture in made.measured}) > 1
    with pytest.raises(UsageError, match="--data"):
        simulated_pictures(replace(spec, classes=("A", "NSP")))
