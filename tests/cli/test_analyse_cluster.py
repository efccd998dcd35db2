"""`semc analyse --cluster` as a user types it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import ray

import main
from semc_core.archive.store import ANALYSED, read_rows
from semc_core.cli.archive import listed
from semc_core.errors import UsageError
from semc_core.extras import INSTALL_CLUSTER
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan


@pytest.mark.long
def test_a_list_and_a_folder_are_analysed_and_what_cannot_be_is_told(
    tmp_path: Path, tiny_model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loops").mkdir()
    render(SimulatedScan(1, 0.6, 128, 96, 10.0), tmp_path / "loops" / "a.mp4")
    (tmp_path / "text.avi").write_text("no video", encoding="utf-8")
    (tmp_path / "list.txt").write_text(f"{tmp_path / 'text.avi'}\n\n", encoding="utf-8")
    arguments = [
        "analyse",
        str(tmp_path / "loops"),
        f"@{tmp_path / 'list.txt'}",
        "--out",
        str(tmp_path / "out"),
    ]
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        assert main.main([*arguments, "--cluster", "local", "--model", str(tiny_model_path)]) == 1
    finally:
        ray.shutdown()
    said = capsys.readouterr().out
    assert "1 of 2 loops could not be analysed." in said
    assert "text.avi cannot be opened as a video" in said
    statuses = {Path(row["path"]).name: row["status"] for row in read_rows(tmp_path / "out")}
    assert statuses["a.mp4"] == ANALYSED


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"list\.txt cannot be read"):
        listed([f"@{tmp_path / 'list.txt'}"])


def test_without_ray_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    arguments = ["analyse", str(tmp_path), "--out", str(tmp_path / "out"), "--cluster", "local"]
    assert main.main(arguments) != 0
    assert INSTALL_CLUSTER in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--workers", "2"], ["--cluster", "local", "--json"]])
def test_options_that_do_not_go_together_are_refused(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["analyse", str(tmp_path), "--out", str(tmp_path / "out"), *more]) != 0
    assert "--cluster" in capsys.readouterr().err
