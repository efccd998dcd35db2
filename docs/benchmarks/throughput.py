"""Frames per second of a whole file: overlapped and in batches, as `semc analyse` does it, and one by one.

python docs/benchmarks/throughput.py scan.mp4 [--model FILE] [--device cpu] [--rounds 4]

The ways take turns, so that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from semc_core.paths import DEFAULT_MODEL
from semc_core.pipeline.batch import review
from semc_core.pipeline.stages import DecisionStage, PreparationStage, classify
from semc_core.runtime.base import Runtime
from semc_core.runtime.load import load_runtime
from semc_core.sources.open import open_source


def one_at_a_time(path: str, runtime: Runtime) -> int:
    """Read, prepare, classify, conclude, one after the other. Returns the number of frames."""
    spec = runtime.spec
    look, count = PreparationStage(spec.preprocessing), 0
    conclusions = DecisionStage(spec.classes, spec.thresholds, none_class=spec.none_class)
    source = open_source(path)
    while (packet := source.read()) is not None:
        looked = look.look(packet)
        conclusions.conclude(looked, classify(runtime, [looked])[0])
        count += 1
    source.close()
    return count


def overlapped(path: str, runtime: Runtime, batch: int) -> int:
    """As `semc analyse` does it. Returns the number of frames."""
    return sum(len(part.results) for part in review(open_source(path), runtime, batch=batch))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    runtime = load_runtime(args.model, args.device)
    ways: dict[str, Callable[[], int]] = {"one frame at a time": lambda: one_at_a_time(args.file, runtime)}
    for batch in (1, 8, 16):
        ways[f"overlapped, batches of {batch}"] = lambda batch=batch: overlapped(args.file, runtime, batch)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(args.rounds + 1):
        for name, way in ways.items():
            begun_s = time.perf_counter()
            count = way()
            if turn:  # the first turn warms up
                rates[name].append(count / (time.perf_counter() - begun_s))
    first = statistics.median(next(iter(rates.values())))
    for name, measured in rates.items():
        median = statistics.median(measured)
        print(f"{name:28} {median:6.1f} frames/s  {median / first:.2f} times one at a time")
    runtime.close()


if __name__ == "__main__":
    main()
