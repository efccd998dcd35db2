"""`semc bench live` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import main
from semc_core.cli.bench.live import measure, parse_size
from semc_core.errors import UsageError
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import PipelineSettings
from semc_core.runtime.load import load_runtime
from semc_core.session.session import Session
from semc_core.sources.simulated import SimulatedSource


def test_a_short_live_scan_adds_up(tiny_model_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["bench", "live", "--model", str(tiny_model_path), "--device", "cpu", "--threads", "1"]
    assert main.main([*common, "--seconds", "1.5", "--size", "160x120", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["invariant_held"]
    assert measured["statistics"]["frames_in"] > 0
    assert 0 < measured["share_classified"] <= 1
    assert 0 < measured["simulation_cpu_seconds"] < measured["cpu_seconds"]
    assert main.main([*common, "--seconds", "0.5", "--size", "160x120"]) == 0
    printed = capsys.readouterr().out
    assert "latency p50 / p95 / p99" in printed
    assert "from arrival in the program" in printed
    assert "CPU time of the simulation, on top" in printed


def test_what_cannot_be_measured_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main.main(["bench", "live", "--model", str(tmp_path / "none.safetensors")]) == 1
    assert "none.safetensors" in capsys.readouterr().err
    assert main.main(["bench", "live", "--seconds", "0"]) == 2
    assert parse_size("640x480", "--size") == (640, 480)
    for text in ("640", "0x480", "axb"):
        with pytest.raises(UsageError, match="--size"):
            parse_size(text, "--size")


def test_percentiles_are_over_the_whole_run_and_not_the_last_seconds(
    tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.pipeline.statistics.SPREAD_WINDOW_S", 0.0)
    engine: LivePipeline[Session] = LivePipeline(
        lambda: SimulatedSource(seconds=5, width=160, height=120),
        lambda: load_runtime(tiny_model_path, "cpu", 1),
        None,
        PipelineSettings(paced=False, save=False, keep_durations=True),
    )
    engine.start()
    measured = measure(engine, 60)
    engine.stop()
    assert measured.statistics.classified == 150
    assert measured.simulation_cpu_seconds is None
    assert engine.statistics().model.p99_ms == 0.0
    assert measured.statistics.model.p99_ms > 0
    assert measured.statistics.latency.p99_ms > 0
