"""`semc model verify`: a file that gives here what it gave when it was made passes, another fails."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from semc_core.cli import model
from semc_core.errors import ModelFileError
from semc_core.model.file import read_model, write_model
from semc_core.model.weights import build_network, verification_tensors
from tests.cli import commands


def run(*arguments: str) -> int:
    return commands.run(model.app, "verify", *arguments, "--threads", "1")


@pytest.fixture
def verifiable(tiny_model_path: Path, tmp_path: Path) -> Path:
    spec, arrays = read_model(tiny_model_path)
    network = build_network(spec.architecture, len(spec.classes), arrays)
    path = tmp_path / "model.safetensors"
    write_model(path, spec, arrays | verification_tensors(network, spec))
    return path


def test_a_sound_file_passes_on_every_runtime(verifiable: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(verifiable)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("pass") for line in lines)


def test_without_pytorch_the_other_runtimes_are_run(
    verifiable: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "semc_core.runtime.torch.runtime", raising=False)
    assert run(str(verifiable)) == 0
    said = capsys.readouterr().out
    assert said.startswith("pass  CPU, OpenVINO float32")
    assert "PyTorch" not in said


def test_a_file_whose_weights_were_changed_fails(
    verifiable: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, arrays = read_model(verifiable)
    arrays["layer1.0.conv1.weight"] *= np.float32(1.1)
    write_model(verifiable, spec, arrays)
    assert run(str(verifiable)) == 1
    assert all(line.startswith("FAIL") for line in capsys.readouterr().out.splitlines())


def test_a_file_without_stored_outputs_says_so(tiny_model_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no inputs and outputs"):
        run(str(tiny_model_path))


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "model.safetensors", "--threads", "0"],
        ["import", "checkpoint.pth", "--out", "none/model.safetensors"],
        ["quantise", "model.safetensors", "--out", "none/model.safetensors"],
        ["fit-gate", "model.safetensors", "pictures", "--out", "none/model.safetensors"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_a_nonsense_option_is_refused_before_any_work(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        commands.run(model.app, *arguments)
    assert arguments[-2] in capsys.readouterr().err


def test_stored_outputs_that_do_not_fit_are_refused(verifiable: Path) -> None:
    spec, arrays = read_model(verifiable)
    with pytest.raises(ModelFileError, match="not both"):
        write_model(verifiable, spec, {n: v for n, v in arrays.items() if n != "verify.logits"})
    with pytest.raises(ModelFileError, match="do not fit"):
        write_model(verifiable, spec, arrays | {"verify.logits": np.zeros((2, 3), np.float32)})
    with pytest.raises(ModelFileError, match="do not fit"):
        write_model(verifiable, spec, arrays | {"verify.inputs": np.zeros((), np.float32)})
