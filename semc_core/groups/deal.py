"""Dealing groups to splits: whole groups, the classes alike in each split as far as that goes.

Shapes: G groups, K classes, S splits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError


def deal(
    labels: Mapping[str, Mapping[str, int]],
    classes: Sequence[str],
    held: Mapping[str, str],
    shares: Mapping[str, float],
    seed: int,
) -> dict[str, str]:
    """Choose the split of each group.

    Large groups are dealt first, each to the split that is then nearest to its share of every class; equally
    large ones in an order that the seed decides.

    Args:
        labels: For each group the number of pictures of each class.
        classes: K names.
        held: Splits that are settled already. Where nothing is held in validation, groups of train are dealt
            to train and validation.
        shares: For each split, its part of the pictures, not normalised; the first is train.
        seed: See there.

    Raises:
        UsageError: A split with a share gets nothing.
    """
    free, held = _free(labels, held, shares)
    splits = [name for name, share in shares.items() if share > 0]
    names = sorted(labels)
    table = np.array([[labels[name].get(label, 0) for label in classes] for name in names], float)
    wanted = np.array([shares[name] for name in splits])
    targets = np.outer(wanted / wanted.sum(), table.sum(axis=0))  # (S, K)
    have = np.zeros_like(targets)
    for place, name in enumerate(names):
        if held.get(name) in splits:
            have[splits.index(held[name])] += table[place]
    chosen = dict(held)
    for place in _order(table, seed):
        name = names[place]
        if name in free:
            open_to = [splits.index(split) for split in free[name] if split in splits]
            best = open_to[int(np.argmin(_cost(have, targets, table[place])[open_to]))]
            have[best] += table[place]
            chosen[name] = splits[best]
    _fill(chosen, free, splits, dict(zip(names, table.sum(axis=1).tolist(), strict=True)))
    return chosen


def _free(
    labels: Mapping[str, Mapping[str, int]], held: Mapping[str, str], shares: Mapping[str, float]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The splits that each undecided group may go to, and what is settled."""
    train, validation = list(shares)[:2]
    settled = {name: split for name, split in held.items() if name in labels}
    free = {name: tuple(shares) for name in labels if name not in settled}
    if settled and validation not in settled.values() and shares[validation] > 0:
        for name in [name for name, split in settled.items() if split == train]:
            del settled[name]
            free[name] = (train, validation)
    return free, settled


def _order(table: NDArray[np.float64], seed: int) -> list[int]:
    """Places of the groups in the order of dealing."""
    shuffled = np.random.default_rng(seed).permutation(len(table))
    sizes = table.sum(axis=1)[shuffled]
    order: list[int] = shuffled[np.argsort(-sizes, kind="stable")].tolist()
    return order


def _cost(
    have: NDArray[np.float64], targets: NDArray[np.float64], added: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(S,): by how much each split's squared distance from its targets, in parts of them, would grow."""
    weights = 1 / np.maximum(targets, 1e-9)
    growth = (2 * (have - targets) * added + added**2) * weights
    cost: NDArray[np.float64] = growth[:, added > 0].sum(axis=1)
    return cost


def _fill(
    chosen: dict[str, str],
    free: Mapping[str, Sequence[str]],
    splits: Sequence[str],
    sizes: Mapping[str, float],
) -> None:
    """Give a split that got nothing the smallest group that another one can spare."""
    for empty in [split for split in splits if split not in chosen.values()]:
        held = Counter(chosen.values())
        spare = [name for name, ways in free.items() if empty in ways and held[chosen[name]] > 1]
        if not spare:
            raise UsageError(
                f"There are too few groups ({len(chosen)}) to give {empty} any; add pictures of other "
                "patients, or give it no share."
            )
        chosen[min(spare, key=lambda name: (sizes[name], name))] = empty
