"""Which workers an archive has, and what one of them does where memory is short; without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ray

from semc_core.archive import cluster, worker
from semc_core.archive.cluster import LOCAL, Cluster, Model
from semc_core.archive.loop import How
from semc_core.archive.worker import Failed, LoopWorker
from semc_core.errors import UsageError


def kinds(
    monkeypatch: pytest.MonkeyPatch, there: dict[str, float], workers: int | None = None, **of_model: Any
) -> list[bool]:
    """Of each worker whether it has a GPU."""
    monkeypatch.setattr(ray, "cluster_resources", lambda: there)
    workers_of = Cluster.__new__(Cluster)
    given: dict[str, Any] = {"content": b"", "device": "auto", "precision": "auto", "threads": None}
    workers_of._model = Model(**given | of_model)
    return workers_of._kinds(workers)


def test_there_is_a_worker_for_each_gpu_where_there_are_any_and_else_for_each_core(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = {"CPU": 8.0, "GPU": 2.0}
    assert kinds(monkeypatch, both) == [True, True]
    assert kinds(monkeypatch, both, device="cuda") == [True, True]
    assert kinds(monkeypatch, both, device="cpu") == [False] * 8
    assert kinds(monkeypatch, both, 3) == [True, True, False]
    assert kinds(monkeypatch, {"CPU": 8.0}) == [False] * 8
    assert kinds(monkeypatch, {"CPU": 8.0}, threads=4) == [False] * 2
    with pytest.raises(UsageError, match="no room for a worker"):
        kinds(monkeypatch, {"CPU": 2.0}, threads=4)


@pytest.mark.parametrize(
    ("address", "says"),
    [(LOCAL, "Ray did not start on this machine"), ("head:10001", "There is no cluster at head:10001")],
)
def test_a_cluster_that_does_not_start_is_told(
    address: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def times_out(**_: object) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", times_out)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(cluster, "_reach", lambda address: None)
    with pytest.raises(UsageError, match=says):
        Cluster(address, 1, Model(b"", "cpu", "auto", 1), How(), 60.0)


def test_a_worker_that_has_too_little_memory_ends_and_any_other_fault_is_told(
    monkeypatch: pytest.MonkeyPatch, tiny_model_path: Path, tmp_path: Path
) -> None:
    faults: list[Exception] = [ZeroDivisionError(), MemoryError()]

    def breaks(*_: object) -> None:
        raise faults.pop(0)

    monkeypatch.setattr(worker, "analyse_loop", breaks)
    one = LoopWorker(tiny_model_path.read_bytes(), "cpu", 1, "auto", How())
    told = one.analyse(str(tmp_path / "a.mp4"))
    assert isinstance(told, Failed)
    assert "ZeroDivisionError" in told.problem
    with pytest.raises(MemoryError):
        one.analyse(str(tmp_path / "a.mp4"))
