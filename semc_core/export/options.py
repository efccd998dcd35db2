"""What the user chooses for an export. Plain data; no file is touched here.

One model for all: the dialog shows it, the command line fills it, the settings remember what it marks, and
the export obeys it and writes into the session's log what was chosen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from semc_core.export.found_text import Answer, TextFinding
from semc_core.io.documents import STRICT, Document, DocumentFault
from semc_core.io.rules import PlainObject
from semc_core.language import joined, plural
from semc_core.protocols.protocol import Protocol
from semc_core.types import Crop

TextChoice = Literal["ask", "stop", "mask", "leave out", "keep"]
"""What to do with pictures that hold text: blank what is sure and hold back what is doubtful until a person
answers; stop and write nothing; blank the text; leave the picture out; keep it."""

_REMEMBERED: Final = {"remembered": True}
_PART: Final = {**_REMEMBERED, "part": True}


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was examined. All may be ""; `sex` is "M", "F", "O" or "", `birth_date` YYYYMMDD."""

    name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    sex: str = ""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The user's choices. The defaults identify nobody.

    Fields marked as remembered stand in the next dialog as they stood in the last. What may tell who was
    examined is chosen each time. Those marked as parts are what an export holds beside pictures and tables:
    `write.FORMATS` and the command line find them by their names.

    Attributes:
        deidentify: Blank everything outside the region of interest, look for text inside it, and leave out
            the source's name, its notice, dates and free text.
        notes: Write notes, reasons and names of marked regions also into a de-identified export: they are
            free text, and may name a patient.
        packed: A ZIP file in place of a folder. A target that ends in ".zip" is one in any case.
        frames: Write frames.csv.gz, a line for every frame.
        clips: Write a clip per plane where there is one, or where the source is still there.
        report: Write report.html and report.pdf.
        dicom: Write the folder dicom; only its objects can be sent to a PACS.
        fhir: Write fhir.json: report and measurements as FHIR resources, for information systems.
        jpeg: Store the pixels of DICOM objects as baseline JPEG: smaller, and a little of them is lost.
        obgyn: With the DICOM objects also an obstetric report (TID 5000), where a fetus was measured in mm.
        checklist: Write the protocol's checklist into the report and the structured report.
        masks: Rectangles to blank in every picture, in pixels of the frame. Those remembered for the device
            come on top (see `masks.MaskBook`).
        text: What to do with pictures that hold text.
        answers: With "ask", what a person said of doubtful text: the number of a plane, and "mask" or "keep".
        dates: With `deidentify`, what becomes of the dates of DICOM objects; the report has none.
        patient: Without `deidentify`: the patient to name; None takes a DICOM source's.
        protocol: Whose checklist, or None.
        anyway: Export also a session that is not as it was written; the export says so.
        planes: Numbers of the planes to hand over; None for all that are not rejected.
        examination: All scans of the examination that the session belongs to, as one export; see
            `export.examination`.
    """

    deidentify: bool = True
    notes: bool = False
    packed: bool = field(default=False, metadata=_REMEMBERED)
    frames: bool = field(default=True, metadata=_PART)
    clips: bool = field(default=True, metadata=_PART)
    report: bool = field(default=True, metadata=_PART)
    dicom: bool = field(default=False, metadata=_PART)
    fhir: bool = field(default=False, metadata=_PART)
    jpeg: bool = field(default=False, metadata=_REMEMBERED)
    obgyn: bool = field(default=True, metadata=_REMEMBERED)
    checklist: bool = field(default=True, metadata=_REMEMBERED)
    masks: tuple[Crop, ...] = ()
    text: TextChoice = "ask"
    answers: tuple[tuple[int, Answer], ...] = ()
    dates: Literal["removed", "shifted"] = "removed"
    patient: Patient | None = None
    protocol: Protocol | None = None
    anyway: bool = False
    planes: tuple[int, ...] | None = None
    examination: bool = False

    @property
    def free_text(self) -> bool:
        """Whether what a person typed is written."""
        return self.notes or not self.deidentify

    @property
    def parts(self) -> tuple[str, ...]:
        """What is wanted beside pictures and tables."""
        return tuple(part for part in PARTS if getattr(self, part))

    @property
    def followed(self) -> Protocol | None:
        """The protocol whose checklist is written, or None."""
        return self.protocol if self.checklist else None

    def target(self, wanted: Path) -> Path:
        """Where the export goes: `wanted`, as a ZIP file's name where one is chosen."""
        ends_so = wanted.suffix.lower() == ".zip"
        return wanted.with_name(f"{wanted.name}.zip") if self.packed and not ends_so else wanted

    def facts(self) -> dict[str, Any]:
        """What a session's log says of the choices, as plain JSON values; nothing of it names a patient."""
        return {
            "deidentified": self.deidentify,
            "notes": self.free_text,
            "text": self.text,
            **({"answers": dict(self.answers)} if self.answers else {}),
            "protocol": None if self.followed is None else self.followed.id,
            "parts": list(self.parts),
            **({"chosen_planes": list(self.planes)} if self.planes is not None else {}),
        }

    def to_settings(self) -> str:
        """What is remembered of it, as text."""
        return json.dumps({name: getattr(self, name) for name in _remembered()})

    @classmethod
    def from_settings(cls, text: str) -> ExportOptions:
        """What was remembered, also by an older program; what cannot be understood is as it is at first."""
        try:
            plain = REMEMBERED.parse(text)
        except DocumentFault:
            return AT_FIRST
        known = {name: plain[name] for name in _remembered() if isinstance(plain.get(name), bool)}
        return replace(AT_FIRST, **known)


REMEMBERED: Final[Document[dict[str, Any]]] = Document(PlainObject, config=STRICT)
"""What is in the settings."""

PARTS: Final[dict[str, bool]] = {
    each.name: bool(each.default) for each in fields(ExportOptions) if each.metadata.get("part")
}
"""What an export may hold beside pictures and tables, and whether it does unless told otherwise."""

AT_FIRST: Final = ExportOptions(dicom=True)
"""What is ticked in the first dialog."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export that is done.

    Attributes:
        target: The folder or ZIP file.
        files: Number of files in it.
        size: Bytes of all files in it, before a ZIP packs them.
        manifest_sha256: SHA-256 of its manifest.json.
        planes: Number of planes in it.
        notices: Sentences that the user should see: what was left out, what was not looked at.
        held: The planes that were left out until somebody says what becomes of the text in them.
        rejected: How many planes stayed out because they are rejected.
        not_chosen: How many because they were not chosen.
    """

    target: Path
    files: int
    size: int
    manifest_sha256: str
    planes: int
    notices: tuple[str, ...]
    held: tuple[TextFinding, ...] = ()
    rejected: int = 0
    not_chosen: int = 0

    @property
    def stayed_out(self) -> str:
        """How many planes stayed out, and why: sentences; "" where none did."""
        return stayed_out(self.rejected, self.not_chosen)


def stayed_out(rejected: int, not_chosen: int) -> str:
    """So many planes are not in an export, sentences; "" where none stayed out."""
    said = []
    if rejected:
        said.append(
            plural("{count} rejected plane stayed out.", "{count} rejected planes stayed out.", rejected)
        )
    if not_chosen:
        said.append(
            plural(
                "{count} plane that was not chosen stayed out.",
                "{count} planes that were not chosen stayed out.",
                not_chosen,
            )
        )
    return joined(said)


def _remembered() -> tuple[str, ...]:
    return tuple(each.name for each in fields(ExportOptions) if each.metadata.get("remembered"))
