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
from semc_core.session.signing import Signer, machine_signer
from tests.session.sessions import filled_session, find_plane

ROUNDS = 400


class Unsigned(Signer):
    """Signs nothing: what everything else costs."""

    def sign(self, message: bytes) -> str:
        """No signature."""
        return "0" * 128


def main() -> int:
    """Print medians with and without signing, taken in turns within this run, and their ratio."""
    signers = (machine_signer(), Unsigned(bytes(32)))
    with tempfile.TemporaryDirectory() as place, filled_session(Path(place) / "scan") as session:
        actions: dict[str, Callable[[int], object]] = {
            "correction": lambda number: session.apply(Relabel(1, "AB"[number % 2])),
            "plane": lambda number: find_plane(session, 3 + number, 10),
        }
        for name, act in actions.items():
            taken: tuple[list[float], list[float]] = ([], [])
            for number in range(2 * ROUNDS):
                # In pairs, so that a busy machine is so for both; a change of its mind each time.
                which = number // 2 % 2
                session._journal.__dict__["signer"] = signers[which]
                begun = time.perf_counter()
                act(number)
                taken[which].append(1000 * (time.perf_counter() - begun))
            session._journal.__dict__["signer"] = signers[0]
            signed, unsigned = map(statistics.median, taken)
            p99 = sorted(taken[0])[int(0.99 * ROUNDS)]
            print(
                f"{name}: {signed:.2f} ms median, {p99:.2f} ms p99; without signing {unsigned:.2f} ms, "
                f"ratio {signed / unsigned:.2f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
