"""Faults of a simulated card in a row, and what is left of them: nothing may be.

    python -m tests.pipeline.faults 200

plays an hour of a card's time, twelve times as fast, then measures how soon each kind of fault is healed
(`tests.pipeline.healing`, at the clock's own speed; `--no-healing` leaves that out). Prints both as tables.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from semc_core.io.process import give_back_memory
from semc_core.pipeline import live
from semc_core.session.listing import session_folders
from semc_core.session.session import Session
from semc_core.session.sink import session_sink
from semc_core.sources.devices import simulated
from semc_core.sources.devices.contents import count, number_in
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live import camera, outage
from semc_core.sources.live.camera import CameraSource
from semc_core.types import FramePacket
from tests.pipeline import healing
from tests.pipeline.live_scans import new_engine, scripted, stop_all
from tests.pipeline.scripted import probabilities

RATE: Final = 10
SPEED: Final = 12.0
SPACING_S: Final = 13.0
"""From the end of a fault to the next: with what they last, 200 are an hour."""
_KINDS: Final = ("unplug", "fail", "hang", "no_signal", "freeze")
_LOGGED_AFTER_S: Final = 1.0
_CAUSES: Final = {"no_signal": "no signal", "freeze": "frozen"}


class FastClock:
    """`time`, but faster."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self._speed)


@contextmanager
def sped_up(speed: float) -> Iterator[None]:
    """The card, who reads it and the scan go by a fast clock; the waits of threads stay as they are."""
    clock: Any = FastClock(speed)
    places: tuple[Any, ...] = (camera, outage, simulated, live)
    for place in places:
        place.time = clock
    try:
        yield
    finally:
        for place in places:
            place.time = time


class Given:
    """Of each picture its index, time and the number that it tells.

    All room is taken before the scan: what the process grows by meanwhile is none of this.
    """

    def __init__(self, most: int) -> None:
        self._rows = np.full((most, 3), -1.0)
        self._count = 0

    def add(self, index: int, pts_s: float, number: int) -> None:
        self._rows[self._count] = index, pts_s, number
        self._count += 1

    @property
    def last(self) -> int:
        """The newest number; 0 before the first."""
        return int(self._rows[self._count - 1, 2]) if self._count else 0

    def rows(self) -> list[tuple[int, float, int]]:
        """All, in order."""
        return [(int(index), float(pts_s), int(number)) for index, pts_s, number in self._rows[: self._count]]


class Watched(CameraSource):
    """A camera that keeps what it gave."""

    def __init__(self, system: SimulatedDevices, gave: Given) -> None:
        self._gave = gave
        super().__init__("card@1", system=system)

    def read(self) -> FramePacket | None:
        """See `FrameSource.read`."""
        packet = super().read()
        if packet is not None:
            self._gave.add(packet.index, packet.pts_s, _number_of(packet))
        return packet


def _number_of(packet: FramePacket) -> int:
    """The number that a picture tells; -1 of one that the card made without a signal."""
    pixels = packet.pixels
    number = number_in(pixels)
    height, width = pixels.shape[:2]
    return number if np.array_equal(pixels, count(number, width, height)) else -1


@dataclass(frozen=True, slots=True)
class Cost:
    """What the process holds."""

    threads: int
    handles: int
    mib: float


def cost() -> Cost:
    """Of this process, now."""
    gc.collect()
    process = psutil.Process()
    handles = process.num_fds() if os.name != "nt" else process.num_handles()
    return Cost(threading.active_count(), handles, process.memory_info().rss / 2**20)


