"""Checkpoints of other programs become models, and what is damaged or dangerous runs nothing."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from semc_core.cli import model
from semc_core.errors import ModelFileError, UsageError
from semc_core.imaging.preprocess import prepare, whole
from semc_core.labels import FETAL_CLASSES
from semc_core.model.file import read_model, read_spec
from semc_core.model.importers import NO_GATE_NOTICE, import_checkpoint, load_released, read_checkpoint
from semc_core.picture import Picture
from semc_core.pipeline.stages import DecisionStage, PreparedFrame
from semc_core.runtime.load import load_runtime
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.runtime.torch.runtime import TorchRuntime
from semc_core.types import Crop, FramePacket, Prediction
from tests.cli import commands
from tests.model.checkpoints import (
    RELEASED_CLASSES,
    released_checkpoint,
    released_state,
    shrink_released,
    sononet_checkpoint,
)
from tests.skips import REAL_DATA

SONONET = REAL_DATA / "sononet"
EXAMPLES = {
    "3VV": "3VV",
    "4CH": "4CH",
    "ABDOMINAL": "Abdominal",
    "BRAIN-CB": "Brain(Cb)",
    "BRAIN-TV": "Brain(Tv)",
    "FEMUR": "Femur",
    "KIDNEYS": "Kidneys",
    "LIPS": "Lips",
    "LVOT": "LVOT",
    "PROFILE": "Profile",
    "RVOT": "RVOT",
    "SPINE-CORONAL": "Spine(cor)",
    "SPINE-SAGITTAL": "Spine(sag)",
}


def run(*arguments: str) -> int:
    return commands.run(model.app, *arguments)


@pytest.fixture
def released_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shrink_released(monkeypatch)
    path = tmp_path / "released.pth.tar"
    torch.save(released_checkpoint(), path)
    return path


@pytest.fixture
def sononet_path(tmp_path: Path) -> Path:
    path = tmp_path / "SonoNet16.pth"
    torch.save(sononet_checkpoint(), path)
    return path


def test_the_authors_checkpoint_becomes_a_model_that_weighs_the_experts_equally(
    released_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model.safetensors"
    assert run("import", str(released_path), "--classes", ",".join(RELEASED_CLASSES), "--out", str(out)) == 0
    shown = capsys.readouterr().out
    for part in ("queue (1 tensor)", "queue_ptr", "fusion_convs", "gate (1 tensor)", NO_GATE_NOTICE):
        assert part in shown
    spec = read_spec(out)
    assert spec.classes == RELEASED_CLASSES
    assert spec.architecture.gate_input == "mean"
    assert NO_GATE_NOTICE in spec.notice
    state = read_checkpoint(released_path)
    inputs = np.random.default_rng(1).random((2, 3, 64, 64), np.float32)
    with torch.inference_mode():
        theirs = load_released(state).details(torch.from_numpy(inputs)).expert_logits.mean(dim=1)
    expected = torch.softmax(theirs, dim=1).numpy()
    for runtime in (OpenVinoRuntime(out, 1, tmp_path / "cache"), TorchRuntime(out, "cpu", 1)):
        for row, prediction in zip(expected, runtime.classify(inputs), strict=True):
            np.testing.assert_allclose(prediction.probabilities, row, atol=1e-4)
            np.testing.assert_allclose(prediction.expert_weights, 1 / 3, atol=1e-6)
        runtime.close()


def test_info_says_that_there_is_no_gate(
    released_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model.safetensors"
    import_checkpoint(released_path, out, RELEASED_CLASSES)
    assert run("info", str(out), "--json") == 0
    assert "every expert counts the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("classes", "options", "message"),
    [
        (None, {}, "7 classes without names"),
        (("A", "B"), {}, "7 classes and 2 names"),
        (("A", "A", "B", "C", "D", "E", "NSP"), {}, "7 different names"),
        (tuple("ABCDEFG"), {}, "None of the classes is NSP.*--none-class.*--add-none"),
        (tuple("ABCDEFG"), {"none_class": "H"}, "None of the classes is H"),
        (RELEASED_CLASSES, {"none_class": "HRP"}, "rename that class"),
        (RELEASED_CLASSES, {"add_none": True}, "leave --add-none away"),
    ],
)
def test_class_names_that_do_not_fit_are_refused(
    released_path: Path,
    tmp_path: Path,
    classes: tuple[str, ...] | None,
    options: dict[str, str | bool],
    message: str,
) -> None:
    with pytest.raises(UsageError, match=message):
        import_checkpoint(released_path, tmp_path / "model.safetensors", classes, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "model.safetensors").exists()


def test_another_class_can_mean_none_of_these(released_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.safetensors"
    spec = import_checkpoint(released_path, out, tuple("ABCDEFG"), none_class="G").spec
    assert (spec.none_class, spec.planes) == ("G", tuple("ABCDEF"))
    assert read_spec(out).none_class == "G"


def test_a_class_for_none_of_these_can_be_added_and_is_never_named(
    released_path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model.safetensors"
    spec = import_checkpoint(released_path, out, tuple("ABCDEFG"), add_none=True).spec
    assert spec.classes == (*"ABCDEFG", "NSP")
    assert "no class for none of these" in spec.notice
    runtime = TorchRuntime(out, "cpu", 1)
    (prediction,) = runtime.classify(np.zeros((1, 3, 64, 64), np.float32))
    assert prediction.probabilities[7] < 1e-9


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "plain pickle"])
@pytest.mark.requirement("M1")
def test_a_malicious_checkpoint_runs_nothing(tmp_path: Path, zipped: bool) -> None:
    trap, path = tmp_path / "trap", tmp_path / "evil.pth"
    content = {"features.0.0.0.weight": torch.zeros(16, 1, 3, 3), "state_dict": Payload(trap)}
    if zipped:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(Payload(trap)))
    with pytest.raises(ModelFileError, match=r"evil\.pth was not imported, and nothing in it was run"):
        import_checkpoint(path, tmp_path / "model.safetensors")
    assert not trap.exists()
    assert not (tmp_path / "model.safetensors").exists()


def test_damaged_checkpoints_are_refused_with_one_sentence(sononet_path: Path, tmp_path: Path) -> None:
    whole_file = sononet_path.read_bytes()
    rng = np.random.default_rng(5)
    damaged = [b"", b"text", b"PK\x03\x04", whole_file[:1000], whole_file[: len(whole_file) // 2]]
    damaged += [pickle.dumps([1, 2, 3]), pickle.dumps({"a": 1}), b"\x80\x02" + rng.bytes(200)]
    path = tmp_path / "damaged.pth"
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=r"damaged\.pth"):
            import_checkpoint(path, tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match="There is no checkpoint"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(ModelFileError, match="could not be read"):
        read_checkpoint(tmp_path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_released(monkeypatch)
    path = tmp_path / "other.pth"
    for state, message in (
        ({"conv1.weight": torch.zeros(64, 3, 7, 7)}, "neither"),
        ({}, "no state dict"),
        ({"features.0.0.0.weight": torch.zeros(5, 1, 3, 3)}, "no SonoNet"),
        ({**sononet_checkpoint(), "extra": torch.zeros(1)}, "at extra"),
        ({n: v for n, v in sononet_checkpoint().items() if n != "adaption.4.bias"}, "at adaption.4.bias"),
        ({n: v.int() for n, v in released_state().items()}, "does not fit"),
        (sononet_checkpoint() | {"adaption.4.bias": torch.full((14,), torch.nan)}, "not finite"),
    ):
        torch.save(state, path)
        with pytest.raises(ModelFileError, match=message):
            import_checkpoint(path, tmp_path / "model.safetensors")


def test_sononet_runs_through_both_runtimes_with_exact_maps(sononet_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "sononet.safetensors"
    spec = import_checkpoint(sononet_path, out).spec
    assert spec.classes == FETAL_CLASSES
    assert spec.none_class == "Background"
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 255, (300, 400), np.uint8)
    inputs = prepare(picture, whole(picture), spec.preprocessing)[None]
    openvino, pytorch = OpenVinoRuntime(out, 1, tmp_path / "cache"), TorchRuntime(out, "cpu", 1)
    first, second = openvino.raw(inputs), pytorch.raw(inputs)
    np.testing.assert_allclose(first.logits, second.logits, atol=1e-4 * np.abs(second.logits).max())
    np.testing.assert_allclose(first.maps, second.maps, atol=1e-4 * np.abs(second.maps).max())
    np.testing.assert_allclose(first.pooled, second.pooled, atol=1e-4 * np.abs(second.pooled).max())
    assert first.maps.shape == (1, 14, 14, 18)
    _, arrays = read_model(out)
    scale = arrays["adaption.4.weight"] / np.sqrt(arrays["adaption.4.running_var"] + 1e-5)
    bias = arrays["adaption.4.bias"] - arrays["adaption.4.running_mean"] * scale
    for raw in (first, second):
        np.testing.assert_allclose(raw.maps.mean(axis=(2, 3)) + bias, raw.logits, atol=1e-4)
    openvino.close()
    pytorch.close()


def test_sononet_in_half_precision_keeps_its_large_variances(sononet_path: Path, tmp_path: Path) -> None:
    """What CUDA runs, tried on the CPU, so that it is tried where there is no GPU."""
    out = tmp_path / "sononet.safetensors"
    import_checkpoint(sononet_path, out)
    _, arrays = read_model(out)
    assert arrays["features.0.0.1.running_var"].max() > np.finfo(np.float16).max
    runtime = TorchRuntime(out, "cpu", 1, "float16")
    halved, reference = runtime.raw(arrays["verify.inputs"]).logits, arrays["verify.logits"]
    assert "half precision" in runtime.device_name
    assert "overflowed" not in runtime.device_name
    np.testing.assert_allclose(halved, reference, rtol=0, atol=5e-2 * float(reference.std()))
    runtime.close()


def test_background_is_none_of_these(sononet_path: Path, tmp_path: Path) -> None:
    spec = import_checkpoint(sononet_path, tmp_path / "sononet.safetensors").spec
    assert "Background" not in spec.planes
    assert len(spec.planes) == 13
    conclusions = DecisionStage(spec.classes, spec.thresholds, none_class=spec.none_class)
    labels = []
    for index, name in enumerate(["Background"] * 3 + ["Femur"] * 60):
        pixels = np.full((8, 8), index, np.uint8)
        packet = FramePacket("test", index, index / 30, 0.0, Picture(pixels))
        probabilities = np.full(14, 0.02 / 13, np.float32)
        probabilities[spec.classes.index(name)] = 0.98
        prediction = Prediction(probabilities, 0.0, np.zeros((14, 1, 1), np.float32), np.ones(1, np.float32))
        looked = PreparedFrame(packet, "live", True, whole(pixels), None)
        labels.append(conclusions.conclude(looked, prediction).result.label)
    assert (labels[0], labels[-1]) == ("NSP", "Femur")
    assert [event.plane for event in conclusions.finish()] == ["Femur"]


@pytest.mark.real_data("sononet")
@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_sononet_names_all_of_its_examples(
    tmp_path: Path, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")
    out = tmp_path / "sononet.safetensors"
    spec = import_checkpoint(SONONET / "SonoNet16.pth", out).spec
    runtime = load_runtime(out, device, threads=1)
    crop = Crop(81, 115, 793, 619)  # the one that was published with the examples
    named = {}
    for path in sorted(SONONET.glob("*.png")):
        read = cv2.imread(str(path))
        assert read is not None
        pixels = cv2.cvtColor(read, cv2.COLOR_BGR2RGB).astype(np.uint8)
        (prediction,) = runtime.classify(prepare(pixels, crop, spec.preprocessing)[None])
        named[path.stem] = spec.classes[int(prediction.probabilities.argmax())]
    runtime.close()
    assert named == EXAMPLES
