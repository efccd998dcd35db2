"""The quick half of the record: what the program does is what it did."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.record.comparing import differences, read
from tests.record.parts import PARTS
from tests.record.running import Place

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="folders and threads are set as on Linux")


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in PARTS if name != "words"])
def test_the_program_does_what_it_did(name: str, tmp_path: Path) -> None:
    found = PARTS[name](Place(tmp_path), quick=True)
    stored, _ = read(name)
    told = differences({key: stored[key] for key in found}, found, here=False, name=name)
    assert not told, "\n".join(told)


def test_numbers_may_differ_a_little_and_words_not() -> None:
    stored = {"a": [0.5, 1, "x"], "b_here": 1, "steps": [1.0]}
    assert not differences(stored, {"a": [0.5009, 1, "x"], "b_here": 2, "steps": [1.01]}, here=False)
    assert differences(stored, {"a": [0.5, 2, "y"], "b_here": 2, "steps": []}, here=True, name="p") == [
        "p/a[1] was 1, is 2",
        'p/a[2] was "x", is "y"',
        "p/b_here was 1, is 2",
        "p/steps was [1.0], is []",
    ]
    assert differences({"a": 1}, {"b": 1}, here=True) == ["/a is gone", "/b is new"]
