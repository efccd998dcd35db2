"""`semc export`: a session's planes for others, as a folder or a ZIP file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import click
from typer import Argument, Option

from semc_core.cli.shared.options import FOLDER, PLACE
from semc_core.cli.shared.tree import Commands
from semc_core.errors import ExportError, SessionChanged, UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.export.found_text import Answer
    from semc_core.export.manifest import BundleCheck
    from semc_core.export.options import ExportOptions, ExportResult
    from semc_core.session.session import Session
    from semc_core.types import Crop

Told = Callable[[str, int, int], None]

_TEXT = {"ask": "ask", "mask": "mask", "leave-out": "leave out", "keep": "keep"}
_PATIENT = "The patient, only with --identified"
_SERVER = "A FHIR server"
_EXAMPLES = """\b
Examples:
    semc export FOLDER --out study.zip --dicom
    semc export FOLDER --out study --protocol lp2025-liver --mask 0,0,640,40
    semc export FOLDER --out study --planes 1,3,7
    semc export FOLDER --out study --examination
    semc export FOLDER --out study-2 --answer 3=keep --answer 5=mask
    semc export --check study.zip"""

app = Commands()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChoices:
    """What goes into an export, as it is typed."""

    protocol: Annotated[
        str | None,
        Option("--protocol", metavar="ID", help="its checklist goes into the report; see semc protocols"),
    ] = None
    dicom: Annotated[bool, Option("--dicom", help="DICOM images, clips and structured report too")] = False
    fhir: Annotated[
        bool, Option("--fhir", help="report and measurements as FHIR resources, too (needs the extra fhir)")
    ] = False
    jpeg: Annotated[
        bool, Option("--jpeg", help="DICOM pixels as baseline JPEG: smaller, a little is lost")
    ] = False
    dates: Annotated[
        Literal["removed", "shifted"],
        Option(
            "--dates",
            help="what becomes of the dates in DICOM: shifted moves all of a patient's by the same time",
        ),
    ] = "removed"
    no_obgyn: Annotated[
        bool, Option("--no-obgyn", help="no obstetric report in DICOM where a fetus was measured")
    ] = False
    no_clips: Annotated[bool, Option("--no-clips", help="no clip per plane")] = False
    no_report: Annotated[bool, Option("--no-report", help="no report.html and report.pdf")] = False
    no_frames: Annotated[bool, Option("--no-frames", help="no frames.csv.gz")] = False
    identified: Annotated[
        bool, Option("--identified", help="keep names, whole pictures and notes: NOT de-identified")
    ] = False
    notes: Annotated[bool, Option("--notes", help="write notes and reasons, which may name somebody")] = False
    text: Annotated[
        str,
        Option(
            "--text",
            click_type=click.Choice(tuple(_TEXT)),
            help="what to do with pictures that hold text; ask: blank what is sure, leave a picture with a "
            "doubtful reading out until --answer",
        ),
    ] = "ask"
    answer: Annotated[
        list[str],
        Option(
            "--answer",
            metavar="PLANE=mask|keep",
            help="of a doubtful reading: the plane's number, and whether it is blanked or is no name",
        ),
    ] = field(default_factory=list)
    mask: Annotated[
        list[str], Option("--mask", metavar="LEFT,TOP,WIDTH,HEIGHT", help="blank this, in pixels")
    ] = field(default_factory=list)
    remember: Annotated[bool, Option("--remember", help="blank the masks from now on for this device")] = (
        False
    )
    anyway: Annotated[
        bool, Option("--anyway", help="also if the session is not as it was written; every page says so")
    ] = False
    planes: Annotated[
        str | None,
        Option("--planes", metavar="NUMBERS", help="hand over only these planes, such as 1,3,7; else all"),
    ] = None
    examination: Annotated[
        bool,
        Option("--examination", help="all scans of the examination that it belongs to, with one report"),
    ] = False
    patient_name: Annotated[
        str,
        Option("--patient-name", metavar="NAME", help="as in DICOM: Family^Given", rich_help_panel=_PATIENT),
    ] = ""
    patient_id: Annotated[str, Option("--patient-id", metavar="ID", rich_help_panel=_PATIENT)] = ""
    birth_date: Annotated[str, Option("--birth-date", metavar="YYYYMMDD", rich_help_panel=_PATIENT)] = ""
    sex: Annotated[
        str,
        Option(
            "--sex", click_type=click.Choice(("", "M", "F", "O")), metavar="[M|F|O]", rich_help_panel=_PATIENT
        ),
    ] = ""


@app.add(epilog=_EXAMPLES)
def export(
    choices: ExportChoices,
    session: Annotated[
        Path | None, Argument(click_type=FOLDER, metavar="SESSION", help="folder of the session")
    ] = None,
    out: Annotated[
        Path | None,
        Option("--out", click_type=PLACE, metavar="NAME", help="new folder, or new file that ends in .zip"),
    ] = None,
    check: Annotated[
        Path | None,
        Option(
            "--check", click_type=PLACE, metavar="BUNDLE", help="only look whether an export is as written"
        ),
    ] = None,
    fhir_post: Annotated[
        str | None,
        Option(
            "--fhir-post",
            metavar="URL",
            help="post what --fhir wrote, once each; with --check that of an earlier export",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    fhir_token: Annotated[
        Path | None,
        Option(
            "--fhir-token",
            click_type=PLACE,
            metavar="FILE",
            help="a file with the token that the server wants; else the variable SEMC_FHIR_TOKEN",
            rich_help_panel=_SERVER,
        ),
    ] = None,
) -> int:
    """Export or check. Returns 0; 1 if an export is not as it was written.

    Raises:
        SemcError: It could not be exported or checked.
    """
    from rich.console import Console

    console = Console()
    send = _to_server(fhir_post, fhir_token, choices.fhir or check is not None)
    if check is not None:
        if _check(check, session, console):
            return 1
        send(check, console)
        return 0
    if session is None or out is None:
        raise UsageError("semc export needs a session and --out NAME, or --check BUNDLE.")
    if choices.examination and fhir_post is not None:
        raise UsageError("--fhir-post posts one scan; leave --examination out, and export each.")
    options = _options(choices)
    result = _write(session, out, options, choices.remember, console)
    _say(result, options, console)
    send(result.target, console)
    return 0


def _write(folder: Path, out: Path, options: ExportOptions, remember: bool, console: Console) -> ExportResult:
    from semc_core.session.same_examination import scans_of_examination
    from semc_core.session.session import Session

    if options.examination and len(scans := scans_of_examination(folder)) > 1:
        return _write_examination(scans, out, options, remember, console)
    with Session.open(folder) as opened:
        _check_named(opened, options)
        _check_answered(opened, options)
        if remember:
            _remember(opened, options.masks)
        return _export(opened, out, options, console)


def _write_examination(
    scans: Sequence[Path], out: Path, options: ExportOptions, remember: bool, console: Console
) -> ExportResult:
    from semc_core.export.examination import export_examination
    from semc_core.session.session import Session

    with ExitStack() as opened:
        sessions = [opened.enter_context(Session.open(scan)) for scan in scans]
        for session in sessions:
            _check_named(session, options)
            if remember:
                _remember(session, options.masks)
        return _watched(
            lambda progress: export_examination(sessions, out, options, progress=progress), console
        )


def _say(result: ExportResult, options: ExportOptions, console: Console) -> None:
    """What was written, and what the user should know of it."""
    for notice in result.notices:
        console.print(notice, style="yellow", markup=False, soft_wrap=True)
    if result.held:
        wait = ", ".join(f"{each.plane_id} ({each.plane})" for each in result.held)
        console.print(
            f"{len(result.held)} left out until answered: {wait}. Look at each; then export again with "
            f"--answer {result.held[0].plane_id}=mask, or =keep where it is no name.",
            style="yellow", markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    if result.stayed_out:
        console.print(result.stayed_out, markup=False, highlight=False, soft_wrap=True)
    kind = "De-identified" if options.deidentify else "NOT de-identified"
    console.print(
        f"{kind}: {counted(result.planes, 'plane')}, {counted(result.files, 'file')}, "
        f"{result.size / 1e6:.1f} MB in {result.target}",
        style="bold", markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def _to_server(url: str | None, token: Path | None, written: bool) -> Callable[[Path, Console], None]:
    """What posts an export. What was typed is looked at before anything is exported.

    Raises:
        UsageError: It is no address or no token, or nothing is written that could be posted.
    """
    if url is None:
        if token is not None:
            raise UsageError("--fhir-token is for --fhir-post.")
        return lambda exported, console: None
    from semc_core.export.fhir.post import post, read_address, read_token

    if not written:
        raise UsageError("--fhir-post posts what --fhir writes; add --fhir.")
    address, proof = read_address(url), read_token(token)

    def send(exported: Path, console: Console) -> None:
        from semc_core.export.fhir.document import transaction

        posted = post(address, transaction(exported), proof)
        there = f"; {posted.known} were there already" if posted.known else ""
        made = f"Posted to {address.host}: {counted(posted.made, 'resource')} made{there}."
        console.print(made, markup=False, highlight=False, soft_wrap=True)

    return send


def _options(chosen: ExportChoices) -> ExportOptions:
    from semc_core.cli.analyse import parse_crop
    from semc_core.export.options import ExportOptions, Patient
    from semc_core.protocols.loader import load_protocols

    patient = Patient(chosen.patient_name, chosen.patient_id, chosen.birth_date, chosen.sex)
    if patient != Patient() and not chosen.identified:
        raise UsageError("A patient is named only in an export that is --identified.")
    if (chosen.jpeg or chosen.no_obgyn or chosen.dates != "removed") and not chosen.dicom:
        raise UsageError("--jpeg, --no-obgyn and --dates are about DICOM objects; add --dicom.")
    if chosen.examination and (chosen.planes is not None or chosen.answer):
        raise UsageError("--planes and --answer are of one scan; leave --examination out with them.")
    if chosen.answer and (chosen.identified or chosen.text != "ask"):
        raise UsageError("--answer is for doubtful text in a de-identified export with --text ask.")
    if chosen.dates != "removed" and chosen.identified:
        raise UsageError("An export that is --identified keeps its dates; leave --dates out.")
    masks = [_mask(parse_crop(text)) for text in chosen.mask]
    return ExportOptions(
        deidentify=not chosen.identified,
        notes=chosen.notes,
        jpeg=chosen.jpeg,
        obgyn=not chosen.no_obgyn,
        dates=chosen.dates,
        masks=tuple(masks),
        text=_TEXT[chosen.text],  # type: ignore[arg-type]  # the command line checked it
        patient=patient if patient != Patient() else None,
        answers=tuple(map(_answer, chosen.answer)),
        anyway=chosen.anyway,
        examination=chosen.examination,
        planes=None if chosen.planes is None else _numbers(chosen.planes),
        protocol=None if chosen.protocol is None else load_protocols().named(chosen.protocol),
        **_parts(chosen),
    )


def _numbers(text: str) -> tuple[int, ...]:
    """Raises UsageError where these are no numbers of planes."""
    numbers = [each.strip() for each in text.split(",")]
    if not all(each.isascii() and each.isdecimal() for each in numbers):
        raise UsageError(f"--planes takes numbers of planes, such as 1,3,7; {text!r} is none.")
    return tuple(dict.fromkeys(map(int, numbers)))


def _answer(text: str) -> tuple[int, Answer]:
    """Raises UsageError where it is none."""
    number, _, said = text.partition("=")
    if not number.isdecimal() or said not in ("mask", "keep"):
        raise UsageError(f"An answer is a plane's number and mask or keep, such as 3=keep; {text!r} is not.")
    return int(number), "keep" if said == "keep" else "mask"


def _check_answered(session: Session, options: ExportOptions) -> None:
    """Raises UsageError where a plane is answered for that is not there."""
    known = {plane.plane_id for plane in session.planes()}
    if missing := [number for number, _ in options.answers if number not in known]:
        raise UsageError(f"There is no plane {missing[0]} to answer for; the export says which wait.")


def _check_named(session: Session, options: ExportOptions) -> None:
    from semc_core.export.identified import is_named, session_names_patient

    if options.deidentify or is_named(options.patient):
        return
    if options.patient is not None or not session_names_patient(session):
        raise UsageError(
            "An export that is --identified names the patient: give --patient-name or --patient-id, or leave "
            "out --identified."
        )


def _parts(chosen: ExportChoices) -> dict[str, Any]:
    """The parts that are wanted: one that an export has unless told otherwise is asked for by no_NAME."""
    from semc_core.export.options import PARTS

    return {
        part: not getattr(chosen, f"no_{part}") if usual else getattr(chosen, part)
        for part, usual in PARTS.items()
    }


def _mask(crop: Crop | None) -> Crop:
    assert crop is not None
    return crop


def _remember(session: Session, masks: tuple[Crop, ...]) -> None:
    from semc_core.export.masks import MaskBook, device_of
    from semc_core.paths import data_folder

    MaskBook(data_folder()).remember(device_of(session.source), masks)


def _export(session: Session, target: Path, options: ExportOptions, console: Console) -> ExportResult:
    from semc_core.export.bundle import export_session

    return _watched(lambda progress: export_session(session, target, options, progress=progress), console)


def _watched(make: Callable[[Told], ExportResult], console: Console) -> ExportResult:
    """What `make` makes, its steps being shown."""
    from rich.progress import Progress

    from semc_core.cli.shared.progress import ProgressLines

    try:
        if not console.is_terminal:
            return make(ProgressLines().show)
        with Progress(console=console, transient=True) as bars:
            bar = bars.add_task("", total=None)

            def show(step: str, done: int, total: int) -> None:
                bars.update(bar, description=step, completed=done, total=total or None)

            return make(show)
    except SessionChanged as changed:
        raise ExportError(
            f"{changed} semc session verify tells the {counted(len(changed.findings), 'finding')}. Export it "
            "anyway (--anyway) only if you know why."
        ) from changed


def _check(bundle: Path, session: Path | None, console: Console) -> int:
    from semc_core.export.manifest import check_bundle

    found = check_bundle(bundle)
    problems = [*found.problems, *_against_session(session, found)]
    for problem in problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    if not problems:
        # With the manifest, as the export itself counted.
        console.print(f"All {found.files + 1} files are as they were written.", style="bold", highlight=False)
        why = f": {found.why}" if found.why else ""
        console.print(f"The export is {found.proof.value}{why}.", highlight=False, soft_wrap=True)
    if found.of_changed:
        text = "The session that it was exported from was not as it was written."
        console.print(text, style="yellow", highlight=False, soft_wrap=True)
    return 1 if problems else 0


def _against_session(folder: Path | None, found: BundleCheck) -> list[str]:
    """What the session's log says against a bundle; nothing without a session."""
    if folder is None:
        return []
    from semc_core.export.prove import BEGUN
    from semc_core.session.session import Session

    with Session.open(folder, read_only=True) as session:
        known = {each.sha256 for each in session.exports()}
        # A program that was killed may have told the log only that it was about to write this.
        known |= {entry.payload["sha256"] for entry in session.audit() if entry.kind == BEGUN}
        if found.manifest_sha256 in known:
            return []
    return ["The session's log knows no such export: it is of another session, or its manifest was changed."]
