"""What is in a data set, and what is wrong with it: every picture is read once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SemcError, UsageError
from semc_core.text import counted
from training.data.duplicates import clusters, look_hash, near_pairs, pixel_digest, same_keys
from training.data.images import read_pictures
from training.data.index import DataIndex, Sample, check_leaks

_THREADS: Final = 2
_BATCH: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What was seen of one picture; `problem` is "" if it could be read."""

    sample: Sample
    problem: str = ""
    size: tuple[int, int] = (0, 0)
    digest: bytes = b""
    look: NDArray[np.uint64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a check found.

    Attributes:
        index: The data set.
        sizes: How many pictures have each size, (width, height).
        unreadable: Pictures that cannot be read, and why.
        exact: Sets of pictures with the same pixels.
        near: Sets of pictures of more than one group that look the same, without those of `exact`.
        leaks: Sentences: a group, or the same picture, in two splits.
        contradictions: Sets of pictures with the same pixels and different labels.
    """

    index: DataIndex
    sizes: Counter[tuple[int, int]]
    unreadable: tuple[tuple[Sample, str], ...]
    exact: tuple[tuple[Sample, ...], ...]
    near: tuple[tuple[Sample, ...], ...]
    leaks: tuple[str, ...]
    contradictions: tuple[tuple[Sample, ...], ...]

    @property
    def ok(self) -> bool:
        """Whether the data set may be trained on as it is."""
        return not (self.unreadable or self.leaks or self.contradictions)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; pictures by the name of their file."""

        def names(sets: Sequence[Sequence[Sample]]) -> list[list[str]]:
            return [[name_of(sample) for sample in each] for each in sets]

        return {
            "name": self.index.name,
            "pictures": len(self.index.samples),
            "groups": len(self.index.groups),
            "classes": self.index.counts(),
            "sizes": {f"{width}x{height}": count for (width, height), count in self.sizes.most_common()},
            "notes": list(self.index.notes),
            "unreadable": [[name_of(sample), problem] for sample, problem in self.unreadable],
            "duplicates": names(self.exact),
            "near_duplicates": names(self.near),
            "leaks": list(self.leaks),
            "contradictions": names(self.contradictions),
            "ok": self.ok,
        }


def inspect(index: DataIndex, progress: Callable[[int, int], None] | None = None) -> Report:
    """Read every picture and look for what would spoil a training.

    Args:
        index: The data set; it may have leaks.
        progress: Told how many pictures are done, of how many.
    """
    seen: list[_Seen] = []
    for each in _look(index.samples):
        seen.append(each)
        if progress is not None:
            progress(len(seen), len(index.samples))
    read = [each for each in seen if not each.problem]
    exact = same_keys([each.digest for each in read])
    same = [tuple(read[place].sample for place in places) for places in exact]
    near = [tuple(read[place].sample for place in places) for places in _near(read, exact)]
    return Report(
        index=index,
        sizes=Counter(each.size for each in read),
        unreadable=tuple((each.sample, each.problem) for each in seen if each.problem),
        exact=tuple(same),
        near=tuple(near),
        leaks=tuple(_leaks(index, same, near)),
        contradictions=tuple(each for each in same if len({sample.label for sample in each}) > 1),
    )


def name_of(sample: Sample) -> str:
    """File, with the frame where it holds many."""
    return f"{sample.path.name}#{sample.frame}" if sample.frame else sample.path.name


def _look(samples: Sequence[Sample]) -> Iterator[_Seen]:
    runs = [list(run) for _, run in itertools.groupby(samples, lambda sample: sample.path)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(runs), _BATCH):
            for seen in pool.map(_look_at, runs[start : start + _BATCH]):
                yield from seen


def _look_at(run: list[Sample]) -> list[_Seen]:
    """The pictures of one file."""
    seen = []
    try:
        pictures = read_pictures(run[0].path, [sample.frame for sample in run])
        for sample, picture in zip(run, pictures, strict=True):
            size = (picture.pixels.shape[1], picture.pixels.shape[0])
            seen.append(_Seen(sample, "", size, pixel_digest(picture), look_hash(picture)))
    except SemcError as error:
        seen += [_Seen(sample, str(error)) for sample in run[len(seen) :]]
    return seen


def _near(read: Sequence[_Seen], exact: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of pictures of several groups that look the same; of exact duplicates only the first counts."""
    repeated = {place for places in exact for place in places[1:]}
    places = [i for i, each in enumerate(read) if each.look is not None and i not in repeated]
    if not places:
        return []
    hashes = np.stack([look for i in places if (look := read[i].look) is not None])
    pairs = [
        pair
        for pair in near_pairs(hashes)
        if read[places[pair[0]]].sample.group != read[places[pair[1]]].sample.group
    ]
    return [[places[i] for i in each] for each in clusters(len(places), pairs)]


def _leaks(
    index: DataIndex, exact: Sequence[Sequence[Sample]], near: Sequence[Sequence[Sample]]
) -> Iterator[str]:
    try:
        check_leaks(index.samples)
    except UsageError as error:
        yield str(error)
    for words, sets in (("identical", exact), ("nearly identical", near)):
        across = [each for each in sets if len({sample.split for sample in each} - {""}) > 1]
        if across:
            first, second = _of_two_splits(across[0])
            yield (
                f"{counted(len(across), 'set')} of {words} pictures in two splits, such as "
                f"{name_of(first)} in {first.split} and {name_of(second)} in {second.split}; take one out, "
                "or run `semc data split --anew --alike`."
            )


def _of_two_splits(samples: Sequence[Sample]) -> tuple[Sample, Sample]:
    kept = [sample for sample in samples if sample.split]
    return kept[0], next(sample for sample in kept if sample.split != kept[0].split)
