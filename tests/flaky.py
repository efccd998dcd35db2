"""Runs the tests of threads and of the window again and again, to find what fails only sometimes.

`make flaky`, or `python -m tests.flaky ROUNDS`: 30 rounds by default, and one more in which Python changes
from thread to thread every microsecond. Takes more than an hour on two cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_FOLDERS: Final = ("app", "io", "pacs", "pipeline", "review", "session", "sources")
_SWITCHING: Final = (
    "import sys; sys.setswitchinterval(1e-6); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
)


def main() -> int:
    """Run all rounds. Returns how many failed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    tests = ["-q", *(f"tests/{name}" for name in _FOLDERS)]
    side_by_side = [*tests, "-n", "2", "--dist", "loadfile"]
    failed = 0
    for number in range(1, rounds + 1):
        failed += not _passes(f"round {number} of {rounds}", ["-m", "pytest", *side_by_side])
    failed += not _passes(
        "threads that change every microsecond", ["-c", _SWITCHING, *tests, "--timeout", "900"]
    )
    print(f"{failed} of {rounds + 1} rounds failed.")
    return failed


def _passes(title: str, arguments: list[str]) -> bool:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    print(f"{title}: {lines[-1] if lines else done.stderr}", flush=True)
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print("   ", line, flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
