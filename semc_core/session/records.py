"""What a session holds, as plain data. No database here.

Shapes: N frames, K classes, E experts.

A plane that was saved: what the window's strip shows and what the files on disk say.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.preprocess import Preprocessing
from semc_core.io.documents import STRICT, configured
from semc_core.io.regular import open_regular
from semc_core.language import N_, _
from semc_core.measure.calibration import Calibration
from semc_core.measure.shapes import Kind
from semc_core.model.spec import ModelSpec
from semc_core.types import Crop, Quality, SourceInfo, Thresholds

FIRST_ADDED: Final = 1001
"""Number of the first plane that a person adds; holds that the model finds later count from 1 without end."""


PASSING: Final = ("trouble", "outage", "timed_by")
"""Of what is known of a source: how its signal is at the moment. It is written nowhere."""
PICTURES: Final = ("live", "frozen", "black", "flat", "no signal", "colour")
"""States of a picture in the order of their codes in a frame table; only ever added to."""

REASON_CODES: Final = (
    "", "blurred", "too dark", "too bright", "little contrast", "small", "off centre", "cut off", "shadow",
    "moving", "doubt",
)  # fmt: skip
"""Names of `imaging.score.parts` in the order of their codes in a frame table; only ever added to."""

NO_SCALE, BY_REGION, BY_SPACING, BY_HAND = "", "DICOM region", "DICOM pixel spacing", "by hand"
SCALES: Final = (NO_SCALE, BY_REGION, BY_SPACING, BY_HAND)
"""Where a measurement's millimetres come from; by hand is over a known length."""

ACCEPTED, CORRECTED = "accepted", "corrected"
MAKERS: Final = ("person", ACCEPTED, CORRECTED)
"""Who made a measurement: a person, or the program, whose proposal a person accepted, or then corrected."""

MODEL: Final = "model"
PERSON: Final = "person"
PROGRAM: Final = "program"


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class SourceEntry(SourceInfo):
    """Where the frames came from: what was known of the open source, and its file.

    The fields are written to a session's log under these names, and its hashes depend on them.

    Attributes:
        path: Absolute path of the reviewed file, or None. It stays on this machine and is never exported.
        sha256: Of the file's bytes, or None.
    """

    path: str | None = None
    sha256: str | None = None


