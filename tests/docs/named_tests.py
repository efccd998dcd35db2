"""Tests that pages name, as pytest names them (`tests/FILE.py::test_name`): are they there?"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_NAMED: Final = re.compile(r"\btests/[\w/]+\.py::\w+")
_DEFINED: Final = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


def named_in(text: str) -> list[str]:
    """The tests that a text names."""
    return _NAMED.findall(text)


def missing(names: list[str]) -> list[str]:
    """Those of them that there are not."""
    return [name for name in names if not _is_there(name)]


def _is_there(name: str) -> bool:
    file, _, test = name.partition("::")
    return test in _tests_of(ROOT / file)


@functools.cache
def _tests_of(path: Path) -> frozenset[str]:
    return frozenset(_DEFINED.findall(path.read_text(encoding="utf-8"))) if path.is_file() else frozenset()
