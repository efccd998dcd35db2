"""`semc bench analyse`: how near the analysis of a file comes to what the machine can do.

More than decoding and the network cannot be left out: the limit is the machine's cores, divided by the
processor time that these two take for a frame. All of it is measured in turns, in one run.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from semc_core.cli.shared.options import print_json
from semc_core.errors import UsageError
from semc_core.io.process import usable_cores

if TYPE_CHECKING:
    from semc_core.cli.bench.options import AnalyseOptions
    from semc_core.pipeline.stages import PreparedFrame
    from semc_core.runtime.base import Runtime

_SEED: Final = 2007
_RATE: Final = 30.0
_NETWORK_CALLS: Final = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """What the analysis of one file took: medians of all turns.

    Attributes:
        file: Its name.
        frames: How many it has.
        device: What the model ran on.
        cores: That this process may use.
        frames_per_s: Of the whole analysis, in `semc analyse`'s own way.
        decoder_ms: Processor time of a frame in FFmpeg's decoder alone.
        reading_ms: Processor time on top of it until there is gray.
        preparing_ms: Quality, region of interest, and the network's input.
        network_ms: The model, in batches.
        rest_ms: All other of the whole: smoothing, detector, threads that wait for each other.
        limit_per_s: Frames a second if only decoder and network took time, on all cores.
        share_of_limit: `frames_per_s / limit_per_s`.
        share_of_time: Decoder and network, of the processor time of the whole: what the share of the limit
            would be if both kept all cores busy. Hardly moved by what else the machine does.
    """

    file: str
    frames: int
    device: str
    cores: int
    frames_per_s: float
    decoder_ms: float
    reading_ms: float
    preparing_ms: float
    network_ms: float
    rest_ms: float
    limit_per_s: float
    share_of_limit: float
    share_of_time: float


@dataclass(frozen=True, slots=True)
class _Turn:
    """Processor seconds, and seconds, of a frame."""

    cpu_s: float
    wall_s: float


def run(args: AnalyseOptions) -> int:
    """Measure and print."""
    runtime = args.load()
    try:
        with tempfile.TemporaryDirectory(prefix="semc-bench-") as folder:
            measured = measure(args.file or _simulated(Path(folder)), runtime, args.rounds, args.batch)
    finally:
        runtime.close()
    _print(measured, as_json=args.json)
    return 0


def measure(path: Path, runtime: Runtime, rounds: int, batch: int) -> Measured:
    """Measure each stage `rounds` times in turns, after one turn that is not counted.

    Raises:
        SemcError: The file cannot be read, or the model not be run.
        UsageError: Nothing can be measured of the file.
    """
    first = _first_prepared(path, runtime, batch)
    ways: dict[str, Callable[[], int]] = {
        "decoder": lambda: _decode(path),
        "reading": lambda: _read(path, None),
        "preparing": lambda: _read(path, runtime),
        "network": lambda: _classify(first, runtime),
        "whole": lambda: _analyse(path, runtime, batch),
    }
    turns: dict[str, list[_Turn]] = {name: [] for name in ways}
    frames = 0
    for turn in range(rounds + 1):
        for name, way in ways.items():
            frames, timed = _timed(way)
            if turn:
                turns[name].append(timed)
    cpu = {name: statistics.median(each.cpu_s for each in told) for name, told in turns.items()}
    rate = 1 / statistics.median(each.wall_s for each in turns["whole"])
    cores = usable_cores()
    limit = cores / (cpu["decoder"] + cpu["network"])
    return Measured(
        file=path.name,
        frames=frames,
        device=runtime.device_name,
        cores=cores,
        frames_per_s=rate,
        decoder_ms=1000 * cpu["decoder"],
        reading_ms=1000 * (cpu["reading"] - cpu["decoder"]),
        preparing_ms=1000 * (cpu["preparing"] - cpu["reading"]),
        network_ms=1000 * cpu["network"],
        rest_ms=1000 * (cpu["whole"] - cpu["preparing"] - cpu["network"]),
        limit_per_s=limit,
        share_of_limit=rate / limit,
        share_of_time=(cpu["decoder"] + cpu["network"]) / cpu["whole"],
    )


def _timed(way: Callable[[], int]) -> tuple[int, _Turn]:
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    frames = way()
    if not frames:
        raise UsageError("Its first frames show no picture, so nothing can be measured; take another file.")
    return frames, _Turn((time.process_time() - cpu_s) / frames, (time.perf_counter() - wall_s) / frames)


def _simulated(folder: Path) -> Path:
    from semc_core.phantom.render import render
    from semc_core.phantom.scan import SimulatedScan

    path = folder / "simulated.mp4"
    render(SimulatedScan(_SEED, 20.0, 1280, 720, _RATE), path)
    return path


def _decode(path: Path) -> int:
    from semc_core.sources.containers import open_container, picture_stream

    with open_container(path) as container:
        stream = picture_stream(container, path.name)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(4, usable_cores())
        return sum(1 for _ in container.decode(stream))


def _read(path: Path, runtime: Runtime | None) -> int:
    """Read all, and with a runtime prepare all for it."""
    from semc_core.pipeline.stages import PreparationStage
    from semc_core.sources.open import open_source

    look = PreparationStage(runtime.spec.preprocessing) if runtime is not None else None
    source, frames = open_source(str(path)), 0
    try:
        while (packet := source.read()) is not None:
            if look is None:
                packet.picture.gray  # noqa: B018 - made when first asked for
            else:
                look.look(packet)
            frames += 1
    finally:
        source.close()
    return frames


def _first_prepared(path: Path, runtime: Runtime, count: int) -> list[PreparedFrame]:
    """Of the first frames those that the network would see."""
    from semc_core.pipeline.stages import PreparationStage
    from semc_core.sources.open import open_source

    look = PreparationStage(runtime.spec.preprocessing)
    source = open_source(str(path))
    try:
        packets = [packet for _ in range(count) if (packet := source.read()) is not None]
    finally:
        source.close()
    return [one for one in map(look.look, packets) if one.inputs is not None]


def _classify(prepared: list[PreparedFrame], runtime: Runtime) -> int:
    """The network alone: the same frames again and again."""
    from semc_core.pipeline.stages import classify

    for _ in range(_NETWORK_CALLS):
        classify(runtime, prepared)
    return _NETWORK_CALLS * len(prepared)


def _analyse(path: Path, runtime: Runtime, batch: int) -> int:
    from semc_core.pipeline.batch import review
    from semc_core.sources.open import open_source

    return sum(len(part.results) for part in review(open_source(str(path)), runtime, batch=batch))


def _print(measured: Measured, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(measured))
        return
    from rich.console import Console
    from rich.table import Table

    title = f"{measured.file}, {measured.frames} frames, {measured.device}"
    table = Table("Measured", "Value", title=title, title_justify="left")
    for name in ("decoder", "reading", "preparing", "network", "rest"):
        table.add_row(f"processor time of a frame: {name}", f"{getattr(measured, f'{name}_ms'):.2f} ms")
    table.add_row("frames a second", f"{measured.frames_per_s:.1f}")
    limit = f"{measured.limit_per_s:.1f} frames a second on {measured.cores} cores"
    table.add_row("limit: decoder and network alone", limit)
    table.add_row("share of the limit", f"{measured.share_of_limit:.2f}")
    table.add_row("decoder and network, of the processor time", f"{measured.share_of_time:.2f}")
    Console().print(table)
