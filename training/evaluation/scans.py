"""A model held against simulated patients, through the same stages as live and files.

Matching the planes that were found against those that were truly held. Plain data, no pictures.

Choosing a model's thresholds by what they are for: whole holds of unseen validation patients.

Frames say little here: what counts is whether a plane that is held is saved once. The patients are scanned
once; then every candidate is replayed over the stored probabilities, through the detector itself.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from semc_core.errors import UsageError
from semc_core.imaging.quality import LIVE
from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.model.file import read_spec
from semc_core.model.spec import ModelSpec
from semc_core.phantom.scan import SimulatedScan
from semc_core.phantom.trajectory import Truth
from semc_core.picture import Picture
from semc_core.pipeline.batch import review
from semc_core.pipeline.detector import PlaneDetector, PlaneHysteresis
from semc_core.pipeline.stages import ProbabilitySmoother
from semc_core.runtime.load import load_runtime
from semc_core.sources.simulated import SimulatedSource
from semc_core.types import Crop, FramePacket, FrameResult, HoldEvent, Prediction, Thresholds
from training.data.frame_set import AMBIGUOUS, SOURCE, FrameSet, Row
from training.data.splits import Split, split_of
from training.metrics import frame_metrics
from training.model_card import restate
from training.workers import workers

_SIDES: Final = (120, 4096)
_FASTEST: Final = 240
_LONGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """How each patient is scanned: length, frame size, frames per second.

    Raises:
        UsageError: No scan is like that.
    """

    seconds: float = 60.0
    width: int = 640
    height: int = 480
    frame_rate: float = 25.0

    def __post_init__(self) -> None:
        if not (_SIDES[0] <= self.width <= _SIDES[1] and _SIDES[0] <= self.height <= _SIDES[1]):
            raise UsageError(f"The frames must be {_SIDES[0]} to {_SIDES[1]} pixels wide and high.")
        if not 1 <= self.frame_rate <= _FASTEST or not 1 <= self.seconds * self.frame_rate <= _LONGEST:
            raise UsageError(
                f"A scan must have 1 to {_FASTEST} frames per second, and 1 to {_LONGEST} frames in all."
            )


@dataclass(frozen=True, slots=True, eq=False)
class PatientResult:
    """What the model made of one patient.

    Attributes:
        patient: Number.
        truths: One per frame.
        found: Planes saved.
        probabilities: float32 (N, K), calibrated, not smoothed.
    """

    patient: int
    truths: list[Truth]
    found: list[FoundHold]
    probabilities: NDArray[np.float32]


def scan_patients(
    model: Path, patients: list[int], options: EvaluationOptions, processes: int
) -> list[PatientResult]:
    """Run patients through the stages of file mode, some side by side, each on one CPU thread."""
    work = partial(scan_patient, model, options)
    with workers(min(processes, len(patients))) as pool:
        done = pool.imap(work, patients)
        # Not on standard output: what is found may be printed there, as JSON.
        bar = track(done, description="Scanning patients", total=len(patients), console=Console(stderr=True))
        return list(bar)


def scan_patient(model: Path, options: EvaluationOptions, patient: int) -> PatientResult:
    """Run one simulated patient through the stages of file mode."""
    cv2.setNumThreads(1)
    size = (options.seconds, options.width, options.height, options.frame_rate)
    scan = SimulatedScan(patient, *size)
    assert scan.frame_count is not None
    runtime = load_runtime(model, "cpu", threads=1)
    results: list[NDArray[np.float32]] = []
    events: dict[int, HoldEvent] = {}
    try:
        for batch in review(SimulatedSource(patient, *size), runtime):
            results += [_probabilities(result, runtime.spec) for result in batch.results]
            events |= {event.hold_id: event for event in batch.events}
    finally:
        runtime.close()
    found = [
        FoundHold(event.plane, event.start_s, event.end_s, event.best.packet.pts_s)
        for event in events.values()
    ]
    truths = [scan.truth(index) for index in range(scan.frame_count)]
    return PatientResult(patient, truths, found, np.stack(results))


def _probabilities(result: FrameResult, spec: ModelSpec) -> NDArray[np.float32]:
    """Of one frame; one that was not classified is NSP."""
    if result.prediction is not None:
        return result.prediction.probabilities
    return np.array([name == NON_STANDARD for name in spec.classes], np.float32)


def summary(spec: ModelSpec, results: list[PatientResult], options: EvaluationOptions) -> dict[str, Any]:
    """What was found, as `evaluate` gives it."""
    counts = dict.fromkeys(LIVER_PLANES, HoldCounts())
    failures = []
    for result in results:
        for plane, own in match(true_holds(result.truths), result.found).items():
            counts[plane] += own
            if own.right < max(own.held, own.saved):
                missed, wrong = own.held - own.right, own.saved - own.right
                failures.append({"patient": result.patient, "plane": plane, "missed": missed, "wrong": wrong})
    total = sum(counts.values(), HoldCounts())
    return {
        "model_sha256": spec.sha256,
        "patients": [result.patient for result in results],
        "all_test_patients": all(split_of(result.patient) is Split.TEST for result in results),
        "seconds": options.seconds,
        "frame_rate": options.frame_rate,
        "size": [options.width, options.height],
        "holds": {plane: own.as_json() for plane, own in counts.items()} | {"all": total.as_json()},
        "frames": _frame_metrics(spec, results),
        "failures": failures,
    }


def _frame_metrics(spec: ModelSpec, results: list[PatientResult]) -> dict[str, Any]:
    """On all frames, and on those that are clearly standard or clearly not."""
    truths = [truth for result in results for truth in result.truths]
    probabilities = torch.from_numpy(np.concatenate([result.probabilities for result in results]))
    labels = torch.tensor([spec.classes.index(truth.plane) for truth in truths])
    low, high = AMBIGUOUS
    clear = torch.tensor([not low <= truth.distance <= high for truth in truths])
    return {
        "all": frame_metrics(probabilities, labels, spec.classes),
        "clear": frame_metrics(probabilities[clear], labels[clear], spec.classes),
    }


def labelled(results: list[PatientResult], classes: tuple[str, ...]) -> FrameSet:
    """The scans' frames with their labels, in order, without their pixels: (N, 1, 1), black."""
    rows = [
        Row(f"{result.patient:05d}", SOURCE, truth.plane, "scan", truth.distance, truth.frame_index)
        for result in results
        for truth in result.truths
    ]
    labels = torch.tensor([classes.index(row.plane) for row in rows])
    return FrameSet(torch.zeros(len(rows), 1, 1, dtype=torch.uint8), labels, rows, classes)


