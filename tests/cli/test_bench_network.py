"""`semc bench network` as a user types it, on a tiny network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import main
from semc_core.cli.bench.candidates import model_to_measure, simulated_frames, spread_untrained
from semc_core.cli.bench.network import Row, as_markdown
from semc_core.cli.bench.peak import peaks
from semc_core.model.network import SemcNetwork
from semc_core.model.weights import build_network

pytestmark = pytest.mark.long
TINY = ["--presets", "semc_tiny", "--threads", "1", "--rounds", "2", "--frames", "3"]


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What one run printed as JSON, and what it wrote."""
    out = tmp_path_factory.mktemp("bench") / "table.md"
    with pytest.MonkeyPatch.context() as patched:
        printed: list[str] = []
        patched.setattr("builtins.print", lambda *words, **_: printed.extend(map(str, words)))
        patched.setattr("main.log_folder", lambda: out.parent / "log")
        assert main.main(["bench", *TINY, "--json", "--out", str(out)]) == 0
    return json.loads(printed[-1]), out.read_text(encoding="utf-8")


def test_every_runtime_and_precision_has_a_row(measured: tuple[dict[str, Any], str]) -> None:
    rows = measured[0]["rows"]
    assert [(row["runtime"], row["precision"]) for row in rows[:2]] == [
        ("PyTorch eager", "float32"),
        ("OpenVINO", "float32"),
    ]
    assert {row["precision"] for row in rows} == {"float32", "bfloat16", "int8"}
    assert rows[0]["ratio"] == 1
    assert rows[0]["difference"] == 0
    for row in rows:
        if row["p50_ms"] is None:
            assert row["remark"].endswith(".")
        else:
            assert row["frames"] == 6
            assert 0 < row["p50_ms"] <= row["p95_ms"]
            assert 0 <= row["same_class"] <= 1
    assert rows[1]["difference"] < 1e-4
    assert rows[1]["same_class"] == 1
    assert rows[1]["share_of_peak"] > 0
    (int8,) = [row for row in rows if row["precision"] == "int8"]
    assert int8["difference"] > rows[1]["difference"]


def test_the_table_names_the_machine(measured: tuple[dict[str, Any], str]) -> None:
    described, written = measured
    assert described["machine"]["threads"] == "1"
    assert described["machine"]["processor"] in written
    for row in described["rows"]:
        assert row["runtime"] in written
        assert row["remark"] in written


def test_a_row_that_could_not_be_measured_says_why() -> None:
    rows = [Row("a", 8, 8, 1.0, "OpenVINO", precision, remark="There is none.") for precision in ("x", "y")]
    written = as_markdown({"processor": "made up"}, rows)
    assert written.count("none |") == 2
    assert "- a OpenVINO x, a OpenVINO y: There is none." in written


def test_without_json_it_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*TINY, "--runtimes", "openvino", "--precisions", "float32", "--sizes", "32x48"]
    assert main.main(["bench", "network", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "semc_tiny 32x48" in shown
    assert "OpenVINO" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--presets", "semc_r9"], "'semc_r9'"),
        (["--runtimes", "graph"], "--runtimes"),
        (["--precisions", "float16"], "--precisions"),
        (["--sizes", "32"], "--sizes needs two whole numbers"),
        (["--sizes", "64x64,8x8"], "32 to 2048"),
    ],
)
def test_nonsense_is_refused_before_anything_is_measured(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["bench", "network", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is an NVIDIA GPU here")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["bench", "--device", "cuda"]) == 1
    assert "no NVIDIA GPU" in capsys.readouterr().err


def test_untrained_experts_and_gate_answer_differently_from_frame_to_frame() -> None:
    spec, arrays = model_to_measure("semc_tiny", None)
    frames = simulated_frames(spec, 24)
    spread_untrained(spec, arrays, frames, "cpu")
    network = build_network(spec.architecture, len(spec.classes), arrays)
    assert isinstance(network, SemcNetwork)
    with torch.inference_mode():
        details = network.details(torch.from_numpy(frames))
    np.testing.assert_allclose(details.expert_logits.std(dim=0, correction=0), 2, atol=0.05)
    assert len(set(details.logits.argmax(dim=1).tolist())) >= 4
    assert len(set(details.expert_weights.argmax(dim=1).tolist())) == 3


def test_the_machines_peak_is_measured() -> None:
    for precision, ways in peaks("cpu", 1).items():
        assert all(0.1 < way() < 1e6 for way in ways), precision
