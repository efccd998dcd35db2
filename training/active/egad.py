"""Entropy-guided agreement and diversity (EGAD, arXiv 2601.17460), for classes instead of outlines.

First only frames that the model is least sure of: the third with the greatest predictive entropy. Of these,
one after the other, the frame with the greatest score

    2 - 0.5 cosine similarity - 0.5 mutual information,

both between its features and those of the labelled frame that it is most alike, and both from 0 to 1. A frame
that is chosen counts as labelled from then on, so that neighbours in a video are not chosen together. The
published code takes the entropy of logits, applies softmax twice, and compares raw pixels; here it is
probabilities and features.

Shapes: N frames, K classes, F features, P frames that are still considered, L labelled frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

UNSURE: Final = "unsure"
UNLIKE: Final = "unlike"
_SHARE: Final = 1 / 3
_MOST_BINS: Final = 8
_AT_ONCE: Final = 1024
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Chosen:
    """A frame to label.

    Attributes:
        place: Which of the N frames.
        score: 1 to 2, when it was chosen.
        entropy: Of its probabilities, 0 (sure) to 1 (all classes alike).
        similarity: To the labelled frame that it is most alike, 0 to 1; 0 where nothing was labelled yet.
        information: That the two have in common, 0 to 1.
        reason: `UNSURE` or `UNLIKE`: by which of the two it stands out more among those considered.
    """

    place: int
    score: float
    entropy: float
    similarity: float
    information: float
    reason: str


def predictive_entropy(probabilities: Floats) -> Floats:
    """Entropy of each row of (N, K), in parts of the greatest, log K: float32 (N,), 0 to 1."""
    p = np.asarray(probabilities, np.float64)
    logs = np.log(np.where(p > 0, p, 1.0))
    return np.asarray(-(p * logs).sum(axis=1) / np.log(p.shape[1]), np.float32)


def bins_of(features: Floats) -> NDArray[np.uint8]:
    """Each row's features in bins of equally many, by their order in the row: uint8 (N, F).

    So the information does not depend on how large a network's features are. As many bins as leave about four
    features for each pair of them, two to eight.
    """
    count = features.shape[1]
    bins = int(np.clip(round(np.sqrt(count) / 2), 2, _MOST_BINS))
    places = np.argsort(np.argsort(features, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(places * bins // count, np.uint8)


def shared_information(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Floats:
    """Mutual information of pairs of rows of bins, over the geometric mean of their entropies.

    Args:
        first: uint8 (N, F).
        second: The same.

    Returns:
        float32 (N,), 0 (independent) to 1 (each says the other).
    """
    count, features = first.shape
    bins = 1 + int(max(first.max(initial=0), second.max(initial=0)))
    cells = np.arange(count)[:, None] * bins**2 + first.astype(np.int64) * bins + second
    joint = np.bincount(cells.ravel(), minlength=count * bins**2).reshape(count, bins, bins) / features
    one, other = _entropy(joint.sum(axis=2)), _entropy(joint.sum(axis=1))
    both = _entropy(joint.reshape(count, bins**2))
    return np.asarray(
        np.clip((one + other - both) / np.maximum(np.sqrt(one * other), _TINY), 0, 1), np.float32
    )


def choose(probabilities: Floats, features: Floats, labelled: Floats, budget: int) -> list[Chosen]:
    """The frames to label, the most instructive first.

    Args:
        probabilities: float32 (N, K) of the unlabelled frames.
        features: float32 (N, F) of the same.
        labelled: float32 (L, F), of labelled frames; L may be 0.
        budget: How many to choose; fewer where there are fewer.
    """
    entropy = predictive_entropy(probabilities)
    considered = max(min(budget, len(entropy)), int(np.ceil(_SHARE * len(entropy))))
    pool = np.argsort(-entropy, kind="stable")[:considered]
    scores = _Scores(features[pool], labelled)
    at_first = scores.of_all()
    chosen = []
    for _number in range(min(budget, len(pool))):
        own = scores.best(entropy[pool])
        # Among those considered: is it further ahead in being unlike, or in being unsure?
        unlike = float((at_first < at_first[own]).mean())
        unsure = float((entropy[pool] < entropy[pool[own]]).mean())
        chosen.append(
            Chosen(
                int(pool[own]),
                float(scores.of_all()[own]),
                float(entropy[pool[own]]),
                float(scores.similarity[own]),
                float(scores.information[own]),
                UNLIKE if unlike > unsure else UNSURE,
            )
        )
        scores.take(own)
    return chosen


class _Scores:
    """The scores of P frames while one after the other is taken."""

    def __init__(self, features: Floats, labelled: Floats) -> None:
        self._unit, self._bins = _unit(features), bins_of(features)
        self._cosine = np.full(len(features), -np.inf, np.float32)
        self._taken = np.zeros(len(features), bool)
        self.similarity = np.zeros(len(features), np.float32)
        self.information = np.zeros(len(features), np.float32)
        if len(labelled):
            nearest = np.zeros(len(features), np.int64)
            others = _unit(labelled)
            for first in range(0, len(others), _AT_ONCE):
                cosine = self._unit @ others[first : first + _AT_ONCE].T
                best = cosine.argmax(axis=1)
                greatest = cosine[np.arange(len(cosine)), best]
                nearer = greatest > self._cosine
                self._cosine[nearer], nearest[nearer] = greatest[nearer], first + best[nearer]
            everywhere = np.ones(len(features), bool)
            self._compare(everywhere, bins_of(labelled)[nearest])

    def of_all(self) -> Floats:
        """float32 (P,), 1 to 2."""
        return np.asarray(2 - 0.5 * self.similarity - 0.5 * self.information, np.float32)

    def best(self, entropy: Floats) -> int:
        """The frame with the greatest score that was not taken; of equal ones the least sure."""
        scores = np.where(self._taken, -np.inf, self.of_all())
        equal = np.flatnonzero(scores == scores.max())
        return int(equal[entropy[equal].argmax()])

    def take(self, place: int) -> None:
        """This frame counts as labelled."""
        self._taken[place] = True
        cosine = self._unit @ self._unit[place]
        nearer = (cosine > self._cosine) & ~self._taken
        self._cosine[nearer] = cosine[nearer]
        self._compare(nearer, np.broadcast_to(self._bins[place], (int(nearer.sum()), self._bins.shape[1])))

    def _compare(self, which: NDArray[np.bool_], bins: NDArray[np.uint8]) -> None:
        """New neighbours for some frames: their bins (n, F)."""
        self.similarity[which] = np.clip((1 + self._cosine[which]) / 2, 0, 1)
        self.information[which] = shared_information(self._bins[which], bins)


def _entropy(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row, natural logarithm."""
    result: NDArray[np.float64] = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    return result


def _unit(features: Floats) -> Floats:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, _TINY), np.float32)
