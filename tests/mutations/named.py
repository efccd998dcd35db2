"""Applies each change of `changes.py` to a copy of the tree and demands that its test fails.

`python -m tests.mutations.named [WORDS]`, or `make mutants-named`; with WORDS only the changes that have
them. About ten minutes. First the tests must pass without any change; then each must fail by an assertion,
and not because the changed program cannot run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.mutations.changes import CHANGES, Change

ROOT: Final = Path(__file__).resolve().parents[2]
_PASSED, _FAILED = 0, 1
"""Exit codes of pytest; others say that no test was run."""

_NEEDED: Final = ("app", "assets", "semc_core", "tests", "training", "main.py", "pyproject.toml")


def main(words: Sequence[str]) -> int:
    """Returns 1 if a change goes unnoticed."""
    chosen = [each for each in CHANGES if all(word in each.what for word in words)]
    with tempfile.TemporaryDirectory(prefix="semc-mutants-") as folder:
        tree = Path(folder) / "tree"
        copy_to(tree)
        if run(tree, sorted({each.test for each in chosen}))[0] != _PASSED:
            print("The tests fail without any change; mend them first.")
            return 1
        unnoticed = [each for each in chosen if not is_noticed(tree, each)]
    print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} changes were noticed.")
    return 1 if unnoticed or not chosen else 0


def copy_to(tree: Path) -> None:
    """Copy what the tests need; nothing beside the repository comes along."""
    tree.mkdir(parents=True)
    for name in _NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree / name)


def is_noticed(tree: Path, change: Change) -> bool:
    """Apply a change, run its test, take the change back, and say what came out."""
    path, started_s = tree / change.path, time.monotonic()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(change.old, change.new), encoding="utf-8")
    code, told = run(tree, [change.test])
    path.write_text(text, encoding="utf-8")
    noticed = code == _FAILED and "AssertionError" in told
    said = {_PASSED: "NOT NOTICED"}.get(code, "noticed" if noticed else f"NOT RUN ({code})\n{told[-2000:]}\n")
    print(f"{said}: {change.what} ({time.monotonic() - started_s:.0f} s)", flush=True)
    return noticed


def run(tree: Path, tests: Iterable[str]) -> tuple[int, str]:
    """Run tests in a tree, without compiled files of another version of it. Returns exit code and output."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    own = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, cwd=tree, env=os.environ | own, capture_output=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
