"""A plugin of pytest that notes which tests have threads or use Qt: `-p tests.threads_seen`."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

LIST: Final = "SEMC_THREADS_SEEN"
"""Environment variable: the file to add the names of the tests to, one a line."""
_QT: Final = "qapp"

_started = 0
_at_rest = 0
_start = threading.Thread.start


def _counted(thread: threading.Thread) -> None:
    global _started
    _started += 1
    _start(thread)


def pytest_configure() -> None:
    """Count from here on."""
    global _at_rest
    _at_rest = threading.active_count()
    threading.Thread.start = _counted  # type: ignore[method-assign, assignment]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note a test that used either; one whose threads a fixture of the module started has them too."""
    before = _started
    told = yield
    threads = _started != before or threading.active_count() > _at_rest
    if threads or _QT in getattr(item, "fixturenames", ()):
        with Path(os.environ[LIST]).open("a", encoding="utf-8") as names:
            names.write(f"{item.nodeid}\n")
    return told
