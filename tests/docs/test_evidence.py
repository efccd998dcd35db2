"""The page of evidence says what the cards and pages say that it takes its figures from, and no more."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Final

import pytest

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGE: Final = DOCS / "evidence.md"
_LINK: Final = re.compile(r"\[[^]]+\]\(([^)]+)\)")
_INTERVAL: Final = re.compile(r"[\d.]+(?: %)? \([\d.]+ to [\d.]+\)")
_NUMBER: Final = re.compile(r"\d[\d.]*")


def rows() -> list[list[str]]:
    """Of the table: claim, figure, data, command, where it stands."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "claim"]


def source_of(row: list[str]) -> str:
    link: str
    (link,) = _LINK.findall(row[4])
    return (DOCS / link).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(row[:2])[:60])
def test_every_figure_stands_where_it_was_measured(row: list[str]) -> None:
    source, figure = source_of(row), row[1]
    intervals = _INTERVAL.findall(figure)
    if not intervals:
        assert "no interval" in figure, "a figure says its interval, or that it has none"
    for each in intervals:
        assert each in source
    numbers = [each.rstrip(".") for each in _NUMBER.findall(figure)]
    assert numbers
    for number in numbers:
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d|\.\d)", source), number


def test_every_command_can_be_called_and_every_row_says_its_own_or_the_one_above() -> None:
    found = rows()
    assert len(found) >= 20
    for row in found:
        for module in re.findall(r"python -m ([\w.]+)", row[3]):
            assert importlib.util.find_spec(module) is not None, module
        assert "python -m" in row[3] or "semc " in row[3] or row[3] in ("", "the same")


@pytest.mark.requirement("M5")
def test_every_model_that_ships_has_its_figures_here() -> None:
    linked = {(DOCS / link).resolve() for link in _LINK.findall(PAGE.read_text(encoding="utf-8"))}
    cards = {path.resolve() for path in (DOCS.parent / "assets").glob("*/*.md") if path.name != "LICENCE.md"}
    assert cards
    assert cards <= linked
