"""A little of what `make fuzz` does, and the finds of it, as the inputs that they were."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.fuzz.__main__ import Found, fuzz, main
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import CORPUS, fault_of, made

FOUND = sorted(Path(__file__).with_name("found").glob("*/*"))
"""Inputs with which other errors than ours came up, in a folder for each target."""


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_files_bring_no_other_errors_than_ours(target: str) -> None:
    found = fuzz(target, runs=25, seconds=120, seed=2)
    assert found.inputs == 25
    assert found.finds == {}


@pytest.mark.parametrize("file", FOUND, ids=lambda file: f"{file.parent.name} {file.name}")
def test_a_find_stays_mended(file: Path, tmp_path: Path) -> None:
    (tmp_path / file.name).write_bytes(file.read_bytes())
    assert fault_of(file.parent.name, tmp_path / file.name) == ""


def test_there_are_finds() -> None:
    assert len(FOUND) > 4


def test_every_whole_file_of_the_corpus_is_opened(tmp_path: Path) -> None:
    used: set[str] = set()
    for name, target in TARGETS.items():
        files = list(CORPUS.glob(target.pattern))
        assert files, name
        for file in files:
            (tmp_path / file.name).write_bytes(file.read_bytes())
            target.open_it(tmp_path / file.name)
            used.add(file.name)
    assert used == {file.name for file in CORPUS.iterdir()}
    assert sum(file.stat().st_size for file in CORPUS.iterdir()) < 1_000_000


def test_an_input_is_made_again_by_its_number() -> None:
    assert made("picture", 1, 7) == made("picture", 1, 7)
    assert made("picture", 1, 7) != made("picture", 1, 8)
    whole = {file.name: file.read_bytes() for file in CORPUS.iterdir()}
    assert any(made("picture", 1, number)[1] != whole[made("picture", 1, number)[0]] for number in range(5))


def test_so_many_inputs_are_shared_by_all_kinds_and_have_the_time_they_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, int, float]] = []

    def counted(target: str, runs: int, seconds: float, seed: int) -> Found:
        asked.append((target, runs, seconds))
        return Found(runs)

    monkeypatch.setattr("tests.fuzz.__main__.fuzz", counted)
    monkeypatch.setattr("sys.argv", ["tests.fuzz", "--inputs", "1000000"])
    assert main() == 0
    each = -(-(10**6) // len(TARGETS))
    assert asked == [(target, each, math.inf) for target in TARGETS]
    assert capsys.readouterr().out.splitlines()[-1] == f"{each * len(TARGETS)} inputs, 0 finds"
    monkeypatch.setattr("sys.argv", ["tests.fuzz", "video", "dicom", "--seconds", "60"])
    main()
    assert {seconds for _, _, seconds in asked[-2:]} == {30.0}


def test_another_error_a_dead_process_and_one_that_hangs_are_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tests").mkdir()
    monkeypatch.setattr("tests.fuzz.__main__._SILENT_S", 3.0)
    program = tmp_path / "worker.py"
    monkeypatch.setattr("tests.fuzz.__main__._WORKER", (str(program),))
    for words, said in (
        (
            "print('at', first, flush=True); print('find', first, 'ValueError at a.py:1')",
            "ValueError at a.py:1",
        ),
        ("print('at', first, flush=True); os._exit(7)", "the process ended with 7"),
        ("print('at', first, flush=True); time.sleep(60)", "it hangs"),
    ):
        program.write_text(f"import os, sys, time\nfirst = int(sys.argv[3])\n{words}\n", encoding="utf-8")
        assert list(fuzz("picture", runs=1, seconds=30, seed=1).finds) == [said]
