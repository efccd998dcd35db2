"""The features of many frames as points in a plane, neighbours kept together (t-SNE).

Shapes: N frames, F features, n of the frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FRAMES: Final = 1000
_LEAST_FRAMES: Final = 10
_PERPLEXITY: Final = 30.0
_FEATURES: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Points of some of the frames.

    Attributes:
        points: float32 (n, 2).
        places: int64 (n,), which frames they are.
    """

    points: NDArray[np.float32]
    places: NDArray[np.int64]


def embed(
    features: NDArray[np.float32], labels: NDArray[np.int64], count: int = FRAMES, seed: int = 1
) -> Embedding | None:
    """t-SNE of at most `count` frames, of every class alike as far as there are; None if there are too few.

    Args:
        features: float32 (N, F).
        labels: int64 (N,).
        count: Most points.
        seed: Of the choice and the placing.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    places = sample(labels, count, seed)
    chosen = features[places].astype(np.float64)
    if len(places) < _LEAST_FRAMES or not chosen.std(axis=0).any():
        return None
    size = min(_FEATURES, *chosen.shape)
    perplexity = min(_PERPLEXITY, (len(places) - 1) / 3)
    # On one thread: those that wait by spinning take five times as long where other work shares the cores.
    with threadpool_limits(1):
        reduced = PCA(size, random_state=seed).fit_transform(chosen)
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    return Embedding(np.asarray(points, np.float32), places)


def sample(labels: NDArray[np.int64] | Sequence[int], count: int, seed: int) -> NDArray[np.int64]:
    """At most `count` places, int64 (n,) rising, drawn so that rare classes stay whole."""
    labels = np.asarray(labels)
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(labels))
    # Every class is drawn from in turn: the rank of a frame in its own class decides.
    ranks = np.empty(len(labels), np.int64)
    for number in np.unique(labels):
        own = shuffled[labels[shuffled] == number]
        ranks[own] = np.arange(len(own))
    kept = shuffled[np.argsort(ranks[shuffled], kind="stable")][:count]
    return np.sort(kept).astype(np.int64)