def faults(count: int, seed: int, spacing_s: float = SPACING_S) -> tuple[Event, ...]:
    """Of every kind, at random; of no signal every card."""
    chosen = random.Random(seed)
    at_frame, events = 2 * RATE, []
    for number in range(count):
        what: Any = _KINDS[number] if number < len(_KINDS) else chosen.choice(_KINDS)
        seconds = round(chosen.uniform(2, 8), 2)
        card: Any = chosen.choice(("blue", "black", "bars"))
        back: Any = chosen.randrange(8)
        events.append(Event(at_frame, what, seconds, number=back, card=card, text="NO SIGNAL"))
        # The card counts on while it shows a picture of its own.
        at_frame += round(RATE * (spacing_s + (seconds if what in _CAUSES else 0)))
    return tuple(events)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of faults came to.

    Attributes:
        seconds: Of the card's time.
        happened: How many of each kind.
        frames: Read from the card.
        twice: Frames that were given as new although they were there before.
        gaps: Stretches of more than a second without a picture, by the pictures' own times.
        unlogged: Of those, and of spells without a signal or frozen, how many are not in the session's log.
        settled: What the process held when a tenth was over.
        end: At the end of the scan, before it was stopped.
        given_back: The same, when the C library has given back what it kept of what was freed.
        before: Before the scan.
        after: After it.
        intact: Whether the session's log proves itself.
    """

    seconds: float
    happened: Counter[str]
    frames: int
    twice: int
    gaps: int
    unlogged: int
    settled: Cost
    end: Cost
    given_back: Cost
    before: Cost
    after: Cost
    intact: bool


def play(events: Sequence[Event], folder: Path, speed: float) -> Outcome:
    """Scan a card to which these things happen."""
    card = ScriptedDevice(
        identity="card@1", modes=(f"160x120@{RATE},mjpg",), content="count", events=tuple(events)
    )
    system = SimulatedDevices(Script((card,)))
    tenth, last = len(events) // 10, events[-1].at_frame + 3 * RATE
    # More than it gives: it counts each picture.
    gave = Given(2 * last)

    with sped_up(speed):
        before = cost()
        engine = new_engine(
            lambda: Watched(system, gave), scripted(lambda _: probabilities("NSP", 0.9)), session_sink(folder)
        )
        engine.start()
        settled: Cost | None = None
        while True:
            engine.preview.get()
            if settled is None and gave.last > events[tenth].at_frame:
                settled = cost()
            if gave.last >= last:
                break
        end = cost()
        give_back_memory()
        given_back = cost()
        engine.stop()
        stop_all()
        _wait_for_threads(before.threads)
    return _outcome(events, gave.rows(), folder, (before, settled or end, end, given_back))


def _wait_for_threads(count: int) -> None:
    """Threads that were left to a driver end when it answers."""
    for _ in range(100):
        if threading.active_count() <= count:
            return
        time.sleep(0.05)


def _outcome(
    events: Sequence[Event],
    gave: list[tuple[int, float, int]],
    folder: Path,
    costs: tuple[Cost, Cost, Cost, Cost],
) -> Outcome:
    before, settled, end, given_back = costs
    happened: Counter[str] = Counter(event.what for event in events)
    (session,) = session_folders(folder)
    with Session.open(session, read_only=True) as opened:
        intact = opened.verify().ok
        logged = [entry.payload for entry in opened.audit() if entry.kind == "signal"]
    silent = {
        (round(one["start_s"], 2), round(one["end_s"], 2)) for one in logged if one["cause"] == "no pictures"
    }
    gaps = [
        (round(first[1], 2), round(then[1], 2))
        for first, then in itertools.pairwise(gave)
        if then[1] - first[1] > _LOGGED_AFTER_S
    ]
    # The scan may end before it has looked at the last picture; then the gap before it lasts until the end.
    last_s = round(gave[-1][1], 2)
    unlogged = sum(
        not any(abs(a - s) < 0.02 and (abs(b - e) < 0.02 or e > b == last_s) for s, e in silent)
        for a, b in gaps
    )
    # A machine so busy that it takes no pictures by itself may do so just while there is no signal.
    own = max(0, len(gaps) - sum(count for what, count in happened.items() if what not in _CAUSES))
    for what, cause in _CAUSES.items():
        spells = sum(one["cause"] == cause for one in logged)
        unlogged += max(0, happened[what] - spells - own)
    return Outcome(
        seconds=gave[-1][1] - gave[0][1],
        happened=happened,
        frames=len(gave),
        twice=_twice(gave, events),
        gaps=len(gaps),
        unlogged=unlogged,
        settled=settled,
        end=end,
        given_back=given_back,
        before=before,
        after=cost(),
        intact=intact,
    )


def _twice(gave: list[tuple[int, float, int]], events: Sequence[Event]) -> int:
    """How many pictures came again with another number in the scan; a card that is frozen repeats its own."""
    frozen = {event.at_frame for event in events if event.what == "freeze"}
    backwards = sum(after[0] <= before[0] for before, after in itertools.pairwise(gave))
    seen = Counter(number for _, _, number in gave if number >= 0 and number not in frozen)
    return backwards + sum(times - 1 for times in seen.values())


def as_table(outcome: Outcome) -> str:
    """The outcome as rows of Markdown."""
    kinds = ", ".join(f"{count} {what}" for what, count in sorted(outcome.happened.items()))
    rows = [
        ("faults", f"{sum(outcome.happened.values())} ({kinds})"),
        ("time of the card", f"{outcome.seconds / 60:.1f} min, {outcome.frames} frames"),
        ("frames shown twice as new", str(outcome.twice)),
        ("gaps of more than a second, of these not in the log", f"{outcome.gaps}, {outcome.unlogged}"),
        ("log proves itself", "yes" if outcome.intact else "no"),
        ("threads before the scan, after a tenth, at its end, after it", _row(outcome, "threads")),
        ("handles, the same", _row(outcome, "handles")),
        ("MiB, the same", _row(outcome, "mib")),
        ("MiB at its end without what the C library keeps of freed memory", f"{outcome.given_back.mib:.0f}"),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _row(outcome: Outcome, name: str) -> str:
    costs = (outcome.before, outcome.settled, outcome.end, outcome.after)
    return ", ".join(f"{getattr(one, name):.0f}" for one in costs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play and print. Returns 0 if nothing is left of the faults, else 1."""
    given = argparse.ArgumentParser(prog="python -m tests.pipeline.faults")
    given.add_argument("count", type=int)
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--speed", type=float, default=SPEED)

    given.add_argument("--no-healing", action="store_true")
    args = given.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        outcome = play(faults(args.count, args.seed), Path(folder), args.speed)
    print(as_table(outcome), flush=True)
    healed = args.no_healing or healing.main() == 0
    return 0 if healed and outcome.intact and not outcome.twice and not outcome.unlogged else 1


if __name__ == "__main__":
    sys.exit(main())
