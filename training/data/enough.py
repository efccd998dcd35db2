"""Whether a data set has enough labelled pictures to learn its classes from."""

from __future__ import annotations

from collections import Counter
from typing import Final

from training.data.index import DataIndex

UNLABELLED: Final = ("unlabelled", "unlabeled")
"""Class names, in any capitals, that say that nobody has labelled the pictures."""

_LEAST_PICTURES: Final = 8


def is_unlabelled(name: str) -> bool:
    """Whether a class name says that the picture has no label."""
    return name.casefold() in UNLABELLED


def what_is_lacking(index: DataIndex) -> str:
    """What a training would miss in a data set, in a sentence; "" if nothing.

    Counted are the training pictures, or all of them where nothing is split yet.
    """
    labelled = [sample for sample in index.samples if not is_unlabelled(sample.label)]
    present = {sample.label for sample in labelled}
    if not present:
        return "No picture has a label; training needs pictures of two classes or more."
    if len(present) == 1:
        return "There is one class only; training needs pictures of two or more."
    split = "train" if index.of_split("train") else ""
    counts = Counter(sample.label for sample in labelled if sample.split == split)
    scarce = min(sorted(present), key=lambda name: counts[name])
    if counts[scarce] >= _LEAST_PICTURES:
        held_out = {sample.label for sample in labelled if sample.split == "validation"}
        if held_out and held_out <= {index.none_class}:
            return (
                "No validation picture shows a plane; add patients, or deal anew: `semc data split --anew`."
            )
        return ""
    kind = "training pictures" if split else "pictures"
    return (
        f"There must be {_LEAST_PICTURES} {kind} of {scarce} or more, and the set has {counts[scarce]}; add "
        "pictures or render more patients."
    )