def tables(result: dict[str, Any]) -> list[Table]:
    """The result for people."""
    shares_of = ("recall", "precision", "saved_inside")
    holds = Table("plane", "held", "saved", "right", *shares_of, title="Planes held")
    for plane, own in result["holds"].items():
        shares = [own[name] for name in shares_of]
        numbers = [str(own[name]) for name in ("held", "saved", "right")]
        holds.add_row(plane, *numbers, *("-" if share is None else f"{share:.1%}" for share in shares))
    names = ("accuracy", "precision", "recall", "f1", "calibration_error")
    frames = Table("frames", "count", *(name.replace("_", " ") for name in names), title="Single frames")
    for which, own in result["frames"].items():
        frames.add_row(which, str(own["frames"]), *(f"{own[name]:.3f}" for name in names))
    return [holds, frames]


LEAST_HOLD_S: Final = 0.6
"""A shorter stay at a plane is passing by, and no hold."""


@dataclass(frozen=True, slots=True)
class TrueHold:
    """Consecutive frames that truly show one plane: first and last time, seconds."""

    plane: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class FoundHold:
    """A plane that was saved: its hold, and the time of the saved frame, seconds."""

    plane: str
    start_s: float
    end_s: float
    saved_s: float


@dataclass(frozen=True, slots=True)
class HoldCounts:
    """Of one plane.

    Attributes:
        held: True holds.
        saved: Planes saved.
        right: Saves that match a true hold, each hold once.
        inside: Right saves whose frame lies inside the true hold.
    """

    held: int = 0
    saved: int = 0
    right: int = 0
    inside: int = 0

    def __add__(self, other: HoldCounts) -> HoldCounts:
        return HoldCounts(
            self.held + other.held,
            self.saved + other.saved,
            self.right + other.right,
            self.inside + other.inside,
        )

    def as_json(self) -> dict[str, float | int | None]:
        """Counts and shares; a share of nothing is None."""
        return {
            "held": self.held,
            "saved": self.saved,
            "right": self.right,
            "recall": self.right / self.held if self.held else None,
            "precision": self.right / self.saved if self.saved else None,
            "saved_inside": self.inside / self.right if self.right else None,
        }


def true_holds(truths: Sequence[Truth]) -> list[TrueHold]:
    """Runs of consecutive frames of one plane that last at least `LEAST_HOLD_S`, in order of time."""
    runs: list[TrueHold] = []
    before = NON_STANDARD
    for truth in truths:
        if truth.plane != NON_STANDARD:
            start_s = runs.pop().start_s if truth.plane == before else truth.time_s
            runs.append(TrueHold(truth.plane, start_s, truth.time_s))
        before = truth.plane
    return [run for run in runs if run.end_s - run.start_s >= LEAST_HOLD_S - 1e-6]


def match(truth: Sequence[TrueHold], found: Sequence[FoundHold]) -> dict[str, HoldCounts]:
    """Counts per plane.

    A save is right if its hold overlaps a true hold of its plane; the longest overlap is taken. Each true
    hold is matched once: a second save of it is wrong, and so is a save that meets none.
    """
    counts: dict[str, HoldCounts] = {}
    for hold in truth:
        counts[hold.plane] = counts.get(hold.plane, HoldCounts()) + HoldCounts(held=1)
    free = set(truth)
    for save in sorted(found, key=lambda save: save.start_s):
        meets = [hold for hold in free if hold.plane == save.plane and _overlap_s(hold, save) >= 0]
        own = HoldCounts(saved=1)
        if meets:
            best = max(meets, key=lambda hold: _overlap_s(hold, save))
            free.remove(best)
            own = HoldCounts(saved=1, right=1, inside=int(best.start_s <= save.saved_s <= best.end_s))
        counts[save.plane] = counts.get(save.plane, HoldCounts()) + own
    return counts


def _overlap_s(hold: TrueHold, save: FoundHold) -> float:
    return min(hold.end_s, save.end_s) - max(hold.start_s, save.start_s)


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
    detector = PlaneDetector(classes, thresholds, quality_of=lambda _result: 0.0)
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
        packet=FramePacket("replay", index, time_s, time_s, Picture(_NO_PIXELS)),
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
