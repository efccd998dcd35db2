"""A live scan that is recorded, with reviews and exports beside it, for so many minutes.

    python -m tests.soak --minutes 5

Prints what memory, handles, threads and latency did; returns 1 where one of them rises by more than its
bound, or where something failed.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

import tests.own_data  # noqa: F401 - before the program looks for its folder
from app.live.controller import new_pipeline
from app.review.session import ReviewRequest, open_review
from app.scan_options import ScanOptions
from app.warm_up import warm_up
from semc_core.export.bundle import export_session
from semc_core.export.options import ExportOptions
from semc_core.io.process import resident_mib
from semc_core.io.video_quality import Quality
from semc_core.paths import DEFAULT_MODEL
from semc_core.phantom.render import render
from semc_core.phantom.scan import SimulatedScan
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.queues import QueueClosed
from semc_core.pipeline.state import Phase
from semc_core.session.session import Session
from tests.soak.control import Control
from tests.soak.slopes import AT_REST, LATENCY, Bound, Course, course

_EVERY_S: Final = 1.0
_LOOP_S: Final = 6.0
_PAUSE_S: Final = 0.2
_LEAST_ROUNDS: Final = 4


@dataclass(slots=True)
class Beside:
    """What the threads beside the scan did.

    Attributes:
        over: Set when they are to end.
        reviews: Loops that were analysed from start to end.
        exports: Exports that were made.
        faults: What went wrong.
        at_rest: After each round: the clock's seconds, memory in MiB, handles, threads.
    """

    over: threading.Event = field(default_factory=threading.Event)
    reviews: int = 0
    exports: int = 0
    faults: list[str] = field(default_factory=list)
    at_rest: list[tuple[float, float, int, int]] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=5.0)
    minutes = parser.parse_args(arguments).minutes
    with tempfile.TemporaryDirectory() as place:
        latencies, beside, engine = soak(Path(place), 60 * minutes)
    counted = engine.statistics()
    steep = _print_table(latencies, beside)
    print(
        f"{minutes:g} minutes: {counted.classified} frames classified, {counted.dropped} dropped, "
        f"{counted.planes_saved} planes saved, {beside.reviews} reviews, {beside.exports} exports."
    )
    for fault in beside.faults:
        print(fault)
    return 1 if steep or beside.faults else 0


def _print_table(latencies: Sequence[tuple[float, float, float]], beside: Beside) -> bool:
    """Print what came of it. Returns whether something is too steep, or was not to be measured."""
    if len(beside.at_rest) < _LEAST_ROUNDS:
        print(f"Only {len(beside.at_rest)} rounds after the first: give it more minutes.")
        return True
    print("| value | first | last | slope a minute | bound | |\n|---|---:|---:|---:|---:|---|")
    times_s = [sample[0] for sample in beside.at_rest]
    found = [
        (bound, course(times_s, [sample[at] for sample in beside.at_rest]))
        for at, bound in enumerate(AT_REST, 1)
    ]
    warm = [sample for sample in latencies if sample[0] >= times_s[0] and sample[2] > 0]
    times_s = [sample[0] for sample in warm]
    found.append((LATENCY, course(times_s, [latency / control for _, latency, control in warm])))
    for bound, each in found:
        print(row(bound, each))
    told = course(times_s, [latency for _, latency, _ in warm])
    print(f"| latency p95, ms | {told.first:.1f} | {told.last:.1f} | {told.per_minute:+.2f} | | |")
    return any(too_steep(bound, each) for bound, each in found)


def row(bound: Bound, found: Course) -> str:
    """A line of the table."""
    said = "TOO STEEP" if too_steep(bound, found) else "ok"
    return (
        f"| {bound.name} | {found.first:.1f} | {found.last:.1f} | {found.per_minute:+.2f} | "
        f"{bound.per_minute:g} | {said} |"
    )


def too_steep(bound: Bound, found: Course) -> bool:
    """Whether it rises by more than it may."""
    return found.per_minute > bound.per_minute


def soak(
    place: Path, seconds: float
) -> tuple[list[tuple[float, float, float]], Beside, LivePipeline[Session]]:
    """Scan, record, review and export. Returns samples: seconds, latency and the control's p95, ms."""
    loop = place / "loop.mp4"
    render(SimulatedScan(7, _LOOP_S), loop)
    # As the window does, before there are threads.
    warm_up("cpu")
    for module in ("semc_core.export.bundle", "semc_core.review.analysis"):
        importlib.import_module(module)
    engine = new_pipeline(
        ScanOptions("simulated:2007", DEFAULT_MODEL, "cpu", place / "live", record=Quality.COMPACT)
    )
    beside, control = Beside(), Control()
    rounds = threading.Thread(target=_rounds, args=(beside, loop), name="rounds")
    engine.start()
    rounds.start()
    try:
        samples = _watch(engine, control, seconds)
        if engine.state.phase is Phase.FAULT or engine.state.message:
            beside.faults.append(engine.state.message)
    finally:
        beside.over.set()
        rounds.join()
        control.close()
        engine.stop(timeout_s=60)
    return samples, beside, engine


