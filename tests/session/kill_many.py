"""Kill a scan at 20 random moments, and look at what is left.

`python -m tests.session.kill_many [TIMES] [SEED]`

Prints for each kill how long before it the newest frame on the disk was; the exit code says whether all
sessions were recovered whole.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from semc_core.session.session import Session

ROOT = Path(__file__).parents[2]


def killed_after(folder: Path, entries: int, more_s: float) -> float:
    """Scan into `folder`, and kill that `more_s` after so many entries of the log. Returns the moment."""
    program = [sys.executable, "-m", "tests.session.killed_session", str(folder)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT) as scan:
        assert scan.stdout is not None
        while int(scan.stdout.readline()) < entries:
            pass
        time.sleep(more_s)
        scan.kill()
        return time.monotonic()


def look(folder: Path, killed_s: float) -> tuple[float, str, list[str]]:
    """Open a killed session. Returns the seconds lost, what it says of that, and the problems found."""
    with Session.open(folder) as session:
        lost_s = killed_s - float(session.frames().pts_s[-1])
        problems = list(session.verify().problems)
        named = {plane.png for plane in session.planes()}
        there = {path.name for path in folder.glob("*.png")}
        if named != there:
            problems.append(f"{len(named ^ there)} pictures and planes do not belong together.")
        if any(not (folder / name).with_suffix(".json").is_file() for name in there):
            problems.append("A picture has no JSON.")
        return lost_s, session.recovered, problems


def main() -> int:
    """Kill, look, tell."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    bad, all_lost = 0, []
    with tempfile.TemporaryDirectory() as place:
        for number in range(times):
            folder = Path(place) / str(number)
            killed_s = killed_after(folder, chance.randint(1, 40), chance.random())
            lost_s, said, problems = look(folder, killed_s)
            all_lost.append(lost_s)
            bad += bool(problems) or not said
            print(f"kill {number + 1}: {lost_s:.2f} s lost. {said} {' '.join(problems)}", flush=True)
    print(f"{times} kills, {bad} bad, at most {max(all_lost):.2f} s lost")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
