"""How long a correction, a plane and closing take: `python -m tests.session.measure_actions`."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tests.own_data  # noqa: F401 - before the program looks for its folder
from semc_core.session.correcting.changes import Relabel
from tests.session.sessions import filled_session, find_plane

ROUNDS = 400


def main() -> int:
    """Print medians and the 99th percentile, milliseconds."""
    with tempfile.TemporaryDirectory() as place, filled_session(Path(place) / "scan") as session:
        actions: dict[str, Callable[[int], object]] = {
            "correction": lambda number: session.apply(Relabel(1, "AB"[number % 2])),
            "plane": lambda number: find_plane(session, 3 + number, 10),
        }
        for name, act in actions.items():
            taken = []
            for number in range(ROUNDS):
                begun = time.perf_counter()
                act(number)
                taken.append(1000 * (time.perf_counter() - begun))
            taken.sort()
            print(f"{name}: {statistics.median(taken):.2f} ms median, {taken[int(0.99 * ROUNDS)]:.2f} ms p99")
    return 0


if __name__ == "__main__":
    sys.exit(main())
