"""The export of a session: one function, behind `semc export` and the window's button alike.

Four steps: collect what is wanted, de-identify it, write it, prove it.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

from semc_core.errors import ExportError, SessionChanged
from semc_core.export.collect import collect
from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.deidentify import deidentify
from semc_core.export.dicom.uids import UidMaker, load_key
from semc_core.export.kept_readings import KeptReadings
from semc_core.export.ocr import TextReadings, load_text_finder
from semc_core.export.options import ExportOptions, ExportResult
from semc_core.export.prove import prove
from semc_core.export.staging import Staging
from semc_core.export.text_search import TextSearch
from semc_core.export.watch import Progress, Watch, no_progress
from semc_core.export.write import write
from semc_core.extras import lacking
from semc_core.io.process import give_back_memory
from semc_core.language import N_, _
from semc_core.paths import data_folder
from semc_core.session.records import Verification
from semc_core.session.session import Session

NOT_AS_WRITTEN: Final = N_("NOT AS IT WAS WRITTEN: the session that this was exported from was changed.")
"""What every page says of such an export."""


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
        readings: What was read in its pictures before: none is read twice. None takes what is kept for it.

    Raises:
        SessionChanged: The session is not as it was written, and `options.anyway` is not set.
        TextFound: Pictures hold text, and `options.text` is "stop": nothing was written.
        ExportCancelled: `cancel` was set: nothing was written.
        ExportError: There is something of this name, or a picture is not what was saved.
        SemcError: Something could not be read or written.
    """
    options = options or ExportOptions()
    if options.fhir and (sentence := lacking("fhir", "FHIR")):
        raise ExportError(sentence)
    check_exportable(session, options.target(target))
    watch = Watch(progress, cancel or threading.Event())
    try:
        return _export(session, options.target(target), options, watch, data or data_folder(), readings)
    finally:
        # The reader of text and a clip's frames were hundreds of MiB.
        give_back_memory()


def _export(
    session: Session,
    target: Path,
    options: ExportOptions,
    watch: Watch,
    data: Path,
    readings: TextReadings | None,
) -> ExportResult:
    found = verified(session, options, watch)
    uids = UidMaker(load_key(data / "export.key"))
    finder = load_text_finder() if options.deidentify else None
    known = KeptReadings(data, session.id) if readings is None else readings
    search = TextSearch(finder, known, watch)
    with Staging(target) as staging:
        with collect(session, options, data) as collected:
            try:
                scan = warned(deidentify(collected, options, uids, search, watch), found)
            finally:
                known.save()
            write(scan, staging, watch)
        result = prove(session, scan, found, options, staging, watch)
    return replace(result, held=tuple(search.held))


def warned(scan: DeidentifiedScan, found: Verification) -> DeidentifiedScan:
    """The same, saying that its session is not as it was written, if so."""
    if found.ok:
        return scan
    return replace(scan, warning=NOT_AS_WRITTEN, notices=(NOT_AS_WRITTEN, *scan.notices))


def verified(session: Session, options: ExportOptions, watch: Watch) -> Verification:
    """How the session stands. Raises SessionChanged if that is not as it was written, and not accepted."""
    watch.progress(N_("Verifying"), 0, 0)
    found = session.verify()
    if not found.ok and not options.anyway:
        raise SessionChanged(session.folder.name, found.problems)
    return found


def check_exportable(session: Session, target: Path) -> None:
    """Raises ExportError where the session's log cannot be written, or the target lies in its folder."""
    if session.read_only:
        raise ExportError(
            _(
                "The session is open for looking only, and an export is written into its log; close it where "
                "it is open as well, open it here again, and export it."
            )
        )
    if session.folder.resolve() in (target.resolve(), *target.resolve().parents):
        raise ExportError(_("An export does not belong into the session's own folder; choose another place."))
