"""The one sequence every frame goes through, live or from a file.

quality -> crop -> prepare -> classify -> smoothing -> hysteresis -> detector

`PreparationStage` is what comes before the model and depends on the frames alone; `DecisionStage` is what
comes after and depends on the predictions in order. The two share nothing, so a file's frames can be looked
at on one thread while another classifies them. Live runs one frame at a time, files a batch: the same
detections.

Turning the jumpy probabilities of single frames into steady ones.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from semc_core.errors import ModelFileError
from semc_core.imaging import quality
from semc_core.imaging.colour import is_coloured
from semc_core.imaging.crop import CropTracker
from semc_core.imaging.preprocess import Outline, Preprocessing, prepare, whole
from semc_core.imaging.score.measures import Measures
from semc_core.imaging.score.meter import FrameMeasures, QualityMeter
from semc_core.imaging.score.parts import score
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.detector import RESET_GAP_S, PlaneDetector, PlaneHysteresis
from semc_core.runtime.base import Runtime
from semc_core.types import (
    Crop,
    FramePacket,
    FrameResult,
    HoldEvent,
    Prediction,
    Quality,
    SourceInfo,
    Thresholds,
)

_NO_PLANE_IN_SIGHT: Final = 0.7
"""Probability of "none of these" above which the quality is measured now and then only: it is near 0."""
_GUIDE_EVERY_S: Final = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class PreparedFrame:
    """A frame ready for the model.

    Attributes:
        packet: The frame.
        picture: "live", "frozen", "black", "flat", "no signal" or "colour" (over the picture, as of Doppler).
        moving: Whether the picture differs from the one before.
        crop: Region of interest.
        inputs: float32 (C, h, w) for the model; None if the frame is not to be classified.
        measured: Of the picture's quality; None if the frame is not to be classified.
        outline: Of the sector in the region of interest; () where only a box is known.
    """

    packet: FramePacket
    picture: str
    moving: bool
    crop: Crop
    inputs: NDArray[np.float32] | None
    measured: FrameMeasures | None = None
    outline: Outline = ()


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A result, and what the detector made of it."""

    result: FrameResult
    events: list[HoldEvent]


class PreparationStage:
    """Quality of the picture, region of interest and preprocessing. Called by one thread."""

    def __init__(self, preprocessing: Preprocessing, *, stills: bool = False) -> None:
        """Start afresh; with `stills` at every picture, so that none says anything of the next.

        From now on OpenCV has no threads of its own in this process: pictures are small, and to wake and
        await threads took a tenth of the processor time of preparing, on cores that decoder and network need.
        """
        cv2.setNumThreads(1)
        self._preprocessing = preprocessing
        self._stills = stills
        self._fixed: Crop | None = None
        self._forget()

    def _forget(self) -> None:
        self._guard = quality.QualityGate()
        self._meter = QualityMeter()
        self._tracker = CropTracker()
        self._tracker.fix(self._fixed)
        self._crop: Crop | None = self._fixed

    def fix_crop(self, crop: Crop | None) -> None:
        """Use `crop` from the next frame on; None finds it automatically again."""
        self._tracker.fix(crop)
        self._crop = self._fixed = crop

    def look(self, packet: FramePacket) -> PreparedFrame:
        """Judge and prepare one frame.

        Of a black screen the region of interest is not asked: it says nothing of where it is. Of a frozen one
        it is: what stands still may be the saved picture beside the live one.
        """
        if self._stills:
            self._forget()
        gray = packet.gray
        seen = self._guard.update(packet, _inside_or_whole(self._crop, gray))
        inputs, measured, picture = None, None, seen.picture
        if seen.picture in (quality.LIVE, quality.FROZEN):
            self._crop = self._tracker.update(packet.picture)
        crop = _inside_or_whole(self._crop, gray)
        outline = self._tracker.outline if crop == self._crop else ()
        if picture == quality.LIVE and is_coloured(packet.picture, crop, outline):
            picture = quality.COLOUR
        if picture == quality.LIVE:
            inputs = prepare(gray, crop, self._preprocessing, outline)
            measured = self._meter.update(packet, crop, outline, moving=seen.moving)
        return PreparedFrame(packet, picture, seen.moving, crop, inputs, measured, outline)


