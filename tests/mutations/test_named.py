"""The changes of `changes.py` can be applied, their tests are there, and docs/testing.md lists them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutations.changes import CHANGES, Change
from tests.mutations.named import ROOT


def by_name(change: Change) -> str:
    return change.what


@pytest.mark.parametrize("change", CHANGES, ids=by_name)
def test_a_change_fits_its_file_and_leaves_python(change: Change) -> None:
    text = (ROOT / change.path).read_text(encoding="utf-8")
    assert text.count(change.old) == 1
    changed = text.replace(change.old, change.new)
    assert changed != text
    ast.parse(changed)


@pytest.mark.parametrize("change", CHANGES, ids=by_name)
def test_the_test_of_a_change_is_there_and_in_the_documentation(change: Change) -> None:
    path, name = change.test.split("::")
    functions = [node.name for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
                 if isinstance(node, ast.FunctionDef)]  # fmt: skip
    assert functions.count(name) == 1
    page = Path(ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    assert f"| {change.what} | `{path.removeprefix('tests/')}` | `{name}` |" in page


def test_no_change_is_there_twice() -> None:
    assert len({change.what for change in CHANGES}) == len(CHANGES)
