"""Latency of a live scan alone and beside a training: `python docs/benchmarks/live_beside_training.py`.

The two take turns, so that what else happens on the machine meets both alike. The training is the one that
the window starts: a process of its own at the lowest priority.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.train.plan import TrainPlan
from app.train.presenter import Phase
from app.train.process import TrainingProcess
from semc_core.paths import ASSETS, DEFAULT_MODEL

SHOWN = (
    "statistics.capture_rate", "statistics.classify_rate", "share_classified",
    "statistics.latency.p50_ms", "statistics.latency.p95_ms", "statistics.model.p50_ms",
)  # fmt: skip


def measure(seconds: float, threads: int | None) -> dict[str, Any]:
    """One live scan, as `semc bench live --json` tells it."""
    command = [
        sys.executable,
        str(ASSETS.parent / "main.py"),
        "bench",
        "live",
        "--seconds",
        f"{seconds:g}",
        "--json",
    ]
    command += ["--model", str(DEFAULT_MODEL)] + ([] if threads is None else ["--threads", str(threads)])
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def wait_for(process: TrainingProcess, phase: Phase) -> None:
    """Wait until the training is there.

    Raises:
        SystemExit: It failed.
    """
    while (state := process.poll()).phase is not phase:
        if state.phase in (Phase.FAILED, Phase.LOST):
            raise SystemExit(state.message)
        time.sleep(0.5)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="a data set to train on")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each scan")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="most CPU threads of the live model")
    args = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {"alone": [], "beside a training": []}
    with tempfile.TemporaryDirectory() as folder:
        process = TrainingProcess(Path(folder))
        plan = TrainPlan((args.data,), "semc_live", minutes=600, compare_with=DEFAULT_MODEL)
        for number in range(args.rounds):
            found["alone"].append(measure(args.seconds, args.threads))
            if number == 0:
                process.start(plan)
            else:
                process.resume()
            wait_for(process, Phase.RUNNING)
            first = process.poll().step
            found["beside a training"].append(measure(args.seconds, args.threads))
            print(f"round {number + 1}: the training did {process.poll().step - first} steps meanwhile")
            process.stop()
            wait_for(process, Phase.STOPPED)
    for name, runs in found.items():
        print(
            name, json.dumps({key: statistics.median(values_of(run)[key] for run in runs) for key in SHOWN})
        )


def values_of(run: dict[str, Any]) -> dict[str, float]:
    """The numbers of a scan, also those of its parts, by name."""
    flat: dict[str, float] = {}
    for name, value in run.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": number for inner, number in values_of(value).items()}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[name] = float(value)
    return flat


if __name__ == "__main__":
    main()
