"""The program without PyTorch on this Python: installs what it needs, tests the way of a frame, runs a scan.

`make smoke PYTHON=python3.13`. Training and GPUs are left out: they are tested on one Python, in full.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_WITHOUT: Final = ("torch", "torchvision")
_TOOLS: Final = ("pytest", "pytest-qt", "pytest-timeout", "pytest-xdist")
_FOLDERS: Final = ("imaging", "sources", "phantom", "pipeline", "protocols")


def main() -> None:
    """Install, test, run; ends with the status of the first step that fails."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [name for name in project["dependencies"] if name not in _WITHOUT]
    quiet = ("--quiet", "--disable-pip-version-check")
    step("pip", "install", *quiet, "-c", "constraints.txt", *needed, *_TOOLS)
    step("pytest", "-q", "-n", "2", "--dist", "loadfile", *(f"tests/{name}" for name in _FOLDERS))
    out = str(ROOT / "build" / "smoke")
    step("main", "live", "simulated:2007", "--offscreen", "--seconds", "15", "--out", out)
    print(f"Python {sys.version.split()[0]}: the program runs.")


def step(module: str, *arguments: str) -> None:
    """Run a module of this Python in the project."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
