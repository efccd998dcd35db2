"""Where memory is short, OpenVINO's lines are no sentence for a user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from semc_core.runtime.openvino.runtime import _fault

_PROGRAM = """
import resource
from pathlib import Path
from semc_core.errors import RuntimeFault
from semc_core.paths import DEFAULT_MODEL
from semc_core.model.file import read_spec
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
read_spec(DEFAULT_MODEL)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (40 << 20),) * 2)
try:
    OpenVinoRuntime(DEFAULT_MODEL, 1)
except RuntimeFault as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there memory is bounded so")
def test_too_little_memory_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=Path(__file__).parents[3], capture_output=True, encoding="utf-8"
    )
    assert done.stdout == (
        "There is too little memory to compile the model; close other programs, or choose a smaller one.\n"
    ), done.stderr


def test_of_other_faults_the_last_line_is_told() -> None:
    error = RuntimeError(
        "Exception from src/core.cpp:117:\nException from src/plugin.cpp:54:\nno such operation\n\n"
    )
    assert str(_fault("run", error)) == "OpenVINO could not run the model (no such operation); load it again."
    assert "too little memory" in str(_fault("run", MemoryError()))
    assert "too little memory" in str(_fault("run", RuntimeError("Check failed\nstd::bad_alloc\n")))
