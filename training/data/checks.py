"""What is in a data set, and what is wrong with it: every picture is read once.

Pictures that are the same, or look the same.

Shapes: N pictures, W words of a hash.

Whether a data set has enough labelled pictures to learn its classes from.

What is known of a data set, printed for people.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from semc_core.errors import SemcError, SourceError, UsageError
from semc_core.labels import NON_STANDARD
from semc_core.session.records import file_sha256
from semc_core.text import counted, readable
from training.data.images import SamplePicture, read_pictures
from training.data.index import SPLITS, DataIndex, Sample, check_leaks

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
        """Plain JSON values; pictures by the name of their file in the data set's folder."""
        folder = self.index.folder

        def names(sets: Sequence[Sequence[Sample]]) -> list[list[str]]:
            return [[name_of(sample, folder) for sample in each] for each in sets]

        return {
            "name": self.index.name,
            "pictures": len(self.index.samples),
            "groups": len(self.index.groups),
            "classes": self.index.counts(),
            "sizes": {f"{width}x{height}": count for (width, height), count in self.sizes.most_common()},
            "notes": list(self.index.notes),
            "unreadable": [[name_of(sample, folder), problem] for sample, problem in self.unreadable],
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


def name_of(sample: Sample, folder: Path | None) -> str:
    """File, as seen from the data set's folder, with the frame where it holds many.

    Many sets have a file 1.png in every folder: its name alone would say nothing.
    """
    inside = folder is not None and sample.path.is_relative_to(folder)
    name = sample.path.relative_to(folder).as_posix() if folder and inside else str(sample.path)
    return readable(f"{name}#{sample.frame}" if sample.frame else name)


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
        pictures = read_pictures(run[0].path, [sample.frame for sample in run], run[0].bits)
        for sample, picture in zip(run, pictures, strict=True):
            size = (picture.picture.width, picture.picture.height)
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
                f"{name_of(first, index.folder)} in {first.split} and {name_of(second, index.folder)} in "
                f"{second.split}; take one out, or run `semc data split --anew --alike`."
            )


def _of_two_splits(samples: Sequence[Sample]) -> tuple[Sample, Sample]:
    kept = [sample for sample in samples if sample.split]
    return kept[0], next(sample for sample in kept if sample.split != kept[0].split)


_HASH_SIDE: Final = 16
NEAR_BITS: Final = 14
"""Hashes of 256 bits that differ in at most so many are of pictures that look the same."""

_FLAT: Final = 2.0
"""Pictures whose gray levels deviate less, from black screens, have no hash that says anything."""

_BLOCK: Final = 1024


def pixel_digest(picture: SamplePicture) -> bytes:
    """The same for two pictures only if all pixels are the same."""
    pixels = picture.picture.pixels
    made = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    made.update(pixels.tobytes())
    return made.digest()


def look_hash(picture: SamplePicture) -> NDArray[np.uint64] | None:
    """Perceptual hash of the scan's region, uint64 (W,); None for a picture without anything to see."""
    import imagehash
    from PIL import Image

    gray = picture.crop.cut(picture.picture.gray)
    if float(gray.std()) < _FLAT:
        return None
    bits = imagehash.phash(Image.fromarray(np.ascontiguousarray(gray)), hash_size=_HASH_SIDE).hash
    packed: NDArray[np.uint64] = np.packbits(np.asarray(bits, bool).ravel()).view(np.uint64)
    return packed


def near_pairs(hashes: NDArray[np.uint64], bits: int = NEAR_BITS) -> list[tuple[int, int]]:
    """Places (i < j) of all pairs whose hashes, uint64 (N, W), differ in at most `bits` bits."""
    pairs = []
    for start in range(0, len(hashes), _BLOCK):
        rows = hashes[start : start + _BLOCK]
        for other in range(start, len(hashes), _BLOCK):
            columns = hashes[other : other + _BLOCK]
            apart = np.zeros((len(rows), len(columns)), np.uint16)
            for word in range(hashes.shape[1]):
                apart += np.bitwise_count(rows[:, word, None] ^ columns[None, :, word])
            for i, j in np.argwhere(apart <= bits).tolist():
                if start + i < other + j:
                    pairs.append((start + i, other + j))
    return pairs