@configured(STRICT)
@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What classified the frames.

    Attributes:
        sha256: Of the model file.
        preset: Name of its architecture.
        classes: Names in the order of the probabilities, K of them.
        none_class: Which of them says "none of these".
        thresholds: When a plane counted as held.
        preprocessing: How a frame became the model's input.
        notice: The model's sentence for the user, or "".
        device: What it ran on.
        versions: Versions of the program and of the packages that touch a frame.
    """

    sha256: str
    preset: str
    classes: tuple[str, ...]
    none_class: str
    thresholds: Thresholds
    preprocessing: Preprocessing
    notice: str
    device: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class PlaneEntry:
    """A standard plane as it stands now.

    Attributes:
        plane_id: The hold's number; of a plane that a person added in review, from 1001.
        plane: Class name.
        found_as: The model's name for it; None if a person added it, or captured it and confirmed its name.
        confidence: Smoothed probability of `plane` at the frame, 0-1; 0 if the model does not know it.
        frame_index: Index of the frame in its source.
        time_s: Its presentation time, seconds.
        start_s: When the hold began.
        end_s: Its newest frame.
        final: Whether the hold is over.
        by_hand: Captured or added by a person.
        rejected: A person said that this is no such plane.
        reason: Why it was rejected, or "".
        chosen_by: "model" or "person": who decided last on its label or frame.
        png: Name of the picture in the session's folder; None if there is none.
        png_sha256: Of the picture file's bytes.
        clip: Clip of the scan around it, relative to the session's folder with "/"; or None.
        note: A person's words, or "".
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        crop: Region that was classified.
        clip_sha256: Of the clip file's bytes.
        fetus: Letter of the fetus that it is of; "" where the session is of one only.
    """

    plane_id: int
    plane: str
    found_as: str | None
    confidence: float
    frame_index: int
    time_s: float
    start_s: float
    end_s: float
    final: bool
    by_hand: bool
    rejected: bool
    reason: str
    chosen_by: str
    png: str | None
    png_sha256: str | None
    clip: str | None
    note: str
    width: int
    height: int
    crop: Crop
    clip_sha256: str | None = None
    fetus: str = ""


@dataclass(frozen=True, slots=True)
class RegionEntry:
    """A stretch of time that a person marked. Times in seconds, the end not before the start."""

    region_id: int
    start_s: float
    end_s: float
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """A person's word on one item of a protocol: `status` is "not possible".

    `fetus` is the letter of the one that it is said of; "" is the first.
    """

    protocol_id: str
    item_id: str
    status: str
    reason: str
    fetus: str = ""


@dataclass(frozen=True, slots=True)
class MeasurementEntry:
    """Something that was measured in one frame.

    Attributes:
        measurement_id: From 1; of one that was taken away not used again.
        kind: Of the shape.
        points: Places (x, y) in pixels of the whole frame; what they mean depends on the kind.
        structure: One of `measure.shapes.STRUCTURES`, or "".
        frame_index: Index of the frame in its source.
        time_s: Its presentation time, seconds.
        plane_id: Of the plane whose frame it was; None for any other frame.
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        mm_x: Millimetres per pixel along a row; None where they are not known.
        mm_y: The same along a column.
        scale: Where the millimetres come from, one of `SCALES`.
        made_by: One of `MAKERS`.
        error: Of an accepted outline the share of the circumference within which 90 of 100 lie; else None.
        fetus: Letter of the fetus that it is of; "" where the session is of one only.
    """

    measurement_id: int
    kind: Kind
    points: tuple[tuple[float, float], ...]
    structure: str
    frame_index: int
    time_s: float
    plane_id: int | None
    width: int
    height: int
    mm_x: float | None
    mm_y: float | None
    scale: str
    made_by: str
    error: float | None
    fetus: str = ""

    @property
    def calibration(self) -> Calibration | None:
        """Millimetres per pixel; None where they are not known."""
        if self.mm_x is None or self.mm_y is None:
            return None
        return Calibration(self.mm_x, self.mm_y, self.scale)


@dataclass(frozen=True, slots=True)
class ScaleEntry:
    """Millimetres per pixel as a person said by a line over a known length.

    Attributes:
        size: Of the pictures that it holds for: "640x480".
        mm_x: Millimetres per pixel along a row.
        mm_y: The same along a column.
        frame_index: Over which the line was drawn.
        points: Its two ends.
        length_mm: What was typed.
    """

    size: str
    mm_x: float
    mm_y: float
    frame_index: int
    points: tuple[tuple[float, float], ...]
    length_mm: float


@dataclass(frozen=True, slots=True)
class ExportEntry:
    """One export of this session: `name` without a path, `sha256` of its file or manifest."""

    export_id: int
    time_utc: str
    kind: str
    name: str
    sha256: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log, which is only ever added to.

    Attributes:
        seq: Number, from 1 without a gap.
        time_utc: ISO 8601 with milliseconds.
        who: "model", "person" or "program".
        kind: What happened.
        payload: Plain JSON values; what changed is under "edits".
        previous: Hash of the entry before; 64 zeros for the first.
        hash: SHA-256 over the canonical JSON of all the others (`audit_log.entry_hash`).
    """

    seq: int
    time_utc: str
    who: str
    kind: str
    payload: dict[str, Any]
    previous: str
    hash: str


class Proof(Enum):
    """How much is known of a session or an export; the value says it in words, in English."""

    PROVEN = N_("proven by this machine")
    CONSISTENT = N_("consistent but unsigned")
    CHANGED = N_("not as it was written")


