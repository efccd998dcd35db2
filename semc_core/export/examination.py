"""The export of an examination of several scans: one bundle, one report, one proof.

Each scan has a folder of its own with pictures, clips and tables; the report lists the planes of all, with
one checklist; the DICOM objects are one study. The log of every session gets an entry.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from semc_core.errors import ExportError
from semc_core.export.bundle import check_exportable, verified, warned
from semc_core.export.checklist import Checklist, export_checklist
from semc_core.export.collect import CollectedScan, collect
from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.deidentify import deidentify
from semc_core.export.dicom.uids import UidMaker, load_key
from semc_core.export.kept_readings import KeptReadings
from semc_core.export.ocr import TextReadings, load_text_finder
from semc_core.export.options import ExportOptions, ExportResult
from semc_core.export.prove import Member, prove_examination
from semc_core.export.report.examination import examination_report
from semc_core.export.report.html import html_report
from semc_core.export.report.pdf import pdf_report
from semc_core.export.staging import Place, Staging
from semc_core.export.text_search import TextSearch
from semc_core.export.watch import Progress, Watch, no_progress
from semc_core.export.write import REPORT_STEP, write
from semc_core.io.atomic import save_error
from semc_core.io.process import give_back_memory
from semc_core.language import N_, _
from semc_core.paths import data_folder
from semc_core.session.fetuses import FIRST
from semc_core.session.session import Session

_ANSWER_APART: Final = N_(
    "Answer in the export of each scan by itself, where the pictures are shown; then export the examination "
    "once more."
)


def export_examination(
    sessions: Sequence[Session],
    target: Path,
    options: ExportOptions | None = None,
    *,
    progress: Progress = no_progress,
    cancel: threading.Event | None = None,
    data: Path | None = None,
    readings_for: Callable[[str], TextReadings] | None = None,
) -> ExportResult:
    """Write the planes of all scans of an examination as one export: all of it, or nothing.

    Args:
        sessions: Its scans in the order of time, open for writing: each log gets an entry.
        target: A name that is free: of a folder, or of a file that ends in ".zip".
        options: The user's choices; None for the defaults, which identify nobody.
        progress: Told of each step.
        cancel: Set it from any thread to end the export.
        data: Where masks and the key of exports are kept; None for the user's own folder.
        readings_for: What was read before in the pictures of the session of this id; None takes what is kept.

    Raises:
        ExportError: Planes or answers are chosen, which are numbered anew in each scan; or the scans say that
            they are of different patients.
        SemcError: As `export_session`.
    """
    options = options or ExportOptions()
    if options.planes is not None or options.answers:
        raise ExportError(
            _(
                "Planes and answers are chosen for one scan alone: its numbers begin anew in each. Export "
                "the scans one by one, or all planes of the examination."
            )
        )
    for session in sessions:
        check_exportable(session, options.target(target))
    _check_one_patient(sessions)
    watch = Watch(progress, cancel or threading.Event())
    try:
        return _export(sessions, options.target(target), options, watch, data or data_folder(), readings_for)
    finally:
        give_back_memory()  # the reader of text alone is hundreds of MiB


def _check_one_patient(sessions: Sequence[Session]) -> None:
    """Refuse what would put two people into one report. A scan that names nobody is of the others' patient.

    Raises:
        ExportError: See above.
    """
    asked = [session.examination for session in sessions]
    numbers = {each.patient_id for each in asked if each is not None and each.patient_id}
    names = {each.patient_name for each in asked if each is not None and each.patient_name}
    if len(numbers) > 1 or len(names) > 1:
        raise ExportError(
            _(
                "The scans of this examination name different patients. Correct that in each of them, "
                "or export the scans one by one."
            )
        )


def _export(
    sessions: Sequence[Session],
    target: Path,
    options: ExportOptions,
    watch: Watch,
    data: Path,
    readings_for: Callable[[str], TextReadings] | None,
) -> ExportResult:
    uids = UidMaker(load_key(data / "export.key"))
    finder = load_text_finder() if options.deidentify else None
    with Staging(target) as staging, ExitStack() as opened:
        collected, members, waits = [], [], False
        for session in sessions:
            found = verified(session, options, watch)
            known = KeptReadings(data, session.id) if readings_for is None else readings_for(session.id)
            search = TextSearch(finder, known, watch)
            scan = opened.enter_context(collect(session, options, data))
            try:
                made = warned(deidentify(scan, options, uids, search, watch), found)
            finally:
                known.save()
            waits = waits or bool(search.held)
            collected.append(scan)
            members.append(Member(session, made, found))
        if waits:
            members[0] = replace(members[0], scan=_noticed(members[0].scan, _(_ANSWER_APART)))
        scans = _as_one([member.scan for member in members], _checklist(collected, members, options))
        for number, scan_made in enumerate(scans, 1):
            write(
                replace(scan_made, parts=tuple(part for part in scan_made.parts if part != "report")),
                part := staging.part(f"scan-{number}"),
                watch,
            )
            _file_dicom(part, staging)
        if options.report:
            watch.progress(REPORT_STEP, 0, 2)
            report = examination_report(scans, watch)
            staging.write("report.html", html_report(report))
            watch.progress(REPORT_STEP, 1, 2)
            watch.check()
            staging.write("report.pdf", pdf_report(report))
        done = [replace(member, scan=scan) for member, scan in zip(members, scans, strict=True)]
        return prove_examination(done, options, staging, watch)


def _file_dicom(part: Place, staging: Staging) -> None:
    """Put a scan's DICOM objects where those of an export are: what is sent is looked for there.

    Raises:
        SaveError: They could not be moved.
    """
    if not (part.folder / "dicom").is_dir():
        return
    try:
        (staging.folder / "dicom").mkdir(exist_ok=True)
        (part.folder / "dicom").rename(staging.folder / "dicom" / part.folder.name)
    except OSError as error:
        raise save_error(staging.target.parent, error) from error


def _noticed(scan: DeidentifiedScan, sentence: str) -> DeidentifiedScan:
    return replace(scan, notices=(*scan.notices, sentence))


def _as_one(scans: Sequence[DeidentifiedScan], whole: Checklist | None) -> list[DeidentifiedScan]:
    """The scans as those of one patient and study, each with the checklist of all.

    The study of a DICOM file stays that of the file.
    """
    first, made = scans[0].study, []
    for number, scan in enumerate(scans, 1):
        study = replace(scan.study, part=str(number))
        if scan.source_kind != "dicom":
            study = replace(study, study_uid=first.study_uid, patient=first.patient)
        source = study.patient.patient_id if scan.deidentified else scan.source
        made.append(replace(scan, study=study, source=source, checklist=whole))
    return made


def _checklist(
    collected: Sequence[CollectedScan], members: Sequence[Member], options: ExportOptions
) -> Checklist | None:
    """How far the examination is, by the planes and words of all its scans."""
    protocol = options.followed
    if protocol is None:
        return None
    letters = max((scan.fetuses for scan in collected), key=len)
    planes = [plane.entry for member in members for plane in member.scan.planes]
    if letters:
        # A scan in which nobody turned to another one is of the first.
        planes = [replace(plane, fetus=plane.fetus or FIRST) for plane in planes]
    said = {
        (word.protocol_id, word.item_id, word.fetus or FIRST): word
        for scan in collected
        for word in scan.items
    }
    words = [word if options.free_text else replace(word, reason="") for word in said.values()]
    return export_checklist(protocol, collected[0].model, planes, words, letters)
