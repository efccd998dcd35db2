"""The export of a session: one function, behind `semc export` and the window's button alike."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from semc_core.errors import ExportCancelled, ExportError
from semc_core.export.dicom.study import StudyContext
from semc_core.export.dicom.uids import UidMaker, load_key
from semc_core.export.images import Exported, Pictures
from semc_core.export.manifest import MANIFEST_NAME, manifest_of
from semc_core.export.masks import MaskBook, device_of
from semc_core.export.ocr import NOT_LOOKED, TextFinder, TextFound, TextReadings, load_text_finder
from semc_core.export.options import Checklist, ExportOptions, ExportResult, Progress, no_progress
from semc_core.export.report.data import (
    IDENTIFIED,
    ReportData,
    export_checklist,
    missing_planes,
    model_rows,
    program_rows,
    region_rows,
    report_plane,
    subject_rows,
)
from semc_core.export.report.html import html_report
from semc_core.export.report.pdf import pdf_report
from semc_core.export.staging import Staging
from semc_core.export.tables import frames_csv_gz, plane_json, planes_csv
from semc_core.paths import data_folder
from semc_core.session.files import read_png
from semc_core.session.records import PERSON, FrameTable
from semc_core.session.session import Session
from semc_core.text import counted
from semc_core.types import Crop
from semc_core.version import VERSION

BEGUN: Final = "export begun"
"""Kind of the log's entry that is written before an export appears."""

_PICTURES: Final = "Pictures and clips"


def export_session(
    session: Session,
    target: Path,
    options: ExportOptions | None = None,
    *,
    progress: Progress = no_progress,
    cancel: threading.Event | None = None,
    data: Path | None = None,
    readings: TextReadings | None = None,
) -> ExportResult:
    """Write a session's planes for others, as a folder or a ZIP file: all of it, or nothing.

    The session's log gets an entry for it, so the session must be open for writing.

    Args:
        session: Whose planes; those rejected are left out.
        target: A name that is free: of a folder, or of a file that ends in ".zip".
        options: The user's choices; None for the defaults, which identify nobody.
        progress: Told of each step.
        cancel: Set it from any thread to end the export.
        data: Where masks and the key of exports are kept; None for the user's own folder.
        readings: What an export before this one read in its pictures: none is read twice.

    Raises:
        TextFound: Pictures hold text, and `options.text` is "ask": nothing was written.
        ExportCancelled: `cancel` was set: nothing was written.
        ExportError: There is something of this name, or a picture is not what was saved.
        SemcError: Something could not be read or written.
    """
    if session.read_only:
        raise ExportError(
            "The session is open for looking only, and an export is written into its log; close it where it "
            "is open as well, open it here again, and export it."
        )
    if session.folder.resolve() in (target.resolve(), *target.resolve().parents):
        raise ExportError("An export does not belong into the session's own folder; choose another place.")
    export = _Export(
        session, options or ExportOptions(), progress, cancel or threading.Event(), data,
        TextReadings() if readings is None else readings,
    )  # fmt: skip
    with Staging(target) as staging:
        return export.run(staging, target)


