"""Runs the tests of threads and of the window again and again, to find what fails only sometimes.

`make flaky`, or `python -m tests.flaky ROUNDS`: 30 rounds by default, and one more in which Python changes
from thread to thread every microsecond. In the first round all tests of the parts that have threads are run;
in those after it the tests that had threads or used Qt. About an hour and a half on two cores with nothing
else to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.skips import SHORT
from tests.threads_seen import LIST

ROOT: Final = Path(__file__).resolve().parents[1]
_FOLDERS: Final = ("app", "io", "pacs", "pipeline", "review", "session", "sources")
_SHORT: Final = ("-m", SHORT)
"""What takes long takes it in processes that train: in the first and the last round only."""
_SWITCHING: Final = (
    "import sys; sys.setswitchinterval(1e-6); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
)
_SIDE_BY_SIDE: Final = ("-n", "4", "--dist", "loadfile")


def main() -> int:
    """Run all rounds. Returns how many failed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    everything = tuple(f"tests/{name}" for name in _FOLDERS)
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "tests"
        noting = ("-p", "tests.threads_seen", *_SIDE_BY_SIDE)
        failed = int(not _passes(f"round 1 of {rounds}", ["-m", "pytest", *noting, *everything], seen))
        tests = sorted(set(seen.read_text(encoding="utf-8").splitlines()))
        seen.write_text("\n".join(tests), encoding="utf-8")
        print(f"{len(tests)} tests have threads or use Qt.", flush=True)
        for number in range(2, rounds + 1):
            failed += not _passes(
                f"round {number} of {rounds}", ["-m", "pytest", *_SIDE_BY_SIDE, *_SHORT, f"@{seen}"]
            )
        switching = ["-c", _SWITCHING, "--timeout", "900", f"@{seen}"]
        failed += not _passes("threads that change every microsecond", switching)
    print(f"{failed} of {rounds + 1} rounds failed.")
    return failed


def _passes(title: str, arguments: list[str], seen: Path | None = None) -> bool:
    noted = {} if seen is None else {LIST: str(seen)}
    done = subprocess.run(
        [sys.executable, *arguments, "-q"],
        cwd=ROOT,
        env=os.environ | noted,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    print(f"{title}: {lines[-1] if lines else done.stderr}", flush=True)
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print("   ", line, flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
