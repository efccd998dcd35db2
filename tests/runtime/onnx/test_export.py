"""A network in ONNX gives in ONNX Runtime what this program gives, and says how to use it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import main
from semc_core.errors import RuntimeFault, UsageError
from semc_core.imaging.preprocess import prepare, whole
from semc_core.io.documents import plain_values
from semc_core.labels import LIVER_CLASSES
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import read_model, write_model
from semc_core.model.spec import Architecture
from semc_core.paths import SHIPPED_MODELS
from semc_core.runtime.onnx import export
from semc_core.runtime.onnx.compare import run_onnx
from semc_core.runtime.onnx.export import LIMIT, export_onnx
from semc_core.runtime.openvino.graph import OUTPUTS
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.types import Prediction
from tests.model.forms import FORMS, TINY

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.runtime.openvino.runtime.cache_folder", lambda: tmp_path / "cache")


def noise(path: Path, count: int) -> NDArray[np.float32]:
    spec, _ = read_model(path)
    p = spec.preprocessing
    size = count, spec.architecture.in_channels, p.height, p.width
    return np.random.default_rng(3).normal(size=size).astype(np.float32)


def predictions(path: Path, pictures: NDArray[np.float32]) -> list[Prediction]:
    runtime = OpenVinoRuntime(path, threads=1, precision="float32")
    try:
        return runtime.classify(pictures)
    finally:
        runtime.close()


def written(path: Path, architecture: Architecture) -> Path:
    spec = new_spec("semc_tiny", LIVER_CLASSES)
    channels = architecture.in_channels
    fits = replace(spec.preprocessing, mean=(0.2,) * channels, std=(0.2,) * channels)
    spec = replace(spec, architecture=architecture, preprocessing=fits)
    write_model(path, spec, random_weights(architecture, len(spec.classes)))
    return path


@pytest.mark.parametrize("form", [*FORMS, "SonoNet"])
def test_every_form_of_a_network_gives_the_same_in_onnx(form: str, tmp_path: Path) -> None:
    sononet = replace(TINY, kind="sononet", width=16, experts=1, gate_input="mean", ace=False, samc=False)
    path = written(tmp_path / "model.safetensors", FORMS.get(form, sononet))
    done = export_onnx(path, tmp_path / "model.onnx")
    assert done.pictures == 3
    assert done.difference <= LIMIT
    given = run_onnx((tmp_path / "model.onnx").read_bytes(), noise(path, 2), 1)
    assert given["logits"].std() > 1e-3


@pytest.mark.parametrize("name", ["fetal", "live"])
def test_the_models_of_the_program_give_the_same_calibrated_prediction_in_onnx(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"{name}.onnx"
    assert main.main(["model", "export", name, "--out", str(out)]) == 0
    assert "probabilities: 1 x" in capsys.readouterr().out
    (path,) = SHIPPED_MODELS.glob(f"*{name}.safetensors")
    spec, arrays = read_model(path)
    pictures = arrays["verify.inputs"]
    given, own = run_onnx(out.read_bytes(), pictures, 1), predictions(path, pictures)
    np.testing.assert_allclose(
        given["probabilities"], np.stack([each.probabilities for each in own]), atol=LIMIT
    )
    assert ("novelty" in given) == (spec.calibration.novelty_slope > 0)
    if "novelty" in given:
        np.testing.assert_allclose(given["novelty"], [each.novelty for each in own], rtol=LIMIT)


@pytest.mark.parametrize("direction", [False, True])
def test_novelty_moves_the_probabilities_to_none_of_these_as_in_the_program(
    direction: bool, tiny_model_path: Path, tmp_path: Path
) -> None:
    """Near the limit, where a part is moved; the shipped models' pictures are far beyond it."""
    spec, arrays = read_model(tiny_model_path)
    path, pictures = tmp_path / "near.safetensors", noise(tiny_model_path, 4)
    calibration = replace(spec.calibration, temperature=0.7, novelty_slope=2.0, novelty_direction=direction)
    changed = replace(spec, calibration=calibration)
    write_model(path, changed, arrays)
    first = predictions(path, pictures)[0].novelty
    arrays["novelty.limit"] = np.array(float(arrays["novelty.limit"]) * first, np.float32)
    write_model(path, changed, arrays)
    out = tmp_path / "near.onnx"
    done = export_onnx(path, out, batch=2)
    assert done.outputs["probabilities"] == (2, len(spec.classes))
    own = predictions(path, pictures)
    none = spec.classes.index(spec.none_class)
    assert 0.4 < own[0].probabilities[none] < 0.9
    given = run_onnx(out.read_bytes(), pictures, 2)
    np.testing.assert_allclose(
        given["probabilities"], np.stack([each.probabilities for each in own]), atol=LIMIT
    )
    np.testing.assert_allclose(given["novelty"], [each.novelty for each in own], rtol=LIMIT)


