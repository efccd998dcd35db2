"""From what is measured of a picture to a score from 0 to 100, and to the reasons why it is not more.

Each part has a share from 0 to 1: a smooth step around a limit, never quite 0 or 1, so that of two pictures
the worse has always the lower score. The score is 100 times the square root of their product: the root only
spreads the numbers, so that one weakness leaves room for telling a second.

Why the limits are where they are: docs/quality.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from semc_core.imaging.score.measures import Measures
from semc_core.language import N_
from semc_core.types import Quality

_DIGITS: Final = 2

MOST_TOLD: Final = 2
"""More reasons at once help nobody."""

TOLD_BELOW: Final = 0.75
"""A part with a lower share is a reason that is told."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a picture could be better.

    Attributes:
        name: For tables: "blurred", "too dark", ...
        sentence: For people: what it is, and what helps.
    """

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Score:
    """How good a picture is.

    Attributes:
        value: 0-100, more is better.
        reasons: Why it is not more, the weightiest first; () for a good picture.
        shares: Share of each part by its reason's name, 0-1; without those that are not known.
    """

    value: float
    reasons: tuple[Reason, ...]
    shares: dict[str, float]

    @property
    def quality(self) -> Quality:
        """What is kept of it with a frame."""
        return Quality(self.value, tuple(reason.name for reason in self.reasons[:MOST_TOLD]))


@dataclass(frozen=True, slots=True)
class _Part:
    """`of` gives a number; its share is 1/2 at `limit`, and rises (or falls, `width` < 0) over `width`."""

    reason: Reason
    of: Callable[[Measures], float | None]
    limit: float
    width: float
    weight: float = 0.5

    def share(self, measures: Measures) -> float | None:
        number = self.of(measures)
        return None if number is None else _step(number, self.limit, self.width)


BLURRED: Final = Reason("blurred", N_("Not sharp: set the focus to the depth of the plane."))
DARK: Final = Reason("too dark", N_("Too dark: raise the gain."))
BRIGHT: Final = Reason("too bright", N_("Too bright: lower the gain."))
PALE: Final = Reason("little contrast", N_("Little contrast: lower the dynamic range."))
SMALL: Final = Reason("small", N_("The picture is small: use less depth, or a larger picture."))
ASIDE: Final = Reason("off centre", N_("Off centre: bring the plane to the middle."))
CUT: Final = Reason("cut off", N_("Cut off at the edge: use less zoom, or more depth."))
SHADOW: Final = Reason("shadow", N_("In shadow: tilt the probe, or use more gel."))
MOTION: Final = Reason("moving", N_("Moving: hold the probe still."))
DOUBT: Final = Reason("doubt", N_("The model is not sure of the plane: adjust the view."))

_PARTS: Final = (
    _Part(BLURRED, lambda it: it.detail, -2.9, 0.65, weight=0.9),
    _Part(DARK, lambda it: math.log2(it.highlights + 1), math.log2(58), 0.22),
    _Part(BRIGHT, lambda it: math.log(it.saturated + 0.001), math.log(0.15), -0.3),
    _Part(PALE, lambda it: it.contrast, 0.15, 0.025),
    _Part(SMALL, lambda it: it.size, 0.35, 0.13),
    _Part(ASIDE, lambda it: it.off_centre, 0.2, -0.04),
    _Part(CUT, lambda it: it.cut_off, 0.95, -0.03, weight=0.06),
    _Part(SHADOW, lambda it: it.shadowed, 0.16, -0.05, weight=0.3),
    _Part(MOTION, lambda it: it.motion, 1.6, -0.5),
)
_SURE: Final = 0.6
_SURE_WIDTH: Final = 0.1

_WEIGHTS: Final = {part.reason.name: part.weight for part in _PARTS} | {DOUBT.name: 1.0}
REASONS: Final = {reason.name: reason for reason in (*(part.reason for part in _PARTS), DOUBT)}


def score(measures: Measures, probability: float | None = None) -> Score:
    """Judge a picture.

    Args:
        measures: Of the picture.
        probability: Of the plane, 0-1: how sure the model is; None where it was not asked.
    """
    shares: dict[str, float] = {}
    for part in _PARTS:
        share = part.share(measures)
        if share is not None:
            shares[part.reason.name] = share
    if probability is not None:
        shares[DOUBT.name] = _step(probability, _SURE, _SURE_WIDTH)
    told = sorted((name for name in shares if shares[name] < TOLD_BELOW), key=lambda name: shares[name])
    value = 100 * math.prod(share ** _WEIGHTS[name] for name, share in shares.items())
    return Score(value, tuple(REASONS[name] for name in told), shares)


def sentences(quality: Quality | None) -> tuple[str, ...]:
    """The reasons for people; those that this version does not know are left out."""
    names = () if quality is None else quality.reasons
    return tuple(REASONS[name].sentence for name in names if name in REASONS)


def quality_values(quality: Quality | None) -> dict[str, Any]:
    """`quality` and `quality_reasons` as plain JSON values; None and no reasons where nothing was judged."""
    score = None if quality is None else round(quality.score, _DIGITS)
    return {"quality": score, "quality_reasons": list(sentences(quality))}


def quality_cells(quality: Quality | None) -> dict[str, Any]:
    """The same as a table's cells."""
    values = quality_values(quality)
    return {**values, "quality_reasons": " ".join(values["quality_reasons"])}


def _step(number: float, limit: float, width: float) -> float:
    # Beyond forty widths a float has no room for the difference.
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, (number - limit) / width))))
