"""What review costs with thousands of planes: `python -m tests.app.measure_many_planes [PLANES]`.

Prints milliseconds of the window's thread for a tick at rest, and for a key that goes to the next plane, with
all that it paints. Nothing else may be at work on the machine.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import tests.own_data  # noqa: F401 - before the program looks for its folder
from app.application import new_application
from app.checklist.panel import ChecklistPanel
from app.review.page import ReviewPage
from app.review.session import OpenReview
from app.review.worker import Listener, SessionWorker
from semc_core.session.session import Session
from tests.session.sessions import filled_session, logged_event

_SETTLE_S: Final = 20.0
_TICKS: Final = 100
_KEYS: Final = 30


def session_of(folder: Path, planes: int) -> Session:
    """A session with so many planes; their pictures are not there."""
    session = filled_session(folder)
    for number in range(3, planes + 1):
        at_s = number * 0.5
        event = logged_event(number, 10 + number % 40, final=True)
        event = replace(event, start_s=at_s, end_s=at_s + 0.3)
        event = replace(event, best=replace(event.best, packet=replace(event.best.packet, pts_s=at_s)))
        session.record_plane(event, f"{number:03}_A_f{number:06}.png", "0" * 64)
    return session


def main() -> int:
    """Build, and measure."""
    planes = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    application = new_application()
    with tempfile.TemporaryDirectory() as place, session_of(Path(place) / "scan", planes) as session:
        tasks: SimpleQueue[Callable[[], object]] = SimpleQueue()
        listener = Listener(lambda text: None, lambda text: None, lambda: None)
        worker = SessionWorker(OpenReview(session, None, None), tasks.put, listener)
        page = ReviewPage(ChecklistPanel())
        page.resize(1280, 760)
        page.show()
        page.show_review(worker)

        def tick() -> float:
            begun_s = time.perf_counter()
            while True:
                try:
                    tasks.get_nowait()()
                except Empty:
                    break
            worker.tick(time.monotonic())
            page.tick(time.monotonic())
            application.processEvents()
            return 1000 * (time.perf_counter() - begun_s)

        end_s, settling = time.monotonic() + _SETTLE_S, []
        while time.monotonic() < end_s:
            settling.append(tick())
            time.sleep(0.016)
        assert page.commands is not None
        assert page.shown is not None
        assert len(page.shown.planes) == planes
        rest = [tick() for _ in range(_TICKS)]
        keys = []
        for _ in range(_KEYS):
            begun_s = time.perf_counter()
            page.commands.to_plane(1)
            tick()
            keys.append(1000 * (time.perf_counter() - begun_s))
            for _ in range(5):
                tick()
                time.sleep(0.016)
        worker.close()
    for name, values in (("in the first 20 s", settling), ("at rest", rest), ("a key", keys)):
        median, most = statistics.median(values), max(values)
        print(f"{planes} planes, {name}: {median:.1f} ms median, {most:.1f} ms at most", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
