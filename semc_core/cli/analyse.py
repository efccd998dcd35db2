"""`semc analyse`: every frame of recorded scans, and the standard planes in them, as files."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import click
import typer

from semc_core.cli.archive import Workers, analyse_archive, listed
from semc_core.cli.shared.options import FOLDER, PictureChoices, RuntimeOptions, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import SemcError, UsageError
from semc_core.text import counted, readable

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.archive.loop import How
    from semc_core.cli.shared.inputs import Wanted
    from semc_core.protocols.protocol import Protocol
    from semc_core.runtime.base import Runtime
    from semc_core.sources.accelerated import Decode
    from semc_core.sources.open import Images
    from semc_core.types import Crop

SUMMARY_NAME = "summary.json"
LOCK_NAME = "semc-analyse.lock"
"""In the folder of results while they are written."""
_MOST_NAMED = 20
_EXAMPLES = """\b
Examples:
    semc analyse clip.mp4 --out results
    semc analyse loops/ more/*.dcm --out results --protocol lp2025-liver
    semc analyse clip.mp4 --out results --json | jq .planes
    semc analyse /archive @more.txt --out results --cluster local"""
_log = logging.getLogger(__name__)

app = Commands()


@app.add(epilog=_EXAMPLES)
def analyse(
    inputs: Annotated[list[str], typer.Argument(metavar="FILE...", help="file, folder or pattern")],
    out: Annotated[
        Path, typer.Option("--out", click_type=FOLDER, metavar="DIR", help="folder for the results")
    ],
    runtime_options: RuntimeOptions,
    picture: PictureChoices,
    crop: Annotated[
        str | None,
        typer.Option(
            "--crop",
            metavar="LEFT,TOP,WIDTH,HEIGHT",
            help="region of interest, pixels",
            show_default="found in the picture",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            metavar="ID",
            help="show this protocol's checklist of each input (see semc protocols)",
        ),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", help="frames per call of the model")] = 8,
    images: Annotated[
        str,
        typer.Option(
            "--images",
            click_type=click.Choice(("auto", "stills", "loop")),
            help="what a folder of images is: a loop, or stills that are judged one by one; auto goes by "
            "their names and sizes",
        ),
    ] = "auto",
    decode: Annotated[
        str,
        typer.Option(
            "--decode",
            click_type=click.Choice(("auto", "cpu", "gpu")),
            help="what decodes videos; a graphics card says nothing of damaged frames, so auto is the CPU",
        ),
    ] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="print summary.json instead of tables; what is told goes to stderr")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="local|ADDRESS",
            help="an archive on many workers, by Ray: of this machine, or of a cluster (ray://HOST:PORT); "
            "results as Parquet, one row a loop (docs/scaling.md); @FILE is a list of inputs",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="of the cluster", show_default="one a GPU, or one a core"),
    ] = None,
    limit_s: Annotated[
        float,
        typer.Option("--limit", min=1.0, metavar="SECONDS", help="longest time of one loop in a cluster"),
    ] = 600.0,
) -> int:
    """Analyse everything. Returns 0, or 1 if an input could not be analysed.

    Raises:
        SemcError: Nothing can be analysed: wrong arguments, no model, no place to write to.
    """
    from rich.console import Console

    from semc_core.archive.loop import How
    from semc_core.cli.shared.inputs import wanted_inputs

    how = How(batch, cast("Images", images), picture.options(), parse_crop(crop), cast("Decode", decode))
    if batch < 1:
        raise UsageError("--batch must be at least 1.")
    console = Console(stderr=as_json)
    if cluster is not None:
        if as_json or protocol is not None:
            raise UsageError("--cluster writes Parquet; leave --json and --protocol away.")
        return _archive(inputs, out, runtime_options, Workers(cluster, workers, limit_s), how, console)
    if workers is not None:
        raise UsageError("--workers goes with --cluster.")
    followed = _protocol(protocol)
    left_out: list[Path] = []
    wanted = wanted_inputs(inputs, left_out.append)
    with _prepared(wanted, out):
        runtime = runtime_options.load()
        return _analyse_all(wanted, left_out, out, runtime, how, followed, console, as_json=as_json)


def _archive(
    inputs: list[str],
    out: Path,
    runtime_options: RuntimeOptions,
    workers: Workers,
    how: How,
    console: Console,
) -> int:
    from semc_core.cli.shared.inputs import wanted_inputs

    left_out: list[Path] = []
    wanted = wanted_inputs(listed(inputs), left_out.append)
    _tell_left_out(left_out, console)
    return analyse_archive(wanted, out, runtime_options, workers, how, console)


def _analyse_all(
    wanted: list[Wanted],
    left_out: list[Path],
    out: Path,
    runtime: Runtime,
    how: How,
    followed: Protocol | None,
    console: Console,
    *,
    as_json: bool,
) -> int:
    """One input after the other, and the summary. Returns the exit code. Raises as `analyse`."""
    reports: list[Report] = []
    try:
        _tell_left_out(left_out, console)
        if runtime.spec.notice:
            console.print(runtime.spec.notice, markup=False, soft_wrap=True)
        _tell_what_is_unknown(followed, runtime, console)
        for each in wanted:
            _report(each, out, runtime, how, console, reports)
            if followed is not None and reports[-1].results is not None:
                _print_checklist(followed, out / each.name, console)
    finally:
        runtime.close()
        # Also of a run that breaks off: what is done is done.
        _write_summary(reports, out)
    if as_json:
        print_json(_summary(reports))
    return _conclude(reports, out, console)


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
    from semc_core.types import Crop

    return Crop(left, top, width, height)


def _protocol(protocol_id: str | None) -> Protocol | None:
    if protocol_id is None:
        return None
    from semc_core.protocols.loader import load_protocols

    return load_protocols().named(protocol_id)


def _tell_left_out(paths: list[Path], console: Console) -> None:
    """Which files of the folders are not analysed, so that none is missed in silence."""
    if not paths:
        return
    named = ", ".join(str(path) for path in paths[:_MOST_NAMED])
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    sentence = f"Left out, as no video, DICOM file or folder of images only: {named}{more}."
    console.print(readable(sentence), style="yellow", markup=False, highlight=False, soft_wrap=True)


def _tell_what_is_unknown(protocol: Protocol | None, runtime: Runtime, console: Console) -> None:
    """Before the analysis: it may not be worth while."""
    from semc_core.protocols.protocol import unknown_sentence

    if protocol is not None and (sentence := unknown_sentence(protocol, runtime.spec.planes)):
        console.print(sentence, style="yellow", markup=False, soft_wrap=True)


def _print_checklist(protocol: Protocol, folder: Path, console: Console) -> None:
    from semc_core.cli.protocols import print_checklist
    from semc_core.protocols.checklist import session_checklists
    from semc_core.session.session import Session

    with Session.open(folder, read_only=True) as session:
        letters = session.fetuses().letters
        found = session_checklists(protocol, session.model, session.planes(), session.items(), letters)
    for state in found:
        print_checklist(state, console)


@contextmanager
def _prepared(wanted: list[Wanted], out: Path) -> Iterator[None]:
    """Make `out` ready for the results, before anything is read or written; inside, it is ours alone.

    Raises:
        UsageError: The results would take the place of an input or of something that is not ours, or another
            program is writing its results there.
        SaveError: `out` cannot be used.
    """
    from semc_core.cli.results import check_replaceable, check_targets
    from semc_core.errors import SessionInUse
    from semc_core.io.atomic import save_error
    from semc_core.io.lock import WriterLock

    check_targets(wanted, [*(out / each.name for each in wanted), out / SUMMARY_NAME])
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise save_error(out, error) from error
    try:
        lock = WriterLock(out, LOCK_NAME)
    except SessionInUse as error:
        raise UsageError(
            f"Another semc analyse is writing its results into {out}; wait for its end, or choose another "
            "--out."
        ) from error
    try:
        _clear(out)
        check_replaceable(wanted, out)
        yield
    finally:
        lock.release()


def _clear(out: Path) -> None:
    """Take away what a killed program left in `out`."""
    from semc_core.cli.results import clear_leftovers
    from semc_core.errors import SaveError

    try:
        clear_leftovers(out)
    except SaveError as error:
        # The results can be written all the same.
        _log.warning("Leftovers could not be removed: %s", type(error.__cause__ or error).__name__)


def _report(
    each: Wanted,
    out: Path,
    runtime: Runtime,
    how: How,
    console: Console,
    reports: list[Report],
) -> None:
    """Analyse one input and add to `reports`; one that is bad does not stop the rest.

    Raises:
        SaveError: The results cannot be written: those of the next input could not either.
    """
    from semc_core.errors import SaveError

    try:
        if each.problem:
            raise UsageError(each.problem)
        results = _analyse_one(each, out, runtime, how, console)
    except SaveError as error:
        reports.append(Report(each, None, str(error)))
        raise
    except SemcError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - the boundary of one input
        # The type only: an error may name a file, and a file may be named after a patient.
        _log.error("An input could not be analysed: %s", type(error).__name__)
        problem = f"It could not be analysed ({type(error).__name__}); check the file, or export it again."
    else:
        reports.append(Report(each, results))
        _print_planes(results, console)
        return
    console.print(readable(f"{each.path}: {problem}"), style="red", markup=False, soft_wrap=True)
    reports.append(Report(each, None, problem))


def _analyse_one(wanted: Wanted, out: Path, runtime: Runtime, how: How, console: Console) -> dict[str, Any]:
    from semc_core.cli.results import ResultFolder
    from semc_core.cli.shared.progress import progress_bar
    from semc_core.pipeline.batch import review
    from semc_core.session.analyse import origin_of
    from semc_core.sources.open import open_source

    source = open_source(str(wanted.path), images=how.images, options=how.options, decode=how.decode)
    if source.info.kind == "images" and not source.info.stills:
        count = counted(source.info.frame_count or 0, "picture")
        console.print(
            f"{wanted.name}: {count} taken as a loop of {source.info.frame_rate:g} frames per second "
            "(--images stills judges each by itself).",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    origin = origin_of(source, runtime, wanted.path)
    with (
        # Closed by the reader; once more here, for when the reader was never started.
        closing(source),
        ResultFolder(out / wanted.name, origin) as folder,
        progress_bar(console, "frames") as progress,
        closing(review(source, runtime, batch=how.batch, crop=how.crop)) as steps,
    ):
        bar = progress.add_task(wanted.name, total=source.info.frame_count)
        for reviewed in steps:
            folder.add(reviewed)
            progress.update(bar, completed=folder.frames)
        progress.update(bar, total=folder.frames)
        return folder.keep(source.info)


def _print_planes(results: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    from semc_core.cli.shared.shown import escape

    if results["source_notice"]:
        console.print(results["source_notice"], style="yellow", markup=False, soft_wrap=True)
    if not results["planes"]:
        frames = counted(results["frames"], "frame")
        console.print(f"{results['source']}: no standard plane in {frames}.", markup=False)
        return
    table = Table("Plane", "Name", "Confidence", "Frame", "Time", "Held", "File", title_justify="left")
    table.columns[-1].overflow = "fold"  # the file's name is what one needs
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
    from semc_core.session.files import versions

    return {
        "inputs": [
            {"name": report.wanted.name, "ok": True, **report.results}
            if report.results is not None
            else {
                "name": report.wanted.name,
                "source": readable(report.wanted.path.name),
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


def _write_summary(reports: list[Report], out: Path) -> None:
    from semc_core.io.atomic import write_atomically

    write_atomically(out / SUMMARY_NAME, json.dumps(_summary(reports), indent=2).encode())


def _conclude(reports: list[Report], out: Path, console: Console) -> int:
    """The last line and the exit code."""
    total = _summary(reports)
    failed, good = total["failed"], len(reports) - total["failed"]
    planes, frames = counted(total["planes"], "plane"), counted(total["frames"], "frame")
    line = f"{planes} in {frames} of {counted(good, 'input')}; results in {out}."
    if failed:
        line = f"{failed} of {counted(len(reports), 'input')} could not be analysed. {line}"
    console.print(line, style="bold red" if failed else "bold", markup=False, highlight=False, soft_wrap=True)
    return 1 if failed else 0
