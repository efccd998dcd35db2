"""How long it takes to read what sessions and model files say: a scan of half an hour, and the shipped model.

python -m docs.benchmarks.documents
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from semc_core.model.file import read_spec
from semc_core.paths import DEFAULT_MODEL
from semc_core.session.session import Session
from tests.session.sessions import find_plane, frame, new_session

FRAMES, BATCH, PLANES = 50_000, 15, 300


def made(folder: Path) -> Path:
    """The session: 50,000 frames in 3,334 entries of the log, and 300 planes."""
    with new_session(folder) as session:
        for first in range(0, FRAMES, BATCH):
            session.add_frames([frame(index) for index in range(first, min(first + BATCH, FRAMES))])
            session.flush()
        for number in range(1, PLANES + 1):
            find_plane(session, number, number * 100)
    return folder


def opened(folder: Path) -> None:
    """Open and close it, to be looked at."""
    Session.open(folder, read_only=True).close()


def log_read(folder: Path) -> None:
    """Read its whole log."""
    with Session.open(folder, read_only=True) as session:
        assert sum(1 for _ in session.audit()) > FRAMES // BATCH


def proven(folder: Path) -> None:
    """Prove it."""
    with Session.open(folder, read_only=True) as session:
        assert session.verify().ok


def median_ms(job: Callable[[], object], times: int = 9) -> float:
    """The first run, which loads what is needed, is not counted."""
    job()
    taken = []
    for _ in range(times):
        start = time.process_time()
        job()
        taken.append(time.process_time() - start)
    return statistics.median(taken) * 1000


def main() -> None:
    """Print a line for each."""
    with tempfile.TemporaryDirectory() as place:
        folder = made(Path(place) / "scan")
        for job in (opened, log_read, proven):
            print(f"{job.__name__:10} {median_ms(lambda job=job: job(folder)):7.1f} ms")
        print(f"{'read_spec':10} {median_ms(lambda: read_spec(DEFAULT_MODEL)):7.1f} ms")


if __name__ == "__main__":
    main()
