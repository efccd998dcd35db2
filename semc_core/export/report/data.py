"""What the report says, as plain data: the HTML page and the PDF show the same.

A protocol's checklist as the report and the structured report show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError
from semc_core.export.options import Checklist, ChecklistRow, Patient
from semc_core.labels import full_name, short_name
from semc_core.protocols.checklist import ChecklistItem, progress_words, session_checklist
from semc_core.protocols.protocol import Protocol
from semc_core.session.changes import decided
from semc_core.session.records import FrameTable, ItemEntry, ModelEntry, PlaneEntry, RegionEntry
from semc_core.text import counted
from semc_core.types import Crop
from semc_core.version import VERSION

IDENTIFIED: Final = "This report is NOT de-identified: it may say who was examined."
NO_PLANE: Final = "This report shows no plane."
REGION_TITLES: Final = ("Time", "Marked as", "Note")
RESEARCH_NOTICE: Final = (
    "Research software, not a medical device. Each plane says whether a program or a person named it; "
    "nothing here is a diagnosis, and nothing may be decided on it for a patient."
)
_PICTURE_WIDTH_PX: Final = 960
_JPEG_QUALITY: Final = 92


@dataclass(frozen=True, slots=True)
class ReportPlane:
    """A plane as the report shows it.

    Attributes:
        number: Of the plane, as in the names of the files.
        plane: Class name; "No plane" for a capture of none.
        name: In words.
        confidence: The model's, 0-1; None where it did not name this plane, but a person did.
        where: Frame and time.
        held: When the plane was held; "" where a person saved one moment.
        decided: Who decided on it, in words.
        by_person: Whether a person did.
        note: A person's words, or "".
        picture: JPEG of the region of interest.
        width: Of the JPEG, pixels.
        height: Of the JPEG, pixels.
    """

    number: int
    plane: str
    name: str
    confidence: float | None
    where: str
    held: str
    decided: str
    by_person: bool
    note: str
    picture: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything on the report.

    Attributes:
        code: Number of the scan, or the patient's where he is to be named.
        subject: About the patient and the source: name and value.
        planes: In the order of time.
        not_found: Planes that the model knows and the scan does not show, in words.
        checklist: Of a protocol, or None.
        regions: Marked stretches of time: when, label, note.
        note: On the whole scan, or "".
        notices: Sentences to show first: of the model, and of what was not looked at.
        model: About the model: name and value.
        made_by: About the program and the log: name and value.
    """

    code: str
    subject: tuple[tuple[str, str], ...]
    planes: tuple[ReportPlane, ...]
    not_found: tuple[str, ...]
    checklist: Checklist | None
    regions: tuple[tuple[str, str, str], ...]
    note: str
    notices: tuple[str, ...]
    model: tuple[tuple[str, str], ...]
    made_by: tuple[tuple[str, str], ...]


def report_plane(plane: PlaneEntry, pixels: NDArray[np.uint8], note: str) -> ReportPlane:
    """The plane with its exported picture: uint8 (H, W) or (H, W, 3), already blanked."""
    picture, width, height = _jpeg(pixels, plane.crop)
    return ReportPlane(
        number=plane.plane_id,
        plane=short_name(plane.plane),
        name=full_name(plane.plane),
        confidence=plane.confidence if plane.found_as == plane.plane else None,
        where=f"frame {plane.frame_index}, {seconds(plane.time_s)}",
        held=f"{seconds(plane.start_s)} to {seconds(plane.end_s)}" if plane.start_s < plane.end_s else "",
        decided=decided(plane),
        by_person=plane.chosen_by == "person" or plane.by_hand,
        note=note,
        picture=picture,
        width=width,
        height=height,
    )


def missing_planes(planes: Sequence[PlaneEntry], model: ModelEntry) -> tuple[str, ...]:
    """What the model knows and nobody found, in words, in the order of the model's classes."""
    found = {plane.plane for plane in planes}
    wanted = (name for name in model.classes if name != model.none_class)
    return tuple(_named(name) for name in wanted if name not in found)


