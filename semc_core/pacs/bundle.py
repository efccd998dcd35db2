"""The DICOM objects in an export: which they are, and their bytes. Only a whole, unchanged export is sent.

What became of sending, written into the log of the session that was sent.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pydicom
from pydicom.config import disable_value_validation
from pydicom.errors import InvalidDicomError

from semc_core.errors import PacsError, SemcError
from semc_core.export.manifest import check_bundle
from semc_core.language import _
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import DicomObject, Job
from semc_core.session.session import Session

_FOLDER: Final = "dicom/"
_MOST_BYTES: Final = 2 * 10**9
"""Of one object: it is held in memory to be sent."""
_TAGS: Final = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_UNREADABLE: Final = (
    AttributeError, EOFError, InvalidDicomError, KeyError, NotImplementedError, TypeError, ValueError,
    struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExportedObjects:
    """The DICOM objects of one export.

    Attributes:
        objects: In the order of their files.
        read: Gives the bytes of one.
        manifest: SHA-256 of the export's manifest.
        deidentified: Whether the export says that nothing in it identifies the patient.
    """

    objects: tuple[DicomObject, ...]
    read: Callable[[DicomObject], bytes]
    manifest: str
    deidentified: bool


def exported_objects(bundle: Path) -> ExportedObjects:
    """The objects in `bundle`, the folder or ZIP file of an export.

    Raises:
        ExportError: It is no export.
        PacsError: It was changed since it was written, or holds no DICOM objects.
    """
    checked = check_bundle(bundle)
    if not checked.ok:
        raise PacsError(
            _(
                "The export was changed since it was written ({problem}); export again.",
                problem=checked.problems[0],
            )
        )
    read = _from_folder(bundle) if bundle.is_dir() else _from_zip(bundle)
    names = sorted(name for name in checked.names if name.startswith(_FOLDER) and name.endswith(".dcm"))
    if not names:
        raise PacsError(_("The export holds no DICOM objects; export again with DICOM."))
    found = {described(read(name)): name for name in names}
    return ExportedObjects(
        tuple(found), lambda one: read(found[one]), checked.manifest_sha256, checked.deidentified
    )


def _from_folder(bundle: Path) -> Callable[[str], bytes]:
    return lambda name: (bundle / name).read_bytes()


def _from_zip(bundle: Path) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        with zipfile.ZipFile(bundle) as archive:
            size = archive.getinfo(name).file_size
            if size > _MOST_BYTES:
                raise PacsError(
                    _(
                        "{name} of the export would unpack to {size} MB, more than a DICOM object may have "
                        "here ({most} MB); export fewer frames.",
                        name=name,
                        size=f"{size / 1e6:.0f}",
                        most=_MOST_BYTES // 10**6,
                    )
                )
            return archive.read(name)

    return read


def described(content: bytes) -> DicomObject:
    """What is to be known of an object, from its file.

    Raises:
        PacsError: It cannot be read.
    """
    try:
        with disable_value_validation():
            header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True, specific_tags=list(_TAGS))
        identifiers = [str(header[name].value) for name in _TAGS]
        syntax = str(header.file_meta.TransferSyntaxUID)
    except _UNREADABLE:
        # The cause is left out: messages of this library quote values.
        raise PacsError(_("A DICOM object of the export cannot be read; export again.")) from None
    sop_class, sop_instance, study, series = identifiers
    digest = hashlib.sha256(content).hexdigest()
    return DicomObject(sop_class, sop_instance, study, series, syntax, digest, len(content))


KIND = "dicom send"


def log_results(queue: SendQueue, session: Session) -> int:
    """Log the finished jobs of `session` that its log does not have yet. Returns how many.

    A job that is sent again after it failed is logged again, with the new result.

    Raises:
        SemcError: The session or the queue cannot be written.
    """
    logged = 0
    known = [(each.sha256, each.detail) for each in session.exports() if each.kind == KIND]
    for job in queue.jobs():
        if job.told or not job.finished or job.session != session.folder.resolve():
            continue
        detail: dict[str, Any] = {"job": job.uid, "objects": job.total, **job.counts}
        if job.commitment and not job.unsettled:
            detail["kept"] = job.commitment.get("committed", 0)
        # A kill may have come between the log and the queue.
        if (job.manifest, detail) not in known:
            session.record_export(KIND, f"sent to {job.destination}", job.manifest, detail)
            logged += 1
        queue.set_told(job.job_id)
    return logged


def log_all(queue: SendQueue) -> int:
    """Log all finished jobs whose sessions can be opened now. Returns how many jobs could not be logged.

    A session that is open elsewhere gets its entries later.
    """
    waiting = {job.session for job in queue.jobs() if _is_untold(job)}
    left = 0
    for folder in waiting:
        assert folder is not None
        try:
            with Session.open(folder) as session:
                log_results(queue, session)
        except SemcError:
            left += 1
    return left


def _is_untold(job: Job) -> bool:
    return job.finished and not job.told and job.session is not None
