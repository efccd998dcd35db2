"""How far two people agree beyond chance: Cohen's kappa (1960), for each plane and for all together.

Shapes: N units, D draws, K labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semc_core.groups.bootstrap import Estimate, Floats, GroupDraws, ratio
from semc_core.labels import NON_STANDARD


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one plane against all else, or of all labels.

    Attributes:
        plane: Its name; "" for all together.
        first: How often the first one said it; of all together, the units.
        second: How often the second one did.
        both: How often they said the same, and of a plane this one.
        kappa: 1 is full agreement, 0 what chance would give. Its interval is by drawing whole loops again, so
            that with one loop there is none.
    """

    plane: str
    first: int
    second: int
    both: int
    kappa: Estimate


def agreements(labels: Sequence[tuple[str, str]], groups: Sequence[str]) -> tuple[Agreement, ...]:
    """Kappa of all labels, then of each plane that somebody named, by name.

    Args:
        labels: N answers of the first and the second.
        groups: The loop of each.
    """
    if not labels:
        return ()
    names = sorted({name for pair in labels for name in pair})
    draws = GroupDraws(groups)
    said = np.array([[names.index(name) for name in pair] for pair in labels])  # (N, 2)
    count = len(names)
    own, drawn = draws.cells(said[:, 0] * count + said[:, 1], count * count)
    whole = draws.estimate(kappas(own, count), kappas(drawn, count))
    same = int((said[:, 0] == said[:, 1]).sum())
    found = [Agreement("", len(said), len(said), same, whole)]
    for number, name in enumerate(names):
        if name == NON_STANDARD:
            continue
        is_it = said == number
        own, drawn = draws.cells(is_it[:, 0] * 2 + is_it[:, 1], 4)
        kappa = draws.estimate(kappas(own, 2), kappas(drawn, 2))
        first, second = (int(each) for each in is_it.sum(axis=0))
        found.append(Agreement(name, first, second, int(is_it.all(axis=1).sum()), kappa))
    return tuple(found)


def kappas(cells: Floats, count: int) -> Floats:
    """Cohen's kappa, float64 (D,), NaN where chance alone agrees in everything.

    kappa = (p_o - p_e) / (1 - p_e), with p_o the share of equal answers, and p_e what it would be if each had
    given his answers, in their numbers, at random.

    Args:
        cells: float64 (D, K * K), how often the first said k and the second l.
        count: K.
    """
    tables = cells.reshape(-1, count, count)
    total = tables.sum(axis=(1, 2))
    observed = ratio(np.einsum("dkk->d", tables), total)
    chance = ratio((tables.sum(axis=2) * tables.sum(axis=1)).sum(axis=1), total**2)
    # Rounding must not make something of nothing.
    return ratio(observed - chance, np.where(1 - chance > 1e-12, 1 - chance, 0))
