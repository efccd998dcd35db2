"""What to label next in a folder, in the order of what it teaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.model.spec import ModelSpec
from semc_core.text import counted
from training.active.egad import UNLIKE, Chosen, choose
from training.active.features import Seen, seen
from training.data.checks import is_unlabelled
from training.data.index import Sample
from training.data.loops import frames_of
from training.data.readers import ReadOptions, open_data
from training.data.readers.class_folders import pictures_below
from training.evaluation.evaluate import softmax
from training.evaluation.predictions import Predictor

MOST_LABELLED: Final = 4096
"""Labelled frames that others are compared with; of more, as many are taken at equal distances."""

COLUMNS: Final = (
    "rank", "file", "frame", "reason", "plane", "probability", "other", "other_probability", "entropy",
    "similarity", "information", "score",
)  # fmt: skip
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """The frames that may be labelled, and those that are.

    Attributes:
        folder: That was named.
        unlabelled: To choose from.
        labelled: To be unlike.
        notes: Sentences on how they were told apart.
    """

    folder: Path
    unlabelled: tuple[Sample, ...]
    labelled: tuple[Sample, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """What came out.

    Attributes:
        rows: The frames, the most instructive first; each has the keys `COLUMNS`.
        notes: Sentences for people.
    """

    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def asked(folder: Path, labelled: Sequence[str] = ()) -> Asked:
    """What is in a folder.

    Args:
        folder: Of pictures and loops, with all below it; or a data set with a folder `unlabelled`.
        labelled: Data sets, as `semc data check` reads them, whose frames are labelled already.

    Raises:
        UsageError: There is no such folder, nothing to label in it, or a data set cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}; name one with pictures or loops that have no label.")
    known = [sample for place in labelled for sample in open_data(place).samples]
    notes: list[str] = []
    try:
        samples = open_data(folder, ReadOptions()).samples
    except UsageError:
        samples = ()
    unlabelled = [sample for sample in samples if is_unlabelled(sample.label)]
    if unlabelled:
        known += samples
    else:
        unlabelled = [
            Sample(path, "unlabelled", path.parent.name, frame=frame)
            for path in pictures_below(folder)
            for frame in frames_of(path)
        ]
        if not labelled:
            notes.append(
                "Nothing says which frames are labelled already (--labelled, or a folder `unlabelled` beside "
                "those of the classes); all are ranked."
            )
    if not unlabelled:
        raise UsageError(f"There is no picture or loop in {folder}; name a folder with some.")
    places = {(sample.path.absolute(), sample.frame) for sample in unlabelled}
    known = [
        one
        for one in known
        if not is_unlabelled(one.label) and (one.path.absolute(), one.frame) not in places
    ]
    return Asked(folder, tuple(unlabelled), tuple(_thinned(known)), tuple(notes))


def queue(
    what: Asked,
    predictor: Predictor,
    budget: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cache: Path | None = None,
) -> Queue:
    """The frames to label next.

    Args:
        what: See `asked`.
        predictor: The model whose doubt counts.
        budget: How many.
        progress: See `seen`.
        cache: See `seen`.

    Raises:
        RuntimeFault: The model could not be run.
        SaveError: The features cannot be kept.
        UsageError: No frame can be read.
    """
    found = seen((*what.unlabelled, *what.labelled), predictor, what.folder, progress, cache)
    those = set(what.unlabelled)
    is_free = np.array([sample in those for sample in found.samples], bool)
    if not is_free.any():
        raise UsageError(f"No picture in {what.folder} can be read; `semc inspect` says why of each.")
    probabilities = softmax(found.logits / np.float32(predictor.spec.calibration.temperature))
    features = _standardised(found.features)
    chosen = choose(probabilities[is_free], features[is_free], features[~is_free], budget)
    samples = [sample for sample, free in zip(found.samples, is_free, strict=True) if free]
    rows = [
        _row(rank, samples[each.place], each, probabilities[is_free][each.place], predictor.spec)
        for rank, each in enumerate(chosen, 1)
    ]
    return Queue(tuple(rows), (*what.notes, *_told(found, len(samples))))


def in_words(row: dict[str, Any]) -> str:
    """Why a frame is in the queue."""
    if row["reason"] == UNLIKE:
        alike = f"similarity {row['similarity']:.2f}, in common {row['information']:.2f}"
        return f"unlike what is labelled ({alike})"
    return f"unsure: {row['plane']} {row['probability']:.0%}, {row['other']} {row['other_probability']:.0%}"


def _told(found: Seen, count: int) -> list[str]:
    notes = [
        f"{counted(count, 'frame')} without a label, {counted(len(found.samples) - count, 'frame')} with one."
    ]
    if found.passed_over:
        path, why = found.passed_over[0]
        files = counted(len(found.passed_over), "file")
        notes.append(f"{files} passed over, {path.name} for one: {why}")
    return notes


def _row(
    rank: int, sample: Sample, one: Chosen, probabilities: NDArray[np.float32], spec: ModelSpec
) -> dict[str, Any]:
    first, second = (int(place) for place in np.argsort(-probabilities, kind="stable")[:2])
    numbers = {
        "entropy": one.entropy,
        "similarity": one.similarity,
        "information": one.information,
        "score": one.score,
    }
    return {
        "rank": rank,
        "file": sample.path.as_posix(),
        "frame": sample.frame,
        "reason": one.reason,
        "plane": spec.classes[first],
        "probability": round(float(probabilities[first]), _DIGITS),
        "other": spec.classes[second],
        "other_probability": round(float(probabilities[second]), _DIGITS),
        **{name: round(value, _DIGITS) for name, value in numbers.items()},
    }


def _standardised(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each feature with mean 0 and deviation 1 over all frames: what all have in common likens nobody."""
    spread = features.std(axis=0)
    return np.asarray((features - features.mean(axis=0)) / np.where(spread > 0, spread, 1), np.float32)


def _thinned(samples: Sequence[Sample]) -> Sequence[Sample]:
    if len(samples) <= MOST_LABELLED:
        return samples
    return [samples[place * len(samples) // MOST_LABELLED] for place in range(MOST_LABELLED)]
