"""A data set dealt into folds: every patient is tested once, by a model that never saw the patient."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Final

from semc_core.errors import UsageError
from semc_core.groups.deal import deal
from training.data.checks import what_is_lacking
from training.data.index import DataIndex, check_leaks

LEAST: Final = 3
"""Folds: one to test on, one to validate on, one to learn from."""


def folds_of(index: DataIndex, count: int, seed: int = 1) -> list[DataIndex]:
    """The data set `count` times, each time with another fold as its test split.

    The next fold is the validation split, and all others are trained on. Splits that are there are forgotten,
    but for the test split: its pictures are in no fold, and in none of the sets.

    Args:
        index: The data set, for classification.
        count: Folds, 3 or more.
        seed: Decides the order of dealing.

    Raises:
        UsageError: There are fewer folds than 3, too few groups for so many, or too few pictures of a class.
    """
    if count < LEAST:
        raise UsageError(f"There must be {LEAST} folds or more: to test, to validate and to learn from.")
    check_leaks(index.samples)
    free = replace(index, samples=tuple(one for one in index.samples if one.split != "test"))
    if len(free.groups) < count:
        raise UsageError(
            f"{index.name} has {len(free.groups)} patients or videos outside the test split, too few for "
            f"{count} folds; take fewer folds."
        )
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in free.samples:
        labels[sample.group][sample.label] += 1
    names = [str(number) for number in range(count)]
    chosen = deal(labels, index.classes, {}, dict.fromkeys(names, 1.0), seed)
    folds = []
    for number in range(count):
        split = {str(number): "test", str((number + 1) % count): "validation"}
        folds.append(free.with_splits({group: split.get(fold, "train") for group, fold in chosen.items()}))
    for fold in folds:
        if lacking := what_is_lacking(fold):
            raise UsageError(f"Dealt into {count} folds: {lacking}")
    return folds
