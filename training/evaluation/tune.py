"""Choosing a model's thresholds by what they are for: whole holds of unseen validation patients.

Frames say little here: what counts is whether a plane that is held is saved once. The patients are scanned
once; then every candidate is replayed over the stored probabilities, through the detector itself.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.imaging.quality import LIVE
from semc_core.labels import NON_STANDARD
from semc_core.model.file import read_spec
from semc_core.model.spec import Thresholds
from semc_core.pipeline.detector import HoldEvent, PlaneDetector, PlaneHysteresis
from semc_core.pipeline.smoothing import ProbabilitySmoother
from semc_core.types import Crop, FramePacket, FrameResult, Prediction
from training.data.splits import Split, split_of
from training.evaluation.holds import FoundHold, HoldCounts, match, true_holds
from training.evaluation.scans import EvaluationOptions, PatientResult, scan_patients
from training.restate import restate

_ENTER: Final = (0.5, 0.6, 0.7, 0.8, 0.9)
_LEAVE_SHARE: Final = (0.5, 0.65)
_SMOOTHING_S: Final = (0.15, 0.25, 0.4)
_MIN_HOLD_S: Final = (0.4, 0.6, 0.8, 1.0)

_NO_PIXELS: Final = np.zeros((1, 1), np.uint8)


@dataclass(frozen=True, slots=True)
class Tried:
    """One set of thresholds and what it found."""

    thresholds: Thresholds
    counts: HoldCounts

    @property
    def f1(self) -> float:
        """Harmonic mean of the recall and precision of holds."""
        return 2 * self.counts.right / max(1, self.counts.held + self.counts.saved)


def tune(
    model: Path, patients: Iterable[int], options: EvaluationOptions, processes: int = 2
) -> tuple[Tried, Tried]:
    """Choose thresholds on validation patients and write them into the model file.

    Args:
        model: Model file; replaced as a whole.
        patients: Validation patients.
        options: How they are scanned.
        processes: How many side by side.

    Returns:
        The thresholds the file had, and the chosen ones.

    Raises:
        UsageError: A patient is not of the validation split: thresholds chosen on test patients would make
            the test worthless.
    """
    numbers = list(patients)
    for number in numbers:
        if split_of(number) is not Split.VALIDATION:
            raise UsageError(f"Patient {number} is no validation patient (1000-1999); choose from those.")
    spec = read_spec(model)
    scans = scan_patients(model, numbers, options, processes)
    before = Tried(spec.thresholds, replay(scans, spec.classes, spec.thresholds))
    tried = [Tried(each, replay(scans, spec.classes, each)) for each in _candidates()]
    # Of equally good ones the strictest: it errs on the side of saving nothing.
    best = max(tried, key=lambda one: (round(one.f1, 4), one.thresholds.enter, one.thresholds.min_hold_s))
    if best.f1 <= before.f1:
        best = before
    held: dict[str, Any] = {"patients": numbers, "seconds": options.seconds} | best.counts.as_json()
    restate(model, {"validation_holds": held}, best.thresholds)
    return before, best


def replay(scans: Sequence[PatientResult], classes: tuple[str, ...], thresholds: Thresholds) -> HoldCounts:
    """What the detector makes of stored probabilities with these thresholds, over all patients and planes."""
    total = HoldCounts()
    for scan in scans:
        found = _detect(scan, classes, thresholds)
        total = sum(match(true_holds(scan.truths), found).values(), total)
    return total


def _detect(scan: PatientResult, classes: tuple[str, ...], thresholds: Thresholds) -> list[FoundHold]:
    smoother = ProbabilitySmoother(thresholds.smoothing_s)
    hysteresis = PlaneHysteresis(classes, thresholds)
    detector = PlaneDetector(classes, thresholds, sharpness_of=lambda _result: 0.0)
    events: dict[int, HoldEvent] = {}
    for truth, probabilities in zip(scan.truths, scan.probabilities, strict=True):
        smoothed = smoother.update(probabilities, truth.time_s)
        named = hysteresis.update(smoothed)
        label = NON_STANDARD if named is None else classes[named]
        result = _result(truth.frame_index, truth.time_s, probabilities, smoothed, label)
        events |= {event.hold_id: event for event in detector.update(result)}
    events |= {event.hold_id: event for event in detector.finish()}
    return [FoundHold(e.plane, e.start_s, e.end_s, e.best.packet.pts_s) for e in events.values()]


def _result(
    index: int,
    time_s: float,
    probabilities: NDArray[np.float32],
    smoothed: NDArray[np.float32],
    label: str,
) -> FrameResult:
    """A result without a picture: the detector looks at numbers and times only."""
    nothing = np.zeros((len(probabilities), 1, 1), np.float32)
    return FrameResult(
        packet=FramePacket("replay", index, time_s, time_s, _NO_PIXELS),
        prediction=Prediction(probabilities, 0.0, nothing, np.ones(1, np.float32)),
        smoothed=smoothed,
        label=label,
        confidence=0.0,
        crop=Crop(0, 0, 1, 1),
        picture=LIVE,
        classified_s=time.monotonic(),
    )


def _candidates() -> list[Thresholds]:
    grid = itertools.product(_ENTER, _LEAVE_SHARE, _SMOOTHING_S, _MIN_HOLD_S)
    return [
        Thresholds(enter, round(enter * share, 3), least_s, smoothing_s)
        for enter, share, smoothing_s, least_s in grid
    ]
