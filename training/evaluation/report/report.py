"""The evaluation as one HTML page: charts and pictures inside, nothing fetched from anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from semc_core.export.report.html import html_page
from semc_core.text import counted
from training.data.frame_set import FrameSet
from training.evaluation.evaluate import UNKNOWN_SOURCE
from training.evaluation.predictions import Answers, Judge
from training.evaluation.report.charts import (
    classes_chart,
    confusion_chart,
    embedding_chart,
    reliability_chart,
    risk_chart,
)
from training.evaluation.report.embedding import embed
from training.evaluation.report.pictures import Shown, typical_frames, worst_mistakes
from training.evaluation.result import Result

_TEMPLATE: Final = "evaluation.html.j2"


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What the page shows.

    Attributes:
        result: The numbers.
        charts: SVG by name: confusion, classes, reliability, risk, embedding (None where there is none).
        mistakes: See `worst_mistakes`.
        typical: See `typical_frames`.
        embedded: Points in the chart of the features.
        simulated: See `evaluate.summary`; empty if no whole scans were judged.
    """

    result: Result
    charts: dict[str, bytes | None]
    mistakes: list[Shown] = field(default_factory=list)
    typical: list[Shown] = field(default_factory=list)
    embedded: int = 0
    simulated: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Model and data."""
        return f"{self.result.model['name']} on {self.result.data.get('name', 'labelled frames')}"

    @property
    def notices(self) -> list[str]:
        """What the reader must know before the numbers."""
        said = [self.result.model.get("notice", ""), *self.result.data.get("notes", ()), *self.result.notes]
        return [sentence for sentence in said if sentence]

    @property
    def made(self) -> list[tuple[str, str]]:
        """(title, value) of how it was made."""
        model, data = self.result.model, self.result.data
        between = data["frames_between"]
        rows = [
            ("Model", model["name"]),
            ("SHA-256 of its file", model.get("sha256", "")),
            ("Ran on", model.get("ran_on", "")),
            ("Data", data.get("name", "")),
            ("Split", data.get("split", "")),
            ("Frames between", f"{between} neither clearly standard nor clearly not" if between else ""),
            (
                "Intervals",
                f"{counted(self.result.draws, 'draw')} of {counted(self.result.groups, 'group')}, "
                "percentiles 2.5, 97.5",
            ),
        ]
        return [(title, str(value)) for title, value in rows if value]


def make_report(
    result: Result,
    pictures: tuple[Judge, FrameSet, Answers] | None = None,
    simulated: dict[str, Any] | None = None,
) -> Report:
    """Draw the charts and choose the pictures.

    Args:
        result: The numbers.
        pictures: The model, the frames and its answers; None for a page of numbers alone.
        simulated: See `Report`.

    Raises:
        RuntimeFault: The model could not be run.
    """
    charts: dict[str, bytes | None] = {
        "confusion": confusion_chart(result),
        "classes": classes_chart(result),
        "reliability": reliability_chart(result.reliability, result.reliability_before),
        "risk": risk_chart(result.risk),
        "embedding": None,
    }
    if pictures is None:
        return Report(result, charts, simulated=simulated or {})
    judge, data, answers = pictures
    charts["embedding"], embedded = _embedding(data, answers)
    mistakes, typical = worst_mistakes(judge, data, answers), typical_frames(judge, data, answers)
    return Report(result, charts, mistakes, typical, embedded, simulated or {})


def _embedding(data: FrameSet, answers: Answers) -> tuple[bytes | None, int]:
    """The chart of the features of the clear frames, and of how many."""
    clear = np.flatnonzero(~data.is_ambiguous())
    if answers.features is None:
        return None, 0
    found = embed(answers.features[clear], data.labels.numpy()[clear])
    if found is None:
        return None, 0
    best = answers.probabilities.argmax(axis=1)
    places = [int(place) for place in clear[found.places]]
    drawn = embedding_chart(
        found,
        [data.classes[int(data.labels[place])] for place in places],
        [data.classes[int(best[place])] for place in places],
        [data.rows[place].source or UNKNOWN_SOURCE for place in places],
        data.classes,
    )
    return drawn, len(places)


def html_report(report: Report) -> bytes:
    """The page, UTF-8. Whatever comes from the data is escaped."""
    return html_page(_TEMPLATE, report=report, counted=counted)
