"""`semc bench analyse` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import main
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan


def test_the_stages_of_a_file_are_told_apart(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = tmp_path / "scan.mp4"
    render(SimulatedScan(3, 2.0, 320, 240, 15.0), scan)
    common = ["bench", "analyse", str(scan), "--model", str(tiny_model_path), "--device", "cpu"]
    assert main.main([*common, "--threads", "1", "--rounds", "1", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert (measured["file"], measured["frames"]) == ("scan.mp4", 30)
    stages = [measured[f"{name}_ms"] for name in ("decoder", "reading", "preparing", "network", "rest")]
    told = measured["decoder_ms"] + measured["network_ms"]
    assert measured["limit_per_s"] == pytest.approx(1000 * measured["cores"] / told)
    assert measured["share_of_limit"] == pytest.approx(measured["frames_per_s"] / measured["limit_per_s"])
    assert measured["share_of_time"] == pytest.approx(told / sum(stages))
    assert measured["network_ms"] > 0
    assert main.main([*common, "--rounds", "1"]) == 0
    assert "share of the limit" in capsys.readouterr().out


def test_a_file_of_which_nothing_can_be_measured_is_told(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no_video = tmp_path / "scan.mp4"
    no_video.write_bytes(b"no video" * 100)
    assert main.main(["bench", "analyse", str(no_video), "--model", str(tiny_model_path)]) == 1
    assert "scan.mp4" in capsys.readouterr().err