def subject_rows(
    patient: Patient | None, source: str, kind: str, size: tuple[int, int], table: FrameTable
) -> tuple[tuple[str, str], ...]:
    """About the patient (None: nobody is named), and what was looked at."""
    rows = []
    if patient is not None:
        given = [("Patient", patient.name), ("Patient number", patient.patient_id)]
        given += [("Born", patient.birth_date), ("Sex", patient.sex)]
        rows = [(title, value) for title, value in given if value]
    rows.append(("Source", f"{source} ({kind}), {size[0]} × {size[1]} pixels"))
    if len(table):
        rows.append(("Frames", f"{len(table)}, over {seconds(float(table.pts_s[-1] - table.pts_s[0]))}"))
    return tuple(rows)


def model_rows(model: ModelEntry) -> tuple[tuple[str, str], ...]:
    """The model's card in short."""
    limits, shape = model.thresholds, model.preprocessing
    names = ", ".join(name for name in model.classes if name != model.none_class)
    return (
        ("Model", f"{model.preset}, run on {model.device}"),
        ("Planes it knows", names),
        (
            "A plane counts",
            f"from {limits.enter:.0%} until below {limits.leave:.0%}, for at least {limits.min_hold_s:g} s; "
            f"smoothed over {limits.smoothing_s:g} s",
        ),
        ("Percentage of a plane", "the model's confidence in the name at the frame that is shown"),
        ("Input", f"{shape.width} × {shape.height} pixels, {shape.fit}"),
        ("SHA-256 of the file", model.sha256),
    )


def program_rows(versions: Mapping[str, str], head: str, entries: int) -> tuple[tuple[str, str], ...]:
    """The program, and the state of the session's log at the export."""
    others = ", ".join(f"{name} {number}" for name, number in versions.items() if name != "semc")
    return (
        ("Program", f"SEMC Live {VERSION}"),
        ("Analysed with", f"semc {versions.get('semc', '?')}, {others}"),
        ("Log of the session", f"{counted(entries, 'entry', 'entries')}; the last has the hash {head}"),
    )


def region_rows(
    regions: Sequence[RegionEntry], classes: tuple[str, ...], free_text: bool
) -> tuple[tuple[str, str, str], ...]:
    """Marked stretches of time: when, label, note. A person's own words only with `free_text`."""
    return tuple(
        (
            f"{seconds(each.start_s)} to {seconds(each.end_s)}",
            each.label if free_text or each.label in classes else "",
            each.note if free_text else "",
        )
        for each in regions
    )


def seconds(time_s: float) -> str:
    """A time for people: "12.3 s", "2:05.0 min"."""
    if time_s < 60:
        return f"{time_s:.1f} s"
    minutes, rest = divmod(round(time_s, 1), 60)
    return f"{int(minutes)}:{rest:04.1f} min"


def _named(plane: str) -> str:
    name = full_name(plane)
    return plane if name == plane else f"{plane} ({name})"


def _jpeg(pixels: NDArray[np.uint8], crop: Crop) -> tuple[bytes, int, int]:
    """The region of interest, at most 960 px wide: the file, its width and height."""
    part = crop.cut(pixels)
    height, width = part.shape[:2]
    if width > _PICTURE_WIDTH_PX:
        size = (_PICTURE_WIDTH_PX, max(1, round(height * _PICTURE_WIDTH_PX / width)))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    picture = part if part.ndim == 2 else cv2.cvtColor(part, cv2.COLOR_RGB2BGR)
    done, content = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    if not done:
        raise SaveError("A picture of the report could not be encoded; export without the report.")
    return content.tobytes(), part.shape[1], part.shape[0]


def export_checklist(
    protocol: Protocol, model: ModelEntry, planes: Sequence[PlaneEntry], words: Iterable[ItemEntry]
) -> Checklist:
    """How far the examination is with its protocol.

    Args:
        protocol: The user's choice.
        model: Of the session.
        planes: Those that are exported: one that is left out is not found by who reads the export.
        words: A person's, on items that were not possible.
    """
    state = session_checklist(protocol, model, planes, words)
    progress = f"{state.completeness:.0%} complete: {progress_words(state)}."
    return Checklist(protocol.title, tuple(_row(row, model) for row in state.rows), progress)


def _row(row: ChecklistItem, model: ModelEntry) -> ChecklistRow:
    item = row.item
    # Other models' names for the plane say nothing to who reads the report.
    known = tuple(name for name in item.planes if name in model.classes)
    planes = (row.best.plane,) if row.best is not None else known or item.planes[:1]
    title = f"{item.title} (optional)" if item.optional else item.title
    return ChecklistRow(title, planes, str(row.status), row.reason)
