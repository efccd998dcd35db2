"""What the user chooses for an export, and what becomes of it. Plain data; no file is touched here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from semc_core.protocols.protocol import Protocol
from semc_core.types import Crop


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was examined. All may be ""; `sex` is "M", "F", "O" or "", `birth_date` YYYYMMDD."""

    name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    sex: str = ""


TextChoice = Literal["ask", "mask", "leave out", "keep"]
"""What to do with pictures that hold text: stop and ask, blank the text, leave the picture out, keep it."""


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One line of a protocol's checklist, as the report shows it.

    Attributes:
        title: The item in words.
        planes: Class names that fulfil it.
        status: "found", "weak", "missing", "not possible" or "unknown to the model".
        reason: A person's words on it; they go into an export only with the notes.
    """

    title: str
    planes: tuple[str, ...]
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """A protocol's checklist as it stood at the export.

    Attributes:
        title: Of the protocol.
        rows: In its order.
        progress: How far it is, in words, or "".
    """

    title: str
    rows: tuple[ChecklistRow, ...]
    progress: str = ""

    def shown(self, reasons: bool) -> Checklist:
        """The same, without the reasons unless they are wanted."""
        return self if reasons else replace(self, rows=tuple(replace(row, reason="") for row in self.rows))


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The user's choices. The defaults identify nobody.

    Attributes:
        deidentify: Blank everything outside the region of interest, look for text inside it, and leave out
            the source's name, its notice, dates and free text.
        notes: Write notes, reasons and names of marked regions also into a de-identified export: they are
            free text, and may name a patient.
        frames: Write frames.csv.gz, a line for every frame.
        clips: Write a clip per plane where there is one, or where the source is still there.
        report: Write report.html and report.pdf.
        dicom: Write the folder dicom.
        masks: Rectangles to blank in every picture, in pixels of the frame. Those remembered for the device
            come on top (see `pixels.MaskBook`).
        text: What to do with pictures that hold text.
        dates: With `deidentify`, what becomes of the dates of DICOM objects; the report has none.
        jpeg: Store the pixels of DICOM objects as baseline JPEG: smaller, and a little of them is lost.
        patient: Without `deidentify`: the patient to name; None takes a DICOM source's.
        protocol: Whose checklist goes into the report and the structured report, or None.
    """

    deidentify: bool = True
    notes: bool = False
    frames: bool = True
    clips: bool = True
    report: bool = True
    dicom: bool = False
    masks: tuple[Crop, ...] = ()
    text: TextChoice = "ask"
    dates: Literal["removed", "shifted"] = "removed"
    jpeg: bool = False
    patient: Patient | None = None
    protocol: Protocol | None = None

    @property
    def free_text(self) -> bool:
        """Whether what a person typed is written."""
        return self.notes or not self.deidentify


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
    """

    target: Path
    files: int
    size: int
    manifest_sha256: str
    planes: int
    notices: tuple[str, ...]


Progress = Callable[[str, int, int], None]
"""Told of each step: what is done now ("Pictures", "Clips"), how many are done, of how many."""


def no_progress(step: str, done: int, total: int) -> None:
    """For callers who do not watch."""
