"""An archive analysed while its workers and its driver are killed: is every loop there, once?

    python -m tests.archive.kills --loops 2000 --worker-kills 20 --driver-kills 3 --model semc_live

Returns 1 where a loop is missing, is there twice, or has other planes than without kills.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import av
import psutil

from semc_core.archive.loop import How, analyse_loop
from semc_core.archive.store import SET_ASIDE, read_rows
from semc_core.labels import NON_STANDARD
from semc_core.phantom.scan import SimulatedScan
from semc_core.runtime.load import load_runtime

ROOT: Final = Path(__file__).resolve().parents[2]
_WORKER: Final = "LoopWorker"
_DIFFERENT: Final = 40
"""Loops that are rendered; the others are these with a few bytes more, so that no two are the same."""
_CHECKED: Final = 20
_RATE: Final = 15
_FRAMES: Final = 24


def main() -> int:
    """Print what was killed and what became of the loops."""
    parser = argparse.ArgumentParser(prog="python -m tests.archive.kills")
    parser.add_argument("--loops", type=int, default=2000)
    parser.add_argument("--worker-kills", type=int, default=20)
    parser.add_argument("--driver-kills", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", default="assets/models/semc_live.safetensors")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as place:
        loops, out = Path(place) / "loops", Path(place) / "results"
        loops.mkdir()
        names = make(loops, given.loops)
        command = [
            sys.executable, "-m", "main", "analyse", str(loops), "--out", str(out),
            "--cluster", "local", "--workers", str(given.workers), "--model", given.model,
        ]  # fmt: skip
        begun_s = time.monotonic()
        kills = killed_on_the_way(command, out, rng, given.loops, given.worker_kills, given.driver_kills)
        took_s = time.monotonic() - begun_s
        rows = list(read_rows(out))
        status = Counter(row["status"] for row in rows)
        twice = sum(count > 1 for count in Counter(row["path"] for row in rows).values())
        missing = len(names - {Path(row["path"]).name for row in rows})
        other = differences(rows, given.model, rng)
    print(f"{given.loops} loops, {given.workers} workers, {kills['worker']} workers killed, "
          f"{kills['driver']} drivers killed, {took_s:.0f} s")  # fmt: skip
    print(f"missing {missing}, twice {twice}, {dict(status)}; other planes in {other} of {_CHECKED}")
    return int(bool(missing or twice or other or status[SET_ASIDE]))


def make(folder: Path, count: int) -> set[str]:
    """So many loops, each of another content."""
    names = set()
    for seed in range(min(count, _DIFFERENT)):
        write_held(seed, folder / f"{seed:05}.mp4")
        names.add(f"{seed:05}.mp4")
    for number in range(_DIFFERENT, count):
        content = (folder / f"{number % _DIFFERENT:05}.mp4").read_bytes()
        # A box that readers pass over.
        box = (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")
        (folder / f"{number:05}.mp4").write_bytes(content + box)
        names.add(f"{number:05}.mp4")
    return names


def write_held(seed: int, path: Path) -> None:
    """A loop from a simulated scan in which a plane is held."""
    scan = SimulatedScan(seed, None, 320, 240, _RATE)
    standard = (index for index in range(10_000) if scan.truth(index).plane != NON_STANDARD)
    begin = next(index for index in standard if scan.truth(index + _FRAMES - 1).plane != NON_STANDARD)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=_RATE, options={"qscale": "3"})
        stream.width, stream.height, stream.pix_fmt = scan.width, scan.height, "yuv420p"
        for index in range(begin, begin + _FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scan.frame(index), "gray")))
        container.mux(stream.encode())


def killed_on_the_way(
    command: list[str], out: Path, rng: random.Random, loops: int, workers: int, drivers: int
) -> Counter[str]:
    """Run to the end; whatever is killed is begun again."""
    kills: Counter[str] = Counter()
    ends = sorted(rng.uniform(0.1, 0.9) * loops for _ in range(drivers))
    while True:
        driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while driver.poll() is None:
            time.sleep(rng.uniform(0.5, 1.5))
            done = written(out)
            if ends and done > ends[0]:
                ends.pop(0)
                driver.send_signal(signal.SIGKILL)
                kills["driver"] += 1
            elif kills["worker"] < workers and done > kills["worker"] * 0.9 * loops / workers:
                kills["worker"] += kill_one(driver.pid, rng)
        if driver.wait() != -signal.SIGKILL:
            return kills


def written(out: Path) -> int:
    """Loops that have their row, as far as the page of the run says it."""
    try:
        title = (out / "progress.html").read_text(encoding="utf-8").partition("<title>")[2]
        return int(title.split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def kill_one(driver: int, rng: random.Random) -> int:
    """Kill one of its workers; how many were killed."""
    try:
        children = psutil.Process(driver).children(recursive=True)
        workers = [one for one in children if _WORKER in " ".join(one.cmdline())]
        if not workers:
            return 0
        os.kill(rng.choice(workers).pid, signal.SIGKILL)
    except (psutil.Error, ProcessLookupError):
        return 0
    return 1


def differences(rows: list[dict[str, object]], model: str, rng: random.Random) -> int:
    """In how many of some loops the planes are not those of the plain analysis, which finds some."""
    runtime = load_runtime(Path(model))
    wrong = found = 0
    for row in rng.sample(rows, min(_CHECKED, len(rows))):
        alone = analyse_loop(Path(str(row["path"])), runtime, How())
        planes = row["planes"]
        assert isinstance(planes, list)
        found += len(alone.planes)
        wrong += [(p.plane, p.frame_index) for p in alone.planes] != [
            (p["plane"], p["frame_index"]) for p in planes
        ]
    runtime.close()
    return wrong if found else _CHECKED


if __name__ == "__main__":
    sys.exit(main())
