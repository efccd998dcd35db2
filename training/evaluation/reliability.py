"""Whether probabilities can be believed, and what leaving out unsure frames gains.

Shapes: N frames, K classes, B bins, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.groups.bootstrap import Estimate, Floats, GroupDraws, ratio

BINS: Final = 15
COVERAGES: Final = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
_CURVE_POINTS: Final = 101
_LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Reliability:
    """Confidence (the largest probability) against the share that is right.

    Attributes:
        error: Expected calibration error: mean over frames of the gap in their bin.
        likelihood_loss: Mean negative log-likelihood of the true class, nats.
        brier: Mean squared distance of the probabilities from the truth, 0-2.
        counts: Frames in each of B equal bins of 0-1.
        confidences: Mean confidence in each bin; None where it is empty.
        accuracies: Share of right frames in each bin; None where it is empty.
    """

    error: Estimate
    likelihood_loss: Estimate
    brier: Estimate
    counts: tuple[int, ...]
    confidences: tuple[float | None, ...]
    accuracies: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class RiskCurve:
    """The share of wrong frames among those kept, when the least sure are left out.

    Attributes:
        coverages: Share kept, falling from 1.
        risks: Share of wrong frames among these.
        area: Mean risk over all coverages.
        table: (coverage, lowest confidence kept, risk) at the usual coverages.
    """

    coverages: tuple[float, ...]
    risks: tuple[float, ...]
    area: float
    table: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold on the surest plane does to single frames.

    Attributes:
        threshold: Least probability at which a frame counts as a plane.
        found: Share of the frames of planes that are found as theirs.
        precision: Share of the found frames that are right.
        false_alarms: Share of the frames without a plane that are called one.
    """

    threshold: float
    found: Estimate
    precision: Estimate
    false_alarms: Estimate


def reliability(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], draws: GroupDraws
) -> Reliability:
    """Measure calibration.

    Args:
        probabilities: float32 (N, K).
        labels: int64 (N,).
        draws: Of the N frames' groups.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    # A confidence on an edge belongs to the bin below it, so that 1.0 is in the last.
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    one_hot = np.eye(BINS)[bins]
    columns = np.hstack([one_hot, one_hot * confidence[:, None], one_hot * right[:, None]])
    own, drawn = draws.sums(columns)
    counts, sure, hits = own.reshape(3, BINS)
    truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    squared = (probabilities.astype(np.float64) ** 2).sum(axis=1) - 2 * truth + 1
    losses = np.stack([-np.log(np.maximum(truth, _LEAST)), squared], axis=1)
    return Reliability(
        draws.estimate(_calibration_error(own), _calibration_error(drawn)),
        _mean_of(losses[:, 0], draws),
        _mean_of(losses[:, 1], draws),
        tuple(int(count) for count in counts),
        tuple(_optional(ratio(sure, counts))),
        tuple(_optional(ratio(hits, counts))),
    )


def _calibration_error(sums: Floats) -> Floats:
    """float64 (D,) of sums (D, 3 B): counts, confidences, hits."""
    counts, sure, hits = np.split(sums, 3, axis=1)
    return ratio(np.abs(sure - hits).sum(axis=1), counts.sum(axis=1))


def _mean_of(values: Floats, draws: GroupDraws) -> Estimate:
    own, drawn = draws.sums(np.stack([values, np.ones(len(values))], axis=1))
    return draws.estimate(ratio(own[:, 0], own[:, 1]), ratio(drawn[:, 0], drawn[:, 1]))


def _optional(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def risk_curve(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> RiskCurve:
    """Leave out the least sure frames, one after another.

    Args:
        probabilities: float32 (N, K).
        labels: int64 (N,).
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    wrong = probabilities.argmax(axis=1)[order] != labels[order]
    count = len(order)
    risks = np.cumsum(wrong) / np.arange(1, count + 1)

    def kept(coverage: float) -> int:
        return max(1, round(coverage * count))

    places = [kept(coverage) - 1 for coverage in np.linspace(1, 1 / _CURVE_POINTS, _CURVE_POINTS)]
    return RiskCurve(
        tuple((place + 1) / count for place in places),
        tuple(float(risks[place]) for place in places),
        float(risks.mean()),
        tuple(
            (each, float(confidence[order[kept(each) - 1]]), float(risks[kept(each) - 1]))
            for each in COVERAGES
        ),
    )


def operating_point(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    none: int,
    threshold: float,
    draws: GroupDraws,
) -> OperatingPoint:
    """What frames are found with `threshold`.

    Args:
        probabilities: float32 (N, K).
        labels: int64 (N,).
        none: The class that says "none of these".
        threshold: 0-1, for the surest plane.
        draws: Of the N frames' groups.
    """
    planes = np.delete(probabilities, none, axis=1)
    numbers = np.delete(np.arange(probabilities.shape[1]), none)
    called = planes.max(axis=1) >= threshold
    right = called & (numbers[planes.argmax(axis=1)] == labels)
    empty = labels == none
    return OperatingPoint(
        threshold,
        draws.share(right, ~empty),
        draws.share(right, called),
        draws.share(called, empty),
    )
