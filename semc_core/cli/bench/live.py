"""`semc bench live`: a live scan without the window, measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from semc_core.cli.shared.options import print_json
from semc_core.errors import SemcError, UsageError
from semc_core.io.process import resident_mib

if TYPE_CHECKING:
    from semc_core.cli.bench.options import LiveOptions
    from semc_core.pipeline.live import LivePipeline
    from semc_core.pipeline.state import Statistics
    from semc_core.session.session import Session
    from semc_core.types import TimedBy

_SETTLED_AFTER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What one live scan took.

    Attributes:
        seconds: From the first classified frame to the end.
        statistics: Of the pipeline, at the end, counted from its start; the percentiles are over all frames
            of these `seconds`.
        dropped_while_loading: Frames that came before the model was ready.
        share_classified: Of the frames that came after that, how many were classified or skipped.
        invariant_held: Whether frames in = classified + skipped + dropped + in flight at every look.
        memory_settled_mib: Resident memory 5 s after the first frame; None if the scan was shorter.
        memory_end_mib: Resident memory at the end.
        cpu_seconds: CPU time of the whole program in `seconds`, with that of the simulation.
        simulation_cpu_seconds: Of it what making the simulated frames took, which no real source needs; None
            where the frames are not simulated.
        device: What the model ran on.
        timed_by: Where its latency begins, see `SourceInfo`.
    """

    seconds: float
    statistics: Statistics
    dropped_while_loading: int
    share_classified: float
    invariant_held: bool
    memory_settled_mib: float | None
    memory_end_mib: float
    cpu_seconds: float
    simulation_cpu_seconds: float | None
    device: str
    timed_by: TimedBy


def run(args: LiveOptions) -> int:
    """Measure one scan. Returns 1 if frames were lost."""
    from semc_core.cli.bench.timed import TimedSource
    from semc_core.pipeline.live import LivePipeline
    from semc_core.pipeline.state import PipelineSettings
    from semc_core.sources.base import FrameSource
    from semc_core.sources.open import open_source

    width, height = parse_size(args.size, "--size")
    if args.seconds <= 0 or args.rate <= 0:
        raise UsageError("--seconds and --rate must be more than 0.")

    simulated = args.source.partition(":")[0] == "simulated"
    timed: list[TimedSource] = []

    def source() -> FrameSource:
        # Nothing below the address is passed on: a file has its own size and rate.
        if not simulated:
            return open_source(args.source)
        timed.append(TimedSource(open_source(args.source, width=width, height=height, frame_rate=args.rate)))
        return timed[-1]

    engine: LivePipeline[Session] = LivePipeline(
        source,
        args.load,
        None,
        PipelineSettings(paced=True, save=False, keep_durations=True),
    )
    engine.start()
    try:
        measured = measure(
            engine, args.seconds, (lambda: sum(one.cpu_s for one in timed)) if simulated else None
        )
    finally:
        engine.stop()
    measured = _with_end(measured, engine)
    _print(measured, as_json=args.json)
    return 0 if measured.invariant_held else 1


def parse_size(text: str, option: str) -> tuple[int, int]:
    """ "1280x720" -> (1280, 720).

    Raises:
        UsageError: It is anything else; the message names the option.
    """
    first, _, second = text.partition("x")
    if not (first.isdecimal() and second.isdecimal() and int(first) and int(second)):
        raise UsageError(f"{option} needs two whole numbers with an x between them, and not {text!r}.")
    return int(first), int(second)


