"""A model held against simulated patients, through the same stages as live and files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from rich.table import Table

from semc_core.errors import UsageError
from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.model.file import read_spec
from semc_core.model.spec import ModelSpec
from semc_core.phantom.planes import Truth
from semc_core.phantom.scan import SimulatedScan
from semc_core.pipeline.batch import review
from semc_core.pipeline.detector import HoldEvent
from semc_core.runtime.load import load_runtime
from semc_core.sources.simulated import SimulatedSource
from semc_core.types import FrameResult
from training.data.frame_set import AMBIGUOUS, FrameSet, Row
from training.data.shards import SOURCE
from training.data.splits import Split, split_of
from training.evaluation.holds import FoundHold, HoldCounts, match, true_holds
from training.metrics import frame_metrics
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


def evaluate(
    model: Path, patients: Iterable[int], options: EvaluationOptions, processes: int = 2
) -> dict[str, Any]:
    """Scan patients and count what was found.

    Args:
        model: Model file.
        patients: Numbers.
        options: See there.
        processes: How many patients side by side, each on one CPU thread.

    Returns:
        Plain JSON values: model, patients, holds (per plane and in all), single frames, and what each patient
        lacked.

    Raises:
        ModelFileError: The file is missing, damaged, or not one of ours.
    """
    spec = read_spec(model)
    return summary(spec, scan_patients(model, list(patients), options, processes), options)


def scan_patients(
    model: Path, patients: list[int], options: EvaluationOptions, processes: int
) -> list[PatientResult]:
    """Run patients through the stages of file mode, some side by side, each on one CPU thread."""
    work = partial(scan_patient, model, options)
    with workers(min(processes, len(patients))) as pool:
        done = pool.imap(work, patients)
        return list(track(done, description="Scanning patients", total=len(patients)))


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
