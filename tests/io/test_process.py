"""What is asked of the operating system about processes."""

from __future__ import annotations

import subprocess
import sys

from semc_core.io.process import is_running


def test_memory_is_measured_in_mib() -> None:
    # In a process of its own: here, what earlier tests freed may be given out again, and nothing grows.
    program = (
        "import mmap; from semc_core.io.process import resident_mib; before = resident_mib(); "
        "held = mmap.mmap(-1, 64 << 20); held.write(b'1' * len(held)); print(resident_mib() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 50 < float(done.stdout) < 200


def test_a_process_is_running_until_it_has_ended_and_was_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert is_running(child.pid)
        child.communicate(b"\n")
    assert not is_running(child.pid)
