"""`semc bench network`: every preset, size, runtime and precision in one run, as one table.

The candidates of a network take turns in rounds, so that whatever else the machine does falls on all of them,
and the machine's best matrix product is measured in the same rounds.

The table of `semc bench network`, on screen and as Markdown.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.cli.bench.live import parse_size
from semc_core.cli.shared.options import print_json
from semc_core.errors import RuntimeFault, UsageError
from semc_core.model.presets import INPUT_SIDES

if TYPE_CHECKING:
    from semc_core.cli.bench.candidates import Candidate, Loaded, Wanted
    from semc_core.cli.bench.options import NetworkOptions
    from semc_core.cli.bench.peak import Multiply
    from semc_core.model.file import Arrays
    from semc_core.model.spec import ModelSpec
from collections.abc import Callable, Mapping
from itertools import groupby

_MOST_PER_ROUND: Final = 16
_SECONDS_PER_ROUND: Final = 1.5
"""Of eager PyTorch; what is slower is run once a round."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        preset: Of the network.
        height: Of its input.
        width: The same.
        gflop: Work for one frame, 10^9 operations.
        runtime: What ran it.
        precision: In which numbers.
        frames: How many frames were timed and compared.
        p50_ms: Median time for one frame, with the copies to and from the device.
        p95_ms: 95th percentile.
        frames_per_s: From the mean time.
        ratio: Median of eager float32 PyTorch over `p50_ms`.
        share_of_peak: `gflop` / `p50_ms`, of the best matrix product in this precision; None if not measured.
        difference: Largest difference of a probability from eager float32.
        same_class: Share of the frames with the same most probable class as in eager float32.
        remark: Why it could not run, or what is to be known; "" if nothing.
    """

    preset: str
    height: int
    width: int
    gflop: float
    runtime: str
    precision: str
    frames: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    frames_per_s: float | None = None
    ratio: float | None = None
    share_of_peak: float | None = None
    difference: float | None = None
    same_class: float | None = None
    remark: str = ""


def run(args: NetworkOptions) -> int:
    """Measure, print and write."""
    import torch

    from semc_core.cli.bench.candidates import PRECISIONS, RUNTIMES, Wanted
    from semc_core.cli.bench.peak import machine_in_words
    from semc_core.io.atomic import write_atomically
    from semc_core.io.process import usable_cores
    from semc_core.model.architecture import find_preset

    if args.device == "cuda" and not torch.cuda.is_available():
        raise RuntimeFault("PyTorch finds no NVIDIA GPU here; measure with --device cpu.")
    wanted = Wanted(
        args.device,
        args.threads or usable_cores(),
        _chosen("--runtimes", args.runtimes, RUNTIMES[args.device]),
        _chosen("--precisions", args.precisions, PRECISIONS[args.device]),
    )
    presets = args.presets.split(",")
    for preset in presets:
        find_preset(preset)
    sizes = [_size(text) for text in args.sizes.split(",")] if args.sizes else [None]
    torch.set_num_threads(wanted.threads)
    rows: list[Row] = []
    for preset in presets:
        for size in sizes:
            print(f"Measuring {preset}.", file=sys.stderr)
            rows += measure_network(preset, size, wanted, args.rounds, args.frames)
    machine = machine_in_words(args.device, wanted.threads)
    if args.json:
        print_json({"machine": machine, "rows": [asdict(row) for row in rows]})
    else:
        print_table(machine, rows)
    if args.out is not None:
        write_atomically(args.out, as_markdown(machine, rows).encode())
    return 0


def _size(text: str) -> tuple[int, int]:
    """Rows and columns of an input that a model file may have."""
    size = parse_size(text, "--sizes")
    if not all(length in INPUT_SIDES for length in size):
        raise UsageError(
            f"--sizes has {text}; rows and columns must be {INPUT_SIDES[0]} to {INPUT_SIDES[-1]}."
        )
    return size


def _chosen(option: str, text: str | None, possible: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(possible) if text is None else tuple(text.split(","))
    for name in chosen:
        if name not in possible:
            raise UsageError(f"{option} knows no {name!r} on this device; choose of {', '.join(possible)}.")
    return chosen


def measure_network(
    preset: str, size: tuple[int, int] | None, wanted: Wanted, rounds: int, per_round: int | None
) -> list[Row]:
    """The rows of one network at one input size.

    Args:
        preset: Of the network.
        size: Rows and columns of the input; None for the preset's own.
        wanted: Device, runtimes, precisions.
        rounds: Turns that each candidate gets.
        per_round: Frames per turn; None chooses by the speed of eager PyTorch.

    Raises:
        UsageError: There is no such preset.
        ModelFileError: The shipped model is not there.
        RuntimeFault: Eager PyTorch in float32 cannot run it: there is nothing to compare with.
    """
    from semc_core.cli.bench.candidates import (
        candidates,
        model_to_measure,
        simulated_frames,
        spread_untrained,
    )
    from semc_core.cli.bench.peak import peaks

    spec, arrays = model_to_measure(preset, size)
    few = simulated_frames(spec, 4)
    per_round = per_round or _frames_per_round(spec, arrays, few, wanted)
    frames = simulated_frames(spec, rounds * per_round)
    if not spec.metrics:
        spread_untrained(spec, arrays, frames[:: max(1, len(frames) // 16)], wanted.device)
    with tempfile.TemporaryDirectory(prefix="semc-bench-") as folder:
        listed = candidates(spec, arrays, Path(folder), wanted)
        loaded = [_loaded(candidate) for candidate in listed]
        if isinstance(loaded[0], str):
            raise RuntimeFault(loaded[0])
        timed = [_Timed() for _ in listed]
        best: dict[str, float] = {}
        multiplications = peaks(wanted.device, wanted.threads)
        for turn in range(rounds):
            _raise_peaks(best, multiplications)
            for one, took in zip(loaded, timed, strict=True):
                if not isinstance(one, str):
                    took.run(one, frames[turn * per_round : (turn + 1) * per_round])
        return _rows(preset, spec, listed, loaded, timed, best)


def _frames_per_round(spec: ModelSpec, arrays: Arrays, frames: NDArray[np.float32], wanted: Wanted) -> int:
    from semc_core.cli.bench.candidates import eager

    classify = eager(spec, arrays, wanted.device, exact=True).classify
    classify(frames[:1])
    begun_s = time.perf_counter()
    classify(frames[1:2])
    seconds = time.perf_counter() - begun_s
    return max(1, min(_MOST_PER_ROUND, round(_SECONDS_PER_ROUND / seconds)))


def _loaded(candidate: Candidate) -> Loaded | str:
    """Ready to run, or why not."""
    try:
        return candidate.load()
    except RuntimeFault as error:
        return str(error)


def _raise_peaks(best: dict[str, float], multiplications: dict[str, list[Multiply]]) -> None:
    for precision, ways in multiplications.items():
        best[precision] = max([best.get(precision, 0.0), *(way() for way in ways for _ in range(3))])


class _Timed:
    """Times and logits of one candidate."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.logits: list[NDArray[np.float32]] = []

    def run(self, loaded: Loaded, frames: NDArray[np.float32]) -> None:
        """One turn. The first frame is run once more before: the turn of the last one cooled the caches."""
        loaded.classify(frames[:1])
        for index in range(len(frames)):
            begun_s = time.perf_counter()
            logits = loaded.classify(frames[index : index + 1])
            self.seconds.append(time.perf_counter() - begun_s)
            self.logits.append(logits)

    def probabilities(self, spec: ModelSpec) -> NDArray[np.float64]:
        """(N, K), by temperature alone: the novelty is not the network's."""
        logits = np.stack(self.logits).astype(np.float64) / spec.calibration.temperature
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
        return shares


