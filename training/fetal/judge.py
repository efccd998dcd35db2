"""How good the fetal model is on patients, countries and sources that it never saw. All intervals by group.

Shapes: N pictures, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from semc_core.groups.bootstrap import Estimate, GroupDraws
from training.fetal.labels import BRAIN, CLASSES, FOUR

NONE: Final = CLASSES.index("NSP")
KEPT: Final = 0.92
"""Share of true planes that a level must keep."""
ENTERED: Final = 0.87
"""Share of true planes that are to be saved."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Answers on pictures that were not learned from.

    Attributes:
        labels: N names of `LABELS`.
        groups: N patients, or what comes nearest.
        sources: N countries; of what shows no fetus, collections.
        probabilities: float64 (N, K), calibrated.
    """

    labels: NDArray[Any]
    groups: NDArray[Any]
    sources: NDArray[Any]
    probabilities: Floats

    def where(self, kept: NDArray[np.bool_]) -> Judged:
        """Only those pictures."""
        return Judged(self.labels[kept], self.groups[kept], self.sources[kept], self.probabilities[kept])

    @property
    def score(self) -> Floats:
        """float64 (N,): probability of the surest plane; the three planes of the brain count as one."""
        brain = self.probabilities[:, : len(BRAIN)].sum(axis=1)
        others = np.delete(self.probabilities, NONE, axis=1)[:, len(BRAIN) :]
        return cast("Floats", np.maximum(brain, others.max(axis=1)))

    @property
    def planes(self) -> NDArray[np.int64]:
        """int64 (N,): the surest plane, none left out."""
        surest = np.delete(self.probabilities, NONE, axis=1).argmax(axis=1)
        return cast("NDArray[np.int64]", surest)


def named_right(judged: Judged) -> NDArray[np.bool_]:
    """bool (N,): whether the surest plane is one that the label, one of `FOUR`, stands for."""
    meant = {label: {CLASSES.index(name) for name in names} for label, names in _coarse().items()}
    return np.array(
        [plane in meant[label] for plane, label in zip(judged.planes, judged.labels, strict=True)], bool
    )


def of_four(judged: Judged) -> Judged:
    """The pictures of the four planes that every country has."""
    return judged.where(np.isin(judged.labels, list(_coarse())))


def four_planes(judged: Judged) -> Estimate:
    """Share of the four planes named right."""
    own = of_four(judged)
    return share(named_right(own), own.groups)


def three_brain_planes(judged: Judged) -> Estimate:
    """Mean over the three planes of the brain of the share told apart from the other two."""
    own = judged.where(np.isin(judged.labels, BRAIN))
    right = own.probabilities[:, : len(BRAIN)].argmax(axis=1) == np.array(
        [BRAIN.index(str(label)) for label in own.labels], int
    )

    def balanced(kept: NDArray[np.int64]) -> float:
        parts = [right[kept][own.labels[kept] == name] for name in BRAIN]
        return float(np.mean([part.mean() for part in parts if len(part)]))

    return estimated(balanced, own.groups)


def enter_level(judged: Judged, kept: float = ENTERED) -> float:
    """The highest level that one plane alone reaches in this share of the four planes, as live asks it.

    The three planes of the brain share what a picture of the brain is worth.
    """
    planes = np.delete(of_four(judged).probabilities, NONE, axis=1)
    return float(np.quantile(planes.max(axis=1), 1 - kept))


def level_that_keeps(judged: Judged, kept: float = KEPT) -> float:
    """The highest level that this share of the four planes reaches."""
    return float(np.quantile(of_four(judged).score, 1 - kept))


def called_a_plane(judged: Judged, level: float) -> Estimate:
    """Of the pictures without a fetus, the share of which a plane reaches the level."""
    own = judged.where(judged.labels == "NSP")
    return share(own.score >= level, own.groups)


def calibration_error(judged: Judged, bins: int = 10) -> Estimate:
    """ECE of the surest of the four planes' probabilities, on pictures of the four planes."""
    own = of_four(judged)
    right, score = named_right(own), own.score

    def error(kept: NDArray[np.int64]) -> float:
        place = np.minimum((score[kept] * bins).astype(int), bins - 1)
        gaps = [
            abs(float(right[kept][place == one].mean() - score[kept][place == one].mean()))
            * float((place == one).mean())
            for one in np.unique(place)
        ]
        return float(np.sum(gaps))

    return estimated(error, own.groups)


def share(right: NDArray[np.bool_], groups: Sequence[str] | NDArray[Any]) -> Estimate:
    """The mean with its interval over groups."""
    return estimated(lambda kept: float(right[kept].mean()), groups)


def estimated(
    measure: Callable[[NDArray[np.int64]], float], groups: Sequence[str] | NDArray[Any]
) -> Estimate:
    """A measure of pictures by their places, and its 95 % interval over draws of whole groups."""
    draws = GroupDraws([str(one) for one in groups], draws=500)
    places = [np.flatnonzero(draws.of_frame == group) for group in range(draws.count)]
    everything = np.arange(len(groups))
    values = [
        measure(
            np.concatenate([np.repeat(places[group], int(times)) for group, times in enumerate(row) if times])
        )
        for row in draws.weights
    ]
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return Estimate(measure(everything), float(low), float(high))


def plain(estimate: Estimate) -> list[float | None]:
    """Value, lower and upper end of the interval, for a file."""
    return [
        None if value is None else round(value, 4) for value in (estimate.value, estimate.low, estimate.high)
    ]


def _coarse() -> dict[str, tuple[str, ...]]:
    return {**FOUR, **dict.fromkeys(BRAIN, BRAIN)}
