"""A Bundle of an export's results: the file in it, and what a server is sent of it.

Each is held against the models of fhir.resources (the extra `fhir`), which are loaded when one is made.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Final

import pydicom
from pydicom.dataset import Dataset

from semc_core.errors import ExportError
from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.fhir.resources import Plain, entries_of
from semc_core.export.manifest import check_bundle
from semc_core.extras import lacking
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.rules import PlainObject
from semc_core.language import _

FILE: Final = "fhir.json"
_MOST_BYTES: Final = 50_000_000
_BUNDLE: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT, most_bytes=_MOST_BYTES)


def bundle(scan: DeidentifiedScan, folder: Path) -> bytes:
    """The file: a Bundle of the type collection.

    Args:
        scan: What is exported.
        folder: Where it is being written, with its DICOM objects if there are any.

    Raises:
        ExportError: It is not valid, or the extra is not installed.
    """
    return _checked(
        {"resourceType": "Bundle", "type": "collection", "entry": entries_of(scan, _objects(folder))}
    )


def transaction(exported: Path) -> bytes:
    """What a server is sent of an export: each resource made only where there is none of its identifier.

    Args:
        exported: The folder or ZIP file.

    Raises:
        ExportError: It was changed since it was written, holds no FHIR, or the extra is not installed.
        SemcError: It is no export.
    """
    checked = check_bundle(exported)
    if not checked.ok:
        raise ExportError(
            f"The export was changed since it was written ({checked.problems[0]}); export again."
        )
    if FILE not in checked.names:
        raise ExportError("The export holds no FHIR resources; export again with --fhir.")
    try:
        plain = _BUNDLE.parse(_content(exported))
    except DocumentFault as fault:
        raise ExportError("The FHIR resources of the export cannot be read; export again.") from fault
    entries = [{**entry, "request": _request(entry["resource"])} for entry in plain["entry"]]
    return _checked({**plain, "type": "transaction", "entry": entries})


def _request(resource: Plain) -> Plain:
    (identifier,) = resource["identifier"]
    return {
        "method": "POST",
        "url": resource["resourceType"],
        "ifNoneExist": f"identifier={identifier['system']}|{identifier['value']}",
    }


def _checked(plain: Plain) -> bytes:
    if sentence := lacking("fhir", "FHIR"):
        raise ExportError(sentence)
    # A quarter of a second.
    from fhir.resources.R4B.bundle import Bundle

    try:
        text = Bundle.model_validate(plain).model_dump_json(indent=1)
    except ValueError as error:
        # The cause is left out of the sentence: it quotes values.
        raise ExportError(
            _("The results could not be written as FHIR; export without it. Report this.")
        ) from error
    return str(text).encode()


def _objects(folder: Path) -> list[Dataset]:
    """Headers of the DICOM objects that were written, without the rest of their paths."""
    found = []
    for path in sorted((folder / "dicom").glob("*.dcm")):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        header.filename = path.name
        found.append(header)
    return found


def _content(exported: Path) -> bytes:
    if exported.is_dir():
        with (exported / FILE).open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    with zipfile.ZipFile(exported) as archive, archive.open(FILE) as packed:
        return io.BytesIO(packed.read(_MOST_BYTES + 1)).getvalue()
