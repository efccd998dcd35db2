"""What `semc bench window` measures, in numbers: starts, changes of the page, gaps of the event loop."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from semc_core.cli.shared.options import print_json

_DRAWS: Final = 2000
LONG_MS: Final = 50.0
"""A gap that a person may feel."""


@dataclass(frozen=True, slots=True)
class Until:
    """Since the process began: seconds that passed, and processor seconds of all its threads."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Start:
    """One fresh process, until its window was first painted, and until all of it was loaded."""

    painted: Until
    whole: Until


@dataclass(frozen=True, slots=True)
class PageChange:
    """From the call that changes the page until the page is painted.

    Attributes:
        page: That was changed to.
        first: Whether it was never shown before in this process.
        wall_ms: What passed.
        cpu_ms: Processor time of the window's thread.
    """

    page: str
    first: bool
    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two beats of the event loop.

    Attributes:
        wall_ms: What passed.
        cpu_ms: What the window's thread computed in it.
        own_ms: The most of it that can be the program's doing: no longer than all its threads computed, and
            not while the window's thread was ready and other programs had the processors (told on Linux).
    """

    wall_ms: float
    cpu_ms: float
    own_ms: float


@dataclass(frozen=True, slots=True)
class WindowMeasured:
    """All of one run.

    Attributes:
        bare: Starts of the bare window.
        own: Starts of the program, each right after that of the bare window at its place.
        changes: Of pages; the first ones before anything is open, the others while a loop is analysed.
        gaps: While the loop is analysed and nobody does anything.
        loop_s: Its length.
        analysed_s: How long its analysis was watched.
    """

    bare: list[Start]
    own: list[Start]
    changes: list[PageChange]
    gaps: list[Gap]
    loop_s: float
    analysed_s: float

    def plain(self) -> dict[str, Any]:
        """As `--json` prints it; names carry the units."""
        pairs = list(zip(self.bare, self.own, strict=True))
        return {
            "starts": len(pairs),
            "bare": asdict(_medians([one.painted for one in self.bare])),
            "painted": asdict(_medians([one.painted for one in self.own])),
            "whole": asdict(_medians([one.whole for one in self.own])),
            "ratio_cpu": _ratio([(bare.painted.cpu_s, own.painted.cpu_s) for bare, own in pairs]),
            "ratio_wall": _ratio([(bare.painted.wall_s, own.painted.wall_s) for bare, own in pairs]),
            "page_first": _spread([one for one in self.changes if one.first]),
            "page_again": _spread([one for one in self.changes if not one.first]),
            "slowest_page": max(self.changes, key=lambda one: one.wall_ms).page,
            "gaps": _spread(self.gaps)
            | {
                "long": sum(gap.wall_ms > LONG_MS for gap in self.gaps),
                "worst_own_ms": max((gap.own_ms for gap in self.gaps), default=0.0),
                "long_own": sum(gap.own_ms > LONG_MS for gap in self.gaps),
            },
            "loop_s": self.loop_s,
            "analysed_s": self.analysed_s,
        }


def _medians(each: Sequence[Until]) -> Until:
    walls, cpus = [one.wall_s for one in each], [one.cpu_s for one in each]
    return Until(statistics.median(walls), statistics.median(cpus))


def _ratio(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Of the medians, second by first, with its 95 % interval: pairs are drawn anew."""
    values = np.array(pairs)
    drawn = np.random.default_rng(1).integers(0, len(values), (_DRAWS, len(values)))
    medians = np.median(values[drawn], axis=1)
    low, high = np.percentile(medians[:, 1] / medians[:, 0], (2.5, 97.5))
    whole = np.median(values, axis=0)
    return {"ratio": float(whole[1] / whole[0]), "low": float(low), "high": float(high)}


def _spread(each: Sequence[PageChange] | Sequence[Gap]) -> dict[str, float]:
    """Median and greatest of what passed, and the greatest of processor time."""
    if not each:
        return {"count": 0, "p50_ms": 0.0, "worst_ms": 0.0, "worst_cpu_ms": 0.0}
    walls = [one.wall_ms for one in each]
    return {
        "count": len(walls),
        "p50_ms": statistics.median(walls),
        "worst_ms": max(walls),
        "worst_cpu_ms": max(one.cpu_ms for one in each),
    }


def print_measured(measured: WindowMeasured, *, as_json: bool) -> None:
    """As JSON, or as a table."""
    found = measured.plain()
    if as_json:
        print_json(found)
        return
    from rich.console import Console
    from rich.table import Table

    title = f"{found['starts']} starts each in turns, a loop of {measured.loop_s:.0f} s"
    table = Table("Measured", "Passed", "Processor time", title=title, title_justify="left")
    for name, words in (
        ("bare", "bare window with numpy and OpenVINO, first paint"),
        ("painted", "the program's window, first paint"),
        ("whole", "the program's window, all of it loaded"),
    ):
        table.add_row(words, f"{found[name]['wall_s']:.2f} s", f"{found[name]['cpu_s']:.2f} s")
    table.add_row(
        "first paint against the bare window", _words(found["ratio_wall"]), _words(found["ratio_cpu"])
    )
    for name, words in (
        ("page_first", "page shown for the first time, until painted"),
        ("page_again", "page changed while a loop is analysed"),
        ("gaps", "gap of the event loop while it is analysed"),
    ):
        one = found[name]
        passed = f"median {one['p50_ms']:.0f}, worst {one['worst_ms']:.0f} ms of {one['count']}"
        table.add_row(words, passed, f"worst {one['worst_cpu_ms']:.0f} ms")
    gaps = found["gaps"]
    table.add_row(f"gaps over {LONG_MS:.0f} ms", str(gaps["long"]), "")
    own = f"worst {gaps['worst_own_ms']:.0f} ms, {gaps['long_own']} over {LONG_MS:.0f} ms"
    table.add_row("of a gap, what the program itself can be the cause of", own, "")
    Console().print(table)


def _words(ratio: dict[str, float]) -> str:
    return f"{ratio['ratio']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def make_loop(path: Path, seconds: float) -> None:
    """A simulated scan of so many seconds: a piece of it, again and again.

    Raises:
        SaveError: It cannot be written.
    """
    from semc_core.phantom.render import render
    from semc_core.phantom.scan import SimulatedScan

    pieces = math.ceil(seconds / _PIECE_S)
    piece = path.with_name(f"piece{path.suffix}")
    render(SimulatedScan(_SEED, seconds / pieces, 640, 480, _RATE), piece)
    with av.open(str(path), "w") as out:
        stream, end = None, 0
        for _ in range(pieces):
            with av.open(str(piece)) as source:
                video = source.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                begin, last = end, end
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.dts, packet.pts = packet.dts + begin, packet.pts + begin
                    last = max(last, packet.pts + (packet.duration or 1))
                    packet.stream = stream
                    out.mux(packet)
                end = last


_SEED: Final = 2007
_RATE: Final = 25.0
_PIECE_S: Final = 20.0
