"""Saying something new in a model file: the weights stay, the description and the card follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from semc_core.model.file import read_model, write_model
from semc_core.model.spec import Thresholds
from training.model_card import write_card


def restate(path: Path, metrics: dict[str, Any], thresholds: Thresholds | None = None) -> None:
    """Add metrics to a model file, and new thresholds if given. The file's hash changes with it.

    Args:
        path: Model file; its card beside it, ending .md, is written anew.
        metrics: Plain JSON values by name; those of the same name are replaced.
        thresholds: None keeps the file's.

    Raises:
        ModelFileError: The file is missing or damaged, or cannot be written.
    """
    spec, arrays = read_model(path)
    spec = replace(spec, metrics=spec.metrics | metrics, thresholds=thresholds or spec.thresholds, sha256="")
    write_model(path, spec, arrays)
    write_card(path.with_suffix(".md"), spec)
