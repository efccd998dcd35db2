"""What the export dialog says, and what it makes of the choices: pure data and functions. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from semc_core.export.found_text import Answer, TextFinding
from semc_core.export.identified import is_named
from semc_core.export.masks import Device
from semc_core.export.options import ExportOptions, ExportResult, Patient
from semc_core.labels import short_name
from semc_core.language import N_, _, decimal, joined, plural
from semc_core.protocols.protocol import Protocol
from semc_core.session.folder import safe_name
from semc_core.session.records import PlaneEntry, RegionEntry, Verification
from semc_core.text import scan_time
from semc_core.types import Crop

_LONGEST_NAME: Final = 120
_LONGEST_PROTOCOL: Final = 60
_MOST_FINDINGS: Final = 3
LEAST_MASK_PX: Final = 4
"""A mask smaller than this, in frame pixels, was not meant."""

IDENTIFIED_WARNING: Final = N_(
    "This export names the patient and keeps whole pictures, notes and dates. Nobody looks for text in them. "
    "Pass it on only where that is allowed."
)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What there is to export. Read on a thread of its own.

    Attributes:
        folder: Of the session.
        planes: Without the rejected ones, in order of time.
        rejected: How many were rejected.
        regions: Marked by a person.
        note: On the whole session.
        loop: Whether the loop or a recording is there, to cut clips from.
        device: Whose masks hold.
        masks: Remembered for it.
        protocol: Whose checklist can be exported, or None.
        names_patient: Whether the source, or the examination, says who was examined.
        others: The other scans of the same examination, in the order of time.
        others_planes: How many planes those have together, without the rejected ones.
        day: On which it was scanned or reviewed first, in local time, as "2026-11-21"; or "".
    """

    folder: Path
    planes: tuple[PlaneEntry, ...]
    rejected: int
    regions: tuple[RegionEntry, ...]
    note: str
    loop: bool
    device: Device
    masks: tuple[Crop, ...]
    protocol: Protocol | None = None
    names_patient: bool = False
    day: str = ""
    others: tuple[Path, ...] = ()
    others_planes: int = 0

    @property
    def scans(self) -> int:
        """Of how many scans the examination is."""
        return 1 + len(self.others)


class Phase(Enum):
    """Where an export is."""

    CHOOSING = "choosing"
    RUNNING = "running"
    TEXT = "text"
    DONE = "done"


@dataclass(frozen=True, slots=True, eq=False)
class ExportState:
    """How an export stands.

    Attributes:
        phase: What the dialog shows.
        step: What is done now.
        done: How much of it.
        total: Of how much; 0 where that is not known.
        findings: The planes that were left out and that the user is asked about.
        result: Of the export that is done.
        message: Why it was not made, a sentence; or "".
        failed: Whether that is a fault, and not the user's wish.
        changed: Whether the session is not as it was written: the user is asked whether to export it anyway.
    """

    phase: Phase = Phase.CHOOSING
    step: str = ""
    done: int = 0
    total: int = 0
    findings: tuple[TextFinding, ...] = ()
    result: ExportResult | None = None
    message: str = ""
    failed: bool = False
    changed: bool = False


def complete(
    ticked: ExportOptions,
    masks: Sequence[Crop],
    patient: Patient,
    protocol: Protocol | None,
    answers: Mapping[int, Answer] = MappingProxyType({}),
) -> ExportOptions:
    """The options of the export, from what is ticked. Masks, answers and the patient belong to one kind each.

    `answers` are what a person said of doubtful text in the planes of these numbers.
    """
    return replace(
        ticked,
        masks=tuple(masks) if ticked.deidentify else (),
        answers=tuple(answers.items()) if ticked.deidentify else (),
        patient=None if ticked.deidentify or patient == Patient() else patient,
        protocol=protocol if ticked.report else None,
    )


