"""A plugin of pytest that notes which files of tests start threads or use Qt: `-p tests.threads_seen`."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

LIST: Final = "SEMC_THREADS_SEEN"
"""Environment variable: the file to add the names to, one a line."""
_QT: Final = "qapp"

_started = 0
_start = threading.Thread.start


def _counted(thread: threading.Thread) -> None:
    global _started
    _started += 1
    _start(thread)


def pytest_configure() -> None:
    """Count from here on."""
    threading.Thread.start = _counted  # type: ignore[method-assign, assignment]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note the file of a test that used either."""
    before = _started
    told = yield
    if _started != before or _QT in getattr(item, "fixturenames", ()):
        with Path(os.environ[LIST]).open("a", encoding="utf-8") as names:
            names.write(f"{item.path.relative_to(item.config.rootpath)}\n")
    return told
