"""From the network's numbers to predictions: temperature, novelty, NSP's share. Used by every runtime.

Shapes: N frames, K classes, E experts, F features, M centres, R whitened axes, h x w map cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import RuntimeFault
from semc_core.language import _
from semc_core.model.file import NOVELTY
from semc_core.model.spec import ModelSpec
from semc_core.types import Prediction

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RawOutput:
    """What a runtime computes of N frames, before calibration.

    Attributes:
        logits: float32 (N, K).
        expert_weights: float32 (N, E).
        maps: float32 (N, K, h, w), class activation maps.
        pooled: float32 (N, F), the features before the classifiers, averaged over space and experts; the
            novelty is measured on it.
    """

    logits: NDArray[np.float32]
    expert_weights: NDArray[np.float32]
    maps: NDArray[np.float32]
    pooled: NDArray[np.float32]


class Calibrator:
    """Applies a model file's `Calibration`; see there for the equations."""

    def __init__(self, spec: ModelSpec, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        self._temperature = spec.calibration.temperature
        self._slope = spec.calibration.novelty_slope
        self._direction = spec.calibration.novelty_direction
        self._non_standard = spec.classes.index(spec.none_class)
        planes = spec.calibration.novelty_planes or spec.planes
        self._measured = np.array([name in planes for name in spec.classes])
        self._others = ~self._measured
        self._others[self._non_standard] = False
        self._novelty: tuple[Floats, Floats, float] | None = None
        if NOVELTY[0] in arrays:
            mean, whiten, limit = (arrays[name].astype(np.float64) for name in NOVELTY)
            # Whitening the centres once leaves one small product per frame.
            self._novelty = (mean @ whiten, whiten, float(limit))

    def predictions(self, raw: RawOutput) -> list[Prediction]:
        """One prediction per frame, all finite; each depends on its own frame alone.

        Raises:
            RuntimeFault: A number is not finite.
        """
        for values in (raw.logits, raw.expert_weights, raw.maps, raw.pooled):
            _check_finite(values)
        predictions = [
            self._prediction(raw.logits[i], raw.expert_weights[i], raw.maps[i], raw.pooled[i])
            for i in range(len(raw.logits))
        ]
        for prediction in predictions:
            _check_finite(prediction.probabilities)
        return predictions

    def novelty(self, pooled: NDArray[np.float32]) -> float:
        """Distance of features (F,) from the nearest centre, 1.0 at the limit; 0.0 if not measured."""
        if self._novelty is None:
            return 0.0
        centres, whiten, limit = self._novelty
        features = pooled.astype(np.float64)
        if self._direction:
            features = direction(features)
        differences = features @ whiten - centres  # (M, R)
        return float(np.sqrt((differences**2).sum(axis=1).min()) / limit)

    def _is_measured(self, probabilities: Floats) -> bool:
        """Whether the surest plane is one that the novelty knows."""
        if not self._others.any():
            return True
        return bool(probabilities[self._measured].max() > probabilities[self._others].max())

    def _prediction(
        self,
        logits: NDArray[np.float32],
        expert_weights: NDArray[np.float32],
        maps: NDArray[np.float32],
        pooled: NDArray[np.float32],
    ) -> Prediction:
        probabilities = _softmax(logits.astype(np.float64) / self._temperature)
        novelty = self.novelty(pooled) if self._is_measured(probabilities) else 0.0
        if self._slope > 0:
            kept = probabilities * (1 - _sigmoid((novelty - 1) * self._slope))
            kept[self._non_standard] = 0
            kept[self._non_standard] = 1 - kept.sum()
            probabilities = kept
        return Prediction(
            probabilities=_frozen(probabilities),
            novelty=novelty,
            maps=_frozen(maps),
            expert_weights=_frozen(expert_weights),
        )


def direction(features: Floats) -> Floats:
    """float64 (..., F) of length 1; nothing stays nothing."""
    lengths = np.linalg.norm(features, axis=-1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0, lengths, 1.0), np.float64)


def _check_finite(values: NDArray[np.float32]) -> None:
    if not np.isfinite(values).all():
        raise RuntimeFault(
            _("The model gave numbers that are not finite; load another model file or use the CPU.")
        )


def _softmax(logits: Floats) -> Floats:
    exponentials = np.exp(logits - logits.max())
    result: Floats = exponentials / exponentials.sum()
    return result


def _sigmoid(value: float) -> float:
    return float(0.5 * (1 + np.tanh(0.5 * value)))


def _frozen(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """A float32 copy that nobody can write to: runtimes reuse their own buffers."""
    copy = np.array(values, dtype=np.float32)
    copy.flags.writeable = False
    return copy