def inside(crop: Crop, pixels: NDArray[np.uint8]) -> Crop | None:
    """The part of `crop` inside the frame, (H, W) or (H, W, 3); None if there is none."""
    height, width = pixels.shape[:2]
    left, top = max(0, crop.left), max(0, crop.top)
    right, bottom = min(width, crop.left + crop.width), min(height, crop.top + crop.height)
    return Crop(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _inside_or_whole(crop: Crop | None, pixels: NDArray[np.uint8]) -> Crop:
    """The part of `crop` inside the frame; the whole frame if there is none (the frame's size changed)."""
    return (crop and inside(crop, pixels)) or whole(pixels)


class DecisionStage:
    """Smoothing, the steady label and the detector. Called by one thread, in the order of the frames."""

    def __init__(
        self,
        classes: tuple[str, ...],
        thresholds: Thresholds,
        numbers: Iterator[int] | None = None,
        none_class: str = NON_STANDARD,
        quality_of: Callable[[PreparedFrame], Quality | None] | None = None,
    ) -> None:
        """Start afresh.

        Args:
            classes: Names in the order of the probabilities.
            thresholds: When a plane counts as held.
            numbers: Where hold numbers come from.
            none_class: Which class says "none of these". Results are labelled `NON_STANDARD` all the same.
            quality_of: Replaces the judgement of the picture, for a log that has none.

        Raises:
            ModelFileError: The model has no class for "none of these".
        """
        if none_class not in classes:
            raise ModelFileError(
                _(
                    "The model has no class {name} (none of these); choose a model trained with one.",
                    name=none_class,
                )
            )
        self._classes = classes
        self._smoother = ProbabilitySmoother(thresholds.smoothing_s)
        self._hysteresis = PlaneHysteresis(classes, thresholds, none_class)
        self._detector = PlaneDetector(classes, thresholds, numbers=numbers)
        self._quality_of = quality_of
        self._nothing = np.zeros(len(classes), np.float32)
        self._none = classes.index(none_class)
        self._nothing[self._none] = 1.0
        self._alone = thresholds.smoothing_s == 0
        self._lately: tuple[Measures, Crop, float] | None = None

    def conclude(self, prepared: PreparedFrame, prediction: Prediction | None) -> Decision:
        """Make the result of the next frame.

        A frozen picture keeps the probabilities of the picture that froze; one that is black or flat, has
        colour over it, or is a card's own, is NSP at once. Predictions are finite: a
        runtime raises rather than give another.
        """
        time_s = prepared.packet.pts_s
        smoothed: NDArray[np.float32] | None = None
        if prediction is not None:
            smoothed = self._smoother.update(prediction.probabilities, time_s)
        elif prepared.picture == quality.FROZEN:
            smoothed = self._smoother.hold(time_s)
        if smoothed is None:
            smoothed = self._smoother.set(self._nothing, time_s)
        named = self._hysteresis.update(smoothed)
        index = self._none if named is None else named
        result = FrameResult(
            packet=prepared.packet,
            prediction=prediction,
            smoothed=smoothed,
            label=NON_STANDARD if named is None else self._classes[named],
            confidence=float(smoothed[index]),
            crop=prepared.crop,
            picture=prepared.picture,
            classified_s=time.monotonic(),
            moving=prepared.moving,
            # Logged with the frame, so that the detector's choice can be repeated without the pictures.
            quality=self._judged(prepared, prediction, named),
            outline=prepared.outline,
        )
        return Decision(result, self._detector.update(result, moving=prepared.moving))

    def _judged(
        self, prepared: PreparedFrame, prediction: Prediction | None, named: int | None
    ) -> Quality | None:
        if self._quality_of is not None:
            return self._quality_of(prepared)
        if prepared.measured is None or prediction is None:
            return None
        if named is not None or prediction.probabilities[self._none] < _NO_PLANE_IN_SIGHT:
            return judged(prepared.measured.measures(), prediction, named, self._none)
        return judged(self._measured_lately(prepared, prepared.measured), prediction, named, self._none)

    def _measured_lately(self, prepared: PreparedFrame, measured: FrameMeasures) -> Measures:
        """Of this frame or of one shortly before: good enough to say how to come to a plane."""
        time_s = prepared.packet.pts_s
        if self._lately is not None and not self._alone:
            measures, crop, then_s = self._lately
            if crop == prepared.crop and 0 <= time_s - then_s < _GUIDE_EVERY_S:
                return measures
        self._lately = measured.measures(), prepared.crop, time_s
        return self._lately[0]

    def finish(self) -> list[HoldEvent]:
        """The scan is over."""
        return self._detector.finish()


def judged(measures: Measures, prediction: Prediction, named: int | None, none: int) -> Quality:
    """The quality of a picture as one of the named plane, else of the most probable one.

    Args:
        measures: Of the picture.
        prediction: Of this frame alone.
        named: Class number of the plane, or None.
        none: Class number of "none of these".
    """
    planes = np.where(np.arange(len(prediction.probabilities)) == none, -1.0, prediction.probabilities)
    return score(measures, float(planes[int(planes.argmax()) if named is None else named])).quality


def classify(runtime: Runtime, batch: Sequence[PreparedFrame]) -> list[Prediction | None]:
    """The model's answer to each frame of `batch`, in order; None where there is nothing to classify.

    Raises:
        RuntimeFault: The model could not be run.
    """
    wanted = [prepared.inputs for prepared in batch if prepared.inputs is not None]
    answers = iter(runtime.classify(np.stack(wanted)) if wanted else [])
    return [None if prepared.inputs is None else next(answers) for prepared in batch]


class LastAnswer:
    """The model's answer to one frame after the other, asked once for what is the same to the bit.

    A card of 60 frames/s sends each picture of a scanner that has 25 two or three times.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._inputs: NDArray[np.float32] | None = None
        self._answer: Prediction | None = None

    def of(self, prepared: PreparedFrame) -> Prediction | None:
        """The answer; None where there is nothing to classify.

        Raises:
            RuntimeFault: The model could not be run.
        """
        inputs = prepared.inputs
        if inputs is None:
            return None
        if self._answer is None or self._inputs is None or not np.array_equal(inputs, self._inputs):
            (self._answer,) = classify(self._runtime, [prepared])
            self._inputs = inputs
        return self._answer


def chosen_thresholds(spec: ModelSpec, asked: Thresholds | None, source: SourceInfo) -> Thresholds:
    """The user's thresholds, or the model file's; of stills only the level that a plane must reach."""
    chosen = spec.thresholds if asked is None else asked
    return alone(chosen) if source.stills else chosen


def alone(thresholds: Thresholds) -> Thresholds:
    """For a picture that stands for itself: no smoothing, no hold, no memory of the plane before."""
    # What is entered at a level is left right below it: then no picture keeps the name of the one before.
    just_below = math.nextafter(thresholds.enter, 0.0)
    return Thresholds(thresholds.enter, just_below, min_hold_s=0.0, smoothing_s=0.0, merge_gap_s=0.0)


class ProbabilitySmoother:
    """Exponential smoothing over presentation time, so that the frame rate does not matter.

    p_s(t) = p_s(t') + (1 - exp(-(t - t') / tau)) (p(t) - p_s(t')), with tau in seconds. The first frame, and
    the first after a gap of more than `RESET_GAP_S`, is taken as it is. Convex, so sums stay 1.
    """

    def __init__(self, time_constant_s: float) -> None:
        self._time_constant_s = time_constant_s
        self._state: NDArray[np.float64] | None = None
        self._time_s = 0.0

    def update(self, probabilities: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """The smoothed probabilities at `time_s`.

        Args:
            probabilities: float32 (K,), of the frame at `time_s` alone.
            time_s: Presentation time; a time that does not advance leaves the state as it is.

        Returns:
            float32 (K,), read-only.
        """
        new = probabilities.astype(np.float64)
        elapsed_s = time_s - self._time_s
        if self._state is None or elapsed_s > RESET_GAP_S or elapsed_s < -RESET_GAP_S:
            self._state = new
        elif elapsed_s > 0:
            self._state = self._state + self._gain(elapsed_s) * (new - self._state)
        self._time_s = time_s
        return self._output()

    def set(self, probabilities: NDArray[np.float32], time_s: float) -> NDArray[np.float32]:
        """Forget the past: from now on the state is `probabilities`."""
        self._state, self._time_s = probabilities.astype(np.float64), time_s
        return self._output()

    def hold(self, time_s: float) -> NDArray[np.float32] | None:
        """Keep the state over a frame that adds nothing (a frozen picture); None before the first frame."""
        self._time_s = time_s
        return None if self._state is None else self._output()

    def _gain(self, elapsed_s: float) -> float:
        if self._time_constant_s <= 0:
            return 1.0
        return 1.0 - math.exp(-elapsed_s / self._time_constant_s)

    def _output(self) -> NDArray[np.float32]:
        assert self._state is not None
        smoothed = self._state.astype(np.float32)
        smoothed.flags.writeable = False
        return smoothed