@dataclass(frozen=True, slots=True)
class Verification:
    """What `Session.verify` found.

    Attributes:
        proof: Which of three holds.
        entries: How many the log has.
        problems: What is wrong, sentences.
        notes: What could not be proven and is not known to be wrong, sentences.
        why: Why it is only consistent: "an older program wrote it", say; or "".
        covers: How far that goes, where it is not all that is there: "up to 12.3 s of the scan"; or "".
    """

    proof: Proof
    entries: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""
    covers: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.proof is not Proof.CHANGED

    @property
    def words(self) -> str:
        """How it stands, the end of a sentence of the window."""
        said = ", ".join(filter(None, (_(self.proof.value), self.covers)))
        return f"{said}: {self.why}" if self.why else said


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """What was concluded from each frame, by rising index. All arrays are read-only.

    Attributes:
        index: int64 (N,), index in the source.
        pts_s: float64 (N,), presentation time, seconds.
        picture: uint8 (N,), code in `PICTURES`.
        label: int16 (N,), class number of the steady label; that of `none_class` for NSP.
        confidence: float32 (N,), smoothed probability of the label.
        smoothed: float32 (N, K).
        probabilities: float32 (N, K) of the frame alone; NaN where it was not classified.
        novelty: float32 (N,), NaN where it was not classified.
        expert_weights: float32 (N, E), NaN where it was not classified.
        crop: int32 (N, 4): left, top, width, height.
        moving: bool (N,), whether the picture differed from the one before.
        quality: float64 (N,), score of the picture, 0-100, by which the detector chose; NaN where it was not
            classified, and in older sessions.
        reasons: uint8 (N, 2), codes in `REASON_CODES` of why it is not more; 0 for none.
        sharpness: float64 (N,), by which the detector of an older version chose; NaN where it was not needed,
            and in newer sessions.
    """

    index: NDArray[np.int64]
    pts_s: NDArray[np.float64]
    picture: NDArray[np.uint8]
    label: NDArray[np.int16]
    confidence: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    novelty: NDArray[np.float32]
    expert_weights: NDArray[np.float32]
    crop: NDArray[np.int32]
    moving: NDArray[np.bool_]
    quality: NDArray[np.float64]
    reasons: NDArray[np.uint8]
    sharpness: NDArray[np.float64]

    @property
    def merit(self) -> NDArray[np.float64]:
        """float64 (N,), the number by which the detector chose among the frames of a hold; NaN for none."""
        return np.where(np.isnan(self.quality), self.sharpness, self.quality)

    def quality_at(self, row: int) -> Quality | None:
        """What was said of the quality of a frame's picture; None where nothing was."""
        if np.isnan(self.quality[row]):
            return None
        codes = self.reasons[row].tolist()
        return Quality(
            float(self.quality[row]),
            tuple(REASON_CODES[code] for code in codes if 0 < code < len(REASON_CODES)),
        )

    def quality_of(self, index: int) -> Quality | None:
        """The same of the frame with this index; None also where it was not logged."""
        row = int(np.searchsorted(self.index, index))
        return self.quality_at(row) if row < len(self) and self.index[row] == index else None

    def __len__(self) -> int:
        return len(self.index)

    def between(self, start_s: float, end_s: float) -> FrameTable:
        """The frames with `start_s <= pts_s <= end_s`, without a copy."""
        first = int(np.searchsorted(self.pts_s, start_s, "left"))
        last = int(np.searchsorted(self.pts_s, end_s, "right"))
        chosen = slice(first, last)
        return FrameTable(
            self.index[chosen], self.pts_s[chosen], self.picture[chosen], self.label[chosen],
            self.confidence[chosen], self.smoothed[chosen], self.probabilities[chosen],
            self.novelty[chosen], self.expert_weights[chosen], self.crop[chosen],
            self.moving[chosen], self.quality[chosen], self.reasons[chosen], self.sharpness[chosen],
        )  # fmt: skip


def source_entry(info: SourceInfo, path: Path | None = None, sha256: str | None = None) -> SourceEntry:
    """The entry for an open source; `path` is made absolute."""
    known = {field.name: getattr(info, field.name) for field in fields(SourceInfo)}
    return SourceEntry(**known, path=None if path is None else str(path.absolute()), sha256=sha256)


def model_entry(spec: ModelSpec, thresholds: Thresholds, device: str, versions: dict[str, str]) -> ModelEntry:
    """The entry for a loaded model with the thresholds in use; `versions` from `files.versions`."""
    return ModelEntry(
        sha256=spec.sha256,
        preset=spec.architecture.preset,
        classes=spec.classes,
        none_class=spec.none_class,
        thresholds=thresholds,
        preprocessing=spec.preprocessing,
        notice=spec.notice,
        device=device,
        versions=versions,
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces. Raises OSError."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
