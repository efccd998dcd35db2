"""The tests that hazards, requirements and the other papers name are there, and so is what they point at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.commands import BINDINGS
from semc_core.model.comparison import Comparison, Measured
from tests.docs.named_tests import ROOT, missing, named_in
from tests.docs.requirements_page import PAGE, REQUIREMENTS, marked, page, shown_by

DOCS = ROOT / "docs"
PAPERS = ("hazards", "requirements", "security", "change_control", "usability", "privacy")


@pytest.mark.parametrize("name", PAPERS)
def test_every_test_that_a_paper_names_is_there(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    named = named_in(text)
    assert named
    assert missing(named) == []


def test_a_test_that_is_not_there_is_found() -> None:
    names = named_in("`tests/docs/test_papers.py::test_no_such` and `tests/no_file.py::test_it`")
    assert missing(names) == names
    assert len(names) == 2
    assert missing(["tests/docs/test_papers.py::test_a_test_that_is_not_there_is_found"]) == []


def test_the_page_of_requirements_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.requirements_page"


def test_every_requirement_has_its_own_number_and_a_test_that_bears_its_mark() -> None:
    every = [number for group in REQUIREMENTS.values() for number in group]
    assert len(set(every)) == len(every) > 25
    shown = shown_by()
    assert [number for number in every if not shown.get(number)] == []
    assert sorted(set(shown) - set(every)) == [], "a test bears the mark of what nobody requires"


def test_the_marks_of_a_file_are_found() -> None:
    text = (
        "import pytest\n"
        '@pytest.mark.requirement("S1", "R2")\n@pytest.mark.long\ndef test_a() -> None: ...\n'
        '@pytest.mark.parametrize("x", [1])\n@pytest.mark.requirement("K3")\nasync def test_b(x): ...\n'
        "@pytest.mark.long\ndef test_c() -> None: ...\n"
    )
    assert marked(text) == {"test_a": ("S1", "R2"), "test_b": ("K3",)}


def test_every_hazard_has_a_measure_and_a_test() -> None:
    rows = [line for line in (DOCS / "hazards.md").read_text(encoding="utf-8").splitlines() if _is_row(line)]
    assert len(rows) > 30
    for row in rows:
        _, _, cause, measure, test, _ = re.split(r"(?<!\\)\|", row)
        assert cause.strip() or measure.strip(), row
        assert re.search(r"\b[DPI] ", measure), row
        assert named_in(test), row


def _is_row(line: str) -> bool:
    return line.startswith("| ") and not line.startswith(("| hazard ", "|---"))


def test_a_model_is_promoted_by_the_rule_that_the_plan_states() -> None:
    """Where the interval excludes a loss of more than 0.01; nor another file than was compared."""
    new, old = Measured("a", 0.9, 0.9, 0.1), Measured("b", 0.9, 0.9, 0.1)

    def refused(
        difference: float | None, low: float | None, candidate: str = "a", current: str = "b"
    ) -> bool:
        made = Comparison(new, old, "b", difference, low, low and 0.1, "test", 9, 9, "why")
        return bool(made.refusal(candidate, current))

    assert [refused(each, -0.009) for each in (0.01, 0.0, -0.005, None)] == [False, False, False, True]
    assert [refused(each, -0.011) for each in (0.01, 0.0, -0.005)] == [True, True, True]
    assert [refused(each, None) for each in (0.01, -0.01)] == [True, True]
    assert refused(0.02, 0.01, candidate="another")
    assert refused(0.02, 0.01, current="another")


def test_the_keys_of_tasks_are_keys_of_the_window() -> None:
    text = (DOCS / "usability.md").read_text(encoding="utf-8").partition("## Tasks")[2].partition("\n## ")[0]
    cells = [line.split("|")[4] for line in text.splitlines() if line.startswith("| ")]
    keys = {key for cell in cells for key in re.findall("`([^`]+)`", cell)}
    assert len(keys) > 8
    assert keys <= {key for binding in BINDINGS for key in binding.keys}


def test_the_papers_link_to_files_that_are_there() -> None:
    for name in PAPERS:
        path = DOCS / f"{name}.md"
        links = re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", path.read_text(encoding="utf-8"))
        assert [link for link in links if not Path(path.parent / link).exists()] == []
