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

    The means are over the classes that frames are of: how well a class is found cannot be told where nothing
    shows it. A frame that is called such a class counts against its own class.

    Args:
        probabilities: float (N, K).
        labels: int64 (N,).
        classes: K names.

    Returns:
        Plain JSON values, all 0-1 but the counts; the recall of a class that no frame is of is 0.
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
    f1 = multiclass_f1_score(**given, average="none")
    counts = torch.bincount(labels, minlength=count)
    present = counts > 0
    return {
        "frames": len(labels),
        "accuracy": float(multiclass_accuracy(**given, average="micro")),
        "precision": float(precision[present].mean()),
        "recall": float(recall[present].mean()),
        "f1": float(f1[present].mean()),
        "calibration_error": float(multiclass_calibration_error(**given, n_bins=_BINS)),
        "per_class": {
            name: {"frames": int(counts[i]), "recall": float(recall[i]), "precision": float(precision[i])}
            for i, name in enumerate(classes)
        },
    }
