"""Makes mutants of the parts of `parts.py` and counts how many of them the tests notice.

`python -m tests.mutations.survey [WORDS]`, or `make mutants`; with WORDS only the parts that have them.
Where there are more mutants than `--seconds` allow, a random sample is run: each file's mutants in an order
drawn by `--seed`, of each file the same share. Mutants that stand in `equivalent.py` are not run.
"""

from __future__ import annotations

import argparse
import math
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from tests.mutations.equivalent import is_equivalent
from tests.mutations.mutants import Mutant, mutants_of
from tests.mutations.named import ROOT, copy_to
from tests.mutations.parts import PARTS, Part

GOAL: Final = 0.9
_Z: Final = 1.959964
"""Of a normal distribution's middle 95 %."""

_PASSED: Final = "0"


@dataclass(slots=True)
class Outcome:
    """What came out for one part.

    Attributes:
        part: Which.
        made: Mutants there are.
        equivalent: Of those, the ones that do nothing else, as people found.
        tried: How many were run.
        unnoticed: Those that no test failed for.
    """

    part: Part
    made: int
    equivalent: int
    tried: int = 0
    unnoticed: list[Mutant] = field(default_factory=list)

    @property
    def noticed(self) -> int:
        """How many a test failed for."""
        return self.tried - len(self.unnoticed)

    def row(self) -> str:
        """A row of the table in docs/testing.md."""
        low, high = wilson(self.noticed, self.tried)
        share = f"{self.noticed / max(self.tried, 1):.1%}"
        return (
            f"| {self.part.name} | {self.made} | {self.equivalent} | {self.tried} | {self.noticed} | "
            f"{share} ({low:.1%} to {high:.1%}) |"
        )


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, after Wilson; 0 to 1 of none."""
    if count == 0:
        return 0.0, 1.0
    share, spread = right / count, _Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def drawn(by_file: Sequence[Sequence[Mutant]], seed: int) -> list[Mutant]:
    """All mutants in an order of which every beginning is a sample with the same share of each file."""
    placed = []
    for mutants in by_file:
        mixed = random.Random(seed).sample(list(mutants), len(mutants))
        placed += [((place + 0.5) / len(mixed), each) for place, each in enumerate(mixed)]
    return [each for _, each in sorted(placed, key=lambda pair: pair[0])]


def main(arguments: Sequence[str]) -> int:
    """Returns 1 if a part has a share below `GOAL`."""
    asked = _options(arguments)
    until_s = time.monotonic() + asked.seconds
    todo = []
    for part in (each for each in PARTS if all(word in each.name for word in asked.words)):
        files = [mutants_of(path, (ROOT / path).read_text(encoding="utf-8")) for path in part.paths(ROOT)]
        apart = [[each for each in one if not is_equivalent(each)] for one in files]
        made, left = sum(map(len, files)), sum(map(len, apart))
        todo.append((Outcome(part, made, made - left), drawn(apart, asked.seed)))
    # The small ones first: what they do not need of their time is for the others.
    todo.sort(key=lambda pair: len(pair[1]))
    with tempfile.TemporaryDirectory(prefix="semc-mutants-") as folder:
        trees = [Path(folder) / str(number) for number in range(asked.workers)]
        for tree in trees:
            copy_to(tree)
        while todo:
            share = len(todo[0][1]) / max(1, sum(len(mutants) for _, mutants in todo))
            outcome, mutants = todo.pop(0)
            now_s = time.monotonic()
            _run_part(outcome, mutants, trees, now_s + max(0.0, until_s - now_s) * share)
            print(outcome.row(), flush=True)
            asked.outcomes.append(outcome)
    _print_table(asked.outcomes)
    return 1 if any(each.noticed < GOAL * each.tried for each in asked.outcomes) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations.survey")
    parser.add_argument("words", nargs="*", help="of the names of the parts; all parts without")
    parser.add_argument("--seconds", type=float, default=3600, help="how long all may take (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the samples (%(default)s)")
    return parser.parse_args(arguments, argparse.Namespace(outcomes=[]))


def _print_table(outcomes: Sequence[Outcome]) -> None:
    print("\n| part | mutants | equivalent | tried | noticed | share (95 % interval) |")
    print("|---|---|---|---|---|---|")
    for outcome in outcomes:
        print(outcome.row())


def _run_part(outcome: Outcome, mutants: Sequence[Mutant], trees: Sequence[Path], until_s: float) -> None:
    """Run mutants in their order, in all trees at once, until the time is over."""
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for each in mutants:
        waiting.put(each)
    lock = threading.Lock()

    def work(tree: Path) -> None:
        with _worker(tree, outcome.part) as worker:
            while time.monotonic() < until_s:
                try:
                    mutant = waiting.get_nowait()
                except queue.Empty:
                    return
                noticed = worker.notices(mutant)
                with lock:
                    outcome.tried += 1
                    if not noticed:
                        outcome.unnoticed.append(mutant)
                        print(f"NOT NOTICED: {mutant}", flush=True)

    threads = [threading.Thread(target=work, args=(tree,)) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process of `worker.py` in its tree."""

    tree: Path
    limit_s: float
    asks: IO[str]
    answers: IO[str]

    def notices(self, mutant: Mutant) -> bool:
        """Whether the tests fail, or come to no end, with the mutant in its file."""
        path = self.tree / mutant.path
        before = path.read_text(encoding="utf-8")
        _write(path, mutant.code)
        print(self.limit_s, file=self.asks, flush=True)
        answer = self.answers.readline().strip()
        _write(path, before)
        if not answer:
            raise RuntimeError(f"The process that runs the tests ended at {mutant}.")
        return answer != _PASSED


def _write(path: Path, code: str) -> None:
    """Write a file and forget what was compiled of it: its time may be that of the version before."""
    path.write_text(code, encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()


@contextmanager
def _worker(tree: Path, part: Part) -> Iterator[_Worker]:
    """Start a worker whose tests pass.

    Raises:
        RuntimeError: They fail without any change.
    """
    own = {"PYTHONPATH": str(tree), "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.mutations.worker", *part.tests]
    with subprocess.Popen(
        command,
        cwd=tree,
        env=os.environ | own,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            first, second = process.stdout.readline().split(), process.stdout.readline().split()
            if first != [_PASSED] or second[:1] != [_PASSED]:
                raise RuntimeError(f"The tests of {part.name!r} fail without any change; mend them first.")
            print(f"{part.name}: the tests take {float(second[1]):.1f} s", flush=True)
            yield _Worker(tree, 10 + 5 * float(second[1]), process.stdin, process.stdout)
        finally:
            process.stdin.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
