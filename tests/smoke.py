"""The program without the extras on this Python: installed, the way of a frame tested, every command tried.

`make smoke PYTHON=python3.13`. Training and GPUs are left out: they are tested on one Python, in full.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_TOOLS: Final = ("pyigtl", "pytest", "pytest-qt", "pytest-timeout", "pytest-xdist")
_FOLDERS: Final = ("imaging", "sources", "phantom", "pipeline", "protocols")


def main() -> None:
    """Install, test, run; ends with the status of the first step that fails."""
    quiet = ("--quiet", "--disable-pip-version-check")
    step("pip", "install", *quiet, "-c", "constraints.txt", ".", *_TOOLS)
    left_out = (f"--ignore={path}" for name in _FOLDERS for path in trained(ROOT / "tests" / name))
    step("pytest", "-q", "-n", "2", "--dist", "loadfile", *left_out, *(f"tests/{name}" for name in _FOLDERS))
    out = ROOT / "build" / "smoke"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    step("tests.without_extras", str(out))
    step("main", "live", "simulated:2007", "--offscreen", "--seconds", "15", "--out", str(out))
    print(f"Python {sys.version.split()[0]}: the program runs.")


def trained(folder: Path) -> list[Path]:
    """The tests below that need what trains: they import it where they begin."""
    return [path for path in sorted(folder.rglob("test_*.py")) if _imported(path) & {"torch", "training"}]


def _imported(path: Path) -> set[str]:
    """The packages that a file imports at once."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def step(module: str, *arguments: str) -> None:
    """Run a module of this Python in the project."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
