"""Precisions, and the way back from half precision: tried on the CPU, which does the same steps as a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import write_model
from semc_core.pipeline.batch import review
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import PipelineSettings
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.runtime.torch.network import FoldedSemc, folded_network
from semc_core.runtime.torch.runtime import Slot, TorchRuntime, run_frames
from semc_core.session.session import Session
from semc_core.sources.simulated import SimulatedSource
from semc_core.types import Thresholds

Load = Callable[..., TorchRuntime]
TOO_LARGE = 1e5


@pytest.fixture
def load() -> Iterator[Load]:
    before = torch.get_num_threads()
    loaded: list[TorchRuntime] = []

    def load_one(path: Path, precision: str, device: str = "cpu") -> TorchRuntime:
        loaded.append(TorchRuntime(path, device, 1, precision))
        return loaded[-1]

    yield load_one
    for runtime in loaded:
        runtime.close()
    torch.set_num_threads(before)


@pytest.fixture
def overflowing(tmp_path: Path) -> Path:
    """A model that names every picture FHP1, and whose features do not fit in half precision.

    A black picture's do: it is found out when the first real one comes.
    """
    spec = new_spec("semc_tiny", LIVER_CLASSES)
    weights = random_weights(spec.architecture, len(spec.classes))
    weights["bn1.weight"] *= np.float32(TOO_LARGE)
    weights["bn1.running_mean"] *= np.float32(0)
    first = np.eye(1, len(spec.classes), dtype=np.float32)[0] * 20
    for expert in range(spec.architecture.experts):
        weights[f"classifiers.{expert}.weight"] *= np.float32(1e-9)
        weights[f"classifiers.{expert}.bias"] = first
    path = tmp_path / "overflowing.safetensors"
    # The preprocessing gives black the value 0, as the warm-up does.
    spec = replace(spec, preprocessing=replace(spec.preprocessing, mean=(0.0,)))
    write_model(path, spec, weights)
    return path


def noise_frames(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((count, 1, 64, 64)).astype(np.float32)


@pytest.mark.parametrize(("precision", "tolerance"), [("float16", 2e-2), ("bfloat16", 1e-1)])
def test_lower_precisions_agree_with_float32(
    load: Load, tiny_model_path: Path, precision: str, tolerance: float
) -> None:
    reference = load(tiny_model_path, "float32").classify(noise_frames(4))
    for ours, theirs in zip(
        load(tiny_model_path, precision).classify(noise_frames(4)), reference, strict=True
    ):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=tolerance)
        np.testing.assert_allclose(ours.expert_weights, theirs.expert_weights, atol=tolerance)


def test_a_frame_has_one_answer_whatever_came_with_it(load: Load, tiny_model_path: Path) -> None:
    runtime = load(tiny_model_path, "float16")
    frames = noise_frames(8)
    together = runtime.raw(frames)
    for count in (1, 3):
        some = runtime.raw(frames[:count])
        assert np.array_equal(some.logits, together.logits[:count])
        assert np.array_equal(some.maps, together.maps[:count])


def test_frames_in_flight_come_back_in_their_order(tiny_model_path: Path, load: Load) -> None:
    spec = load(tiny_model_path, "float32").spec
    network = folded_network(spec, random_weights(spec.architecture, 7), torch.float32)
    slots = [Slot(network, (1, 64, 64), torch.device("cpu")) for _ in range(3)]
    frames = noise_frames(7)
    one_by_one = [run_frames(slots[:1], frames[i : i + 1]).logits for i in range(7)]
    assert np.array_equal(run_frames(slots, frames).logits, np.concatenate(one_by_one))
    assert np.array_equal(run_frames(slots, frames[:2]).logits, np.concatenate(one_by_one[:2]))


def test_a_precision_that_pytorch_does_not_have_is_refused(tiny_model_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="not in int8"):
        load_runtime(tiny_model_path, "torch-cpu", 1, "int8")


def test_where_half_overflows_the_same_frame_is_answered_in_float32(load: Load, overflowing: Path) -> None:
    runtime = load(overflowing, "float16")
    assert runtime.device_name == "CPU, PyTorch half precision"
    (prediction,) = runtime.classify(noise_frames(1))
    (reference,) = load(overflowing, "float32").classify(noise_frames(1))
    np.testing.assert_allclose(prediction.probabilities, reference.probabilities, atol=1e-6)
    assert runtime.device_name == "CPU, PyTorch float32 (half precision overflowed)"
    assert prediction.device == runtime.device_name
    first = runtime.classify(noise_frames(1))[0].maps.tobytes()
    assert first == prediction.maps.tobytes()


def test_what_overflows_in_float32_too_is_a_fault_and_not_an_answer(load: Load, tmp_path: Path) -> None:
    spec = new_spec("semc_tiny", LIVER_CLASSES)
    weights = random_weights(spec.architecture, len(spec.classes))
    weights["classifiers.1.weight"] = np.full((7, 64), 3e38, np.float32)
    path = tmp_path / "model.safetensors"
    write_model(path, spec, weights)
    with pytest.raises(RuntimeFault, match="not finite"):
        load(path, "float16").classify(noise_frames(1))


def test_what_is_saved_says_that_it_was_answered_in_float32(load: Load, overflowing: Path) -> None:
    runtime = load(overflowing, "float16")
    source = SimulatedSource(seconds=1.5, width=160, height=120)
    at_once = Thresholds(enter=0.5, leave=0.4, min_hold_s=0.2)
    reviewed = list(review(source, runtime, at_once, batch=4))
    predictions = [r.prediction for part in reviewed for r in part.results if r.prediction is not None]
    assert len(predictions) > 30
    assert all(np.isfinite(p.probabilities).all() and np.isfinite(p.maps).all() for p in predictions)
    (saved,) = [event for part in reviewed for event in part.events if event.final]
    assert saved.best.prediction is not None
    assert saved.best.prediction.device == "CPU, PyTorch float32 (half precision overflowed)"


def test_a_live_scan_tells_that_it_fell_back(load: Load, overflowing: Path) -> None:
    def half() -> Runtime:
        return load(overflowing, "float16")

    engine: LivePipeline[Session] = LivePipeline(
        lambda: SimulatedSource(seconds=0.3, width=160, height=120),
        half,
        None,
        PipelineSettings(paced=False, save=False),
    )
    engine.start()
    assert engine.wait(60)
    engine.stop()
    assert engine.statistics().classified > 5
    assert "overflowed" in engine.device_name


def test_side_streams_are_for_gpus_alone(tiny_model_path: Path, load: Load) -> None:
    spec = load(tiny_model_path, "float32").spec
    network = folded_network(spec, random_weights(spec.architecture, 7), torch.float32)
    assert isinstance(network, FoldedSemc)
    assert network.side_streams == ()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no NVIDIA GPU here")
@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_the_graph_on_a_gpu_gives_what_the_network_gives(
    load: Load, tiny_model_path: Path, precision: str
) -> None:
    reference = load(tiny_model_path, "float32").raw(noise_frames(9))
    runtime = load(tiny_model_path, precision, "cuda")
    ours = runtime.raw(noise_frames(9))
    tolerance = (2e-2 if precision == "float16" else 1e-4) * float(reference.logits.std())
    np.testing.assert_allclose(ours.logits, reference.logits, rtol=0, atol=tolerance)
    assert np.array_equal(runtime.raw(noise_frames(1)).logits, ours.logits[:1])
