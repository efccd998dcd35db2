"""What is asked of the operating system about processes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from semc_core.io.process import is_running, resident_mib


def test_memory_is_measured_in_mib() -> None:
    before = resident_mib()
    held = np.ones(64 * 2**20, np.uint8)
    grown = resident_mib() - before
    assert 50 < grown < 200
    assert held[0] == 1


def test_a_process_is_running_until_it_has_ended_and_was_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert is_running(child.pid)
        child.communicate(b"\n")
    assert not is_running(child.pid)
