"""`semc analyse`: every frame of recorded scans, and the standard planes in them, as files."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semc_core.errors import SemcError, UsageError
from semc_core.frames import Crop
from semc_core.paths import DEFAULT_MODEL

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from semc_core.commands.inputs import Wanted
    from semc_core.runtime.runtime import Runtime

HELP = "Find the standard planes in recorded scans: videos, DICOM loops, folders of images."
SUMMARY_NAME = "summary.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Inputs and options."""
    parser.add_argument("inputs", nargs="+", metavar="FILE", help="file, folder or pattern")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "torch-cpu"))
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, metavar="FILE", help="model file")
    parser.add_argument(
        "--crop", metavar="LEFT,TOP,WIDTH,HEIGHT", help="region of interest, pixels (default: found)"
    )
    parser.add_argument("--batch", type=int, default=8, help="frames per call of the model (default: 8)")
    parser.add_argument("--threads", type=int, help="most CPU threads of the model")


def run(args: argparse.Namespace) -> int:
    """Analyse everything. Returns 0, or 1 if an input could not be analysed.

    Raises:
        SemcError: Nothing can be analysed: wrong arguments, no model, no place to write to.
    """
    from rich.console import Console

    from semc_core.commands.inputs import wanted_inputs
    from semc_core.runtime.load import load_runtime
    from semc_core.session.atomic import write_atomically

    crop = parse_crop(args.crop)
    if args.batch < 1:
        raise UsageError("--batch must be at least 1.")
    console = Console()
    wanted = wanted_inputs(args.inputs)
    runtime = load_runtime(args.model, args.device, args.threads)
    try:
        if runtime.spec.notice:
            console.print(runtime.spec.notice, markup=False, soft_wrap=True)
        reports = _analyse_all(wanted, args.out, runtime, crop, args.batch, console)
    finally:
        runtime.close()
    write_atomically(args.out / SUMMARY_NAME, json.dumps(_summary(reports), indent=2).encode())
    return _conclude(reports, args.out, console)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one input: its planes.json, or why there is none."""

    wanted: Wanted
    results: dict[str, Any] | None
    problem: str = ""


def parse_crop(text: str | None) -> Crop | None:
    """ "left,top,width,height" in pixels; None for None.

    Raises:
        UsageError: It is something else.
    """
    if text is None:
        return None
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError("--crop needs four whole numbers: left,top,width,height.") from error
    if left < 0 or top < 0 or width < 1 or height < 1:
        raise UsageError("--crop needs a left and top of at least 0, and a width and height of at least 1.")
    return Crop(left, top, width, height)


def _analyse_all(
    wanted: list[Wanted], out: Path, runtime: Runtime, crop: Crop | None, batch: int, console: Console
) -> list[Report]:
    """One input after the other; one that is bad is reported and does not stop the rest."""
    from semc_core.errors import RuntimeFault, SaveError

    reports = []
    for each in wanted:
        try:
            if each.problem:
                raise UsageError(each.problem)
            results = _analyse_one(each, out, runtime, crop, batch, console)
        except (RuntimeFault, SaveError):
            # The model or the disk, not this input: the next would fail alike.
            raise
        except SemcError as error:
            console.print(f"{each.path}: {error}", style="red", markup=False, soft_wrap=True)
            reports.append(Report(each, None, str(error)))
        else:
            reports.append(Report(each, results))
            _print_planes(results, console)
    return reports


def _analyse_one(
    wanted: Wanted, out: Path, runtime: Runtime, crop: Crop | None, batch: int, console: Console
) -> dict[str, Any]:
    from semc_core.capture.open import open_source
    from semc_core.commands.results import ResultFolder
    from semc_core.engine.review import review
    from semc_core.session.record import Origin

    source = open_source(str(wanted.path))
    info = source.info
    origin = Origin(info, runtime.spec, runtime.spec.thresholds, runtime.device_name)
    with (
        # Closed by the reader; once more here, for when the reader was never started.
        closing(source),
        ResultFolder(out / wanted.name, origin) as folder,
        _progress(console) as progress,
        closing(review(source, runtime, batch=batch, crop=crop)) as steps,
    ):
        bar = progress.add_task(wanted.name, total=info.frame_count)
        for reviewed in steps:
            folder.add(reviewed)
            progress.update(bar, completed=folder.frames)
        progress.update(bar, total=folder.frames)
        return folder.keep()


def _progress(console: Console) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class RateColumn(TextColumn):
        """Frames per second."""

        def render(self, task: Any) -> Text:
            """The mean rate of one bar since its start."""
            elapsed_s = task.finished_time or task.elapsed
            return Text(f"{task.completed / elapsed_s:.0f} frames/s" if elapsed_s else "")

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(""),
        TimeRemainingColumn(),
        console=console,
    )


def _print_planes(results: dict[str, Any], console: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    if results["source_notice"]:
        console.print(results["source_notice"], style="yellow", markup=False, soft_wrap=True)
    if not results["planes"]:
        console.print(f"{results['source']}: no standard plane in {results['frames']} frames.", markup=False)
        return
    table = Table("Plane", "Name", "Confidence", "Frame", "Time", "Held", "File", title_justify="left")
    table.title = escape(results["source"])
    for plane in results["planes"]:
        table.add_row(
            escape(plane["plane"]),
            escape(plane["full_name"]),
            f"{plane['confidence']:.0%}",
            str(plane["frame_index"]),
            f"{plane['time_s']:.2f} s",
            f"{plane['hold_start_s']:.2f} - {plane['hold_end_s']:.2f} s",
            escape(plane["png"] or ""),
        )
    console.print(table)


def _summary(reports: list[Report]) -> dict[str, Any]:
    from semc_core.session.record import versions

    return {
        "inputs": [
            {"name": report.wanted.name, "ok": True, **report.results}
            if report.results is not None
            else {
                "name": report.wanted.name,
                "source": report.wanted.path.name,
                "ok": False,
                "problem": report.problem,
            }
            for report in reports
        ],
        "frames": sum(report.results["frames"] for report in reports if report.results is not None),
        "planes": sum(len(report.results["planes"]) for report in reports if report.results is not None),
        "failed": sum(report.results is None for report in reports),
        "versions": versions(),
    }


def _conclude(reports: list[Report], out: Path, console: Console) -> int:
    """The last line and the exit code."""
    total = _summary(reports)
    failed, good = total["failed"], len(reports) - total["failed"]
    line = f"{total['planes']} planes in {total['frames']} frames of {good} inputs; results in {out}."
    if failed:
        line = f"{failed} of {len(reports)} inputs could not be analysed. {line}"
    console.print(line, style="bold red" if failed else "bold", markup=False, highlight=False, soft_wrap=True)
    return 1 if failed else 0
