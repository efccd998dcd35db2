"""From a session to the sending queue: planes as images, the structured report, and a key object selection.

Each step can be done again after a kill: the export is one folder, there or not, and the queue knows an
object by its UID.
"""

from __future__ import annotations

import io
import shutil
import struct
from pathlib import Path
from typing import Final

import pydicom
from pydicom.config import disable_value_validation
from pydicom.errors import InvalidDicomError

from semc_core.errors import PacsError
from semc_core.export.bundle import export_session
from semc_core.export.dicom.images import encode_object
from semc_core.export.dicom.key_objects import key_objects
from semc_core.export.identified import source_names_patient
from semc_core.export.options import ExportOptions
from semc_core.pacs.bundle import described, exported_objects
from semc_core.pacs.queue import SendQueue
from semc_core.pacs.queue_store import DicomObject
from semc_core.session.session import Session
from semc_core.text import counted

NOTHING_FOUND: Final = "No standard plane was found; nothing was sent."
NO_MODEL_KNOWS: Final = "None of the candidates knows these pictures; they were not analysed."
KEPT_HERE: Final = "Kept here: the settings name no destination."
NAMES_NOBODY: Final = "Kept here: its header names no patient, so results that name one cannot be filed."
_UNREADABLE: Final = (
    AttributeError, EOFError, InvalidDicomError, KeyError, NotImplementedError, TypeError, ValueError,
    struct.error,
)  # fmt: skip
_IMAGES: Final = ("1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.7")
"""Of planes: Ultrasound Image, Secondary Capture Image."""


class Replies:
    """Puts results into the sending queue."""

    def __init__(
        self, folder: Path, data: Path, queue: SendQueue, destination: str, *, identified: bool
    ) -> None:
        """Prepare.

        Args:
            folder: For exports on their way.
            data: The user's data folder, with the key of exports.
            queue: The sending queue.
            destination: Name of the server.
            identified: Whether results name the patient.
        """
        self._folder = folder
        self._data = data
        self._queue = queue
        self._destination = destination
        self._options = ExportOptions(
            deidentify=not identified, dicom=True, clips=False, report=False, frames=False, text="mask"
        )

    def send(self, folder: Path) -> str:
        """Queue the results of a session. Returns a sentence that says what is on its way, or why nothing is.

        Raises:
            SemcError: They cannot be exported or queued.
        """
        bundle = self._folder / folder.name
        if not bundle.exists():
            with Session.open(folder) as session:
                if not self._options.deidentify and not source_names_patient(session.source):
                    return NAMES_NOBODY
                export_session(session, bundle, self._options, data=self._data)
        found = exported_objects(bundle)
        contents = {one: found.read(one) for one in found.objects}
        selection = encode_object(key_objects([_header(contents[one]) for one in _planes(found.objects)]))
        contents[described(selection)] = selection
        self._queue.add(
            self._destination, list(contents), contents.__getitem__, manifest=found.manifest, session=folder
        )
        return f"{counted(len(contents), 'object')} for {self._destination}."

    def clear(self, folder: Path) -> None:
        """The results are queued, and that is written down: their export can go."""
        shutil.rmtree(self._folder / folder.name, ignore_errors=True)


def _planes(objects: tuple[DicomObject, ...]) -> list[DicomObject]:
    return [one for one in objects if one.sop_class in _IMAGES]


def _header(content: bytes) -> pydicom.Dataset:
    try:
        with disable_value_validation():
            return pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    except _UNREADABLE:
        # The cause is left out: messages of this library quote values.
        raise PacsError("A DICOM object of the export cannot be read; export again.") from None
