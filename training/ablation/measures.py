"""How well a network tells classes apart, apart from where its threshold happens to lie; all draws at once.

Shapes: N frames, K classes, D draws of the frames' groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from semc_core.groups.bootstrap import Floats, GroupDraws, area_under_roc, ratio
from semc_core.io.documents import OPEN, configured
from training.evaluation.reliability import BINS

MEASURES: Final = {
    "auroc": "AUROC",
    "average_precision": "AP",
    "f1_at_thresholds": "F1",
    "calibration_error": "ECE",
}
"""Names and titles. The first three are means over the classes that frames are of, each against all others;
F1 is at thresholds that were chosen on the validation patients, ECE is of the largest probability."""

_DRAWS_AT_ONCE: Final = 64


@configured(OPEN)
class Judged(TypedDict):
    """What is said of a network on the test patients; see also `training.metrics.frame_metrics`."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    auroc: float
    average_precision: float
    f1_at_thresholds: float


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What a network says of the test frames.

    Attributes:
        truth: int64 (N,).
        probabilities: float64 (N, K).
        called: bool (N, K), which classes' thresholds are reached.
        groups: Of each frame.
        near: int64 (N,), the class that a frame of a hard set is or is beside; -1 for others.
        off: float64 (N,), how far it is beside it, mm or degrees.
    """

    truth: NDArray[np.int64]
    probabilities: Floats
    called: NDArray[np.bool_]
    groups: list[str]
    near: NDArray[np.int64]
    off: Floats

    @staticmethod
    def of(folds: Sequence[Mapping[str, Any]], best_expert: bool = False) -> Predicted | None:
        """What all folds of one seed say together.

        Args:
            folds: Of each, `predictions` as a run's result has it.
            best_expert: Of the best single expert in place of the mixture; None where there is none.
        """
        said = [fold["best_expert" if best_expert else "mixture"] for fold in folds]
        if any(each is None for each in said):
            return None
        probabilities = [np.array(each["probabilities"], np.float64) for each in said]
        called = [
            values >= np.array(each["thresholds"]) for values, each in zip(probabilities, said, strict=True)
        ]
        return Predicted(
            np.concatenate([np.array(fold["truth"], np.int64) for fold in folds]),
            np.concatenate(probabilities),
            np.concatenate(called),
            [fold["groups"][place] for fold in folds for place in fold["group_of"]],
            np.concatenate([np.array(fold["near"], np.int64) for fold in folds]),
            np.concatenate([np.array(fold["off"], np.float64) for fold in folds]),
        )


def measured(predicted: Predicted, draws: GroupDraws) -> dict[str, Floats]:
    """Each of `MEASURES`, float64 (1 + D,): of all frames, then of every draw; NaN where not defined."""
    truth, probabilities = predicted.truth, predicted.probabilities
    present = [k for k in range(probabilities.shape[1]) if (truth == k).any()]
    areas = [area_under_roc(probabilities[:, k], truth == k, draws) for k in present]
    precisions = [average_precision(probabilities[:, k], truth == k, draws) for k in present]
    return {
        "auroc": _mean([np.concatenate(each) for each in areas]),
        "average_precision": _mean([np.concatenate(each) for each in precisions]),
        "f1_at_thresholds": _mean(_f1s(predicted, present, draws)),
        "calibration_error": _calibration_error(predicted, draws),
    }


def average_precision(
    scores: Floats, positive: NDArray[np.bool_], draws: GroupDraws
) -> tuple[Floats, Floats]:
    """Mean precision over the recalls that a positive frame is found at; frames of one score count together.

    Args:
        scores: float64 (N,).
        positive: bool (N,).
        draws: Of the N frames.

    Returns:
        Of all frames (1,), and of each draw (D,); NaN without positive frames.
    """
    order = np.argsort(-scores, kind="stable")
    falling, positives, groups = -scores[order], positive[order], draws.of_frame[order]
    last = np.searchsorted(falling, falling[positives], side="right") - 1
    last_positive = np.cumsum(positives)[last] - 1

    def of(weights: NDArray[np.float32]) -> Floats:
        """float64 (d,) of d draws."""
        seen, won = np.cumsum(weights[:, groups], axis=1)[:, last], weights[:, groups[positives]]
        right = np.cumsum(won, axis=1)[:, last_positive]
        precision = np.divide(right, seen, out=np.zeros_like(seen), where=seen > 0)
        return ratio((won * precision).sum(axis=1, dtype=float), won.sum(axis=1, dtype=float))

    parts = np.split(draws.weights, range(_DRAWS_AT_ONCE, len(draws.weights), _DRAWS_AT_ONCE))
    return of(np.ones((1, draws.count), np.float32)), np.concatenate([of(part) for part in parts])


def _f1s(predicted: Predicted, present: list[int], draws: GroupDraws) -> list[Floats]:
    found = []
    for k in present:
        of_class, called = predicted.truth == k, predicted.called[:, k]
        own, drawn = draws.sums(np.stack([of_class & called, of_class, called], axis=1).astype(float))
        sums = np.concatenate([own, drawn])
        # In a draw without frames of a class nothing can be said of it.
        found.append(np.where(sums[:, 1] > 0, ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2]), np.nan))
    return found


def _calibration_error(predicted: Predicted, draws: GroupDraws) -> Floats:
    """Mean over frames of the gap of confidence and accuracy in their bin, as in `evaluation.reliability`."""
    confidence = predicted.probabilities.max(axis=1)
    right = predicted.probabilities.argmax(axis=1) == predicted.truth
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    columns = np.zeros((len(bins), BINS + 1))
    columns[np.arange(len(bins)), bins] = confidence - right
    columns[:, BINS] = 1
    sums = np.concatenate(draws.sums(columns))
    return ratio(np.abs(sums[:, :BINS]).sum(axis=1), sums[:, BINS])


def _mean(of_classes: Sequence[Floats]) -> Floats:
    """Over the classes that are defined."""
    values = np.stack(of_classes)
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0).sum(axis=0), known.sum(axis=0).astype(float))


def beside_planes(predicted: Predicted) -> dict[str, float]:
    """By how far off: the chance that a plane scores above its own neighbours, mean over the planes.

    Of sets that are not hard nothing is said.
    """
    found: dict[str, float] = {}
    for off in np.unique(predicted.off[predicted.off > 0]):
        areas = []
        for plane in np.unique(predicted.near[predicted.near >= 0]):
            on = predicted.truth == plane
            among = on | ((predicted.near == plane) & (predicted.off == off) & ~on)
            scores = predicted.probabilities[among, plane]
            areas.append(float(area_under_roc(scores, on[among], _none(int(among.sum())))[0][0]))
        if np.isfinite(areas).any():
            found[f"{off:g}"] = float(np.nanmean(areas))
    return found


def _none(frames: int) -> GroupDraws:
    """No draws, for what is only asked of all frames."""
    return GroupDraws(["all"] * frames, draws=0)


def judged(probabilities: NDArray[Any], labels: NDArray[np.int64], thresholds: Floats) -> dict[str, float]:
    """The measures that no probability's size decides, of all frames.

    Args:
        probabilities: float (N, K).
        labels: int64 (N,).
        thresholds: float64 (K,).
    """
    plain = np.asarray(probabilities, np.float64)
    nowhere = np.full(len(labels), -1, np.int64)
    predicted = Predicted(labels, plain, plain >= thresholds, [], nowhere, np.zeros(len(labels)))
    found = measured(predicted, _none(len(labels)))
    return {name: float(found[name][0]) for name in ("auroc", "average_precision", "f1_at_thresholds")}


def macro_auroc(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Mean over the classes that frames are of; NaN where all are of one class."""
    return judged(probabilities, labels, np.full(probabilities.shape[1], 0.5))["auroc"]


def best_thresholds(probabilities: NDArray[Any], labels: NDArray[np.int64]) -> Floats:
    """float64 (K,): from which probability on calling a class gives the best F1 of that class alone.

    Halfway to the next lower probability; 0.5 of a class that no frame is of.

    Args:
        probabilities: float (N, K).
        labels: int64 (N,).
    """
    found = np.full(probabilities.shape[1], 0.5)
    for k in range(len(found)):
        scores, positive = np.asarray(probabilities[:, k], np.float64), labels == k
        if not positive.any():
            continue
        order = np.argsort(-scores, kind="stable")
        falling = scores[order]
        right, called = np.cumsum(positive[order]), np.arange(1, len(order) + 1)
        f1 = 2 * right / (called + positive.sum())
        ends = np.append(falling[1:] < falling[:-1], True)  # frames of one probability are called together
        best = int(np.argmax(np.where(ends, f1, -1)))
        found[k] = (falling[best] + falling[best + 1]) / 2 if best + 1 < len(order) else falling[best]
    return found
