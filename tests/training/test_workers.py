"""Processes side by side leave Ctrl+C to the one that started them."""

from __future__ import annotations

import signal
import sys

import pytest

from training.workers import workers


@pytest.mark.skipif(sys.platform == "win32", reason="processes inherit no signals there")
def test_workers_leave_ctrl_c_to_who_started_them() -> None:
    before = signal.getsignal(signal.SIGINT)
    with workers(1) as pool:
        assert pool.apply(signal.getsignal, (signal.SIGINT,)) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is before
