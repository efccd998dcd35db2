"""Loops of an archive and where their results are kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semc_core.archive.loop import How, OutOfReach, State, analyse_loop, content_of, key_of, state_of
from semc_core.archive.store import FAILED, ArchiveStore, Made, read_rows
from semc_core.errors import SaveError, SourceError, UsageError
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan
from semc_core.runtime.load import load_runtime

HOW = How()
MADE = Made("model", "version", HOW.text())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArchiveStore]:
    store = ArchiveStore(tmp_path / "results", MADE)
    yield store
    store.close()


def test_a_file_that_changes_while_it_is_read_gives_no_result(
    tmp_path: Path, tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grows.mp4"
    render(SimulatedScan(1, 0.6, 128, 96, 10.0), path)
    runtime = load_runtime(tiny_model_path, "cpu", 1)

    def grown(path: Path) -> str:
        content = content_of(path)
        with path.open("ab") as file:
            file.write(b"more")
        return content

    monkeypatch.setattr("semc_core.archive.loop.content_of", grown)
    with pytest.raises(SourceError, match="changed while it was read"):
        analyse_loop(path, runtime, HOW)
    runtime.close()


def test_a_file_that_is_not_there_is_told_and_one_whose_server_is_away_is_waited_for(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.mkdir()
    with pytest.raises(OutOfReach):
        state_of(server / "loop.mp4")
    (server / "other.mp4").touch()
    with pytest.raises(SourceError, match=r"loop\.mp4 is not there"):
        state_of(server / "loop.mp4")


def test_two_programs_cannot_write_one_folder(store: ArchiveStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Another program"):
        ArchiveStore(tmp_path / "results", MADE)
    store.failed(Path("a.mp4"), None, "why", FAILED, 1)


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_analysed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(SaveError, match="results"):
        ArchiveStore(tmp_path / "file" / "results", MADE)


def test_results_that_cannot_be_written_for_long_end_the_run_and_are_said(
    store: ArchiveStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes, *, private: bool) -> None:
        raise SaveError("The disk is full; free space for it, or choose another folder.")

    monkeypatch.setattr("semc_core.archive.store.write_atomically", full)
    monkeypatch.setattr("semc_core.archive.store._PATIENCE_S", 0.0)
    monkeypatch.setattr("semc_core.archive.store._AGAIN_S", 0.0)
    store.failed(Path("a.mp4"), None, "why", FAILED, 1)
    with pytest.raises(SaveError, match="The disk is full"):
        store.close()
    monkeypatch.undo()
    again = ArchiveStore(tmp_path / "results", MADE)
    assert not again.is_done(Path("a.mp4"), State(0, 0, 0)), "it is found again by the next run"
    again.close()


def test_what_waits_is_written_at_the_end_and_a_folder_that_is_away_is_waited_for(tmp_path: Path) -> None:
    out = tmp_path / "results"
    store = ArchiveStore(out, MADE)
    store.failed(tmp_path / "\udcff.mp4", None, "why", FAILED, 1)
    away = out.rename(tmp_path / "away")
    back = threading.Timer(0.5, lambda: away.rename(out))
    back.start()
    store.close()
    back.join()
    (row,) = read_rows(out)
    assert (row["status"], row["problem"]) == (FAILED, "why")
    assert row["path"].endswith(r"\xff.mp4")


def test_a_partition_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "loops-000001.parquet").write_bytes(b"none")
    with pytest.raises(UsageError, match=r"loops-000001\.parquet holds no results"):
        ArchiveStore(tmp_path, MADE)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "loops-000001.parquet")
    with pytest.raises(UsageError, match=r"loops-000001\.parquet holds no results"):
        ArchiveStore(tmp_path, MADE)


def test_results_are_known_by_content_model_version_and_options() -> None:
    key = key_of("content", "model", "1", HOW)
    others = [
        key_of("other", "model", "1", HOW), key_of("content", "other", "1", HOW),
        key_of("content", "model", "2", HOW), key_of("content", "model", "1", replace(HOW, images="stills")),
    ]  # fmt: skip
    assert len({key, *others}) == 5
    assert key == key_of("content", "model", "1", replace(HOW, batch=3)), "results do not depend on it"
