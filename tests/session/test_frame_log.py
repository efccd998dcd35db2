"""Frames are in the log before a plane of them is written."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from typing import cast

from semc_core.session.frame_log import FrameLog
from semc_core.session.frame_table import FrameRow
from semc_core.session.session import Session
from tests.session.sessions import frame


def test_who_flushes_waits_for_a_slow_disk() -> None:
    written: list[int] = []

    class Slow:
        def write_rows(self, rows: Sequence[FrameRow]) -> None:
            threading.Event().wait(1.5)
            written.append(len(rows))

    with closing(FrameLog(lambda: cast(Session, Slow()))) as log:
        log.put(frame(1))
        log.flush()
        assert written == [1], "a kill now would leave a plane that no frame bears out"
