"""The files of an evaluation: numbers for programs, a page for people, and every frame's answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from semc_core.io.atomic import write_atomically
from training.data.frame_set import FrameSet
from training.data.index import Sample
from training.evaluation.predictions import Answers
from training.evaluation.report.report import Report, html_report
from training.run_folder import make_folder

RESULT: Final = "result.json"
PAGE: Final = "report.html"
PREDICTIONS: Final = "predictions.csv"


def save_evaluation(
    folder: Path, report: Report, data: FrameSet, answers: Answers, samples: Sequence[Sample] | None = None
) -> None:
    """Write `result.json`, `report.html` and `predictions.csv`, each whole or not at all.

    Args:
        folder: Made if missing.
        report: What the page shows.
        data: The frames.
        answers: To the frames.
        samples: Where the frames lie, in their order; None where they are not files.

    Raises:
        SaveError: A file cannot be written.
    """
    make_folder(folder)
    write_atomically(folder / PREDICTIONS, _predictions(data, answers, samples))
    write_atomically(folder / PAGE, html_report(report))
    more = {"simulated": report.simulated} if report.simulated else {}
    write_json(folder / RESULT, report.result.as_json() | more)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Plain values as JSON, whole or not at all.

    Raises:
        SaveError: The file cannot be written.
    """
    text = json.dumps(values, indent=2, allow_nan=False, default=float)
    write_atomically(path, (text + "\n").encode())


def _predictions(data: FrameSet, answers: Answers, samples: Sequence[Sample] | None) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    places = ("file", "place") if samples is not None else ()
    table.writerow(
        ["row", *places, "group", "source", "kind", "frame", "label", "called", "novelty"]
        + [f"p {name}" for name in data.classes]
    )
    for number, (row, shares) in enumerate(zip(data.rows, answers.probabilities, strict=True)):
        where = [] if samples is None else [samples[number].path.name, samples[number].frame]
        novelty = "" if answers.novelties is None else f"{answers.novelties[number]:.4f}"
        facts = [row.group, row.source, row.kind, row.frame, row.plane, data.classes[int(shares.argmax())]]
        table.writerow([number + 1, *where, *facts, novelty, *(f"{share:.5f}" for share in shares)])
    return text.getvalue().encode()