class _Export:
    """One export: what its steps share."""

    def __init__(
        self,
        session: Session,
        options: ExportOptions,
        progress: Progress,
        cancel: threading.Event,
        data: Path | None,
        readings: TextReadings,
    ) -> None:
        data = data_folder() if data is None else data
        self._session = session
        self._options = options
        self._progress = progress
        self._cancel = cancel
        self._uids = UidMaker(load_key(data / "export.key"))
        masks: tuple[Crop, ...] = options.masks
        if options.deidentify:
            masks = (*masks, *MaskBook(data).masks(device_of(session.source)))
        self._masks = masks
        self._finder: TextFinder | None = load_text_finder() if options.deidentify else None
        self._readings = readings
        self._notices: list[str] = []
        # One moment: what is added to the log meanwhile does not belong to this export.
        self._entries, self._head = session.head
        self._planes = session.planes()
        self._table: FrameTable = session.frames()

    def run(self, staging: Staging, target: Path) -> ExportResult:
        """All steps."""
        with Pictures(
            self._session, staging, self._options, self._masks, self._finder, self._readings, self._step
        ) as pictures:
            made = self._settle_text(pictures, self._write_pictures(pictures))
            self._tell_what_is_missing(made)
            context = self._study(made)
            if self._options.dicom:
                self._write_dicom(staging, pictures, made, context)
        self._write_tables(staging, made, context)
        if self._options.report:
            self._write_report(staging, made, context)
        manifest = manifest_of(staging.folder, self._about(len(made)))
        staging.write(MANIFEST_NAME, manifest)
        files = [path for path in staging.folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        self._progress("Writing", 0, 0)
        digest = hashlib.sha256(manifest).hexdigest()
        kind = "zip" if target.suffix.lower() == ".zip" else "folder"
        # Before it appears: a kill in between leaves no export that the log does not know.
        self._session.log(PERSON, BEGUN, {"kind": kind, "name": target.name, "sha256": digest})
        staging.publish(self._step)
        self._session.record_export(kind, target.name, digest, self._detail(len(made), len(files)))
        return ExportResult(target, len(files), size, digest, len(made), tuple(self._notices))

    def _step(self) -> None:
        """Between any two pieces of work."""
        if self._cancel.is_set():
            raise ExportCancelled("The export was cancelled; nothing was written.")

    def _write_pictures(self, pictures: Pictures) -> list[Exported]:
        made = []
        for number, plane in enumerate(self._planes):
            self._step()
            self._progress(_PICTURES, number, len(self._planes))
            made.append(pictures.write(plane))
        self._progress(_PICTURES, len(self._planes), len(self._planes))
        return made

    def _settle_text(self, pictures: Pictures, made: list[Exported]) -> list[Exported]:
        """Do with pictures that hold text what the user wants. Returns the planes that stay."""
        if self._options.deidentify and self._finder is None:
            self._notices.append(NOT_LOOKED)
        with_text = [each for each in made if each.found]
        if not with_text:
            return made
        names = ", ".join(f"{each.plane.plane} ({each.plane.plane_id})" for each in with_text)
        if self._options.text == "ask":
            raise TextFound([each.finding for each in with_text])
        if self._options.text == "keep":
            self._notices.append(f"These pictures hold text and were exported as they are: {names}.")
            return made
        if self._options.text == "leave out":
            for each in with_text:
                pictures.leave_out(each)
            self._notices.append(f"Left out because their pictures hold text: {names}.")
            return [each for each in made if not each.found]
        for number, each in enumerate(with_text):
            self._progress("Masking text", number, len(with_text))
            pictures.mask_text(each)
        self._notices.append(f"Text was masked in the pictures of {names}.")
        return made

    def _tell_what_is_missing(self, made: Sequence[Exported]) -> None:
        if not made:
            self._notices.append(
                "No plane is exported: there are no pictures, clips and DICOM objects in this export."
            )
        for why, without in Counter(each.why_no_clip for each in made if each.why_no_clip).items():
            has = "has" if without == 1 else "have"
            who = "The plane" if len(made) == 1 else f"{without} of {len(made)} planes"
            self._notices.append(f"{who} {has} no clip: {why}.")
        whole = [each for each in made if (each.plane.crop.width, each.plane.crop.height) == _size(each)]
        if self._options.deidentify and whole:
            self._notices.append(
                f"In {len(whole)} of {counted(len(made), 'plane')} the region of interest is the whole "
                "picture: nothing round it could be blanked."
            )
        if not self._options.free_text and self._has_free_text():
            self._notices.append("Notes and reasons were left out: they are free text and may name somebody.")

    def _has_free_text(self) -> bool:
        written = [self._session.note, *(plane.note for plane in self._planes)]
        written += [each.note for each in self._session.regions()]
        if self._options.protocol is not None:
            wanted = self._options.protocol.id
            written += [word.reason for word in self._session.items() if word.protocol_id == wanted]
        return any(written)

    def _checklist(self, made: Sequence[Exported]) -> Checklist | None:
        session, protocol = self._session, self._options.protocol
        if protocol is None:
            return None
        planes = [each.plane for each in made]
        return export_checklist(protocol, session.model, planes, session.items())

    def _study(self, made: Sequence[Exported]) -> StudyContext:
        from semc_core.export.dicom.writer import Cleaned, study_of

        looked = self._finder is not None and not any(each.found for each in made)
        cleaned = Cleaned(blanked=self._options.deidentify, text_left=not looked)
        return study_of(self._session, self._options, self._uids, cleaned)

    def _write_dicom(
        self, staging: Staging, pictures: Pictures, made: Sequence[Exported], context: StudyContext
    ) -> None:
        from semc_core.export.dicom.writer import write_dicom

        write_dicom(
            self._session, context, made, pictures, self._options, self._checklist(made), staging,
            lambda done: self._progress("DICOM", done, len(made)),
        )  # fmt: skip

    def _write_tables(self, staging: Staging, made: Sequence[Exported], context: StudyContext) -> None:
        session, options = self._session, self._options
        for each in made:
            record = plane_json(
                each.plane,
                self._table,
                session.model,
                source=self._source_name(context),
                source_kind=session.source.kind,
                png=f"{each.stem}.png",
                png_sha256=each.png_sha256,
                note=each.plane.note if options.free_text else "",
            )
            staging.write(f"planes/{each.stem}.json", json.dumps(record, indent=2, allow_nan=False).encode())
        rows = [
            (each.plane, each.png, each.clip, each.plane.note if options.free_text else "") for each in made
        ]
        staging.write("planes.csv", planes_csv(rows))
        if options.frames:
            self._step()
            staging.write("frames.csv.gz", frames_csv_gz(self._table, session.model))

    def _write_report(self, staging: Staging, made: Sequence[Exported], context: StudyContext) -> None:
        self._progress("Report", 0, 2)
        data = self._report(staging, made, context)
        staging.write("report.html", html_report(data))
        self._progress("Report", 1, 2)
        self._step()
        staging.write("report.pdf", pdf_report(data))
        self._progress("Report", 2, 2)

    def _report(self, staging: Staging, made: Sequence[Exported], context: StudyContext) -> ReportData:
        session, options = self._session, self._options
        notices = [session.model.notice, "" if options.deidentify else IDENTIFIED, *self._notices]
        checklist = self._checklist(made)
        shown = []
        for each in made:
            self._step()
            pixels = read_png(staging.folder / each.png, each.png_sha256)
            shown.append(report_plane(each.plane, pixels, each.plane.note if options.free_text else ""))
        source = session.source
        patient = None if options.deidentify else context.patient
        return ReportData(
            code=context.patient.patient_id or self._source_name(context),
            subject=subject_rows(
                patient, self._source_name(context), source.kind, (source.width, source.height), self._table
            ),
            planes=tuple(shown),
            # One that is left out was found all the same.
            not_found=missing_planes(self._planes, session.model),
            checklist=None if checklist is None else checklist.shown(options.free_text),
            regions=region_rows(session.regions(), session.model.classes, options.free_text),
            note=session.note if options.free_text else "",
            notices=tuple(sentence for sentence in notices if sentence),
            model=model_rows(session.model),
            made_by=program_rows(session.model.versions, self._head, self._entries),
        )

    def _source_name(self, context: StudyContext) -> str:
        """What the source is called in the bundle: a file's name may be a patient's."""
        return context.patient.patient_id if self._options.deidentify else self._session.source.source_id

    def _about(self, planes: int) -> dict[str, Any]:
        model = self._session.model
        return {
            "program": VERSION,
            "deidentified": self._options.deidentify,
            "looked_for_text": self._finder is not None,
            "planes": planes,
            "frames": len(self._table),
            "notices": self._notices,
            "model_sha256": model.sha256,
            "model_preset": model.preset,
            "model_notice": model.notice,
            "versions": model.versions,
            "audit": {"entries": self._entries, "head": self._head},
        }

    def _detail(self, planes: int, files: int) -> dict[str, Any]:
        options = self._options
        parts = {"frames": options.frames, "clips": options.clips, "report": options.report}
        return {
            "planes": planes,
            "files": files,
            "deidentified": options.deidentify,
            "notes": options.free_text,
            "looked_for_text": self._finder is not None,
            "text": options.text,
            "protocol": None if options.protocol is None else options.protocol.id,
            "masks": len(self._masks),
            "parts": [name for name, wanted in {**parts, "dicom": options.dicom}.items() if wanted],
            "head": self._head,
        }


def _size(each: Exported) -> tuple[int, int]:
    return each.plane.width, each.plane.height