def proof_line(found: Verification | None) -> str:
    """How the session stands, before it is exported; None: that is being looked up."""
    if found is None:
        return _("Looking whether the session is as it was written …")
    if found.ok:
        return _("This session is {words}.", words=found.words)
    told = " ".join(found.problems[:_MOST_FINDINGS])
    more = len(found.problems) - _MOST_FINDINGS
    said = [_("This session is not as it was written."), told]
    if more > 0:
        said.append(plural("And {count} more finding.", "And {count} more findings.", more))
    return " ".join(said)


def planes_problem(chosen: Sequence[int] | None) -> str:
    """What is wrong with the planes that are ticked, a sentence; or ""."""
    if chosen is None or chosen:
        return ""
    return _("No plane is ticked: tick those that are to be handed over, or press All.")


def plane_row(plane: PlaneEntry) -> str:
    """A line of the list of planes: "FHP1, 0:07.3", of one of several fetuses with its letter."""
    known = {"plane": _(short_name(plane.plane)), "time": scan_time(plane.time_s)}
    if not plane.fetus:
        return _("{plane}, {time}", **known)
    return _("{plane}, {time}, fetus {letter}", **known, letter=plane.fetus)


def name_problem(name: str) -> str:
    """What is wrong with the name of an export, a sentence; or ""."""
    if not name.strip():
        return _("Give the export a name.")
    if any(mark in '/\\:*?"<>|' or not mark.isprintable() for mark in name) or name.strip(". ") != name:
        return _('The name may not hold / \\ : * ? " < > | and not begin or end with a point or a space.')
    if len(name) > _LONGEST_NAME:
        return _("The name may have {count} characters.", count=_LONGEST_NAME)
    return ""


def patient_problem(patient: Patient, material: Material | None) -> str:
    """What is missing of the patient whom an identified export names, a sentence; or ""."""
    if is_named(patient) or (patient == Patient() and material is not None and material.names_patient):
        return ""
    return _(
        "An identified export names the patient: fill in the name or the patient ID, or choose De-identified."
    )


def free_name(folder: Path, deidentified: bool, material: Material | None = None) -> str:
    """A name that no export there has: "identified-2026-11-21-lp2025-liver-001", "export-lp2025-liver-001".

    Without `material`, neither day nor protocol. A de-identified one has no day, which may tell who was
    examined, and none has the name of the loop.
    """
    parts = ["export" if deidentified else "identified"]
    if material is not None and not deidentified:
        parts.append(material.day)
    if material is not None and material.protocol is not None:
        parts.append(safe_name(material.protocol.id, _LONGEST_PROTOCOL))
    stem, number = "-".join(filter(None, parts)), 1
    while any((folder / f"{stem}-{number:03d}{tail}").exists() for tail in ("", ".zip")):
        number += 1
    return f"{stem}-{number:03d}"


def contents(material: Material, options: ExportOptions) -> tuple[str, ...]:
    """What the export will hold, line by line."""
    if options.examination:
        return (
            _(
                "All {count} planes of the {scans} scans of this examination, with one report.",
                count=len(material.planes) + material.others_planes,
                scans=material.scans,
            ),
        )
    if not material.planes:
        return (_("This session holds no planes; the export has only tables and the report."),)
    lines = [_planes_line(material)]
    if options.planes is not None:
        lines[0] = _chosen_line(material, options.planes)
        kept = tuple(plane for plane in material.planes if plane.plane_id in set(options.planes))
        material = replace(material, planes=kept)
    planes = material.planes
    if options.clips and planes:
        lines.append(_clips_line(material))
    words = [material.note, *(plane.note for plane in planes), *(each.note for each in material.regions)]
    notes = sum(bool(word) for word in words)
    if notes:
        lines.append(_notes_line(notes, options))
    if material.regions:
        lines.append(plural("{count} marked stretch", "{count} marked stretches", len(material.regions)))
    return tuple(lines)


def _notes_line(notes: int, options: ExportOptions) -> str:
    if options.free_text:
        return plural("{count} note written", "{count} notes written", notes)
    return plural(
        "{count} note left out: free text may name somebody",
        "{count} notes left out: free text may name somebody",
        notes,
    )


