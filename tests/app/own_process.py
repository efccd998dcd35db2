"""Tests in a process of their own, which has one window, as the program has."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

ALONE: Final = "SEMC_TESTS_ALONE"
"""Set in the process that has the test for itself."""


def alone(file: str, name: str, count: int = 1, **environment: str) -> None:
    """Run this test so, with `count` parameters, and fail where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{file}::{name}"],
        env=os.environ | {ALONE: "1"} | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if f"{count} passed" not in done.stdout:
        # Of a process that died the first lines say where; what follows is a list of libraries.
        raise AssertionError(f"exit {done.returncode}\n{done.stderr[:6000]}\n{done.stdout[-4000:]}")
