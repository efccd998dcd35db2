"""The frames that a training is given: any data set, split, and read as the live path reads pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from semc_core.errors import UsageError
from semc_core.labels import NON_STANDARD
from semc_core.model.spec import Preprocessing
from training.data.enough import is_unlabelled, what_is_lacking
from training.data.index import DataIndex
from training.data.loading import FrameSet, Progress, load_frames
from training.data.readers import ReadOptions, open_data, open_many


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a training has.

    Attributes:
        train: Frames to learn from.
        validation: Frames of other patients.
        index: The data set.
    """

    train: FrameSet
    validation: FrameSet
    index: DataIndex


def load_index(places: Sequence[str], seed: int, groups: str = "") -> DataIndex:
    """One or more data sets as one, with splits: those that are there, or dealt by the seed.

    Args:
        places: Folders, tables, or names as `training.data.readers.open_data` takes them.
        seed: Of the splits, where there are none.
        groups: Finds the patient in a file's name; see `ReadOptions`.

    Raises:
        UsageError: A set cannot be read, or a patient is in two splits.
    """
    whole: list[Path | str] = list(places)
    options = ReadOptions(groups)
    index = open_data(whole[0], options) if len(whole) == 1 else open_many(whole, options)
    dealt = index.of_split("train") and index.of_split("validation")
    # Of several sets one may be dealt already and another not: nothing of that one must get lost.
    if not dealt or (len(whole) > 1 and index.of_split("")):
        index = index.split(seed)
    index.check()
    return index


def for_classification(index: DataIndex) -> DataIndex:
    """The labelled pictures alone, with a class for "none of these".

    A set without such a class gets one without pictures: a model must be able to say it, and the measure of
    novelty finds what belongs to it.
    """
    classes = tuple(name for name in index.classes if not is_unlabelled(name))
    samples = tuple(sample for sample in index.samples if not is_unlabelled(sample.label))
    if index.none_class is None:
        return replace(index, samples=samples, classes=(*classes, NON_STANDARD), none_class=NON_STANDARD)
    return replace(index, samples=samples, classes=classes)


def load_given(
    places: Sequence[str],
    preprocessing: Preprocessing,
    seed: int,
    groups: str = "",
    progress: Progress | None = None,
) -> Given:
    """The training and validation frames of data sets.

    Args:
        places: See `load_index`.
        preprocessing: Of the network.
        seed: See `load_index`.
        groups: See `load_index`.
        progress: Told how many pictures are read.

    Raises:
        UsageError: A set cannot be read or split, or a class has hardly any pictures to learn from.
    """
    index = for_classification(load_index(places, seed, groups))
    if lacking := what_is_lacking(index):
        raise UsageError(lacking)
    train = load_frames(index, "train", preprocessing, progress=progress)
    validation = load_frames(index, "validation", preprocessing, progress=progress)
    return Given(train, validation, index)