def _planes_line(material: Material) -> str:
    count, rejected = len(material.planes), material.rejected
    names = ", ".join(dict.fromkeys(short_name(plane.plane) for plane in material.planes))
    if not rejected:
        return plural("{count} plane: {names}", "{count} planes: {names}", count, names=names)
    return plural(
        "{count} plane ({rejected} rejected left out): {names}",
        "{count} planes ({rejected} rejected left out): {names}",
        count, rejected=rejected, names=names,
    )  # fmt: skip


def _chosen_line(material: Material, chosen: Sequence[int]) -> str:
    count, total = len(chosen), len(material.planes)
    if not material.rejected:
        return _("{count} of {total} planes", count=count, total=total)
    return _(
        "{count} of {total} planes ({rejected} rejected left out)",
        count=count, total=total, rejected=material.rejected,
    )  # fmt: skip


def _clips_line(material: Material) -> str:
    count = len(material.planes)
    saved = sum(plane.clip is not None for plane in material.planes)
    rest = count - saved
    if not rest or (material.loop and not saved):
        return plural("{count} clip", "{count} clips", count)
    if material.loop:
        return plural(
            "{count} clip, {rest} cut from the loop",
            "{count} clips, {rest} cut from the loop",
            count, rest=rest,
        )  # fmt: skip
    if saved:
        return plural(
            "{count} clip: the loop of the others is not there",
            "{count} clips: the loop of the others is not there",
            saved,
        )
    return _("No clips: the loop is not there")


def plane_caption(planes: Sequence[PlaneEntry], at: int) -> str:
    """ "2 of 5   FHP1, frame 122"."""
    plane = planes[at]
    return _(
        "{number} of {total}   {plane}, frame {frame}",
        number=at + 1, total=len(planes), plane=short_name(plane.plane), frame=plane.frame_index,
    )  # fmt: skip


def progress_sentence(state: ExportState) -> str:
    """What is done now, for the user."""
    if not state.step:
        return _("Preparing")
    step = _(state.step)
    if not state.total:
        return step
    return _("{step}: {done} of {total}", step=step, done=state.done, total=state.total)


def text_question(finding: TextFinding, left: int) -> str:
    """What is asked of a plane that was left out; so many are still to be answered, with this one."""
    asked = _(
        "{plane} was left out of the export: what is framed, in its picture or its clip, may be text that "
        "says who was examined, or tissue that looks like letters. What is it?",
        plane=finding.plane,
    )
    if left == 1:
        return asked
    return joined((asked, plural("{count} plane waits.", "{count} planes wait.", left)))


def held_sentence(result: ExportResult) -> str:
    """How many planes wait for an answer, a sentence; "" where none does."""
    if not result.held:
        return ""
    return plural(
        "{count} plane waits for your answer and is not in this export.",
        "{count} planes wait for your answer and are not in this export.",
        len(result.held),
    )


def report_of(target: Path) -> Path:
    """Where the report of an export is, if it has one."""
    return target / "report.html"


def why_no_report(target: Path) -> str:
    """Why the report of an export cannot be opened, a sentence; "" where it can."""
    if target.is_file():
        return _("The report is in the ZIP file; unpack that first.")
    return "" if report_of(target).is_file() else _("This export was made without a report.")


def done_sentence(result: ExportResult, deidentified: bool) -> str:
    """What was exported."""
    said = {
        "planes": plural("{count} plane", "{count} planes", result.planes),
        "files": plural("{count} file", "{count} files", result.files),
        "size": decimal(result.size / 1e6, 1),
        "name": result.target.name,
    }
    if deidentified:
        return _("De-identified: {planes}, {files}, {size} MB, as {name}", **said)
    return _("NOT de-identified: {planes}, {files}, {size} MB, as {name}", **said)


def mask_at(masks: Sequence[Crop], x: float, y: float) -> int | None:
    """Which mask holds a place in the frame; the one drawn last where they overlap."""
    for number in reversed(range(len(masks))):
        mask = masks[number]
        if mask.left <= x < mask.left + mask.width and mask.top <= y < mask.top + mask.height:
            return number
    return None
