"""Runs the tests of threads and of the window again and again, to find what fails only sometimes.

`make flaky`, or `python -m tests.flaky ROUNDS`: 30 rounds by default, and one more in which Python changes
from thread to thread every microsecond. About an hour on two cores with nothing else to do.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_TESTS: Final = (
    *(f"tests/{name}" for name in ("app", "io", "pacs", "pipeline", "review", "session")),
    *(f"tests/sources/test_{name}.py" for name in (
        "camera", "device_modes", "devices", "paced", "simulated_devices", "source_contract", "stream",
    )),
)  # fmt: skip
_MOSTLY_TRAINING: Final = "tests/app/train/test_page.py"
"""Its minutes are those of a process of its own, which trains: in the last round only."""
_SWITCHING: Final = (
    "import sys; sys.setswitchinterval(1e-6); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
)


def main() -> int:
    """Run all rounds. Returns how many failed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    tests = ["-q", *_TESTS]
    side_by_side = [*tests, "-n", "2", "--dist", "loadfile", "--ignore", _MOSTLY_TRAINING]
    failed = 0
    for number in range(1, rounds + 1):
        failed += not _passes(f"round {number} of {rounds}", ["-m", "pytest", *side_by_side])
    failed += not _passes(
        "threads that change every microsecond", ["-c", _SWITCHING, *tests, "--timeout", "900"]
    )
    print(f"{failed} of {rounds + 1} rounds failed.")
    return failed


def _passes(title: str, arguments: list[str]) -> bool:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    print(f"{title}: {lines[-1] if lines else done.stderr}", flush=True)
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print("   ", line, flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
