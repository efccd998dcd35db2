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
from dataclasses import dataclass
from pathlib import Path

from semc_core.session.session import Session

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Killed:
    """A scan that was killed.

    Attributes:
        begun_s: When its first frame came.
        at_s: When it was killed.
        planes: Planes that it had said were saved.
    """

    begun_s: float
    at_s: float
    planes: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of it.

    Attributes:
        lost_s: From the newest frame that is there to the kill; without one, from the first that came.
        of_s: From the first frame that came to the kill.
        planes_lost: Of those that were said to be saved.
        said: The session's own sentence.
        problems: Of the session, and of its folder.
    """

    lost_s: float
    of_s: float
    planes_lost: int
    said: str
    problems: list[str]


def killed_after(folder: Path, entries: int, more_s: float) -> Killed:
    """Scan into `folder`, and kill that `more_s` after so many entries of the log."""
    program = [sys.executable, "-m", "tests.session.killed_session", str(folder)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT) as scan:
        assert scan.stdout is not None
        begun_s, told, planes = float(scan.stdout.readline()), 0, 0
        while told < entries:
            told, planes = map(int, scan.stdout.readline().split())
        time.sleep(more_s)
        scan.kill()
        at_s = time.monotonic()
        # What it said between that and its end.
        for line in scan.stdout:
            planes = int(line.split()[1])
    return Killed(begun_s, at_s, planes)


def look(folder: Path, killed: Killed) -> Left:
    """Open a killed session: one that was killed before its first frames were stored has none."""
    with Session.open(folder) as session:
        times_s = session.frames().pts_s
        newest_s = float(times_s[-1]) if len(times_s) else killed.begun_s
        problems = list(session.verify().problems)
        planes = session.planes()
        named = {plane.png for plane in planes}
        there = {path.name for path in folder.glob("*.png")}
        if named != there:
            problems.append(f"{len(named ^ there)} pictures and planes do not belong together.")
        if any(not (folder / name).with_suffix(".json").is_file() for name in there):
            problems.append("A picture has no JSON.")
        lost = max(0, killed.planes - len(planes))
        return Left(killed.at_s - newest_s, killed.at_s - killed.begun_s, lost, session.recovered, problems)


def main() -> int:
    """Kill, look, tell."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    bad, all_lost = 0, []
    with tempfile.TemporaryDirectory() as place:
        for number in range(times):
            folder = Path(place) / str(number)
            left = look(folder, killed_after(folder, chance.randint(1, 40), chance.random()))
            all_lost.append(left.lost_s)
            bad += bool(left.problems or left.planes_lost) or not left.said
            problems = " ".join(left.problems)
            print(f"kill {number + 1}: {left.lost_s:.2f} s lost. {left.said} {problems}", flush=True)
    print(f"{times} kills, {bad} bad, at most {max(all_lost):.2f} s lost")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
