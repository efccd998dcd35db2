"""`semc phantom render`: real files, read back."""

from __future__ import annotations

import contextlib
import csv
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import SaveError, SemcError, UsageError
from semc_core.phantom.render import TRUTH_COLUMNS, render
from semc_core.phantom.scan import SimulatedScan
from tests.cli import commands
from training.cli import phantom


def _run(*arguments: str) -> int:
    return commands.run(phantom.app, "render", *arguments)


def _decoded(path: Path) -> tuple[list[NDArray[np.uint8]], list[float]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    pictures = [np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in frames]
    return pictures, [float(frame.time or 0) for frame in frames]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_render_writes_every_frame_and_its_truth(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"scan.1{suffix}"
    size = ("--width", "320", "--height", "240", "--rate", "15")
    assert _run("--seed", "3", "--seconds", "2", "--out", str(out), *size) == 0
    assert sorted(tmp_path.iterdir()) == sorted([out, tmp_path / "scan.1.csv"])
    scan = SimulatedScan(3, 2.0, 320, 240, 15.0)
    pictures, times = _decoded(out)
    assert len(pictures) == scan.frame_count == 30
    np.testing.assert_allclose(times, np.arange(30) / 15, atol=0.002)
    for index in (0, 13, 29):
        assert np.abs(pictures[index].astype(int) - scan.frame(index)).mean() < 4
    with (tmp_path / "scan.1.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == TRUTH_COLUMNS
    assert len(rows) == 30
    for index, row in enumerate(rows):
        truth = scan.truth(index)
        assert (int(row[0]), row[2]) == (index, truth.plane)
        assert [float(row[1]), float(row[3])] == pytest.approx([truth.time_s, truth.distance], abs=1e-4)


_RENDER = """
import os, sys
from pathlib import Path
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:int(sys.argv[2])]))  # so many threads they start
render(SimulatedScan(11, 6.0, 320, 240, 4.0), Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="fills new memory by a setting of Linux's C library")
def test_a_scan_is_rendered_alike_whatever_new_memory_holds_and_on_any_number_of_cores(
    tmp_path: Path,
) -> None:
    written = []
    for filling, cores in (("85", 1), ("170", 4)):
        out = tmp_path / filling / "scan.mp4"
        out.parent.mkdir()
        filled = {**os.environ, "MALLOC_PERTURB_": filling}
        subprocess.run([sys.executable, "-c", _RENDER, str(out), str(cores)], env=filled, check=True)
        written.append(out.read_bytes())
    assert written[0] == written[1]


def test_render_without_furniture_leaves_the_screen_black(tmp_path: Path) -> None:
    out = tmp_path / "bare.mkv"
    _run("--seconds", "0.2", "--no-furniture", "--width", "320", "--height", "240", "--out", str(out))
    picture = _decoded(out)[0][0]
    assert picture[:, :6].max() < 12


def test_an_interrupted_render_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "scan.mp4"
    out.write_bytes(b"older")

    def interrupt(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(SimulatedScan(1, 1.0, 160, 120), out, interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["scan.mp4"]
    assert out.read_bytes() == b"older"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (["--seconds", "0"], UsageError, "more than 0 seconds"),
        (["--seconds", "nan"], UsageError, "more than 0 seconds"),
        (["--seconds", "0.001"], UsageError, "more seconds"),
        (["--seed", "-1"], UsageError, "seed"),
        (["--rate", "0"], UsageError, "frame rate"),
        (["--width", "321"], UsageError, "even"),
        (["--height", "20"], UsageError, "between 120"),
        (["--out", "scan.gif"], UsageError, ".mp4"),
        (["--out", "scan"], UsageError, ".mp4"),
        (["--out", "nowhere/scan.mp4"], SaveError, "no folder"),
    ],
)
def test_what_cannot_be_rendered_says_why(
    arguments: list[str],
    error: type[SemcError],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=says):
        _run("--seconds", "1", "--out", "scan.mp4", *arguments)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said_without_the_names_of_hidden_files(small_disk: Path) -> None:
    with contextlib.suppress(OSError), (small_disk / "full").open("wb") as file:
        file.write(bytes(4_000_000))
    for name in ("scan.mp4", "scan.mkv"):
        with pytest.raises(SaveError, match=f"^The disk is full; free space for {small_disk}, or choose"):
            render(SimulatedScan(1, 1.0, 160, 120), small_disk / name)
    assert [path.name for path in small_disk.iterdir()] == ["full"]
