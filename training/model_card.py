"""The model card: what a model file says of itself, for people.

Saying something new in a model file: the weights stay, the description and the card follow.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from semc_core.io.atomic import write_atomically
from semc_core.labels import full_name
from semc_core.model.file import read_model, write_model
from semc_core.model.spec import ModelSpec
from semc_core.types import Thresholds


def write_card(path: Path, spec: ModelSpec) -> None:
    """Write the card of a model as Markdown, whole or not at all.

    Raises:
        SaveError: It cannot be written.
    """
    write_atomically(path, card_text(spec).encode())


def card_text(spec: ModelSpec) -> str:
    """The card as Markdown."""
    a, p, t, c = spec.architecture, spec.preprocessing, spec.thresholds, spec.calibration
    lines = [
        f"# Model card: {a.preset}",
        "",
        spec.notice or "No notice.",
        "",
        "Research software, not a medical device.",
        "",
        "## Classes",
        "",
        *[f"- {name}: {full_name(name)}" for name in spec.classes],
        "",
        "## Use",
        "",
        f"- Input: {p.height} x {p.width}, {p.fit}, {a.in_channels} channel(s)",
        f"- Network: SEMC, {a.experts} experts, {a.block} blocks {list(a.layers)}, width {a.width}",
        f"- Calibration: temperature {c.temperature:.3f}, novelty slope {c.novelty_slope:g}",
        f"- Probabilities are smoothed over {t.smoothing_s:g} s",
        f"- A plane is entered at {t.enter:g}, left at {t.leave:g}, and held for {t.min_hold_s:g} s at least",
        "",
    ]
    for title, values in (("Metrics", spec.metrics), ("Provenance", spec.provenance)):
        lines += [f"## {title}", "", *_listed(values, 0), ""]
    return "\n".join(lines)


def _listed(values: dict[str, Any], depth: int) -> list[str]:
    """Nested values as a nested list."""
    lines = []
    for name, value in values.items():
        words = name.replace("_", " ")
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}- {words}:", *_listed(value, depth + 1)]
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            lines.append(f"{'  ' * depth}- {words}: {shown}")
    return lines


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
