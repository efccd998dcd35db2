"""Text is read and written in the encoding that is said, not in the machine's.

A library in C may set another locale while the program runs, and with it the encoding that Python takes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "semc_core", "training", "tests", "docs")


def _unsaid(source: str) -> Iterator[int]:
    """Lines of the calls that open text without saying its encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        given = {each.arg for each in node.keywords}
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        as_text = name in ("read_text", "write_text") and not node.args[name == "write_text" :]
        of_process = "text" in given and name in ("run", "Popen")
        as_table = "newline" in given and name in ("open", "fdopen")
        if (as_text or of_process or as_table) and "encoding" not in given:
            yield node.lineno


@pytest.mark.parametrize(
    "source",
    ["path.read_text()", "path.write_text('a')", "subprocess.run(x, text=True)", "path.open(newline='')"],
)
def test_what_does_not_say_its_encoding_is_found(source: str) -> None:
    assert list(_unsaid(source)) == [1]


@pytest.mark.parametrize("room", ROOMS)
def test_everything_that_opens_text_says_its_encoding(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    found = [
        f"{file.relative_to(ROOT)}:{line}" for file in files for line in _unsaid(file.read_text("utf-8"))
    ]
    assert not found
