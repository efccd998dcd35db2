"""What is said of a classifier on labelled frames: torchmetrics' numbers under our names.

Shapes: N frames, K classes.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

_BINS: Final = 15


def frame_metrics(probabilities: Tensor, labels: Tensor, classes: tuple[str, ...]) -> dict[str, Any]:
    """Accuracy, macro precision, recall and F1, calibration error, and recall and precision per class.

    Args:
        probabilities: float (N, K).
        labels: int64 (N,).
        classes: K names.

    Returns:
        Plain JSON values, all 0-1 but the counts.
    """
    from torchmetrics.functional.classification import (
        multiclass_accuracy,
        multiclass_calibration_error,
        multiclass_f1_score,
        multiclass_precision,
        multiclass_recall,
    )

    count = len(classes)
    given = {"preds": probabilities.float(), "target": labels, "num_classes": count}
    recall = multiclass_recall(**given, average="none")
    precision = multiclass_precision(**given, average="none")
    counts = torch.bincount(labels, minlength=count)
    return {
        "frames": len(labels),
        "accuracy": float(multiclass_accuracy(**given, average="micro")),
        "precision": float(multiclass_precision(**given, average="macro")),
        "recall": float(multiclass_recall(**given, average="macro")),
        "f1": float(multiclass_f1_score(**given, average="macro")),
        "calibration_error": float(multiclass_calibration_error(**given, n_bins=_BINS)),
        "per_class": {
            name: {"frames": int(counts[i]), "recall": float(recall[i]), "precision": float(precision[i])}
            for i, name in enumerate(classes)
        },
    }