def test_where_the_novelty_says_nothing_it_says_nothing_in_onnx(
    tiny_model_path: Path, tmp_path: Path
) -> None:
    spec, arrays = read_model(tiny_model_path)
    path, pictures = tmp_path / "some.safetensors", noise(tiny_model_path, 6)
    surest = {
        spec.planes[int(each.probabilities[: len(spec.planes)].argmax())]
        for each in predictions(tiny_model_path, pictures)
    }
    for known in (tuple(sorted(surest))[:1], tuple(sorted(set(spec.planes) - surest))[:1]):
        calibration = replace(spec.calibration, novelty_slope=2.0, novelty_planes=known)
        write_model(path, replace(spec, calibration=calibration), arrays)
        out = tmp_path / "some.onnx"
        export_onnx(path, out, batch=6)
        own = predictions(path, pictures)
        assert any(each.novelty > 0 for each in own) == (known[0] in surest)
        given = run_onnx(out.read_bytes(), pictures, 6)
        np.testing.assert_allclose(given["novelty"], [each.novelty for each in own], rtol=LIMIT)
        np.testing.assert_allclose(
            given["probabilities"], np.stack([each.probabilities for each in own]), atol=LIMIT
        )


def test_the_file_says_all_that_the_model_file_says(tiny_model_path: Path, tmp_path: Path) -> None:
    spec, _ = read_model(tiny_model_path)
    out = tmp_path / "tiny.onnx"
    export_onnx(tiny_model_path, out, licence="CC-BY-4.0")
    model = onnx.load(out)
    about = {each.key: each.value for each in model.metadata_props}
    assert (about["name"], about["version"], about["licence"]) == ("semc_tiny", "", "CC-BY-4.0")
    assert model.doc_string == spec.notice != ""
    for name, value in plain_values(spec).items():
        assert (about[name] if isinstance(value, str) else json.loads(about[name])) == value, name
    assert about["sha256"] == spec.sha256 != ""


@pytest.mark.parametrize("name", ["肝 v1 (final)", "a:b;c", "logits", "\N{GRINNING FACE}"])
def test_whatever_a_model_and_its_planes_are_called_the_outputs_have_their_names(
    name: str, tiny_model_path: Path, tmp_path: Path
) -> None:
    spec, arrays = read_model(tiny_model_path)
    classes = ("probabilities", "Längsschnitt/2", *spec.classes[2:])
    path = tmp_path / f"{name}.safetensors"
    write_model(path, replace(spec, classes=classes), arrays)
    done = export_onnx(path, tmp_path / "out.onnx")
    model = onnx.load(tmp_path / "out.onnx")
    names = [each.name for each in model.graph.output]
    assert names == ["probabilities", *OUTPUTS, *(["novelty"] if "novelty.limit" in arrays else [])]
    assert list(done.outputs) == names
    given = run_onnx((tmp_path / "out.onnx").read_bytes(), noise(path, 1), 1)
    assert {each: values.shape for each, values in given.items()} == done.outputs
    np.testing.assert_allclose(given["probabilities"].sum(axis=1), 1, atol=1e-5)
    about = {each.key: each.value for each in model.metadata_props}
    assert about["name"] == name
    assert json.loads(about["classes"]) == list(classes)


def test_the_same_model_gives_the_same_file(tiny_model_path: Path, tmp_path: Path) -> None:
    contents = []
    for name in ("one.onnx", "two.onnx"):
        export_onnx(tiny_model_path, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_a_network_that_differs_is_not_written(
    tiny_model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, arrays = read_model(tiny_model_path)
    changed = arrays | {"classifiers.0.weight": arrays["classifiers.0.weight"] * np.float32(1.01)}
    monkeypatch.setattr(export, "read_model", lambda path: (spec, changed))
    with pytest.raises(RuntimeFault, match="was not written"):
        export_onnx(tiny_model_path, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize(
    ("name", "batch", "says"), [("model.pb", 1, "end in .onnx"), ("model.onnx", 257, "1 to 256 pictures")]
)
def test_what_cannot_be_written_is_refused_with_a_sentence(
    name: str, batch: int, says: str, tiny_model_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says):
        export_onnx(tiny_model_path, tmp_path / name, batch=batch)
    assert list(tmp_path.glob("model.*")) == []


def test_what_the_docs_show_gives_what_the_program_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(import json.*?)```", page, re.DOTALL)
    path = SHIPPED_MODELS / "fetal.safetensors"
    spec, _ = read_model(path)
    export_onnx(path, tmp_path / "fetal.onnx")
    monkeypatch.chdir(tmp_path)
    made: dict[str, NDArray[np.uint8]] = {}
    exec(block, made)
    (own,) = predictions(path, prepare(made["gray"], whole(made["gray"]), spec.preprocessing)[None])
    np.testing.assert_allclose(made["probabilities"][0], own.probabilities, atol=LIMIT)
