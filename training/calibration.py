"""After training: honest probabilities, a measure of the unknown, and the thresholds of a hold.

Shapes: N frames, K classes, F features, M centres, R dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.runtime.calibration import direction
from semc_core.types import Thresholds
from training.data.frame_set import FrameSet

_KMEANS_ROUNDS: Final = 25
_TEMPERATURES: Final = (0.05, 20.0)
_ENTER: Final = tuple(hundredths / 100 for hundredths in range(50, 96))
_LEAVE_SHARE: Final = 0.6


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature with the least negative log-likelihood.

    Args:
        logits: float (N, K).
        labels: int64 (N,).
    """
    # The likelihood has one peak in log T, so thirds of the interval can be dropped one after another.
    low, high = (float(np.log(t)) for t in _TEMPERATURES)
    for _ in range(60):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if _likelihood_loss(logits, labels, left) < _likelihood_loss(logits, labels, right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def _likelihood_loss(logits: Tensor, labels: Tensor, log_temperature: float) -> float:
    return float(F.cross_entropy(logits.double() / float(np.exp(log_temperature)), labels))


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """The tensors of `Calibration`: centres float32 (M, F), whitening (F, R), limit ().

    With `of_direction` the features' length does not count; the model file's `Calibration` must say so, too.
    """

    mean: NDArray[np.float32]
    whiten: NDArray[np.float32]
    limit: NDArray[np.float32]
    of_direction: bool = False

    def of(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Novelty (N,) of pooled fused features (N, F); 1 is the limit."""
        seen = _directions(features) if self.of_direction else features
        return _distance(seen, self.mean, self.whiten) / self.limit

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """By their names in the model file."""
        return {"novelty.mean": self.mean, "novelty.whiten": self.whiten, "novelty.limit": self.limit}


def fit_novelty(
    train: NDArray[np.float32],
    labels: NDArray[np.int64],
    held_out: NDArray[np.float32],
    *,
    centres_per_class: int = 4,
    dimensions: int = 64,
    shrinkage: float = 0.05,
    quantile: float = 0.99,
    seed: int = 1,
    of_direction: bool = False,
) -> Novelty:
    """Learn what frames of standard planes look like to the network.

    Args:
        train: float32 (N, F), features of the training patients' standard planes.
        labels: int64 (N,), their classes.
        held_out: float32 (n, F), features of the validation patients' standard planes.
        centres_per_class: k-means centres of each class; M is this times the classes present.
        dimensions: R; directions of most variance within centres. At most F.
        shrinkage: Share of the mean variance mixed into the covariance.
        quantile: Of the held-out distances, which becomes the limit.
        seed: Of k-means.
        of_direction: Whether the features are divided by their length first.

    Raises:
        UsageError: There are no more pictures than centres, or all have the same features.
    """
    rng = np.random.default_rng(seed)
    if of_direction:
        train, held_out = _directions(train), _directions(held_out)
    centres, offsets = [], []
    for label in np.unique(labels):
        own = train[labels == label].astype(np.float64)
        found, nearest = _kmeans(rng, own, min(centres_per_class, len(own)))
        centres.append(found)
        offsets.append(own - found[nearest])
    within = np.concatenate(offsets)
    covariance = within.T @ within / len(within)
    size = len(covariance)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / size * np.eye(size)
    if not np.trace(covariance) > 0:
        raise UsageError(
            "The network tells no two pictures of planes apart; add pictures, or train again with a lower "
            "--rate."
        )
    values, vectors = np.linalg.eigh(covariance)
    kept = min(dimensions, size)
    whiten = (vectors[:, -kept:] / np.sqrt(values[-kept:])).astype(np.float32)
    mean = np.concatenate(centres).astype(np.float32)
    limit = np.quantile(_distance(held_out, mean, whiten), quantile)
    return Novelty(mean, whiten, np.array(limit, np.float32), of_direction)


def _directions(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return direction(features.astype(np.float64)).astype(np.float32)


def _distance(
    features: NDArray[np.float32], mean: NDArray[np.float32], whiten: NDArray[np.float32]
) -> NDArray[np.float32]:
    """float32 (N,): least distance to a centre, after whitening."""
    projected, centres = features @ whiten, mean @ whiten
    squared = ((projected[:, None, :] - centres[None]) ** 2).sum(axis=2)
    return np.asarray(np.sqrt(squared.min(axis=1)), np.float32)


def _kmeans(
    rng: np.random.Generator, points: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Centres (count, F), and the nearest centre of each point."""
    centres = points[rng.choice(len(points), count, replace=False)]
    for _ in range(_KMEANS_ROUNDS):
        nearest = _nearest(points, centres)
        present = [points[nearest == i] for i in range(count)]
        centres = np.stack([own.mean(axis=0) if len(own) else centres[i] for i, own in enumerate(present)])
    return centres, _nearest(points, centres)


def _nearest(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    squared = (points**2).sum(1)[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
    return np.asarray(squared.argmin(axis=1), np.int64)


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """Thresholds chosen for a precision, and what they give on the frames they were chosen on.

    Attributes:
        thresholds: Entering and leaving as chosen; the times are those given.
        precision: Of the found frames, the share that is right; None if none is found.
        found: Of the frames of planes, the share found as theirs; None if there are none.
        reached: Whether `precision` is at least what was wanted.
    """

    thresholds: Thresholds
    precision: float | None
    found: float | None
    reached: bool


def choose_thresholds(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    none: int,
    precision: float,
    base: Thresholds | None = None,
) -> ThresholdChoice:
    """The lowest entering threshold with at least the stated precision among frames.

    A frame counts as found if the surest plane's probability reaches the threshold, and as right if it is of
    that plane. Leaving is at six tenths of entering. Where no threshold is precise enough, the most precise
    is chosen, and `reached` says so.

    Args:
        probabilities: float32 (N, K), calibrated.
        labels: int64 (N,).
        none: The class that says "none of these".
        precision: Wanted, 0-1.
        base: Where the times come from; the usual ones by default.
    """
    planes = np.delete(np.arange(probabilities.shape[1]), none)
    best = planes[probabilities[:, planes].argmax(axis=1)]
    highest = probabilities[:, planes].max(axis=1)
    right = best == labels
    tried = [(enter, highest >= enter) for enter in _ENTER]
    shares = [float(right[found].mean()) if found.any() else None for _, found in tried]
    good = [i for i, share in enumerate(shares) if share is not None and share >= precision]
    chosen = good[0] if good else max(range(len(shares)), key=lambda i: (shares[i] or 0.0, -i))
    enter, found = tried[chosen]
    standard = labels != none
    return ThresholdChoice(
        replace(base or Thresholds(), enter=enter, leave=round(_LEAVE_SHARE * enter, 2)),
        shares[chosen],
        float((found & right)[standard].mean()) if standard.any() else None,
        bool(good),
    )


def fit_thresholds(
    probabilities: NDArray[np.float32],
    data: FrameSet,
    precision: float,
    none_class: str = NON_STANDARD,
) -> Thresholds:
    """`choose_thresholds` on labelled frames, ambiguous ones left out."""
    none = data.classes.index(none_class)
    return choose_thresholds(probabilities, data.labels.numpy(), none, precision).thresholds
