"""A plugin of pytest that notes which tests have threads or use Qt, and takes only those: `make flaky`."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

NOTED: Final = "SEMC_THREADS_NOTED"
"""Environment variable: the file to add the names of the tests to, one a line."""
ONLY: Final = "SEMC_THREADS_ONLY"
"""Environment variable: a file of that kind; only its tests are run."""
_QT: Final = "qapp"
_REPEATED: Final = re.compile(r"-?\d+-\d+\]$")
"""What pytest-repeat adds to a name."""

_started = 0
_module: object = None
_at_rest = 0
"""Threads before the present module of tests: what another left behind does not count."""
_start = threading.Thread.start


def _counted(thread: threading.Thread) -> None:
    global _started
    _started += 1
    _start(thread)


def pytest_configure() -> None:
    """Count from here on."""
    threading.Thread.start = _counted  # type: ignore[method-assign, assignment]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not noted."""
    if ONLY not in os.environ:
        return
    wanted = set(Path(os.environ[ONLY]).read_text(encoding="utf-8").splitlines())
    left_out = [item for item in items if _name(item, repeated=bool(config.option.count > 1)) not in wanted]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _name(item: pytest.Item, *, repeated: bool) -> str:
    return _REPEATED.sub("]", item.nodeid).removesuffix("[]") if repeated else item.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Note a test that used either; one whose threads a fixture of the module started has them too."""
    global _module, _at_rest
    if item.getparent(pytest.Module) is not _module:
        _module, _at_rest = item.getparent(pytest.Module), threading.active_count()
    before = _started
    told = yield
    threads = _started != before or threading.active_count() > _at_rest
    if NOTED in os.environ and (threads or _QT in getattr(item, "fixturenames", ())):
        with Path(os.environ[NOTED]).open("a", encoding="utf-8") as names:
            names.write(f"{item.nodeid}\n")
    return told
