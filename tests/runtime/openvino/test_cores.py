"""Two programs side by side compute on two cores, not both on the first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import contextlib, os, sys, threading
from pathlib import Path
import numpy as np
from semc_core.imaging.preprocess import prepare
from semc_core.runtime.openvino.runtime import OpenVinoRuntime
from semc_core.types import Crop

runtime = OpenVinoRuntime(Path(sys.argv[1]), 1)
own, bound, over = os.sched_getaffinity(0), set(), threading.Event()

def look():  # while it computes: when it does not, no thread is bound
    while not over.is_set():
        for thread in map(int, os.listdir("/proc/self/task")):
            with contextlib.suppress(ProcessLookupError):
                if os.sched_getaffinity(thread) != own:
                    bound.add(thread)

looking = threading.Thread(target=look)
looking.start()
frame = prepare(np.zeros((64, 64), np.uint8), Crop(0, 0, 64, 64), runtime.spec.preprocessing)
for _ in range(100):
    runtime.classify(np.stack([frame] * 4))
over.set()
looking.join()
print(len(bound), "threads bound")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there it is known where a thread may run")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core is shared in any case")
def test_no_thread_of_the_network_is_bound_to_one_core(tiny_model_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tiny_model_path)],
        cwd=Path(__file__).parents[3], capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.stdout == "0 threads bound\n", done.stdout + done.stderr
