"""Attack a session: `python -m tests.attack [COUNT] [FIRST SEED]`; 1 where an attack was not found."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tests.own_data  # noqa: F401 - before the program looks for its folder
from tests.attack.changes import NAMED
from tests.attack.running import Attacked, table


def main() -> int:
    """Attack, and print what came of it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as place:
        attacked = Attacked(Path(place) / "scan")
        outcomes = [attacked.attack(name, change, seed) for name, change in NAMED.items()]
        outcomes += attacked.at_random(count, seed)
    print(table(outcomes))
    missed = [each for each in outcomes if not each.found]
    for each in missed:
        print(f"NOT FOUND: {each.name}, seed {each.seed}: {each.said}")
    print(f"{len(outcomes)} attacks, {len(missed)} not found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
