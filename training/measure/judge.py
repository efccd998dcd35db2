"""Judge the network that finds outlines on cases that it was not fitted to, by the program's own path."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.groups.bootstrap import GroupDraws, ratio
from semc_core.measure.biometry import head_measures
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.head import HeadFinder
from semc_core.sources.pictures import read_image
from training.measure.data import BRAIN, HEAD, NONE, Case, read_gray

LONGEST: Final = 1600
"""Pixels of the longer side of the pictures that are judged: as they are, in practice."""
_BATCH: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What became of one case.

    Attributes:
        case: The case.
        presence: Probability of a head.
        outline: What was found, pixels of the picture as `read_gray` gives it; None where nothing was.
        hc_mm: Circumference found; NaN where there is none, or no scale.
        dice: Of the filled outline with the stated one; NaN without either.
        dice_drawn: Of the filled outline with the mask as it was drawn, its line's width included.
    """

    case: Case
    presence: float
    outline: Ellipse | None
    hc_mm: float = math.nan
    dice: float = math.nan
    dice_drawn: float = math.nan

    @property
    def measured(self) -> bool:
        """Whether an outline was proposed."""
        return self.outline is not None

    @property
    def error(self) -> float:
        """Circumference found less the stated one, mm."""
        return self.hc_mm - self.case.circumference_mm


def judge(finder: HeadFinder, cases: Sequence[Case], tell: Callable[[int], None]) -> list[Judged]:
    """What the program finds in every case; `tell` hears how many are done."""
    judged: list[Judged] = []
    for first in range(0, len(cases), _BATCH):
        part = cases[first : first + _BATCH]
        pictures = [read_gray(case, LONGEST) for case in part]
        for case, picture, found in zip(part, pictures, finder.find(pictures), strict=True):
            outline = found.outline
            common = (case, found.presence, outline)
            if outline is None or case.kind != HEAD or case.outline is None:
                judged.append(Judged(*common))
                continue
            hc = head_measures(outline).hc * case.mm_per_pixel
            dice = overlap(_filled(outline, picture.shape), _filled(case.outline, picture.shape))
            judged.append(Judged(*common, hc, dice, _dice_drawn(outline, case)))
        tell(len(judged))
    return judged


def _dice_drawn(outline: Ellipse, case: Case) -> float:
    assert case.mask is not None
    assert case.outline is not None
    mask = read_image(case.mask) > 127
    # The mask is larger than the picture, by the same factor along both sides.
    scale = mask.shape[1] / read_image(case.path).shape[1]
    return overlap(_filled(outline.moved(np.diag([scale, scale, 1.0])[:2]), mask.shape), mask)


def _filled(outline: Ellipse, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    return np.asarray(outline.level(columns + 0.5, rows + 0.5) <= 1)


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Dice of two masks."""
    return float(2 * (first & second).sum() / max(1, first.sum() + second.sum()))


def conformal_error(judged: Iterable[Judged], share: float = 0.9) -> float:
    """The relative error that `share` of the heads stay within: the conformal quantile of its residuals.

    With n residuals this is the ceil((n + 1) share)-th smallest (Lei et al. 2018, split conformal).
    """
    residuals = sorted(abs(each.error) / each.hc_mm for each in judged if math.isfinite(each.error))
    place = min(len(residuals), math.ceil((len(residuals) + 1) * share))
    return residuals[place - 1]


def figures(judged: Sequence[Judged], fold_of: Sequence[int]) -> dict[str, Any]:
    """Everything that is told of the heads, and of each source without one.

    Args:
        judged: Of every fold, each by the network that did not see it.
        fold_of: The fold of each.
    """
    heads = [each for each in judged if each.case.kind == HEAD]
    found = [each for each in heads if each.measured]
    covered = [
        float(abs(each.error) <= error * each.hc_mm)
        for fold in sorted(set(fold_of))
        for error in [conformal_error(each for each, own in zip(judged, fold_of, strict=True) if own != fold)]
        for each, own in zip(judged, fold_of, strict=True)
        if own == fold and math.isfinite(each.error)
    ]
    in_order = [
        each
        for fold in sorted(set(fold_of))
        for each, own in zip(judged, fold_of, strict=True)
        if own == fold and math.isfinite(each.error)
    ]
    return {
        "heads": len(heads),
        "groups": len({each.case.group for each in heads}),
        "measured": mean_of(heads, [float(each.measured) for each in heads]),
        "dice": mean_of(found, [each.dice for each in found]),
        "dice with the line": mean_of(found, [each.dice_drawn for each in found]),
        "hc error mm": mean_of(found, [abs(each.error) for each in found]),
        "hc bias mm": mean_of(found, [each.error for each in found]),
        "covered by the interval": mean_of(in_order, covered),
        "error of the interval": round(conformal_error(judged), 4),
        "no head": _by_source([each for each in judged if each.case.kind == NONE]),
        "brain planes": _by_source([each for each in judged if each.case.kind == BRAIN]),
    }


def mean_of(judged: Sequence[Judged], values: Sequence[float]) -> dict[str, float | None]:
    """The mean over cases, with its 95 % interval by drawing whole groups anew."""
    draws = GroupDraws([each.case.group for each in judged])
    own, drawn = draws.sums(np.stack([np.array(values), np.ones(len(values))], axis=1))
    estimate = draws.estimate(ratio(own[:, 0], own[:, 1]), ratio(drawn[:, 0], drawn[:, 1]))
    ends = {"mean": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: None if value is None else round(value, 4) for name, value in ends.items()}


def _by_source(judged: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """How many pictures of each source were measured, and whether training saw others of it."""
    told: dict[str, dict[str, Any]] = {}
    for each in judged:
        entry = told.setdefault(
            each.case.source, {"pictures": 0, "measured": 0, "source in training": not each.case.unseen}
        )
        entry["pictures"] += 1
        entry["measured"] += int(each.measured)
    return dict(sorted(told.items()))
