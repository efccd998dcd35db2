"""Whom an export that is not de-identified names."""

from __future__ import annotations

from pathlib import Path

from semc_core.export.options import Patient
from semc_core.session.records import SourceEntry
from semc_core.session.view import SessionView


def is_named(patient: Patient | None) -> bool:
    """Whether this tells who was examined: a birth date or a sex alone does not."""
    return patient is not None and bool(patient.name.strip() or patient.patient_id.strip())


def session_names_patient(session: SessionView) -> bool:
    """Whether a session says who was examined: its examination, or its source. Reads: not for the window."""
    if session.source.kind == "dicom":
        return source_names_patient(session.source)
    examination = session.examination
    return examination is not None and is_named(Patient(examination.patient_name, examination.patient_id))


def source_names_patient(source: SourceEntry) -> bool:
    """Whether the source is a DICOM file that says who was examined. Reads its header: not for the window."""
    if source.kind != "dicom" or source.path is None:
        return False
    from semc_core.export.dicom.header import names_patient  # the window opens without pydicom

    return names_patient(Path(source.path))