def clusters(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """What hangs together: lists of two or more places below `count`, each sorted."""
    above = list(range(count))

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    for first, second in pairs:
        above[top(first)] = top(second)
    found: dict[int, list[int]] = defaultdict(list)
    for place in range(count):
        found[top(place)].append(place)
    return [each for each in found.values() if len(each) > 1]


def same_keys(keys: Sequence[Hashable]) -> list[list[int]]:
    """Lists of two or more places that bear the same key."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        found[key].append(place)
    return [each for each in found.values() if len(each) > 1]


def groups_with_same_files(index: DataIndex) -> list[set[str]]:
    """Sets of groups that share a file, byte for byte. Only files of the same size are read.

    Raises:
        SourceError: A file cannot be read.
    """
    groups: dict[Path, set[str]] = defaultdict(set)
    for sample in index.samples:
        groups[sample.path].add(sample.group)
    try:
        files = [path for path in groups if path.is_file()]
        sized = same_keys([path.stat().st_size for path in files])
        suspects = [files[place] for places in sized for place in places]
        digests = [file_sha256(path) for path in suspects]
    except OSError as error:
        raise SourceError("A picture cannot be read; `semc data check` says which one.") from error
    found = [set().union(*(groups[suspects[place]] for place in places)) for places in same_keys(digests)]
    return [each for each in found if len(each) > 1]


UNLABELLED: Final = ("unlabelled", "unlabeled")
"""Class names, in any capitals, that say that nobody has labelled the pictures."""

LEAST_PICTURES: Final = 8
"""Of each class, to learn from."""


def is_unlabelled(name: str) -> bool:
    """Whether a class name says that the picture has no label."""
    return name.casefold() in UNLABELLED


_PATIENT: Final = re.compile(
    r"(?:p|pt|id)[-_ .]*\d{2,}|(?:pat|patient|subj|subject|case|person|mrn|fall|proband)[-_ .]*\d+|\d{3,}",
    re.IGNORECASE,
)
"""A name that patients have and classes do not: P012, patient_7, 000123; P1 may be a plane."""
_LEAST_PATIENTS: Final = 3


def patients_as_classes(names: Iterable[str]) -> str:
    """A sentence, if all classes but "none of these" are named as patients are; else ""."""
    planes = sorted(set(names) - {NON_STANDARD})
    if len(planes) < _LEAST_PATIENTS or not all(_PATIENT.fullmatch(name) for name in planes):
        return ""
    shown = ", ".join(planes[:_LEAST_PATIENTS])
    return (
        f"The classes are named as patients are ({shown}, ...), so a model would learn who was examined. Put "
        "the class above the patient: CLASS/PATIENT/PICTURE; or, if these are classes, give them names that "
        "say what they show."
    )


def what_is_lacking(index: DataIndex) -> str:
    """What a training would miss in a data set, in a sentence; "" if nothing.

    Counted are the training pictures, or all of them where nothing is split yet.
    """
    labelled = [sample for sample in index.samples if not is_unlabelled(sample.label)]
    present = {sample.label for sample in labelled}
    if not present:
        return "No picture has a label; training needs pictures of two classes or more."
    if like_patients := patients_as_classes(present):
        return like_patients
    if len(present) == 1:
        return "There is one class only; training needs pictures of two or more."
    split = "train" if index.of_split("train") else ""
    counts = Counter(sample.label for sample in labelled if sample.split == split)
    scarce = min(sorted(present), key=lambda name: counts[name])
    if counts[scarce] >= LEAST_PICTURES:
        held_out = {sample.label for sample in labelled if sample.split == "validation"}
        if held_out and held_out <= {index.none_class}:
            return (
                "No validation picture shows a plane; add patients, or deal anew: `semc data split --anew`."
            )
        return ""
    kind = "training pictures" if split else "pictures"
    return (
        f"There must be {LEAST_PICTURES} {kind} of {scarce} or more, and the set has {counts[scarce]}; add "
        "pictures or render more patients."
    )


_SHOWN: Final = 5
"""Examples of each kind of finding; the JSON report has all."""


def print_index(index: DataIndex, console: Console) -> None:
    """Classes, splits and groups."""
    title = f"{index.name}: {counted(len(index.samples), 'picture')}"
    table = Table("class", *SPLITS, "no split", "groups", title=title)
    for name, counts in index.counts().items():
        groups = {sample.group for sample in index.samples if sample.label == name}
        numbers = [counts.get(split, 0) for split in (*SPLITS, "")]
        table.add_row(name, *(str(number) if number else "-" for number in numbers), str(len(groups)))
    homes = {
        split: len({sample.group for sample in index.samples if sample.split == split})
        for split in (*SPLITS, "")
    }
    counts_of_groups = [str(homes[split]) if homes[split] else "-" for split in (*SPLITS, "")]
    table.add_row("groups", *counts_of_groups, str(len(index.groups)), style="dim")
    console.print(table)
    for note in index.notes:
        console.print(f"Note: {note}", markup=False, soft_wrap=True)


def print_report(report: Report, console: Console) -> None:
    """All that a check found, with examples."""
    print_index(report.index, console)
    sizes = [f"{width}x{height} ({count})" for (width, height), count in report.sizes.most_common(_SHOWN)]
    others = len(report.sizes) - _SHOWN
    more = f" and {counted(others, 'other size')}" if others > 0 else ""
    console.print(f"Sizes: {', '.join(sizes) or 'none'}{more}", markup=False, soft_wrap=True)
    folder = report.index.folder
    _print_sets("have the same pixels", report.exact, folder, console)
    _print_sets("of different groups look the same", report.near, folder, console)
    _print_sets("have the same pixels and different labels", report.contradictions, folder, console)
    _print_unreadable(report, console)
    for leak in report.leaks:
        console.print(f"Leak: {leak}", style="red", markup=False, soft_wrap=True)
    lacking = what_is_lacking(report.index)
    if not report.ok:
        console.print("The data set must be mended before training.")
    elif lacking:
        console.print(f"It cannot be trained on yet. {lacking}", markup=False, soft_wrap=True)
    else:
        console.print("The data set may be trained on.")


def _print_unreadable(report: Report, console: Console) -> None:
    if not report.unreadable:
        return
    console.print(f"Pictures that cannot be read: {len(report.unreadable)}", style="red")
    for sample, problem in report.unreadable[:_SHOWN]:
        name = name_of(sample, report.index.folder)
        console.print(f"  {name}: {problem}", markup=False, soft_wrap=True)
    if len(report.unreadable) > _SHOWN:
        others = counted(len(report.unreadable) - _SHOWN, "other")
        console.print(f"  and {others}; --json FILE lists all.")


def _print_sets(what: str, sets: Sequence[Sequence[Sample]], folder: Path | None, console: Console) -> None:
    if not sets:
        return
    pictures = f"{sum(len(each) for each in sets)} pictures"
    console.print(
        f"{pictures} {what}, in {len(sets)} sets, such as" if len(sets) > 1 else f"{pictures} {what}:"
    )
    for each in sets[:_SHOWN]:
        console.print(
            f"  {', '.join(name_of(sample, folder) for sample in each[:_SHOWN])}",
            markup=False,
            soft_wrap=True,
        )
