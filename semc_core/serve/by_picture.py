"""Which of several models knows the pictures of a loop, where nobody says what was scanned.

Each looks at frames spread over the loop. It knows a frame where it is as sure of a plane as to name it, and
where its own measure does not say that the picture is unlike what it was made for (`Prediction.novelty`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from semc_core.pipeline.stages import PreparationStage
from semc_core.runtime.base import Runtime
from semc_core.sources.base import FrameSource
from semc_core.types import FramePacket, Prediction

LOOKED_AT: Final = 24
"""Frames, of a loop that has so many."""
_EVERY: Final = 10
"""Of a loop that does not say how many frames it has."""


def sampled(source: FrameSource) -> list[FramePacket]:
    """Frames spread over a loop, which is read to its end and stays open.

    Raises:
        SourceError: It cannot be read.
        SourceInterrupted: Somebody wants it to end.
    """
    count = source.info.frame_count
    step = _EVERY if count is None else max(1, count // LOOKED_AT)
    return list(_every(source, step))[:LOOKED_AT]


def _every(source: FrameSource, step: int) -> Iterator[FramePacket]:
    number = 0
    while (packet := source.read()) is not None:
        if number % step == 0:
            yield packet
        number += 1


def known(packets: Sequence[FramePacket], runtime: Runtime) -> int:
    """How many of some frames a model knows.

    Raises:
        RuntimeFault: It could not be run.
    """
    spec = runtime.spec
    # Each stands for itself: they lie too far apart to say anything of one another.
    stage = PreparationStage(spec.preprocessing, stills=True)
    inputs = [prepared.inputs for prepared in map(stage.look, packets) if prepared.inputs is not None]
    none = spec.classes.index(spec.none_class)
    return sum(_is_known(runtime.classify(one[None])[0], none, spec.thresholds.enter) for one in inputs)


def _is_known(prediction: Prediction, none: int, enter: float) -> bool:
    planes = prediction.probabilities.copy()
    planes[none] = 0
    return prediction.novelty <= 1 and float(planes.max()) >= enter


def best_of(counts: Sequence[int]) -> int | None:
    """Place of the model that knows most, the first of equals; None where none knows any."""
    return counts.index(max(counts)) if any(counts) else None
