"""A gate is fitted to labelled pictures, and only a better one is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from semc_core.cli import model
from semc_core.errors import SemcError, UsageError
from semc_core.model.architecture import new_spec, random_weights
from semc_core.model.file import read_model, write_model
from semc_core.model.gate_fit import Seen, divided, fit_gate, labelled_pictures, softmax
from semc_core.model.spec import ModelSpec
from semc_core.model.weights import build_network, verification_tensors
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.runtime.verify import verify
from tests.cli import commands

CLASSES = ("A", "B", "NSP")


def test_the_gate_learns_which_expert_to_believe() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((400, 6)) * [1, 5, 1, 1, 0, 1] + 3
    right = (features[:, 1] > 3).astype(np.int64)  # this feature says which expert is right
    labels = rng.integers(0, 3, 400)
    logits = rng.standard_normal((400, 2, 3))
    logits[np.arange(400), right, labels] += 6
    logits[np.arange(400), 1 - right, (labels + 1) % 3] += 6
    weight, bias = fit_gate(Seen(features, logits, labels), temperature=0.7)
    shares = softmax((features @ weight.T + bias) / 0.7)
    assert (shares.argmax(axis=1) == right).mean() > 0.97
    assert np.isfinite(weight).all()
    assert not weight[:, 4].any(), "a feature that does not vary must not count"


def test_nothing_of_a_patient_is_on_both_sides(tmp_path: Path) -> None:
    for name in CLASSES:
        for patient in range(10):
            place = tmp_path / name / f"patient{patient}"
            place.mkdir(parents=True)
            for index in range(3):
                (place / f"{index}.png").write_bytes(b"")
    pictures = labelled_pictures(tmp_path, CLASSES)
    apart = divided(pictures, 0.3, seed=0)
    assert len(pictures) == 90
    assert apart.sum() == 27
    sides = {p.group: set() for p in pictures}  # type: dict[str, set[bool]]
    for picture, out in zip(pictures, apart, strict=True):
        sides[picture.group].add(bool(out))
    assert all(len(seen) == 1 for seen in sides.values())
    assert (divided(pictures, 0.3, seed=0) == apart).all()


def test_folders_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        labelled_pictures(tmp_path / "none", CLASSES)
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "1.png").write_bytes(b"")
    with pytest.raises(UsageError, match="fewer than two classes"):
        labelled_pictures(tmp_path, CLASSES)
    (tmp_path / "C").mkdir()
    with pytest.raises(UsageError, match="C is not named for a class"):
        labelled_pictures(tmp_path, CLASSES)
    with pytest.raises(UsageError, match="above 0 and below 1"):
        divided([], 1.0, 0)


def write_pictures(folder: Path, count: int) -> None:
    """Bright pictures for A, dark ones for B."""
    rng = np.random.default_rng(4)
    for name, level in (("A", 200), ("B", 60)):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            picture = np.clip(rng.normal(level, 30, (64, 64)), 0, 255).astype(np.uint8)
            assert cv2.imwrite(str(folder / name / f"{index}.png"), picture)


def disputing_model(path: Path, spec: ModelSpec) -> None:
    """Two experts of which one always says A and the other always says B, but less surely."""
    weights = random_weights(spec.architecture, len(spec.classes))
    for expert, bias in enumerate(([4, 0, 0], [0, 3, 0])):
        weights[f"classifiers.{expert}.weight"][:] = 0
        weights[f"classifiers.{expert}.bias"][:] = bias
    network = build_network(spec.architecture, len(spec.classes), weights)
    write_model(path, spec, weights | verification_tensors(network, spec))


@pytest.fixture
def spec() -> ModelSpec:
    found = new_spec("semc_tiny", CLASSES)
    return replace(found, architecture=replace(found.architecture, experts=2, gate_input="mean"))


def run(*arguments: str) -> int:
    return commands.run(model.app, *arguments)


def test_a_gate_is_fitted_reported_and_written(
    tmp_path: Path, spec: ModelSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = tmp_path / "given.safetensors", tmp_path / "fitted.safetensors"
    # A quantised file: its int8 tensors are not taken over, so nothing may be claimed of them.
    quantised = replace(spec, provenance={"int8": {}, "made": "here"}, metrics={"int8": {}})
    disputing_model(given, quantised)
    write_pictures(tmp_path / "pictures", 8)
    assert run("fit-gate", str(given), str(tmp_path / "pictures"), "--out", str(out)) == 0
    shown = capsys.readouterr().out
    assert "accuracy 50.0% before, 100.0% after" in shown
    fitted, arrays = read_model(out)
    assert fitted.architecture.gate_input == "deep"
    assert arrays["gate.score.weight"].any()
    assert fitted.metrics["gate"]["held_out"] == 4
    assert "int8" not in fitted.metrics
    assert "int8" not in fitted.provenance
    assert fitted.provenance["made"] == "here"
    assert all(one.passed for one in verify(out, threads=1))
    runtime = OpenVinoRuntime(out, 1, tmp_path / "cache")
    shares = runtime.classify(arrays["verify.inputs"])[0].expert_weights
    assert not np.allclose(shares, 0.5)
    runtime.close()


def test_a_gate_that_is_no_better_is_not_written(tmp_path: Path, spec: ModelSpec) -> None:
    given, out = tmp_path / "given.safetensors", tmp_path / "fitted.safetensors"
    disputing_model(given, spec)
    write_pictures(tmp_path / "pictures", 8)
    # Labels that say nothing of the picture can only be learned by heart.
    names = sorted((tmp_path / "pictures").rglob("*.png"))
    for index, path in enumerate(names):
        if index % 2:
            other = "B" if path.parent.name == "A" else "A"
            path.rename(tmp_path / "pictures" / other / f"moved{path.name}")
    with pytest.raises(SemcError, match=r"no better.*was not written") as refused:
        run("fit-gate", str(given), str(tmp_path / "pictures"), "--out", str(out))
    assert not isinstance(refused.value, UsageError), "the command was right: exit code 1, not 2"
    assert not out.exists()


def test_a_model_without_experts_has_no_gate(tmp_path: Path, spec: ModelSpec) -> None:
    single = replace(spec, architecture=replace(spec.architecture, experts=1))
    path = tmp_path / "single.safetensors"
    write_model(path, single, random_weights(single.architecture, 3))
    with pytest.raises(UsageError, match="no gate to fit"):
        run("fit-gate", str(path), str(tmp_path), "--out", str(tmp_path / "out.safetensors"))
