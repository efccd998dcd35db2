"""Pictures that stand for themselves: each through the stages of the live path, with nothing of the last.

A reader's thread prepares the next batch while the caller's classifies; memory holds two batches, however
many pictures there are.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np

from semc_core.imaging.quality import COLOUR
from semc_core.labels import NON_STANDARD
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.stages import DecisionStage, PreparationStage, PreparedFrame, alone, classify
from semc_core.runtime.base import Runtime
from semc_core.types import Crop, FramePacket, Prediction, Quality

BELOW: Final = "below the enter level"
NONE_MORE_PROBABLE: Final = "none is more probable"
UNLIKE: Final = "unlike what the model was made for"
NO_PICTURE: Final = "no ultrasound picture found"
COLOUR_DOPPLER: Final = "colour Doppler"


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """A picture, and where its source says that the ultrasound is."""

    packet: FramePacket
    hint: Crop | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one picture.

    Attributes:
        source_id: Of the packet.
        index: Of the packet.
        plane: The most probable standard plane; "" where the picture was not classified.
        probability: Its calibrated probability, 0-1; None where the picture was not classified.
        named: Whether the plane is the answer; else it is "none of these".
        why: Why there is no plane, one of the constants above; "" where there is.
        crop: The region that was classified, pixels; None where the picture was not.
        quality: Of the picture, as one of the plane; None where it was not classified.
    """

    source_id: str
    index: int
    plane: str
    probability: float | None
    named: bool
    why: str
    crop: Crop | None
    quality: Quality | None


def answers(stills: Iterator[Still], runtime: Runtime, batch: int = 8) -> Generator[Answer, None, None]:
    """Judge picture after picture, in order.

    The region of interest, the preparation and the calibration are those of the window; a plane is the answer
    where its probability reaches the model's enter level.

    Args:
        stills: Read on another thread, and no further than two batches ahead.
        runtime: The model; stays open.
        batch: Pictures per call of the model; the answers do not depend on it.

    Raises:
        RuntimeFault: The model could not be run.
    """
    batches = _prepared(stills, runtime.spec, batch)
    with closing(batches), ThreadPoolExecutor(1, "stills-reader") as reader:
        ahead = reader.submit(next, batches, None)
        while (prepared := ahead.result()) is not None:
            ahead = reader.submit(next, batches, None)
            predictions = classify(runtime, prepared)
            for one, prediction in zip(prepared, predictions, strict=True):
                yield _answer(one, prediction, runtime.spec)


def _prepared(
    stills: Iterator[Still], spec: ModelSpec, batch: int
) -> Generator[list[PreparedFrame], None, None]:
    stage = PreparationStage(spec.preprocessing, stills=True)
    prepared: list[PreparedFrame] = []
    for still in stills:
        stage.fix_crop(still.hint)
        prepared.append(stage.look(still.packet))
        if len(prepared) == batch:
            yield prepared
            prepared = []
    if prepared:
        yield prepared


def _answer(prepared: PreparedFrame, prediction: Prediction | None, spec: ModelSpec) -> Answer:
    stage = DecisionStage(spec.classes, alone(spec.thresholds), none_class=spec.none_class)
    result = stage.conclude(prepared, prediction).result
    named = result.label != NON_STANDARD
    plane, probability = "", None
    why = COLOUR_DOPPLER if prepared.picture == COLOUR else NO_PICTURE
    if prediction is not None:
        known = np.array([name != spec.none_class for name in spec.classes])
        top = int(np.where(known, prediction.probabilities, -1.0).argmax())
        plane, probability = spec.classes[top], float(prediction.probabilities[top])
        why = "" if named else _why_none(prediction, probability, spec)
    return Answer(
        source_id=prepared.packet.source_id,
        index=prepared.packet.index,
        plane=plane,
        probability=probability,
        named=named,
        why=why,
        crop=None if prediction is None else prepared.crop,
        quality=result.quality,
    )


def _why_none(prediction: Prediction, probability: float, spec: ModelSpec) -> str:
    """Of a picture in which no plane reaches the enter level."""
    if prediction.novelty > 1:
        return UNLIKE
    none = float(prediction.probabilities[spec.classes.index(spec.none_class)])
    return NONE_MORE_PROBABLE if none > probability else BELOW
