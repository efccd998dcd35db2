"""`semc model info`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from semc_core.cli import model
from semc_core.errors import ModelFileError
from semc_core.model.file import read_spec
from tests.cli import commands


def run(*arguments: str) -> int:
    return commands.run(model.app, "info", *arguments)


def test_json_holds_the_description_and_the_counts(
    tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(tiny_model_path), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    spec = read_spec(tiny_model_path)
    assert shown["sha256"] == spec.sha256
    assert shown["classes"] == list(spec.classes)
    assert shown["architecture"]["preset"] == "semc_tiny"
    assert shown["parameters"] == 338_890
    assert 0 < shown["gflop_per_frame"] < 0.01
    assert shown["novelty"] is True


def test_the_table_names_what_matters(tiny_model_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tiny_model_path)) == 0
    shown = capsys.readouterr().out
    for words in ("semc_tiny.safetensors", "thresholds.enter", "LPV-S", "Untrained", "sha256"):
        assert words in shown


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.safetensors"
    path.write_text("not a model", encoding="utf-8")
    with pytest.raises(ModelFileError, match="cannot be used as a model"):
        run(str(path))


def test_it_needs_no_pytorch(tiny_model_path: Path) -> None:
    """PyTorch alone takes longer to load than the answer may."""
    program = (
        "import sys; from pathlib import Path; from semc_core.cli.model_description import describe; "
        "describe(Path(sys.argv[1])); assert 'torch' not in sys.modules, 'PyTorch was imported'"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", program, str(tiny_model_path)], cwd=root, check=True)
