"""An archive on real workers of Ray: each loop once, whatever dies, hangs, changes or is not there."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.exceptions import OutOfMemoryError

from semc_core.archive import run as archive_run
from semc_core.archive.cluster import LOCAL, Cluster, Model, Task
from semc_core.archive.loop import How, analyse_loop
from semc_core.archive.page import PAGE_NAME, Progress
from semc_core.archive.run import ArchiveRun
from semc_core.archive.store import ANALYSED, FAILED, SAME, SET_ASIDE, ArchiveStore, Made, read_rows
from semc_core.archive.worker import About, Failed, LoopWorker
from semc_core.errors import UsageError
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan
from semc_core.runtime.load import load_runtime

HOW = How()
MADE = Made("model", "version", HOW.text())

pytestmark = pytest.mark.long


class Poisoned(LoopWorker):
    """Dies of one file, hangs on another, and has too little memory for two, as a broken library would."""

    def analyse(self, path: str) -> Any:
        name = Path(path).stem
        if name == "poison":
            os._exit(1)
        if name == "endless":
            time.sleep(600)
        if name == "huge":
            raise MemoryError
        if name == "crowd":
            raise OutOfMemoryError("ended, so that the machine goes on")  # type: ignore[no-untyped-call]
        return super().analyse(path)


class OfAnotherVersion(LoopWorker):
    def about(self) -> About:
        return replace(super().about(), version="0.0.1")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Started once: that takes longest."""
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six short loops."""
    folder = tmp_path_factory.mktemp("loops")
    paths = [folder / f"loop {number}.mp4" for number in range(6)]
    for seed, path in enumerate(paths):
        render(SimulatedScan(seed, 0.6, 128, 96, 10.0), path)
    return paths


@pytest.fixture(scope="module")
def model(tiny_model_path: Path) -> Model:
    return Model(tiny_model_path.read_bytes(), "cpu", "auto", 1)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return list(read_rows(folder))


def analysed(
    loops: list[Path], out: Path, model: Model, kind: type[LoopWorker] = LoopWorker, limit_s: float = 60.0
) -> Progress:
    store = ArchiveStore(out, MADE)
    try:
        cluster = Cluster(LOCAL, 1, model, HOW, limit_s, kind)
        try:
            run = ArchiveRun(out, store, cluster, HOW, MADE)
            return run.run(loops, len(loops), lambda now: None)
        finally:
            cluster.close()
    finally:
        store.close()


def test_a_loop_that_kills_or_stops_its_worker_is_tried_twice_and_set_aside_and_all_others_are_analysed_once(
    tmp_path: Path, loops: list[Path], model: Model, tiny_model_path: Path
) -> None:
    poison, endless = tmp_path / "poison.mp4", tmp_path / "endless.mp4"
    shutil.copy(loops[0], poison)
    shutil.copy(loops[1], endless)
    huge, crowd = (Path(shutil.copy(loops[0], tmp_path / f"{name}.mp4")) for name in ("huge", "crowd"))
    (tmp_path / "text.avi").write_text("no video", encoding="utf-8")
    twin = Path(shutil.copy(loops[2], tmp_path / "twin.mp4"))
    wanted = [loops[0], poison, loops[1], endless, huge, *loops[2:], crowd, tmp_path / "text.avi", twin]
    out = tmp_path / "results"
    progress = analysed(wanted, out, model, Poisoned, limit_s=15.0)
    rows = {Path(row["path"]).name: row for row in rows_of(out)}
    assert len(rows_of(out)) == len(rows) == len(wanted)
    problems = {name: row["problem"] for name, row in rows.items() if row["status"] == SET_ASIDE}
    assert set(problems) == {"poison.mp4", "endless.mp4", "huge.mp4", "crowd.mp4"}, problems
    assert Counter(row["status"] for row in rows.values()) == {ANALYSED: 6, SAME: 1, FAILED: 1, SET_ASIDE: 4}
    assert "worker ended" in rows["poison.mp4"]["problem"]
    assert "more than 15 s" in rows["endless.mp4"]["problem"]
    for name in ("huge.mp4", "crowd.mp4"):
        assert "ran out of memory" in rows[name]["problem"]
    assert {rows[name]["attempts"] for name in problems} == {2}
    assert "text.avi" in rows["text.avi"]["problem"]
    assert (progress.analysed, progress.same, progress.failed, progress.set_aside) == (6, 1, 1, 4)
    page = (out / PAGE_NAME).read_text(encoding="utf-8")
    assert "12 of 12 loops" in page
    assert "text.avi" in page
    runtime = load_runtime(tiny_model_path, "cpu", 1)
    alone = analyse_loop(loops[3], runtime, HOW)
    runtime.close()
    row = rows[loops[3].name]
    assert (row["frames"], row["content_sha256"], row["kind"]) == (alone.frames, alone.content, "video")
    assert [plane["plane"] for plane in row["planes"]] == [plane.plane for plane in alone.planes]


def test_a_worker_that_is_killed_costs_no_loop_and_a_second_run_passes_all_over(
    tmp_path: Path, loops: list[Path], model: Model
) -> None:
    out = tmp_path / "results"
    store = ArchiveStore(out, MADE)
    cluster = Cluster(LOCAL, 1, model, HOW, 60.0)
    killed: list[int] = []

    def kill(now: Progress) -> None:
        if now.done == 2 and not killed:
            killed.extend(cluster.processes())
            os.kill(killed[0], signal.SIGKILL)

    try:
        ArchiveRun(out, store, cluster, HOW, MADE).run(loops, len(loops), kill)
        store.close()
        assert killed
        rows = rows_of(out)
        assert sorted(row["path"] for row in rows) == sorted(map(str, loops))
        assert {row["status"] for row in rows} == {ANALYSED}
        again = ArchiveStore(out, MADE)
        later = loops[0].with_name("later.mp4")
        render(SimulatedScan(99, 0.6, 128, 96, 10.0), later)
        progress = ArchiveRun(out, again, cluster, HOW, MADE).run([*loops, later], 7, lambda now: None)
        again.close()
    finally:
        cluster.close()
    assert (progress.passed_over, progress.analysed) == (6, 1)
    assert len(rows_of(out)) == 7


class DiesOfWhatWaits(LoopWorker):
    """Its answers are lost whenever another loop waits behind, as with a worker that dies of that one."""

    def analyse(self, path: str) -> Any:
        time.sleep(0.5)
        if Path(path).with_name("waiting").exists():
            os._exit(1)
        return super().analyse(path)


class SaysWhatWaits(Cluster):
    def give(self, task: Task) -> None:
        super().give(task)
        waiting = task.path.with_name("waiting")
        if any(len(worker.given) > 1 for worker in self._workers):
            waiting.touch()
        else:
            waiting.unlink(missing_ok=True)


def test_a_loop_whose_answer_is_lost_with_the_worker_is_not_blamed_for_the_next(
    tmp_path: Path, loops: list[Path], model: Model
) -> None:
    paths = [Path(shutil.copy(loop, tmp_path / loop.name)) for loop in loops[:4]]
    store = ArchiveStore(tmp_path / "results", MADE)
    cluster = SaysWhatWaits(LOCAL, 1, model, HOW, 60.0, DiesOfWhatWaits)
    try:
        ArchiveRun(tmp_path / "results", store, cluster, HOW, MADE).run(paths, 4, lambda now: None)
    finally:
        cluster.close()
        store.close()
    assert [row["status"] for row in rows_of(tmp_path / "results")] == [ANALYSED] * 4


def test_workers_of_another_version_are_refused(tmp_path: Path, loops: list[Path], model: Model) -> None:
    with pytest.raises(UsageError, match=r"runs version 0\.0\.1.*install the same version"):
        analysed(loops, tmp_path / "results", model, OfAnotherVersion)


class AwayFor(LoopWorker):
    """Its files are out of reach the first time."""

    def analyse(self, path: str) -> Any:
        mark = Path(path).with_suffix(".seen")
        if not mark.exists():
            mark.touch()
            return Failed("away", out_of_reach=True)
        return super().analyse(path)


def test_what_was_out_of_reach_is_analysed_when_it_is_back(
    tmp_path: Path, loops: list[Path], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_run, "_AGAIN_S", 0.1)
    path = Path(shutil.copy(loops[0], tmp_path / "away.mp4"))
    progress = analysed([path], tmp_path / "results", model, AwayFor)
    assert (progress.analysed, progress.failed) == (1, 0)


def test_an_address_without_a_cluster_is_told(model: Model) -> None:
    ray.shutdown()
    with pytest.raises(UsageError, match="There is no cluster at"):
        Cluster("127.0.0.1:1", None, model, HOW, 60.0)
