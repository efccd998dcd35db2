"""`semc export`: a session's planes for others, as a folder or a ZIP file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from semc_core.errors import UsageError
from semc_core.text import counted
from semc_core.types import Crop

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.export.manifest import BundleCheck
    from semc_core.export.options import ExportOptions, ExportResult
    from semc_core.session.session import Session

HELP = "Export a session: pictures, tables, clips, report, DICOM. De-identified unless told otherwise."
_TEXT = {"ask": "ask", "mask": "mask", "leave-out": "leave out", "keep": "keep"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Session, target and choices."""
    parser.add_argument("session", nargs="?", type=Path, metavar="SESSION", help="folder of the session")
    parser.add_argument("--out", type=Path, metavar="NAME", help="new folder, or new file that ends in .zip")
    parser.add_argument(
        "--check", type=Path, metavar="BUNDLE", help="only look whether an export is as written"
    )
    parser.add_argument(
        "--protocol", metavar="ID", help="its checklist goes into the report (semc protocols lists them)"
    )
    parser.add_argument("--dicom", action="store_true", help="DICOM images, clips and structured report too")
    parser.add_argument(
        "--jpeg", action="store_true", help="DICOM pixels as baseline JPEG: smaller, a little is lost"
    )
    parser.add_argument(
        "--dates", choices=("removed", "shifted"), default="removed",
        help="what becomes of the dates in DICOM: shifted moves all of a patient's by the same time "
        "(default: removed)",
    )  # fmt: skip
    parser.add_argument("--no-clips", action="store_true", help="no clip per plane")
    parser.add_argument("--no-report", action="store_true", help="no report.html and report.pdf")
    parser.add_argument("--no-frames", action="store_true", help="no frames.csv.gz")
    parser.add_argument(
        "--identified", action="store_true", help="keep names, whole pictures and notes: NOT de-identified"
    )
    parser.add_argument(
        "--notes", action="store_true", help="write notes and reasons, which may name somebody"
    )
    parser.add_argument(
        "--text", choices=tuple(_TEXT), default="ask",
        help="what to do with pictures that hold text (default: stop and say so)",
    )  # fmt: skip
    parser.add_argument(
        "--mask", action="append", default=[], metavar="LEFT,TOP,WIDTH,HEIGHT", help="blank this, in pixels"
    )
    parser.add_argument("--remember", action="store_true", help="blank the masks from now on for this device")
    patient = parser.add_argument_group("the patient, only with --identified")
    patient.add_argument("--patient-name", default="", metavar="NAME", help="as in DICOM: Family^Given")
    patient.add_argument("--patient-id", default="", metavar="ID")
    patient.add_argument("--birth-date", default="", metavar="YYYYMMDD")
    patient.add_argument("--sex", default="", choices=("", "M", "F", "O"))


def run(args: argparse.Namespace) -> int:
    """Export or check. Returns 0; 1 if an export is not as it was written.

    Raises:
        SemcError: It could not be exported or checked.
    """
    from rich.console import Console

    console = Console()
    if args.check is not None:
        return _check(args, console)
    if args.session is None or args.out is None:
        raise UsageError("semc export needs a session and --out NAME, or --check BUNDLE.")
    options = _options(args)
    from semc_core.session.session import Session

    with Session.open(args.session) as session:
        if args.remember:
            _remember(session, options.masks)
        result = _export(session, args.out, options, console)
    for notice in result.notices:
        console.print(notice, style="yellow", markup=False, soft_wrap=True)
    kind = "De-identified" if options.deidentify else "NOT de-identified"
    console.print(
        f"{kind}: {counted(result.planes, 'plane')}, {counted(result.files, 'file')}, "
        f"{result.size / 1e6:.1f} MB in {result.target}",
        style="bold", markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    return 0


def _options(args: argparse.Namespace) -> ExportOptions:
    from semc_core.cli.analyse import parse_crop
    from semc_core.export.options import ExportOptions, Patient
    from semc_core.protocols.loader import load_protocols

    patient = Patient(args.patient_name, args.patient_id, args.birth_date, args.sex)
    if patient != Patient() and not args.identified:
        raise UsageError("A patient is named only in an export that is --identified.")
    if (args.jpeg or args.dates != "removed") and not args.dicom:
        raise UsageError("--jpeg and --dates are about DICOM objects; add --dicom.")
    if args.dates != "removed" and args.identified:
        raise UsageError("An export that is --identified keeps its dates; leave --dates out.")
    masks = [_mask(parse_crop(text)) for text in args.mask]
    return ExportOptions(
        deidentify=not args.identified,
        notes=args.notes,
        frames=not args.no_frames,
        clips=not args.no_clips,
        report=not args.no_report,
        dicom=args.dicom,
        jpeg=args.jpeg,
        dates=args.dates,
        masks=tuple(masks),
        text=_TEXT[args.text],  # type: ignore[arg-type]  # argparse checked it
        patient=patient if patient != Patient() else None,
        protocol=None if args.protocol is None else load_protocols().named(args.protocol),
    )


def _mask(crop: Crop | None) -> Crop:
    assert crop is not None
    return crop


def _remember(session: Session, masks: tuple[Crop, ...]) -> None:
    from semc_core.export.masks import MaskBook, device_of
    from semc_core.paths import data_folder

    MaskBook(data_folder()).remember(device_of(session.source), masks)


def _export(session: Session, target: Path, options: ExportOptions, console: Console) -> ExportResult:
    from rich.progress import Progress

    from semc_core.export.bundle import export_session

    with Progress(console=console, transient=True) as bars:
        bar = bars.add_task("", total=None)

        def show(step: str, done: int, total: int) -> None:
            bars.update(bar, description=step, completed=done, total=total or None)

        return export_session(session, target, options, progress=show)


def _check(args: argparse.Namespace, console: Console) -> int:
    from semc_core.export.manifest import check_bundle

    found = check_bundle(args.check)
    problems = [*found.problems, *_against_session(args.session, found)]
    for problem in problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    if not problems:
        whole = "The only file is" if found.files == 1 else f"All {found.files} files are"
        were = "it was" if found.files == 1 else "they were"
        console.print(f"{whole} as {were} written.", style="bold", highlight=False)
    return 1 if problems else 0


def _against_session(folder: Path | None, found: BundleCheck) -> list[str]:
    """What the session's log says against a bundle; nothing without a session."""
    if folder is None:
        return []
    from semc_core.export.bundle import BEGUN
    from semc_core.session.session import Session

    with Session.open(folder, read_only=True) as session:
        known = {each.sha256 for each in session.exports()}
        # A program that was killed may have told the log only that it was about to write this.
        known |= {entry.payload["sha256"] for entry in session.audit() if entry.kind == BEGUN}
        if found.manifest_sha256 in known:
            return []
    return ["The session's log knows no such export: it is of another session, or its manifest was changed."]
