"""Accuracy, precision, recall, F1 and area under the ROC curve, in all and per class, with intervals.

The values are torchmetrics' (held to it by tests); the intervals need them of a thousand draws at once.

Shapes: N frames, K classes, D draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semc_core.groups.bootstrap import Estimate, Floats, GroupDraws, area_under_roc, ratio


@dataclass(frozen=True, slots=True)
class ClassScores:
    """One class against the others.

    Attributes:
        name: Of the class.
        frames: Frames of this class.
        called: Frames that were given this class.
        precision: Of the frames that were given it, the share that is of it.
        recall: Of the frames of it, the share that was given it.
        f1: Harmonic mean of the two.
        auroc: Area under the ROC curve of its probability.
    """

    name: str
    frames: int
    called: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auroc: Estimate


@dataclass(frozen=True, slots=True)
class Scores:
    """All classes together.

    The means are over the classes that frames are of: how well a class is found cannot be told where nothing
    shows it. A frame that is given such a class counts against its own class.

    Attributes:
        accuracy: Share of frames that were given their class.
        precision: Mean over the classes.
        recall: Mean over the classes.
        f1: Mean over the classes.
        auroc: Mean over the classes that have it.
    """

    accuracy: Estimate
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auroc: Estimate


def score(
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    draws: GroupDraws,
) -> tuple[Scores, tuple[ClassScores, ...], NDArray[np.int64]]:
    """Score a classifier.

    Args:
        probabilities: float32 (N, K).
        labels: int64 (N,).
        classes: K names.
        draws: Of the N frames' groups.

    Returns:
        In all, per class, and the confusion matrix, int64 (K, K): rows are the true classes.
    """
    count = len(classes)
    called = probabilities.argmax(axis=1)
    own, drawn = draws.cells(labels * count + called, count * count)
    matrix = own.reshape(count, count)
    here, there = measures(matrix[None]), measures(drawn.reshape(-1, count, count))
    found = [area_under_roc(probabilities[:, k].astype(np.float64), labels == k, draws) for k in range(count)]
    here["areas"], there["areas"] = (np.stack(column, axis=1) for column in zip(*found, strict=True))
    for values in (here, there):
        known = np.isfinite(values["areas"])
        total = np.where(known, values["areas"], 0).sum(axis=1)
        values["auroc"] = ratio(total, known.sum(axis=1).astype(float))
    names = ("accuracy", "precision", "recall", "f1", "auroc")
    whole = {name: draws.estimate(here[name], there[name]) for name in names}
    # A class that only one group has is the same in every draw that has it: that is no interval.
    scarce = [k for k in range(count) if len(np.unique(draws.of_frame[labels == k])) < 2]
    for of in ("precisions", "recalls", "f1s", "areas"):
        there[of][:, scarce] = np.nan
    per_class = tuple(
        ClassScores(
            name,
            int(matrix[k].sum()),
            int(matrix[:, k].sum()),
            draws.estimate(here["precisions"][:, k], there["precisions"][:, k]),
            draws.estimate(here["recalls"][:, k], there["recalls"][:, k]),
            draws.estimate(here["f1s"][:, k], there["f1s"][:, k]),
            draws.estimate(here["areas"][:, k], there["areas"][:, k]),
        )
        for k, name in enumerate(classes)
    )
    return Scores(**whole), per_class, matrix.astype(np.int64)


def measures(matrices: Floats) -> dict[str, Floats]:
    """Measures of confusion matrices, as of all frames, or of each draw.

    Args:
        matrices: float64 (D, K, K), rows are the true classes.

    Returns:
        "accuracy", "precision", "recall", "f1", float64 (D,), as in `Scores`; "precisions", "recalls", "f1s",
        float64 (D, K), as in `ClassScores`, NaN where they are not defined.
    """
    right = np.einsum("dkk->dk", matrices)
    of_class, called = matrices.sum(axis=2), matrices.sum(axis=1)
    present = of_class > 0
    precisions, recalls = ratio(right, called), ratio(right, of_class)
    # In a draw without frames of a class nothing can be said of it.
    f1s = np.where(present, ratio(2 * right, of_class + called), np.nan)

    def mean(values: Floats) -> Floats:
        # As torchmetrics: a class that was never called has precision 0.
        known = np.where(present, np.nan_to_num(values), 0)
        return ratio(known.sum(axis=1), present.sum(axis=1).astype(float))

    return {
        "accuracy": ratio(right.sum(axis=1), of_class.sum(axis=1)),
        "precision": mean(precisions),
        "recall": mean(recalls),
        "f1": mean(f1s),
        "precisions": precisions,
        "recalls": recalls,
        "f1s": f1s,
    }