def _watch(
    engine: LivePipeline[Session], control: Control, seconds: float
) -> list[tuple[float, float, float]]:
    begun_s = next_s = time.monotonic()
    samples: list[tuple[float, float, float]] = []
    while (now_s := time.monotonic()) - begun_s < seconds:
        try:
            engine.results.get()
        except QueueClosed:
            break
        if now_s >= next_s:
            next_s = now_s + _EVERY_S
            samples.append((now_s, engine.statistics().latency.p95_ms, control.p95_ms))
    return samples


def _rounds(beside: Beside, loop: Path) -> None:
    """A review and an export at the same time, again and again; look at the process after each such round.

    The first is no round: nothing is there to be exported, and libraries load.
    """
    this = psutil.Process()
    while not beside.over.is_set() and not beside.faults:
        threads = [
            threading.Thread(target=_try, args=(beside, act, loop), name=act.__name__)
            for act in (_review, _export)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        beside.over.wait(_PAUSE_S)
        if beside.exports > 1 and not beside.over.is_set():
            handles = this.num_handles() if sys.platform == "win32" else this.num_fds()
            beside.at_rest.append((time.monotonic(), resident_mib(), handles, this.num_threads()))


def _try(beside: Beside, act: Callable[[Path, Beside], None], loop: Path) -> None:
    try:
        act(loop, beside)
    except Exception as error:  # noqa: BLE001 - the boundary of a thread
        beside.faults.append(f"{act.__name__}: {type(error).__name__}: {error}")


def _review(loop: Path, beside: Beside) -> None:
    """Analyse the loop from start to end in a session of its own."""
    out = loop.parent / "review"
    opened = open_review(ReviewRequest(loop, DEFAULT_MODEL, "cpu", out))
    try:
        assert opened.analysis is not None
        while opened.analysis.state.running and not beside.over.wait(_PAUSE_S):
            opened.analysis.table()
        if not opened.analysis.state.running:
            beside.reviews += 1
            assert not opened.analysis.state.message, opened.analysis.state.message
    finally:
        opened.close()
    kept = loop.parent / "reviewed"
    if not kept.exists() and not beside.over.is_set():
        # What is exported again and again.
        (session,) = [path.parent for path in out.glob("*/session.sqlite")]
        session.rename(kept)
    shutil.rmtree(out)


def _export(loop: Path, beside: Beside) -> None:
    """Export the first session that was reviewed."""
    scan, target = loop.parent / "reviewed", loop.parent / "export"
    if not scan.exists():
        return
    with Session.open(scan) as session:
        export_session(session, target, ExportOptions(text="keep"), data=loop.parent)
    beside.exports += 1
    shutil.rmtree(target)


if __name__ == "__main__":
    sys.exit(main())
