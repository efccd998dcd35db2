"""The evaluation as one HTML page: charts and pictures inside, nothing fetched from anywhere.

An evaluation in the terminal.

The surest mistakes, and a right frame of each class, each with what the model looked at.

Shapes: N frames, h x w pixels.

The files of an evaluation: numbers for programs, a page for people, and every frame's answer.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from semc_core.export.report.html import html_page
from semc_core.groups.bootstrap import Estimate
from semc_core.imaging.heatmap import blend, heat_map
from semc_core.imaging.preprocess import whole
from semc_core.io.atomic import write_atomically
from semc_core.model.spec import ModelSpec
from semc_core.text import counted, readable
from semc_core.types import Prediction
from training.data.frame_set import FrameSet
from training.data.index import Sample
from training.evaluation.predictions import Predictions, Predictor
from training.evaluation.report.charts import (
    classes_chart,
    confusion_chart,
    embed,
    embedding_chart,
    reliability_chart,
    risk_chart,
)
from training.evaluation.result import UNKNOWN_SOURCE, FalsePositives, Part, Result
from training.run_folder import make_folder

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
    pictures: tuple[Predictor, FrameSet, Predictions] | None = None,
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


def _embedding(data: FrameSet, answers: Predictions) -> tuple[bytes | None, int]:
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


def result_tables(result: Result) -> list[Table]:
    """In all, per class, per source and kind, where no plane is."""
    found = [_overall(result), _classes(result)]
    if len(result.by_source) > 1:
        found.append(_parts("source", result.by_source))
    if result.by_kind:
        found.append(_parts("kind", result.by_kind))
    if result.alarms:
        found.append(alarm_table(result.alarms))
    return found


def _overall(result: Result) -> Table:
    title = f"{counted(result.frames, 'frame')}, {counted(result.groups, 'group')}"
    table = Table("measure", "value", "95 % interval", title=title)
    rows: list[tuple[str, Estimate]] = [
        ("accuracy", result.scores.accuracy),
        ("precision, mean of classes", result.scores.precision),
        ("recall, mean of classes", result.scores.recall),
        ("F1, mean of classes", result.scores.f1),
        ("AUROC, mean of classes", result.scores.auroc),
    ]
    if result.reliability_before is not None:
        rows.append(("calibration error before", result.reliability_before.error))
    rows += [
        ("calibration error as shown", result.reliability.error),
        ("planes found at the threshold", result.point.found),
        ("of these right", result.point.precision),
        ("called a plane without one", result.point.false_alarms),
    ]
    for name, estimate in rows:
        table.add_row(name, _value(estimate), _interval(estimate))
    return table


def _classes(result: Result) -> Table:
    table = Table("class", "frames", "called", "precision", "recall", "F1", "F1, 95 %", "AUROC")
    for own in result.per_class:
        values = (
            _value(own.precision),
            _value(own.recall),
            _value(own.f1),
            _interval(own.f1),
            _value(own.auroc),
        )
        table.add_row(own.name, str(own.frames), str(own.called), *values)
    return table


def _parts(first: str, parts: tuple[Part, ...]) -> Table:
    table = Table(
        first, "frames", "groups", "accuracy", "95 % interval", "F1", "calibration error", "called a plane"
    )
    for part in parts:
        values = (part.accuracy, part.f1, part.calibration_error, part.called_a_plane)
        accuracy, *others = (_value(each) for each in values)
        counts = (str(part.frames), str(part.groups))
        table.add_row(part.name, *counts, accuracy, _interval(part.accuracy), *others)
    return table


def alarm_table(alarms: tuple[FalsePositives, ...]) -> Table:
    """What was found where no plane is."""
    table = Table(
        "no planes in", "frames", "called a plane", "reach the threshold", "minutes", "saved", "per minute"
    )
    for own in alarms:
        shares = [f"{count / own.frames:.2%}" for count in (own.called, own.above_threshold)]
        saved = ["-", "-", "-"]
        if own.saved_per_minute is not None:
            saved = [f"{own.minutes:.1f}", str(own.saved), f"{own.saved_per_minute:.2f}"]
        table.add_row(own.name, str(own.frames), *shares, *saved)
    return table


def _value(estimate: Estimate) -> str:
    return "-" if estimate.value is None else f"{estimate.value:.3f}"


def _interval(estimate: Estimate) -> str:
    return "-" if estimate.low is None else f"{estimate.low:.3f}–{estimate.high:.3f}"


_MISTAKES: Final = 12
_OF_ONE_GROUP: Final = 2
_QUALITY: Final = 88


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame for people.

    Attributes:
        number: Its row in `predictions.csv`, from 1.
        group: See `Row`.
        source: See `Row`.
        truth: Its class.
        called: The class it was given.
        confidence: Probability of `called`, 0-1.
        truth_probability: Probability of `truth`, 0-1.
        novelty: See `Prediction`.
        picture: JPEG, gray.
        for_called: JPEG with the evidence for `called` laid over.
        for_truth: The same for `truth`; None where that is the same class.
    """

    number: int
    group: str
    source: str
    truth: str
    called: str
    confidence: float
    truth_probability: float
    novelty: float
    picture: bytes
    for_called: bytes
    for_truth: bytes | None


