"""Opens mutated files of every kind, and prints what came of them that should not.

    python -m tests.fuzz [TARGET ...] --runs N --seconds S --seed SEED
    python -m tests.fuzz --inputs 1000000

Each kind is opened in a process of its own, with a bound of memory; one that dies, or says nothing for half a
minute, is a find, and goes on after that input. An input is made again by its target, seed and number:
`tests.fuzz.worker.made`. Returns 1 where there are finds.
"""

from __future__ import annotations

import argparse
import math
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from tests.fuzz.targets import TARGETS

_WORKER = ("-m", "tests.fuzz.worker")
_SILENT_S = 30.0
_NEVER: Final = 1 << 60


@dataclass(slots=True)
class Found:
    """What came of one target: inputs, and finds by their words, each with the number of an input."""

    inputs: int = 0
    finds: dict[str, int] = field(default_factory=dict)


def fuzz(target: str, runs: int, seconds: float, seed: int) -> Found:
    """Open so many inputs, or as many as there is time for."""
    found, next_one, end_s = Found(), 0, time.monotonic() + seconds
    while next_one < runs and time.monotonic() < end_s:
        next_one = _one_process(target, seed, next_one, runs, end_s, found)
    found.inputs = next_one
    return found


def _one_process(target: str, seed: int, first: int, runs: int, end_s: float, found: Found) -> int:
    """Go on from input `first` until the process ends. Returns the number of the next input."""
    command = [sys.executable, *_WORKER, target, str(seed), str(first), str(runs)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_pass_on, args=(process, lines))
    reader.start()
    at, silent = first - 1, False
    try:
        while time.monotonic() < end_s:
            try:
                line = lines.get(timeout=_SILENT_S)
            except queue.Empty:
                silent = True
                break
            if not line:
                break
            word, number, *words = line.rstrip("\n").split(" ", 2)
            at = int(number) if word == "at" else at
            if word == "find":
                found.finds.setdefault(words[0], int(number))
        else:
            return max(at, first)
    finally:
        process.kill()
        reader.join()
        code = process.wait()
    if silent:
        found.finds.setdefault("it hangs", at)
    elif code:
        found.finds.setdefault(f"the process ended with {code}", at)
    return at + 1


def _pass_on(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put("")


def main() -> int:
    """Print a row for each target, and its finds below."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--runs", type=int, default=_NEVER, help="inputs of each target")
    parser.add_argument("--seconds", type=float, default=60.0, help="of all targets together")
    parser.add_argument("--inputs", type=int, help="of all targets together, however long that takes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wanted = options.targets or list(TARGETS)
    runs, seconds, bad, opened = options.runs, options.seconds / len(wanted), 0, 0
    if options.inputs is not None:
        runs, seconds = -(-options.inputs // len(wanted)), math.inf
    for target in wanted:
        found = fuzz(target, runs, seconds, options.seed)
        opened += found.inputs
        print(f"{target:10} {found.inputs:8} inputs {len(found.finds):4} finds", flush=True)
        for words, number in sorted(found.finds.items()):
            print(f"    input {number}: {words}", flush=True)
        bad += len(found.finds)
    print(f"{opened} inputs, {bad} finds")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
