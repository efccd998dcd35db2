"""A hard set: each plane among its own neighbours, with what is known of each kept; the same every time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from main import main
from semc_core.errors import UsageError
from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.phantom.neighbours import OFFS, WAYS
from training.benchmark import Benchmark, load_frames_of
from training.data.frame_set import FrameSet, Row, is_hard, read_shard, shard_path
from training.data.hard import _Patient, varied_machine
from training.data.readers import open_data
from training.data.splits import Split
from training.data.synthetic import RenderOptions, render_patient, render_patients

HARD = RenderOptions(30, 64, hard=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hard")
    render_patient(folder, HARD, 2001)
    return folder


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    return read_shard(shard_path(folder, 2001))[1]


def test_planes_and_their_neighbours_are_there_in_their_shares(rows: list[Row]) -> None:
    assert Counter(row.plane for row in rows if row.plane != NON_STANDARD) == dict.fromkeys(LIVER_PLANES, 2)
    beside = [row for row in rows if row.way]
    assert len(rows) == 30
    assert len(beside) == 15
    assert {row.kind for row in rows} <= {"on", "far", *(f"off {off:g}" for off in OFFS)}
    assert [row.kind for row in rows].count("far") == 3


def test_a_neighbour_says_which_plane_it_is_beside_how_far_and_in_which_direction(rows: list[Row]) -> None:
    for row in rows:
        if row.kind == "on":
            assert (row.near, row.way, row.off) == (row.plane, "", 0)
            assert row.distance <= 1 / 3
        elif row.kind == "far":
            assert (row.near, row.plane, row.distance) == ("", NON_STANDARD, np.inf)
        else:
            assert row.near in LIVER_PLANES
            assert row.way in WAYS
            assert row.plane == NON_STANDARD
            assert row.kind == f"off {abs(row.off):g}"
            assert row.distance == pytest.approx(abs(row.off) / 3, abs=1 / 3 + 1e-3)
    assert len({np.sign(row.off) for row in rows if row.way}) == 2


def test_no_frame_of_it_is_ambiguous(folder: Path, rows: list[Row]) -> None:
    frames, _ = read_shard(shard_path(folder, 2001))
    import torch

    data = FrameSet(torch.from_numpy(np.array(frames)), torch.zeros(len(rows), dtype=torch.long), rows, ())
    assert not data.is_ambiguous().any()


def test_a_patients_number_decides_every_byte(folder: Path, tmp_path: Path) -> None:
    render_patient(tmp_path, HARD, 2001)
    for name in ("p02001.npy", "p02001.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    render_patient(tmp_path, HARD, 2002)
    assert (tmp_path / "p02002.npy").read_bytes() != (folder / "p02001.npy").read_bytes()


def test_a_plane_and_its_neighbour_look_different(folder: Path, rows: list[Row]) -> None:
    frames, _ = read_shard(shard_path(folder, 2001))
    assert len({frame.tobytes() for frame in frames}) == len(rows)
    assert min(float(frame.std()) for frame in frames) > 5


def test_scanners_differ_more_widely_than_those_of_a_scan() -> None:
    rng = np.random.default_rng(1)
    machines = [varied_machine(rng) for _ in range(200)]
    gains = [machine.gain_db for machine in machines]
    assert min(gains) < -5
    assert max(gains) > 9


def test_each_scanner_of_a_patient_has_its_own_speckle_and_settings() -> None:
    patient = _Patient(np.random.default_rng(1), 5)
    scanners = [scanner for scanner, _ in patient._scanners]
    assert len({scanner._scatterers[:99].tobytes() for scanner in scanners}) == len(scanners) == 4
    assert len({scanner.machine for scanner in scanners}) == 4


def test_a_benchmark_refuses_the_other_kind_of_patients(folder: Path) -> None:
    easy = Benchmark("own", "0", "1000", "2001", 30, 64, "semc_tiny", 2, 8, 2e-3, (1,))
    hard = replace(easy, hard=True)
    assert {row.kind for row in load_frames_of(hard, folder, Split.TEST).rows} > {"on", "far"}
    with pytest.raises(UsageError, match="the benchmark wants the other"):
        load_frames_of(easy, folder, Split.TEST)
    assert easy.digest() != hard.digest()


def test_hard_patients_and_others_are_not_mixed_in_one_folder(folder: Path, tmp_path: Path) -> None:
    assert is_hard(shard_path(folder, 2001))
    with pytest.raises(UsageError, match="with --hard"):
        list(render_patients(folder, [5], RenderOptions(10, 64), processes=1))
    render_patient(tmp_path, RenderOptions(10, 64), 5)
    assert not is_hard(shard_path(tmp_path, 5))
    with pytest.raises(UsageError, match="without --hard"):
        list(render_patients(tmp_path, [6], HARD, processes=1))


def test_the_command_renders_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["phantom", "dataset", "--hard", "--out", str(folder), "--frames", "30", "--size", "64"]
    before = (folder / "p02001.npy").stat().st_mtime_ns
    assert main([*given, "--patients", "2001:2003", "--processes", "1"]) == 0
    assert "2 patients" in capsys.readouterr().out
    assert (folder / "p02001.npy").stat().st_mtime_ns == before
    index = open_data(folder)
    assert {sample.split for sample in index.samples} == {"test"}
    assert len(index.samples) == 60
