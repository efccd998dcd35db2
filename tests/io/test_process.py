"""What is asked of the operating system about processes."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from semc_core.io.process import give_back_memory, is_running


def test_memory_is_measured_in_mib() -> None:
    # In a process of its own: here, what earlier tests freed may be given out again, and nothing grows.
    program = (
        "import mmap; from semc_core.io.process import resident_mib; before = resident_mib(); "
        "held = mmap.mmap(-1, 64 << 20); held.write(b'1' * len(held)); print(resident_mib() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert 50 < float(done.stdout) < 200


@pytest.mark.skipif(sys.platform == "win32", reason="an ended process is gone at once")
def test_a_process_is_running_until_it_has_ended_be_it_waited_for_or_not() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert is_running(child.pid)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.close()
        assert child.stdout.read() == b""
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert not is_running(child.pid)
        child.wait()
        assert not is_running(child.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is kept")
def test_what_threads_freed_is_given_back() -> None:
    # As after a review: much was freed, and something that was made last stays.
    program = (
        "import threading; from semc_core.io.process import give_back_memory, resident_mib\n"
        "def work():\n"
        "    blocks = [bytearray(b'1' * 60_000) for _ in range(1500)]; kept.append(blocks[-1])\n"
        "kept = []; thread = threading.Thread(target=work); thread.start(); thread.join()\n"
        "before = resident_mib(); give_back_memory(); print(before - resident_mib())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert float(done.stdout) > 50


def test_where_nothing_can_be_given_back_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semc_core.io.process._malloc_trim", lambda: None)
    give_back_memory()
