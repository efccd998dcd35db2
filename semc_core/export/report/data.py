"""What the report says, as plain data: the HTML page and the PDF show the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError
from semc_core.export.checklist import Checklist
from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.measured import dated_rows, measured_values
from semc_core.export.options import stayed_out
from semc_core.export.watch import Watch
from semc_core.imaging.score.parts import sentences
from semc_core.labels import full_name, short_name
from semc_core.language import N_, _, decimal, plural
from semc_core.session.correcting.sentences import decided, decision
from semc_core.session.records import ModelEntry, PlaneEntry
from semc_core.types import Crop, Quality
from semc_core.version import VERSION

IDENTIFIED: Final = N_("This report is NOT de-identified: it may say who was examined.")
NO_PLANE: Final = N_("This report shows no plane.")
REGION_TITLES: Final = (N_("Time"), N_("Marked as"), N_("Note"))
CHECKLIST_TITLES: Final = (N_("Item"), N_("Planes"), N_("Status"))
MEASURE_TITLES: Final = (N_("Measured"), N_("Value"), N_("Where and how"))
RESEARCH_NOTICE: Final = N_(
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
        where: Frame and time; of one of several fetuses with its letter.
        held: When the plane was held; "" where a person saved one moment.
        decided: Who decided on it, in words.
        by_person: Whether a person did.
        quality: Of the picture, in words; "" where it was not judged.
        note: A person's words, or "".
        picture: JPEG of the region of interest.
        width: Of the JPEG, pixels.
        height: Of the JPEG, pixels.
        scan: Number of the scan that it is from, from 1; 0 where there is one only.
    """

    number: int
    plane: str
    name: str
    confidence: float | None
    where: str
    held: str
    decided: str
    by_person: bool
    quality: str
    note: str
    picture: bytes
    width: int
    height: int
    scan: int = 0

    @property
    def place(self) -> str:
        """Its number, where it is and when it was held, in one line."""
        if self.scan:
            return _("Scan {number}: {text}", number=self.scan, text=replace(self, scan=0).place)
        if not self.held:
            return _("No. {number}: {where}", number=self.number, where=self.where)
        return _("No. {number}: {where}; held {held}", number=self.number, where=self.where, held=self.held)

    @property
    def judged(self) -> str:
        """The quality of its picture, in one line."""
        return _("Quality of the picture: {quality}", quality=self.quality)


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
        measurements: What was measured: name, number, where and how.
        note: On the whole scan, or "".
        notices: Sentences to show first: of the model, and of what was not looked at.
        model: About the model: name and value.
        made_by: About the program and the log: name and value.
        warning: What every page says, or "".
        stayed_out: How many planes are not shown, and why, sentences; or "".
    """

    code: str
    subject: tuple[tuple[str, str], ...]
    planes: tuple[ReportPlane, ...]
    not_found: tuple[str, ...]
    checklist: Checklist | None
    regions: tuple[tuple[str, str, str], ...]
    measurements: tuple[tuple[str, str, str], ...]
    note: str
    notices: tuple[str, ...]
    model: tuple[tuple[str, str], ...]
    made_by: tuple[tuple[str, str], ...]
    warning: str = ""
    stayed_out: str = ""

    @property
    def found(self) -> str:
        """How many planes there are, which were not found, and how many stayed out."""
        count = str(len(self.planes))
        if self.not_found:
            count = _("{count}; not found: {names}", count=count, names=", ".join(self.not_found))
        return f"{count}. {self.stayed_out}" if self.stayed_out else count

    @property
    def foot(self) -> str:
        """What every page ends with."""
        return _("SEMC Live {version} · {code} · research use only", version=VERSION, code=self.code)


def report_data(scan: DeidentifiedScan, watch: Watch) -> ReportData:
    """What the report says of `scan`, in the language in use. `watch` is asked before each picture."""
    planes = []
    for each in scan.planes:
        watch.check()
        quality = scan.table.quality_of(each.entry.frame_index)
        planes.append(report_plane(each.entry, each.pixels(), quality))
    notices = (scan.model.notice, "" if scan.deidentified else IDENTIFIED, *scan.notices)
    return ReportData(
        code=scan.study.patient.patient_id or scan.source,
        subject=_subject_rows(scan),
        planes=tuple(planes),
        not_found=tuple(map(_named, scan.not_found)),
        checklist=scan.checklist,
        regions=tuple((_from_to(each.start_s, each.end_s), each.label, each.note) for each in scan.regions),
        measurements=(
            *(
                (f"{each.entry.measurement_id}: {_(each.value.name)}", each.text, each.where)
                for each in measured_values(scan.measurements, [plane.entry for plane in scan.planes])
            ),
            *dated_rows(scan.measurements, scan.age),
        ),
        note=scan.note,
        notices=tuple(_(sentence) for sentence in notices if sentence),
        model=_model_rows(scan.model),
        made_by=_program_rows(scan),
        warning=_(scan.warning),
        stayed_out=stayed_out(scan.rejected, scan.not_chosen),
    )


def report_plane(plane: PlaneEntry, pixels: NDArray[np.uint8], quality: Quality | None = None) -> ReportPlane:
    """The plane with its exported picture: uint8 (H, W) or (H, W, 3)."""
    picture, width, height = _jpeg(pixels, plane.crop)
    return ReportPlane(
        number=plane.plane_id,
        plane=short_name(plane.plane),
        name=_(full_name(plane.plane)),
        confidence=plane.confidence if plane.found_as == plane.plane else None,
        where=_where(plane),
        held=_from_to(plane.start_s, plane.end_s) if plane.start_s < plane.end_s else "",
        decided=_decided(plane),
        by_person=plane.chosen_by == "person" or plane.by_hand,
        quality=_judged(quality),
        note=plane.note,
        picture=picture,
        width=width,
        height=height,
    )


def _decided(plane: PlaneEntry) -> str:
    """`decided` in the language in use."""
    words, stored = decision(plane).value, decided(plane)
    if stored == words or plane.found_as is None:
        return _(words)
    return _("{decision} (was {plane})", decision=_(words), plane=short_name(plane.found_as))


def _where(plane: PlaneEntry) -> str:
    number, time = plane.frame_index, seconds(plane.time_s)
    if not plane.fetus:
        return _("frame {number}, {time}", number=number, time=time)
    return _("fetus {letter}, frame {number}, {time}", letter=plane.fetus, number=number, time=time)


def _judged(quality: Quality | None) -> str:
    if quality is None:
        return ""
    score = _("{score} of 100.", score=decimal(quality.score, 0))
    return " ".join((score, *map(_, sentences(quality))))


def _subject_rows(scan: DeidentifiedScan) -> tuple[tuple[str, str], ...]:
    """About the patient, where he is to be named, and what was looked at."""
    rows, table = [], scan.table
    if not scan.deidentified:
        patient = scan.study.patient
        given = [(_("Patient"), patient.name), (_("Patient number"), patient.patient_id)]
        given += [(_("Born"), patient.birth_date), (_("Sex"), patient.sex)]
        given.append((_("Indication"), scan.study.request.reason if scan.study.request else ""))
        given += [(_("Operator"), scan.study.operator), (_("Institution"), scan.study.institution)]
        given.append((_("Site"), scan.study.site))
        rows = [(title, value) for title, value in given if value]
    width, height = scan.source_size
    source = _(
        "{source} ({kind}), {width} × {height} pixels",
        source=scan.source, kind=scan.source_kind, width=width, height=height,
    )  # fmt: skip
    rows.append((_("Source"), source))
    if len(table):
        lasted = seconds(float(table.pts_s[-1] - table.pts_s[0]))
        rows.append((_("Frames"), _("{count}, over {time}", count=len(table), time=lasted)))
    return tuple(rows)


def _model_rows(model: ModelEntry) -> tuple[tuple[str, str], ...]:
    """The model's card in short."""
    limits, shape = model.thresholds, model.preprocessing
    names = ", ".join(name for name in model.classes if name != model.none_class)
    return (
        (_("Model"), _("{model}, run on {device}", model=model.preset, device=model.device)),
        (_("Planes it knows"), names),
        (
            _("A plane counts"),
            _(
                "from {enter} until below {leave}, for at least {hold} s; smoothed over {smoothing} s",
                enter=f"{limits.enter:.0%}",
                leave=f"{limits.leave:.0%}",
                hold=f"{limits.min_hold_s:g}",
                smoothing=f"{limits.smoothing_s:g}",
            ),
        ),
        (_("Percentage of a plane"), _("the model's confidence in the name at the frame that is shown")),
        (
            _("Input"),
            _("{width} × {height} pixels, {fit}", width=shape.width, height=shape.height, fit=shape.fit),
        ),
        (_("SHA-256 of the file"), model.sha256),
    )


