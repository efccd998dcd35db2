"""Nothing leaves the machine because a model was loaded, or a picture looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import socket, sys, threading
from pathlib import Path

def refuse(*_, **__):
    raise AssertionError("something wanted to look up a host")

socket.getaddrinfo = refuse
import numpy as np
from semc_core.imaging.crop import find_crop
find_crop(np.zeros((48, 64), np.uint8))
from semc_core.runtime.load import load_runtime
load_runtime(Path(sys.argv[1]), "cpu", 1).close()
assert sys.modules["openvino_telemetry"] is None
print([thread.name for thread in threading.enumerate()])
"""


@pytest.mark.requirement("P3")
def test_openvino_is_loaded_without_its_telemetry(tiny_model_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tiny_model_path)],
        capture_output=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['MainThread']"
