"""Runs tests again and again, each time in a process that has the libraries loaded already.

`python -m tests.mutations.worker TESTS...` in a copy of the tree: loading PyTorch takes ten times as long as
the tests do. The tests are run once in a child; what that loaded of other people's libraries is then loaded
here, nothing of the project's. After that each line read, a number of seconds, runs the tests in a new child
and is answered by one line: pytest's exit code, or "late".
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

LATE: Final = "late"
_POLL_S: Final = 0.01
_PLUGINS: Final = ("_pytest", "pytest")
"""Loaded by pytest itself, which wants to do it first."""

_QUICK: Final = (
    # Without the plugins that no test here needs, which take longer to load than the tests.
    *("-p", "pytest_timeout", "-p", "pytestqt.plugin", "-p", "no:cacheprovider"),
    # Nobody reads what a failed assertion compared.
    "--assert=plain",
)


def main(tests: Sequence[str]) -> None:
    """Answer until there is nothing more to read; first with the code and seconds of the tests alone."""
    with tempfile.TemporaryDirectory(prefix="semc-survey-") as folder:
        loaded = Path(folder) / "loaded"
        _answer(_in_child(tests, 600, loaded))
        for name in loaded.read_text(encoding="utf-8").split():
            with warnings.catch_warnings(), contextlib.suppress(ImportError):
                warnings.simplefilter("ignore")
                importlib.import_module(name)
        started_s = time.monotonic()
        _answer(f"{_in_child(tests, 600)} {time.monotonic() - started_s}")
        for line in sys.stdin:
            _answer(_in_child(tests, float(line)))


def _answer(what: str) -> None:
    print(what, flush=True)


def _in_child(tests: Sequence[str], limit_s: float, loaded: Path | None = None) -> str:
    """Run the tests in a process group of their own. Returns pytest's exit code, or `LATE`."""
    child = os.fork()
    if child == 0:
        _be_child(tests, loaded)
    until_s = time.monotonic() + limit_s
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > until_s:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return LATE
        time.sleep(_POLL_S)
    with contextlib.suppress(ProcessLookupError):  # what the tests started and left behind
        os.killpg(child, signal.SIGKILL)
    return str(os.waitstatus_to_exitcode(done[1]))


def _be_child(tests: Sequence[str], loaded: Path | None) -> None:
    """Run the tests, say what was loaded, and end without coming back."""
    code = 1
    try:
        os.setsid()
        told = os.open(os.environ.get("SEMC_SURVEY_TOLD", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for mine, whose in ((nothing, 0), (told, 1), (told, 2)):
            os.dup2(mine, whose)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        code = int(pytest.main(["-q", "-x", *_QUICK, *tests]))
        if loaded is not None:
            loaded.write_text("\n".join(_libraries()), encoding="utf-8")
    finally:
        sys.stdout.flush()
        os._exit(code)


def _libraries() -> list[str]:
    """Names of what is loaded and neither the project's nor pytest's, in the order of loading."""
    tree = str(Path.cwd())
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return [
        name for name, file in files.items()
        if file and not file.startswith(tree) and not name.startswith(_PLUGINS) and name != "__main__"
    ]  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
