"""What an evaluation found, as plain data; `as_json` is what `result.json` holds.

Shapes: K classes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

from semc_core.groups.bootstrap import Estimate
from training.evaluation.metrics import ClassScores, Scores
from training.evaluation.reliability import OperatingPoint, Reliability, RiskCurve

UNKNOWN_SOURCE: Final = "unknown"


FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the frames: those of a source, or of a kind.

    Attributes:
        name: Of the source or kind.
        frames: How many.
        groups: Patients, series or videos.
        accuracy: See `Scores`.
        f1: See `Scores`; not defined where all frames are of one class.
        calibration_error: See `Reliability`.
        called_a_plane: Share of the part's frames without a plane that are called one; None without such.
        novel: Share beyond the limit of what the model accepts; None where it has no such measure.
    """

    name: str
    frames: int
    groups: int
    accuracy: Estimate
    f1: Estimate
    calibration_error: Estimate
    called_a_plane: Estimate
    novel: Estimate


@dataclass(frozen=True, slots=True)
class FalsePositives:
    """What was found where no plane is.

    Attributes:
        name: What was looked at; for people.
        kind: "video" or "pictures".
        frames: How many.
        files: Videos, or folders of pictures.
        called: Frames that are called a plane: by the steady label in a video, by the model's first choice
            in pictures.
        above_threshold: Frames whose surest plane reaches the entering threshold.
        minutes: Length of the videos; 0 for pictures.
        saved: Planes that would have been saved; 0 for pictures.
        by_plane: Saved planes (called pictures) of each plane; planes without any are left out.
        skipped: Files that could not be read.
    """

    name: str
    kind: str
    frames: int
    files: int
    called: int
    above_threshold: int
    minutes: float
    saved: int
    by_plane: dict[str, int]
    skipped: int = 0

    @property
    def saved_per_minute(self) -> float | None:
        """Planes saved per minute of video."""
        return self.saved / self.minutes if self.minutes > 0 else None


@dataclass(frozen=True, slots=True)
class Result:
    """How a model did on labelled frames.

    Attributes:
        model: Name, hash, what ran it, calibration and thresholds; plain JSON values.
        data: Name of the data, split and notes; plain JSON values.
        classes: K names.
        none_class: Which says "none of these"; None if the data has no such frames.
        frames: How many.
        groups: Patients, series or videos.
        sources: How many.
        draws: Of the bootstrap.
        scores: All classes together.
        per_class: One per class.
        confusion: K rows of K counts; rows are the true classes.
        reliability: Of the calibrated probabilities.
        reliability_before: Of the softmax of the plain logits; None if those are unknown.
        risk: With rejection.
        point: At the model's entering threshold.
        by_source: One per source.
        by_kind: One per kind, where the data says what its frames are; else empty.
        alarms: On data without planes.
        notes: Sentences on how far the numbers can be trusted.
    """

    model: dict[str, Any]
    data: dict[str, Any]
    classes: tuple[str, ...]
    none_class: str | None
    frames: int
    groups: int
    sources: int
    draws: int
    scores: Scores
    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    reliability: Reliability
    reliability_before: Reliability | None
    risk: RiskCurve
    point: OperatingPoint
    by_source: tuple[Part, ...]
    by_kind: tuple[Part, ...] = ()
    alarms: tuple[FalsePositives, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[str, ...]:
        """The classes that frames are of: what the means over classes are over."""
        return tuple(own.name for own in self.per_class if own.frames)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; what is not defined is null."""
        found = {"format": FORMAT} | dataclasses.asdict(self)
        for alarm, plain in zip(self.alarms, found["alarms"], strict=True):
            plain["saved_per_minute"] = alarm.saved_per_minute
        return found
