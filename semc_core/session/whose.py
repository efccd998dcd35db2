"""Whether a DICOM file is of the patient whose examination a scan of it is to belong to.

The file wins: an export takes patient and study from its header. So that nobody takes its pictures for those
of the examination that was chosen, a scan of another patient's file does not begin with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from semc_core.errors import SessionError, SourceError
from semc_core.io.regular import is_folder
from semc_core.language import N_, _
from semc_core.session.examination import Examination, is_same_patient
from semc_core.session.session import Session

OTHER_PATIENT: Final = N_(
    "The DICOM file is of another patient than the examination that is chosen; choose the right one "
    "(Ctrl+L), or none: the file says itself whose it is."
)


def check_same_patient(path: Path | None, examination: Examination | None) -> None:
    """Refuse a DICOM file of somebody else; one that names nobody, and any other source, passes.

    Args:
        path: The file or folder that is scanned, or None.
        examination: That the scan is to belong to, or None.

    Raises:
        SessionError: They are of two patients.
    """
    if path is not None and examination is not None and is_of_another(path, examination):
        raise SessionError(_(OTHER_PATIENT))


def is_of_another(path: Path, examination: Examination) -> bool:
    """Whether this is a DICOM file that names another patient. Reads its header: not for the window."""
    if not examination.names_patient:
        return False
    named = _named_in(path)
    return named is not None and not is_same_patient(*named, examination)


def set_examination(session: Session, examination: Examination | None) -> None:
    """Say which examination a scan belongs to that has begun already; None for none.

    Raises:
        SessionError: It is of a DICOM file of another patient.
        SaveError: It could not be written.
    """
    if session.source.kind == "dicom" and session.source.path is not None:
        check_same_patient(Path(session.source.path), examination)
    session.set_examination(examination)


def _named_in(path: Path) -> tuple[str, str] | None:
    """Name and number of the patient in a DICOM file; None where it is none, or has neither."""
    # The window opens without what these load.
    from semc_core.sources.dicom.patient import patient_in
    from semc_core.sources.kinds import kind_of

    try:
        if is_folder(path) or kind_of(path) != "dicom":
            return None
    except SourceError:
        return None  # Who plays it says what is wrong.
    name, number = patient_in(path)
    return (name, number) if name.strip("^= ") or number else None
