"""The surest mistakes, and a right frame of each class, each with what the model looked at.

Shapes: N frames, h x w pixels.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.imaging.heatmap import blend, heat_map
from semc_core.imaging.preprocess import whole
from semc_core.model.spec import ModelSpec
from semc_core.types import Prediction
from training.data.frame_set import FrameSet
from training.evaluation.predictions import Answers, Judge

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


def worst_mistakes(judge: Judge, data: FrameSet, answers: Answers, count: int = _MISTAKES) -> list[Shown]:
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


def typical_frames(judge: Judge, data: FrameSet, answers: Answers) -> list[Shown]:
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


def _shown(judge: Judge, data: FrameSet, places: list[int]) -> list[Shown]:
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
