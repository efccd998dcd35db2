"""Runs the tests of threads and of the window again and again, to find what fails only sometimes.

`make flaky`, or `python -m tests.flaky ROUNDS`: 30 rounds by default, and one more in which Python changes
from thread to thread every microsecond. In the first round all tests of the parts that have threads are run;
in those after it the tests that had threads or used Qt, ten rounds in one process, so that what one leaves
behind meets the next. About two hours on two cores with nothing else to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.skips import SHORT
from tests.threads_seen import NOTED, ONLY

ROOT: Final = Path(__file__).resolve().parents[1]
_KEPT: Final = ROOT / "build" / "flaky"
"""What a run of the tests printed in which one failed."""
_FOLDERS: Final = ("app", "io", "pacs", "pipeline", "review", "session", "sources")
_AT_ONCE: Final = 10
"""Rounds in one process."""
_SWITCHING: Final = (
    "import sys; sys.setswitchinterval(1e-6); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
)
_SIDE_BY_SIDE: Final = ("-n", "4", "--dist", "loadfile")


def main() -> int:
    """Run all rounds. Returns in how many runs of the tests one failed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "tests"
        failed = _failed("round 1", ["-m", "pytest", *_SIDE_BY_SIDE], {NOTED: str(seen)})
        only = {ONLY: str(seen)}
        tests = set(seen.read_text(encoding="utf-8").splitlines())
        print(f"{len(tests)} tests have threads or use Qt.", flush=True)
        # What takes long takes it in processes that train: in the first and the last round only.
        for first in range(2, rounds + 1, _AT_ONCE):
            count = min(_AT_ONCE, rounds + 1 - first)
            repeated = ("--count", str(count), "--repeat-scope", "session")
            title = f"rounds {first} to {first + count - 1} of {rounds}"
            failed += _failed(title, ["-m", "pytest", *_SIDE_BY_SIDE, "-m", SHORT, *repeated], only)
        switching = ["-c", _SWITCHING, "--timeout", "900"]
        failed += _failed("threads that change every microsecond", switching, only)
    print(f"{failed} runs of the tests failed.")
    return failed


def _failed(title: str, arguments: list[str], noted: dict[str, str]) -> int:
    """1 if a test failed, else 0."""
    done = subprocess.run(
        [
            sys.executable,
            *arguments,
            "-p",
            "tests.threads_seen",
            "-q",
            *(f"tests/{name}" for name in _FOLDERS),
        ],
        cwd=ROOT,
        env=os.environ | noted,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    lines = done.stdout.splitlines()
    print(f"{title}: {lines[-1] if lines else done.stderr}", flush=True)
    if done.returncode == 0:
        return 0
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print("   ", line, flush=True)
    _KEPT.mkdir(parents=True, exist_ok=True)
    kept = _KEPT / f"{title.replace(' ', '-')}.txt"
    kept.write_text(done.stdout + done.stderr, encoding="utf-8")
    print("   ", kept.relative_to(ROOT), flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