def worst_mistakes(
    judge: Predictor, data: FrameSet, answers: Predictions, count: int = _MISTAKES
) -> list[Shown]:
    """The wrong frames that the model was surest of, the surest first, few of one group.

    Frames neither clearly standard nor clearly not are no mistakes either way.
    """
    labels = data.labels.numpy()
    confidence = answers.probabilities.max(axis=1)
    wrong = (answers.probabilities.argmax(axis=1) != labels) & ~data.is_ambiguous()
    taken: Counter[str] = Counter()
    chosen: list[int] = []
    for place in np.argsort(-confidence, kind="stable"):
        group = data.rows[int(place)].group
        if wrong[place] and taken[group] < _OF_ONE_GROUP and len(chosen) < count:
            chosen.append(int(place))
            taken[group] += 1
    return _shown(judge, data, chosen)


def typical_frames(judge: Predictor, data: FrameSet, answers: Predictions) -> list[Shown]:
    """Of each class that has right frames the one with the median confidence, in the order of the classes."""
    labels = data.labels.numpy()
    right = answers.probabilities.argmax(axis=1) == labels
    confidence = answers.probabilities.max(axis=1)
    chosen = []
    for number in range(len(data.classes)):
        places = np.flatnonzero(right & (labels == number))
        if len(places):
            order = places[np.argsort(confidence[places], kind="stable")]
            chosen.append(int(order[len(order) // 2]))
    return _shown(judge, data, chosen)


def _shown(judge: Predictor, data: FrameSet, places: list[int]) -> list[Shown]:
    if not places:
        return []
    predictions = judge.predictions(data.frames[places])
    return [_one(judge.spec, data, place, one) for place, one in zip(places, predictions, strict=True)]


def _one(spec: ModelSpec, data: FrameSet, place: int, prediction: Prediction) -> Shown:
    row, picture = data.rows[place], np.asarray(data.frames[place].numpy())
    truth, called = int(data.labels[place]), int(prediction.probabilities.argmax())
    return Shown(
        number=place + 1,
        group=row.group,
        source=row.source,
        truth=data.classes[truth],
        called=data.classes[called],
        confidence=float(prediction.probabilities[called]),
        truth_probability=float(prediction.probabilities[truth]),
        novelty=prediction.novelty,
        picture=_jpeg(picture),
        for_called=_evidence(spec, picture, prediction, called),
        for_truth=None if truth == called else _evidence(spec, picture, prediction, truth),
    )


def _evidence(spec: ModelSpec, picture: NDArray[np.uint8], prediction: Prediction, number: int) -> bytes:
    heat = heat_map(prediction, number, whole(picture), spec.preprocessing)
    return _jpeg(blend(picture, heat)[..., ::-1])


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """uint8 (h, w) gray or (h, w, 3) BGR."""
    _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(pixels), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(encoded)


RESULT: Final = "result.json"
PAGE: Final = "report.html"
PREDICTIONS: Final = "predictions.csv"


def save_evaluation(
    folder: Path,
    report: Report,
    data: FrameSet,
    answers: Predictions,
    samples: Sequence[Sample] | None = None,
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


def _predictions(data: FrameSet, answers: Predictions, samples: Sequence[Sample] | None) -> bytes:
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
    return readable(text.getvalue()).encode()
