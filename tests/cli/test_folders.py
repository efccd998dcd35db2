"""Folders of results: one takes the place of another, and a kill in between costs nobody a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from semc_core.cli.results import ResultFolder, clear_leftovers, replace_folder, result_names
from semc_core.errors import SaveError
from semc_core.io.leftovers import work_done, work_path
from semc_core.pipeline.batch import Reviewed
from tests.session.killed_writer import event, origin


def results(folder: Path, *stems: str) -> Path:
    """A folder as `semc analyse` writes it."""
    folder.mkdir(parents=True)
    planes = [{"png": f"{stem}.png"} for stem in stems]
    (folder / "planes.json").write_text(
        json.dumps({"versions": {"semc": "1"}, "planes": planes}), encoding="utf-8"
    )
    (folder / "frames.csv").write_text("", encoding="utf-8")
    for stem in stems:
        for suffix in (".png", ".json"):
            (folder / f"{stem}{suffix}").write_text("result", encoding="utf-8")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_only_results_that_are_listed_are_deleted(tmp_path: Path) -> None:
    target = results(tmp_path / "scan", "001_A_f000001")
    for name in ("002_own.png", "002_own.json", "003_B_f000003.png"):
        (target / name).write_text("mine", encoding="utf-8")
    replace_folder(results(tmp_path / "new", "003_B_f000003"), target)
    assert names(target) == [
        "002_own.json", "002_own.png", "003_B_f000003-2.png", "003_B_f000003.json", "003_B_f000003.png",
        "frames.csv", "planes.json",
    ]  # fmt: skip
    assert (target / "003_B_f000003-2.png").read_text(encoding="utf-8") == "mine"
    assert names(tmp_path) == ["scan"]


@pytest.mark.parametrize(
    "text", [None, "", "{}", "[]", '{"versions": 1, "planes": []}', '{"versions": {}, "planes": []}']
)
def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path, text: str | None) -> None:
    target, new = tmp_path / "images", results(tmp_path / "new")
    target.mkdir()
    (target / "000.png").write_text("mine", encoding="utf-8")
    if text is not None:
        (target / "planes.json").write_text(text, encoding="utf-8")
    assert result_names(target) is None
    with pytest.raises(SaveError, match="was left alone"):
        replace_folder(new, target)
    assert (target / "000.png").read_text(encoding="utf-8") == "mine"


def test_the_old_results_come_back_if_the_new_cannot_take_their_place(tmp_path: Path) -> None:
    target = results(tmp_path / "scan", "001_A_f000001")
    before = names(target)
    with pytest.raises(FileNotFoundError):
        replace_folder(tmp_path / "not there", target)
    assert names(target) == before
    assert names(tmp_path) == ["scan"]


def test_leftovers_of_a_kill_are_cleared_and_what_was_being_replaced_is_put_back(
    tmp_path: Path, gone: int
) -> None:
    results(tmp_path / "half")
    results(tmp_path / f".scan.{gone}.part")
    results(tmp_path / f".lost.{gone}.old", "001_A_f000001")
    results(tmp_path / f".half.{gone}.old", "001_A_f000001")
    (tmp_path / f".half.{gone}.old" / "notes.txt").write_text("mine", encoding="utf-8")
    # The first process of a container always has the same number.
    results(tmp_path / f".again.{os.getpid()}.part")
    in_work = results(work_path(tmp_path / "scan"))
    running = results(tmp_path / f".scan.{os.getppid()}.part")
    own = results(tmp_path / ".own.part")
    clear_leftovers(tmp_path)
    clear_leftovers(tmp_path / "not there")
    work_done(in_work)
    assert names(tmp_path) == sorted([in_work.name, running.name, own.name, "half", "lost"])
    assert "001_A_f000001.png" in names(tmp_path / "lost")
    assert names(tmp_path / "half") == ["frames.csv", "notes.txt", "planes.json"]


def test_a_plane_that_cannot_be_written_is_told_before_the_end(tmp_path: Path) -> None:
    with ResultFolder(tmp_path / "scan", origin()) as folder:
        # A file where the folder was: this fails for every user, root too.
        work = tmp_path / f".scan.{os.getpid()}.part"
        work.rmdir()
        work.write_text("", encoding="utf-8")
        many = Reviewed(events=[event(number, number, final=True) for number in range(1, 60)])
        # More than wait in the queue: when all are taken, the first was tried.
        with pytest.raises(SaveError, match="A plane was not saved"):
            folder.add(many)
        work.unlink()