def _rows(
    preset: str,
    spec: ModelSpec,
    listed: Sequence[Candidate],
    loaded: Sequence[Loaded | str],
    timed: Sequence[_Timed],
    best: dict[str, float],
) -> list[Row]:
    from semc_core.model.architecture import gflop

    p = spec.preprocessing
    work = gflop(spec.architecture, len(spec.classes), p.height, p.width)
    eager_ms = 1000 * float(np.median(timed[0].seconds))
    reference = timed[0].probabilities(spec)
    rows = []
    for candidate, one, took in zip(listed, loaded, timed, strict=True):
        known: dict[str, Any] = {
            "preset": preset,
            "height": p.height,
            "width": p.width,
            "gflop": round(work, 3),
            "runtime": candidate.runtime,
            "precision": candidate.precision,
        }
        if isinstance(one, str):
            rows.append(Row(**known, remark=one))
            continue
        milliseconds = 1000 * np.array(took.seconds)
        p50_ms = float(np.median(milliseconds))
        shares = took.probabilities(spec)
        peak = best.get(candidate.precision)
        rows.append(
            Row(
                **known,
                frames=len(shares),
                p50_ms=p50_ms,
                p95_ms=float(np.percentile(milliseconds, 95)),
                frames_per_s=1000 / float(milliseconds.mean()),
                ratio=eager_ms / p50_ms,
                share_of_peak=None if peak is None else 1000 * work / p50_ms / peak,
                difference=float(np.abs(shares - reference).max()),
                same_class=float((shares.argmax(axis=1) == reference.argmax(axis=1)).mean()),
                remark=one.remark(),
            )
        )
    return rows


