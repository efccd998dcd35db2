"""What handing loops to workers costs, and what a second worker brings: ratios, in turns, in one run.

    python -m tests.archive.overhead --loops 60 --rounds 3

Each worker is kept on a core of its own, as a cluster does that gives it one; so is what it is compared with.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from semc_core.archive.cluster import LOCAL, Cluster, Model
from semc_core.archive.loop import How, analyse_loop
from semc_core.archive.run import ArchiveRun
from semc_core.archive.store import ArchiveStore, Made
from semc_core.archive.worker import LoopWorker
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan
from semc_core.runtime.load import load_runtime

# Ray's workers give way to all else on a machine; here to nothing, as what they are compared with.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - as Ray spells it
_HOW: Final = How()
_MADE: Final = Made("model", "version", _HOW.text())
_SEEDS: Final = 6


class OnOwnCore(LoopWorker):
    """Takes a core that no other worker of this cluster has, before anything of it counts the cores."""

    def __init__(self, *given: Any) -> None:
        for core in sorted(os.sched_getaffinity(0)):
            taken = Path(tempfile.gettempdir()) / f"core-{core}-of-{os.getppid()}"
            with suppress(FileExistsError):
                taken.touch(exist_ok=False)
                os.sched_setaffinity(0, {core})
                break
        super().__init__(*given)


def main() -> int:
    """Print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.archive.overhead")
    parser.add_argument("--loops", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each loop, at 25 frames/s")
    parser.add_argument("--model", type=Path, default=Path("assets/models/semc_live.safetensors"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        loops = make(Path(place) / "loops", given.loops, given.seconds)
        one: list[float] = []
        two: list[float] = []
        for number in range(given.rounds):
            plain = alone(loops, given.model)
            by_one, _ = on_cluster(loops, given.model, 1, Path(place) / f"one {number}")
            by_two, driver = on_cluster(loops, given.model, 2, Path(place) / f"two {number}")
            one.append(by_one / plain)
            two.append(by_one / by_two)
            print(f"plain {plain / len(loops):.3f} s a loop; one worker {one[-1]:.3f} of it; "
                  f"two workers {two[-1]:.2f} times as fast as one; "
                  f"who hands out takes {1000 * driver / len(loops):.1f} ms of a processor a loop",
                  flush=True)  # fmt: skip
        rows = sum(path.stat().st_size for path in (Path(place) / "two 0").glob("*.parquet"))
        print(f"a row takes {rows / len(loops):.0f} bytes")
    print(f"median: one worker {statistics.median(one):.3f}, two {statistics.median(two):.2f} times one")
    return 0


def make(folder: Path, count: int, seconds: float) -> list[Path]:
    """So many loops of 320 x 240, each of another content."""
    folder.mkdir()
    paths = [folder / f"{number:04}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        if number < _SEEDS:
            render(SimulatedScan(number, seconds, 320, 240, 25.0), path)
        else:
            box = (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")
            path.write_bytes(paths[number % _SEEDS].read_bytes() + box)
    return paths


def alone(loops: list[Path], model: Path) -> float:
    """Seconds for all in this process, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        runtime = load_runtime(model, "cpu", 1)
        analyse_loop(loops[0], runtime, _HOW)
        begun_s = time.perf_counter()
        for path in loops:
            analyse_loop(path, runtime, _HOW)
        took_s = time.perf_counter() - begun_s
        runtime.close()
    finally:
        os.sched_setaffinity(0, before)
    return took_s


def on_cluster(loops: list[Path], model: Path, workers: int, out: Path) -> tuple[float, float]:
    """Seconds for all by so many workers, from when they are ready; and of this process's processor time."""
    store = ArchiveStore(out, _MADE)
    of_model = Model(model.read_bytes(), "cpu", "auto", 1)
    cluster = Cluster(LOCAL, workers, of_model, _HOW, 600.0, OnOwnCore)
    try:
        while len(cluster.processes()) < workers:
            list(cluster.take())
        # What a worker imports and makes ready with its first loop.
        warm = ArchiveStore(out.with_name(f"{out.name} warm"), _MADE)
        ArchiveRun(out, warm, cluster, _HOW, _MADE).run(loops[: 2 * workers], 2 * workers, lambda now: None)
        warm.close()
        begun_s, own_s = time.perf_counter(), time.process_time()
        ArchiveRun(out, store, cluster, _HOW, _MADE).run(loops, len(loops), lambda now: None)
        store.close()
        return time.perf_counter() - begun_s, time.process_time() - own_s
    finally:
        cluster.close()


if __name__ == "__main__":
    sys.exit(main())
