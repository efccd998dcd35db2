"""What `Runtime` promises, held against each runtime with a real, tiny model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import ModelFileError, RuntimeFault, UsageError
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import read_model, write_model
from semc_core.model.spec import Architecture
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import RUNTIMES, load_runtime, nvidia_gpu_present
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from tests.model.forms import FORMS, TINY
from tests.runtime.elsewhere import classified_elsewhere, digest_of, noise_frames

DEVICES = tuple(RUNTIMES)
Load = Callable[..., Runtime]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """`load_runtime` with its own cache folder; what it loaded is closed in the end."""
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")
    loaded: list[Runtime] = []

    def load_one(path: Path, device: str) -> Runtime:
        if device == "cuda" and not nvidia_gpu_present():
            pytest.skip("no NVIDIA GPU here")
        # A tiny network gains nothing from PyTorch's threads, and they wait for each other on busy machines.
        loaded.append(load_runtime(path, device, threads=2 if device == "cpu" else 1))
        return loaded[-1]

    yield load_one
    for runtime in loaded:
        runtime.close()


def model_with(path: Path, architecture: Architecture, **changed: NDArray[np.float32]) -> Path:
    """An untrained model file of `architecture`, with some tensors replaced (dots as double underscores)."""
    spec = replace(new_spec("semc_tiny", LIVER_CLASSES), architecture=architecture)
    channels = architecture.in_channels
    spec = replace(
        spec, preprocessing=replace(spec.preprocessing, mean=(0.2,) * channels, std=(0.2,) * channels)
    )
    named = {name.replace("__", "."): value for name, value in changed.items()}
    write_model(path, spec, random_weights(architecture, len(spec.classes)) | named)
    return path


@pytest.mark.parametrize("device", DEVICES)
def test_predictions_have_the_promised_form(load: Load, tiny_model_path: Path, device: str) -> None:
    runtime = load(tiny_model_path, device)
    assert runtime.spec.classes == LIVER_CLASSES
    assert runtime.device_name
    for prediction in runtime.classify(noise_frames(2)):
        assert prediction.probabilities.shape == (7,)
        assert prediction.probabilities.dtype == np.float32
        assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert prediction.expert_weights.sum() == pytest.approx(1, abs=1e-5)
        assert prediction.maps.shape == (7, 2, 2)
        assert prediction.novelty > 0
        for values in (prediction.probabilities, prediction.maps, prediction.expert_weights):
            assert not values.flags.writeable


@pytest.mark.parametrize("device", DEVICES)
def test_the_batch_does_not_change_the_answer(load: Load, tiny_model_path: Path, device: str) -> None:
    runtime = load(tiny_model_path, device)
    frames = noise_frames(8)
    tolerance = 2e-3 if device == "cuda" else 1e-5
    alone = [runtime.classify(frames[i : i + 1])[0] for i in range(8)]
    for count in (1, 3, 8):
        for single, batched in zip(alone, runtime.classify(frames[:count]), strict=False):
            np.testing.assert_allclose(batched.probabilities, single.probabilities, atol=tolerance)
            np.testing.assert_allclose(batched.expert_weights, single.expert_weights, atol=tolerance)
            assert batched.novelty == pytest.approx(single.novelty, rel=10 * tolerance)


@pytest.mark.parametrize("device", DEVICES)
def test_a_hundred_calls_give_the_same_bytes(load: Load, tiny_model_path: Path, device: str) -> None:
    runtime = load(tiny_model_path, device)
    frames = noise_frames(1)
    assert len({digest_of(runtime.classify(frames)) for _ in range(100)}) == 1


@pytest.mark.parametrize("device", DEVICES)
def test_maps_add_up_to_the_logits(load: Load, tiny_model_path: Path, device: str) -> None:
    runtime = load(tiny_model_path, device)
    _, arrays = read_model(tiny_model_path)
    biases = np.stack([arrays[f"classifiers.{e}.bias"] for e in range(3)])
    for prediction in runtime.classify(noise_frames(2)):
        logits = prediction.maps.mean(axis=(1, 2)) + prediction.expert_weights @ biases
        odds = np.exp(logits - logits.max())
        np.testing.assert_allclose(odds / odds.sum(), prediction.probabilities, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_the_runtimes_agree(load: Load, tmp_path: Path, form: str) -> None:
    path = model_with(tmp_path / "model.safetensors", FORMS[form])
    frames = np.repeat(noise_frames(3), FORMS[form].in_channels, axis=1)
    through_openvino = load(path, "cpu").classify(frames)
    through_torch = load(path, "torch-cpu").classify(frames)
    for ours, reference in zip(through_openvino, through_torch, strict=True):
        np.testing.assert_allclose(ours.probabilities, reference.probabilities, atol=1e-4)
        np.testing.assert_allclose(ours.expert_weights, reference.expert_weights, atol=1e-4)
        np.testing.assert_allclose(ours.maps, reference.maps, atol=1e-4 * np.abs(reference.maps).max())


def test_cuda_agrees_within_half_precision(load: Load, tiny_model_path: Path) -> None:
    reference = load(tiny_model_path, "torch-cpu").classify(noise_frames(8))
    halved = load(tiny_model_path, "cuda").classify(noise_frames(8))
    for ours, theirs in zip(halved, reference, strict=True):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=2e-2)


@pytest.mark.parametrize("device", DEVICES)
def test_numbers_that_are_not_finite_are_a_fault(load: Load, tmp_path: Path, device: str) -> None:
    huge = np.full((7, 64), 3e38, np.float32)
    path = model_with(tmp_path / "model.safetensors", TINY, classifiers__1__weight=huge)
    with pytest.raises(RuntimeFault, match="not finite"):
        load(path, device).classify(noise_frames(1))


@pytest.mark.parametrize("device", DEVICES)
def test_frames_prepared_for_another_model_are_refused(
    load: Load, tiny_model_path: Path, device: str
) -> None:
    runtime = load(tiny_model_path, device)
    for wrong in (
        np.zeros((1, 3, 64, 64), np.float32),
        np.zeros((1, 64, 64), np.float32),
        np.zeros((0, 1, 64, 64), np.float32),
    ):
        with pytest.raises(RuntimeFault, match="prepare them"):
            runtime.classify(wrong)


@pytest.mark.parametrize("device", DEVICES)
def test_closed_twice_it_classifies_no_more(load: Load, tiny_model_path: Path, device: str) -> None:
    runtime = load(tiny_model_path, device)
    runtime.close()
    runtime.close()
    with pytest.raises(RuntimeFault, match="closed"):
        runtime.classify(noise_frames(1))


@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_a_missing_model_file_is_said(load: Load, tmp_path: Path, device: str) -> None:
    with pytest.raises(ModelFileError, match="There is no model file"):
        load(tmp_path / "none.safetensors", device)


def test_wrong_devices_are_refused(tiny_model_path: Path) -> None:
    with pytest.raises(UsageError, match="'tpu'"):
        load_runtime(tiny_model_path, "tpu")
    if not nvidia_gpu_present():
        with pytest.raises(RuntimeFault, match="no NVIDIA GPU"):
            load_runtime(tiny_model_path, "cuda")


def test_a_cache_that_cannot_be_written_is_done_without(
    tiny_model_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be", encoding="utf-8")
    runtime = OpenVinoRuntime(tiny_model_path, threads=1, cache=tmp_path / "taken")
    assert len(runtime.classify(noise_frames(1))) == 1
    assert "not kept" in caplog.text


def test_another_process_gives_the_same_bytes_and_needs_no_pytorch(
    tiny_model_path: Path, tmp_path: Path
) -> None:
    runtime = OpenVinoRuntime(tiny_model_path, threads=1, cache=tmp_path / "other cache")
    here = digest_of(runtime.classify(noise_frames(2)))
    runtime.close()
    # The second run takes the compiled model from the cache that the first one filled.
    assert [classified_elsewhere(tiny_model_path, tmp_path / "cache") for _ in range(2)] == [here] * 2