_COLUMNS: Final[tuple[tuple[str, Callable[[Row], str]], ...]] = (
    ("p50", lambda row: _digits(row.p50_ms)),
    ("p95", lambda row: _digits(row.p95_ms)),
    ("per s", lambda row: _digits(row.frames_per_s)),
    ("ratio", lambda row: _digits(row.ratio)),
    ("peak", lambda row: _percent(row.share_of_peak)),
    ("off by", lambda row: "-" if row.difference is None else f"{row.difference:.0e}"),
    ("same", lambda row: _percent(row.same_class, 1)),
    ("of", lambda row: str(row.frames)),
)

NOTE: Final = (
    "One frame at a time, with the copies to and from the device; p50 and p95 in milliseconds. Ratio: how "
    "many times as fast as eager float32 PyTorch. Peak: share of the fastest matrix product or convolution "
    "in the same precision in the same run. Off by: largest difference of a probability from eager float32; "
    "same: how often the most probable class is the same, of so many frames of simulated patients. semc_live "
    "is the shipped model. The others have random weights, with classifiers that make much of the small "
    "differences between their features, and int8 from the ranges of four frames alone: they tell the speed."
)


def print_table(machine: Mapping[str, str], rows: Sequence[Row]) -> None:
    """On screen, a table for each network; the machine above them."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for name, words in machine.items():
        console.print(f"{name}: {words}", markup=False, highlight=False)
    console.print(NOTE, markup=False, highlight=False)
    for network, group in groupby(rows, _network):
        table = Table(title=network, title_justify="left")
        table.add_column("runtime, precision")
        for name, _ in _COLUMNS:
            table.add_column(name, justify="right", no_wrap=True)
        for row in group:
            table.add_row(f"{row.runtime}, {row.precision}", *_cells(row))
        console.print(table)
    for remark in _remarks(rows):
        console.print(remark, markup=False, highlight=False)


def as_markdown(machine: Mapping[str, str], rows: Sequence[Row]) -> str:
    """To be put into a document; the machine above it."""
    lines = ["; ".join(f"{name}: {words}" for name, words in machine.items()) + ".", "", NOTE, ""]
    names = ["network", "runtime", "precision", *(name for name, _ in _COLUMNS)]
    lines.append("| " + " | ".join(names) + " |")
    lines.append("|---|---|---|" + "---:|" * len(_COLUMNS))
    for row in rows:
        lines.append("| " + " | ".join([_network(row), row.runtime, row.precision, *_cells(row)]) + " |")
    remarks = _remarks(rows)
    if remarks:
        lines += ["", *(f"- {remark}" for remark in remarks)]
    return "\n".join(lines) + "\n"


def _network(row: Row) -> str:
    return f"{row.preset} {row.height}x{row.width}, {row.gflop:.3g} GFLOP"


def _cells(row: Row) -> list[str]:
    if row.p50_ms is None:
        return ["none"] + ["-"] * (len(_COLUMNS) - 1)
    return [make(row) for _, make in _COLUMNS]


def _remarks(rows: Sequence[Row]) -> list[str]:
    """Each once, with the rows it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        if row.remark:
            about.setdefault(row.remark, []).append(f"{row.preset} {row.runtime} {row.precision}")
    return [f"{', '.join(names)}: {remark}" for remark, names in about.items()]


def _digits(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _percent(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}%}"