def _program_rows(scan: DeidentifiedScan) -> tuple[tuple[str, str], ...]:
    """The program, and the state of the session's log at the export."""
    versions = scan.model.versions
    others = ", ".join(f"{name} {number}" for name, number in versions.items() if name != "semc")
    return (
        (_("Program"), f"SEMC Live {VERSION}"),
        (_("Analysed with"), f"semc {versions.get('semc', '?')}, {others}"),
        (
            _("Log of the session"),
            plural(
                "{count} entry; the last has the hash {hash}",
                "{count} entries; the last has the hash {hash}",
                scan.entries,
                hash=scan.head,
            ),
        ),
    )


def seconds(time_s: float) -> str:
    """A time for people: "12.3 s", "2:05.0 min"."""
    if time_s < 60:
        return f"{decimal(time_s, 1)} s"
    minutes, rest = divmod(round(time_s, 1), 60)
    return f"{int(minutes)}:{rest:04.1f} min"


def _from_to(start_s: float, end_s: float) -> str:
    return _("{start} to {end}", start=seconds(start_s), end=seconds(end_s))


def _named(plane: str) -> str:
    name = full_name(plane)
    return plane if name == plane else f"{plane} ({_(name)})"


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
        raise SaveError(_("A picture of the report could not be encoded; export without the report."))
    return content.tobytes(), part.shape[1], part.shape[0]
