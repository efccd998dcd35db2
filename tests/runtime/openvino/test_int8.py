"""int8: what a model file holds of it, what is refused, and that it hardly changes what is said."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from semc_core.errors import ModelFileError, RuntimeFault, UsageError
from semc_core.model.architecture import random_weights
from semc_core.model.file import INT8_PREFIX, read_model, write_model
from semc_core.runtime.load import load_runtime
from semc_core.runtime.openvino.graph import build_graph
from semc_core.runtime.openvino.runtime import OpenVinoRuntime, integer_convolutions, make_integer
from semc_core.runtime.quantize import ranged_arrays
from semc_core.types import Prediction
from tests.runtime.elsewhere import classified_elsewhere, digest_of, noise_frames

needs_nncf = pytest.mark.skipif(
    importlib.util.find_spec("nncf") is None, reason="NNCF is not installed (it comes with the extra train)"
)


pytestmark = pytest.mark.long


def pictures(count: int, seed: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, 1, 64, 64)).astype(np.float32)


@pytest.fixture
def quantised(tiny_model_path: Path, tmp_path: Path) -> Path:
    """The tiny model with the simplest quantisation."""
    spec, arrays = read_model(tiny_model_path)
    path = tmp_path / "int8.safetensors"
    write_model(path, spec, arrays | ranged_arrays(spec, arrays, pictures(8)))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[Prediction]]:
    """Classify pictures with a model file, with a cache of its own."""

    def classify(path: Path, inputs: NDArray[np.float32], precision: str = "auto") -> list[Prediction]:
        runtime = OpenVinoRuntime(path, 1, tmp_path / "cache", precision)
        try:
            return runtime.classify(inputs)
        finally:
            runtime.close()

    return classify


def test_a_quantised_file_runs_in_int8_and_still_in_float32(
    quantised: Path, tiny_model_path: Path, tmp_path: Path, run: Callable[..., list[Prediction]]
) -> None:
    runtime = OpenVinoRuntime(quantised, 1, tmp_path / "cache")
    assert runtime.device_name == "CPU, OpenVINO int8"
    given = np.stack([p.probabilities for p in runtime.classify(pictures(4))])
    runtime.close()
    reference = np.stack([p.probabilities for p in run(tiny_model_path, pictures(4))])
    same = np.stack([p.probabilities for p in run(quantised, pictures(4), "float32")])
    np.testing.assert_array_equal(same, reference)
    assert 0 < np.abs(given - reference).max() < 0.2


def test_the_convolutions_are_integer_ones(quantised: Path) -> None:
    spec, arrays = read_model(quantised)
    graph = build_graph(spec, arrays, 1)
    make_integer(graph, arrays)
    compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kinds = [
        node.get_rt_info()["primitiveType"].astype(str)
        for node in compiled.get_runtime_model().get_ops()
        if node.get_rt_info()["layerType"].astype(str) == "Convolution"
    ]
    integer = sum(kind.endswith(("_I8", "_i8")) for kind in kinds)
    assert integer >= len(list(integer_convolutions(build_graph(spec, arrays, 1)))) - 2, kinds


def test_int8_gives_the_same_bytes_every_time_and_in_every_batch(
    quantised: Path, run: Callable[..., list[Prediction]]
) -> None:
    frames = pictures(8)
    alone = [run(quantised, frames[i : i + 1])[0].probabilities.tobytes() for i in range(8)]
    for count in (1, 3, 8):
        assert [p.probabilities.tobytes() for p in run(quantised, frames[:count])] == alone[:count]


def test_int8_gives_the_same_bytes_in_a_hundred_calls_and_in_another_process(
    quantised: Path, tmp_path: Path
) -> None:
    runtime = OpenVinoRuntime(quantised, 1, tmp_path / "cache")
    assert len({digest_of(runtime.classify(noise_frames(1))) for _ in range(100)}) == 1
    assert digest_of(runtime.classify(noise_frames(2))) == classified_elsewhere(quantised, tmp_path / "other")
    runtime.close()


def test_what_cannot_be_run_is_refused(tiny_model_path: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="semc model quantise"):
        load_runtime(tiny_model_path, "cpu", 1, "int8")
    with pytest.raises(RuntimeFault, match="float16"):
        load_runtime(tiny_model_path, "cpu", 1, "float16")
    with pytest.raises(UsageError, match="'int4'"):
        load_runtime(tiny_model_path, "cpu", 1, "int4")


def test_bfloat16_is_run_where_the_processor_has_it_and_else_refused(
    tiny_model_path: Path, run: Callable[..., list[Prediction]]
) -> None:
    if "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(RuntimeFault, match="no bfloat16"):
            run(tiny_model_path, pictures(1), "bfloat16")
        return
    given, reference = (run(tiny_model_path, pictures(4), p) for p in ("bfloat16", "float32"))
    for ours, theirs in zip(given, reference, strict=True):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=0.05)


@pytest.mark.parametrize(
    "change",
    [
        {"int8.layer9.0.conv1.input": np.array([0, 1], np.float32)},
        {"int8.layer1.0.conv1.input": np.array([2, 1], np.float32)},
        {"int8.layer1.0.conv1.input": np.zeros((3,), np.float32)},
        {"int8.layer1.0.conv1.step": np.ones((5,), np.float32)},
        {"int8.layer1.0.conv1.step": -np.ones((8,), np.float32)},
        {"int8.layer1.0.conv1.bias": np.ones((9,), np.float32)},
        {"int8.layer1.0.conv1": np.ones((8,), np.float32)},
    ],
)
def test_a_quantisation_that_does_not_fit_is_refused(
    quantised: Path, tmp_path: Path, change: dict[str, NDArray[np.float32]]
) -> None:
    spec, arrays = read_model(quantised)
    broken = tmp_path / "broken.safetensors"
    write_model(broken, spec, arrays | change)
    with pytest.raises(ModelFileError, match="quantise the model again"):
        OpenVinoRuntime(broken, 1, tmp_path / "cache")


@needs_nncf
@pytest.mark.filterwarnings("ignore")  # NNCF's and those of what it imports
def test_nncf_calibrates_and_the_weights_leave_room_for_sums_of_16_bits(
    tiny_model_path: Path, tmp_path: Path, run: Callable[..., list[Prediction]]
) -> None:
    from semc_core.runtime.quantize import quantized_arrays

    spec, _ = read_model(tiny_model_path)
    # The fewer nodes, the sooner: NNCF's search for patterns takes most of the time.
    spec = replace(spec, architecture=replace(spec.architecture, experts=1, ace=False))
    arrays = random_weights(spec.architecture, len(spec.classes))
    before = tmp_path / "float32.safetensors"
    write_model(before, spec, arrays)
    left = ("layer2.", "layer3.")
    made = quantized_arrays(spec, arrays, list(pictures(4)), left)
    chosen = [
        node
        for node in integer_convolutions(build_graph(spec, arrays, 1))
        if not node.get_friendly_name().startswith(left)
    ]
    assert {n for n in made if n.endswith(".step")} == {
        f"{INT8_PREFIX}{node.get_friendly_name()}.step" for node in chosen
    }
    for node in chosen:
        weights = node.input(1).get_source_output().get_node().get_data()
        steps = made[f"{INT8_PREFIX}{node.get_friendly_name()}.step"]
        assert np.rint(np.abs(weights) / steps[:, None, None, None]).max() <= 64
    path = tmp_path / "int8.safetensors"
    write_model(path, spec, arrays | made)
    frames = pictures(8, seed=4)
    for ours, theirs in zip(run(path, frames), run(before, frames), strict=True):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=0.1)
