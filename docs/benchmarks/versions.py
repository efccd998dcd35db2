"""Time and processor time of `semc analyse`, of this version and of another, in turns.

git worktree add ../before VERSION
python docs/benchmarks/versions.py ../before scan.mp4 [--rounds 5] [--model FILE]

Each run is a process of its own, start included; frames are counted in what it wrote. The ratio is taken
within each round, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]


def analyse(version: Path, arguments: list[str]) -> tuple[float, float, int]:
    """Seconds, seconds of processors, and frames, of one analysis by the program in `version`."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, str(version / "main.py"), "analyse", *arguments, "--out", out]
        begun_s = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=version,
            env={**os.environ, "PYTHONPATH": str(version)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        took_s = time.perf_counter() - begun_s
        if status:
            raise SystemExit(f"{' '.join(command)} failed; run it by hand to see why.")
        [table] = Path(out).glob("**/frames.csv")
        return took_s, used.ru_utime + used.ru_stime, len(table.read_text(encoding="utf-8").splitlines()) - 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    arguments = [str(args.file.resolve()), *(("--model", str(args.model.resolve())) if args.model else ())]
    versions = {"before": args.before.resolve(), "now": HERE}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in versions}
    for turn in range(args.rounds + 1):
        # Who goes first changes, too.
        for name in sorted(versions, reverse=bool(turn % 2)):
            took_s, used_s, frames = analyse(versions[name], arguments)
            if turn:  # the first turn warms up
                taken[name].append((1000 * took_s / frames, 1000 * used_s / frames))
    for name, measured in taken.items():
        wall, used = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{name:8} {wall:6.2f} ms a frame, {used:6.2f} ms of processors a frame")
    for number, what in enumerate(("time", "processor time")):
        ratios = [now[number] / old[number] for old, now in zip(taken["before"], taken["now"], strict=True)]
        print(f"{what}: {statistics.median(ratios):.3f} of before ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
