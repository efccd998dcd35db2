"""What the survey makes, skips, draws and counts; and that its table and its list still fit the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutations.equivalent import EQUIVALENT
from tests.mutations.mutants import Mutant, mutants_of
from tests.mutations.named import ROOT
from tests.mutations.parts import PARTS, Part
from tests.mutations.survey import drawn, wilson

CODE = '''"""Words."""
from __future__ import annotations
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Kept:
    count: int | None = 3


class Given(Protocol):
    @property
    def count(self) -> int: ...


def least(a: float | None, b: float = 2.0) -> float | None:
    return a if a is not None and a < b - 1 else b
'''


def test_mutants_change_what_a_program_does_and_not_what_it_says_of_itself() -> None:
    made = mutants_of("least.py", CODE)
    assert {each.line for each in made if each.line > 7} == {9, 17, 18}
    told = [(each.line, each.new) for each in made]
    assert (9, "count: int | None = 4") in told
    assert (18, "return a if a is not None and a <= b - 1 else b") in told
    assert (18, "return a if a is not None or a < b - 1 else b") in told
    assert (18, "return a if a is not None and a < b + 1 else b") in told
    # Neither annotations nor what a dataclass forbids; only the decorator as a whole.
    assert len([new for line, new in told if line <= 7]) == 1
    assert all("| None" in new for line, new in told if line in (9, 17))
    assert not any(
        each in new for _, new in told for each in ("<<", ">>", " & ", " ^ ", " is b", " is not b")
    )
    assert len({each.code for each in made}) == len(made)
    assert all(each.old != each.new for each in made)


def test_every_beginning_of_what_is_drawn_has_the_same_share_of_each_file() -> None:
    files = [
        [Mutant(name, line, "", "", "") for line in range(count)] for name, count in (("a", 40), ("b", 20))
    ]
    order = drawn(files, seed=1)
    assert sorted(each.line for each in order if each.path == "a") == list(range(40))
    for length in (15, 30, 45, 60):
        assert sum(each.path == "a" for each in order[:length]) == pytest.approx(length * 2 / 3, abs=1)
    assert drawn(files, seed=1) == order
    assert drawn(files, seed=2) != order


def test_the_interval_of_a_share_is_wilsons() -> None:
    # The example of Newcombe 1998, table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def by_name(part: Part) -> str:
    return part.name


@pytest.mark.parametrize("part", PARTS, ids=by_name)
def test_the_files_and_tests_of_a_part_are_there_and_documented(part: Part) -> None:
    assert all(part.paths(ROOT))
    assert len(part.paths(ROOT)) >= len(part.files)
    assert [each for each in part.tests if not (ROOT / each).exists()] == []
    assert f"| {part.name} |" in (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("change", EQUIVALENT, ids=lambda change: change[2])
def test_what_is_said_to_be_equivalent_is_a_line_of_a_file_that_is_changed(
    change: tuple[str, str, str],
) -> None:
    path, old, new = change
    assert any(path in part.paths(ROOT) for part in PARTS)
    lines = [line.strip() for line in (ROOT / path).read_text(encoding="utf-8").splitlines()]
    assert old in lines
    assert new not in lines
    assert EQUIVALENT[change]


@pytest.mark.long
def test_a_worker_answers_for_the_files_as_they_are_now(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\nqt_api = 'pyside6'\n", encoding="utf-8"
    )
    (tmp_path / "value.py").write_text("VALUE = 1\n", encoding="utf-8")
    (tmp_path / "test_value.py").write_text(
        "import value\ndef test_it():\n    assert value.VALUE == 1\n", encoding="utf-8"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path += ['', {str(ROOT)!r}]\n"
         "from tests.mutations.worker import main; main(['test_value.py'])"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        answers = [process.stdout.readline().split()[0] for _ in range(2)]
        for text in ("VALUE = 22\n", "VALUE = 1\n", "while True:\n    pass\n"):
            (tmp_path / "value.py").write_text(text, encoding="utf-8")
            print(3.0, file=process.stdin, flush=True)
            answers.append(process.stdout.readline().strip())
        process.stdin.close()
    assert answers == ["0", "0", "1", "0", "late"]
