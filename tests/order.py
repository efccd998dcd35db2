"""In which order the files of tests are begun.

Where several processes share them, each takes the next file when it is done with one. A file that takes
minutes and is begun last has the others wait for it; several such at once meet limits of time. So one file
with long tests follows on every few others, until there is none left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pytest

_OTHERS: Final = 3
"""How many files stand between two with long tests."""


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The same tests, those of a file together and in their order; with many tests, or long ones, first."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    largest_first = sorted(files.values(), key=len, reverse=True)
    long = iter([tests for tests in largest_first if _is_long(tests)])
    others = iter([tests for tests in largest_first if not _is_long(tests)])
    return [item for tests in _mixed(long, others) for item in tests]


def _mixed(
    long: Iterator[list[pytest.Item]], others: Iterator[list[pytest.Item]]
) -> Iterator[list[pytest.Item]]:
    for tests in long:
        yield tests
        yield from (tests for _, tests in zip(range(_OTHERS), others, strict=False))
    yield from others


def _is_long(tests: Iterable[pytest.Item]) -> bool:
    return any(item.get_closest_marker("long") for item in tests)
