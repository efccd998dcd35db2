"""Scans into a session until it is killed. Started by kill_many.py as a process of its own.

Every frame's time is the machine's monotonic clock, so that whoever kills can tell how much was lost.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from semc_core.session.writer import SessionWriter
from semc_core.types import FrameResult
from tests.session.killed_writer import event, origin
from tests.session.sessions import frame


def at(result: FrameResult, time_s: float) -> FrameResult:
    """`result` at another time."""
    return replace(result, packet=replace(result.packet, pts_s=time_s))


def main() -> None:
    """60 frames a second, a plane or a better frame of it 10 times a second.

    Prints the moment of the first frame, then what is committed: entries of the log, and planes.
    """
    keeper = SessionWriter(Path(sys.argv[1]), origin(), fresh=False)
    told = 0
    print(time.monotonic(), flush=True)
    for index in range(1_000_000):
        now_s = time.monotonic()
        keeper.classified(at(frame(index), now_s))
        if index % 6 == 0:
            found = event(index // 18 + 1, index)
            keeper.submit(replace(found, best=at(found.best, now_s), start_s=now_s, end_s=now_s))
        session = keeper.session
        committed = 0 if session is None else session.head[0]
        if committed > told:
            told = committed
            planes = 0 if session is None else len(session.planes())
            print(told, planes, flush=True)
        time.sleep(1 / 60)


if __name__ == "__main__":
    main()