def measure(
    engine: LivePipeline[Session], seconds: float, simulation_cpu_s: Callable[[], float] | None = None
) -> Measured:
    """Watch a started scan that keeps its durations for `seconds`, or to its end.

    Args:
        engine: The scan.
        seconds: How long.
        simulation_cpu_s: What the simulation has taken so far; None where nothing is simulated.

    Raises:
        SemcError: The scan failed, or ended before a frame was classified.
    """
    first = _wait_for_first_result(engine)
    begun_s, cpu_begun_s = time.monotonic(), time.process_time()
    simulation_begun_s = 0.0 if simulation_cpu_s is None else simulation_cpu_s()
    settled: float | None = None
    invariant_held = True
    while (elapsed_s := time.monotonic() - begun_s) < seconds:
        if settled is None and elapsed_s >= min(_SETTLED_AFTER_S, seconds / 2):
            settled = resident_mib()
        invariant_held &= adds_up(engine.statistics())
        # Waits for the end of the scan, not for time to pass; the watcher must not use the CPU it measures.
        if engine.wait(min(0.25, seconds - elapsed_s)):
            break
    _raise_fault(engine)
    counted = engine.statistics()
    came = counted.frames_in - first.frames_in
    done = counted.classified + counted.skipped - first.classified - first.skipped
    model, latency = engine.whole_run(skip=first.classified)
    return Measured(
        seconds=time.monotonic() - begun_s,
        statistics=replace(counted, model=model, latency=latency),
        dropped_while_loading=first.dropped,
        share_classified=done / max(1, came + first.in_flight),
        invariant_held=invariant_held,
        memory_settled_mib=settled,
        memory_end_mib=resident_mib(),
        cpu_seconds=time.process_time() - cpu_begun_s,
        simulation_cpu_seconds=None if simulation_cpu_s is None else simulation_cpu_s() - simulation_begun_s,
        device=engine.device_name,
        timed_by="arrival" if (info := engine.source_info) is None else info.timed_by,
    )


def _wait_for_first_result(engine: LivePipeline[Session]) -> Statistics:
    from semc_core.pipeline.queues import QueueClosed

    try:
        engine.results.get()
    except QueueClosed as error:
        _raise_fault(engine)
        raise SemcError("The scan ended before a frame was classified; choose a longer one.") from error
    return engine.statistics()


def _raise_fault(engine: LivePipeline[Session]) -> None:
    from semc_core.pipeline.state import Phase

    state = engine.state
    if state.phase is Phase.FAULT:
        raise SemcError(state.message)


def adds_up(counted: Statistics) -> bool:
    """Whether no frame is lost: in = classified + skipped + dropped + in flight."""
    accounted = counted.classified + counted.skipped + counted.dropped + counted.in_flight
    return counted.frames_in == accounted and 0 <= counted.in_flight <= 2


def _with_end(measured: Measured, engine: LivePipeline[Session]) -> Measured:
    """With the counters after the stop: nothing may be in flight then."""
    after = engine.statistics()
    held = measured.invariant_held and adds_up(after) and not after.in_flight
    return replace(measured, invariant_held=held)


def _print(measured: Measured, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(measured))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Measured", "Value", title=f"Live scan, {measured.device}", title_justify="left")
    for name, value in _rows(measured).items():
        table.add_row(name, str(value))
    Console().print(table)


def _rows(measured: Measured) -> dict[str, Any]:
    from semc_core.sources.devices.true_delay import delay_begins

    counted = measured.statistics
    memory = "not known on this system"
    if measured.memory_settled_mib is not None:
        memory = f"{measured.memory_settled_mib:.0f} MiB -> {measured.memory_end_mib:.0f} MiB"
    latency, model = counted.latency, counted.model
    return {
        "seconds": f"{measured.seconds:.1f}",
        "frames in": counted.frames_in,
        "classified": counted.classified,
        "skipped (frozen, black, flat)": counted.skipped,
        "dropped": f"{counted.dropped}, of them {measured.dropped_while_loading} while the model loaded",
        "in flight": counted.in_flight,
        "always in = classified + skipped + dropped + in flight": measured.invariant_held,
        "share classified once loaded": f"{measured.share_classified:.2%}",
        "capture / classify rate": f"{counted.capture_rate:.1f} / {counted.classify_rate:.1f} per second",
        "latency is": delay_begins(measured.timed_by),
        "latency p50 / p95 / p99": f"{latency.p50_ms:.1f} / {latency.p95_ms:.1f} / {latency.p99_ms:.1f} ms",
        "model p50 / p95 / p99": f"{model.p50_ms:.1f} / {model.p95_ms:.1f} / {model.p99_ms:.1f} ms",
        "memory after 5 s -> at the end": memory,
        **_cpu_rows(measured),
    }


def _cpu_rows(measured: Measured) -> dict[str, str]:
    """The program's own processor time, and the simulation's beside it."""
    simulation_s = measured.simulation_cpu_seconds or 0.0
    told = {"CPU time": measured.cpu_seconds - simulation_s}
    if measured.simulation_cpu_seconds is not None:
        told["CPU time of the simulation, on top"] = simulation_s
    return {name: f"{spent:.1f} s, {spent / measured.seconds:.2f} cores" for name, spent in told.items()}
