"""Whether a data set has enough to learn from; and if not, what is needed and what was found, in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from semc_core.errors import UsageError
from semc_core.text import counted
from training.data.checks import LEAST_PICTURES, is_unlabelled, patients_as_classes
from training.data.index import SPLITS, DataIndex

LEAST_GROUPS: Final = len(SPLITS)
"""Patients or videos: one to learn from, one to choose the weights by, one to test on."""


@dataclass(frozen=True, slots=True)
class FoundClass:
    """What there is of one class.

    Attributes:
        name: Of the class.
        patients: Patients, series or videos that it was seen in.
        pictures: How many, of all splits.
        to_learn: How many of them are to be learned from.
    """

    name: str
    patients: int
    pictures: int
    to_learn: int


class TooLittleData(UsageError):
    """A data set is right, and too small to learn from.

    Attributes:
        patients: Patients, series or videos in it.
        found: What there is of each class that has a picture.
    """

    def __init__(self, sentence: str, patients: int, found: tuple[FoundClass, ...]) -> None:
        super().__init__(sentence)
        self.patients, self.found = patients, found

    def as_json(self) -> dict[str, Any]:
        """What is needed and what was found, as `progress.jsonl` has it."""
        return {
            "needed_patients": LEAST_GROUPS,
            "needed_pictures": LEAST_PICTURES,
            "patients": self.patients,
            "classes": [
                {"name": each.name, "patients": each.patients, "pictures": each.pictures,
                 "to_learn": each.to_learn}
                for each in self.found
            ],
        }  # fmt: skip


def check_enough_groups(index: DataIndex) -> None:
    """Refuse to deal so few patients that one of the splits would stay empty.

    Raises:
        TooLittleData: There are fewer than `LEAST_GROUPS`.
    """
    count = len(index.groups)
    if 0 < count < LEAST_GROUPS:
        found = _found(index)
        listed = ", ".join(
            f"{each.name} {counted(each.pictures, 'picture')} of {each.patients}" for each in found
        )
        raise _error(
            index,
            f"A training needs {LEAST_GROUPS} patients or videos or more: to learn from, to choose the "
            f"weights by, and to test on. {index.name} has {count} ({listed}); add pictures of others.",
        )


def too_little(index: DataIndex, lacking: str) -> UsageError:
    """The error for what `what_is_lacking` says: pictures are missing, or the set is laid out wrongly."""
    if patients_as_classes({sample.label for sample in index.samples}):
        return UsageError(lacking)
    return _error(index, lacking)


def _error(index: DataIndex, sentence: str) -> TooLittleData:
    return TooLittleData(sentence, len(index.groups), _found(index))


def _found(index: DataIndex) -> tuple[FoundClass, ...]:
    labelled = [sample for sample in index.samples if not is_unlabelled(sample.label)]
    pictures = Counter(sample.label for sample in labelled)
    to_learn = Counter(sample.label for sample in labelled if sample.split in ("train", ""))
    groups = Counter(label for label, _ in {(sample.label, sample.group) for sample in labelled})
    return tuple(
        FoundClass(name, groups[name], pictures[name], to_learn[name])
        for name in index.classes
        if pictures[name]
    )
