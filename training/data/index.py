"""What a data set holds: one entry per picture, with its label, its group and its split. No pixels here.

A group is the finest unit known to be one patient, series or video. All pictures of a group are in one split.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from semc_core.errors import UsageError
from semc_core.groups.deal import deal
from semc_core.io.atomic import write_atomically
from semc_core.labels import LIVER_PLANES, NON_STANDARD
from semc_core.protocols.kinds import surely_apart, words_of
from semc_core.text import readable

SPLITS: Final = ("train", "validation", "test")
SPLIT_FILE: Final = "semc_split.csv"
"""Name of the table, in a data set's folder, that says which group is in which split."""

SHARES: Final = (0.7, 0.15, 0.15)
COLUMNS: Final = ("file", "label", "source", "group", "split", "frame")


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a data set.

    Attributes:
        path: The file that holds it; of a frame of a recording, the folder of its session.
        label: Class name; "NSP" says "none of these".
        group: Patient, series or video, unique in the data set.
        source: Scanner, hospital or collection it came from; "" if unknown.
        split: "train", "validation", "test", or "" if none was chosen.
        frame: Its place in a file of many pictures, from 0.
        bits: How many bits of a file of 16 count, which it does not say itself; 0 for all that it has.
    """

    path: Path
    label: str
    group: str
    source: str = ""
    split: str = ""
    frame: int = 0
    bits: int = 0


@dataclass(frozen=True, slots=True)
class DataIndex:
    """A data set.

    Attributes:
        name: For tables and reports.
        samples: The pictures, in a fixed order.
        classes: Names, K of them, in the order of the labels.
        none_class: Which of them says "none of these"; None if no class does.
        notes: Sentences about what was found: what is unknown, what was left out.
        folder: Where the files lie.
        scanned: Planes of the scans whose corrections it holds; none where it holds no corrections.
    """

    name: str
    samples: tuple[Sample, ...]
    classes: tuple[str, ...]
    none_class: str | None = None
    notes: tuple[str, ...] = ()
    folder: Path | None = None
    scanned: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, sorted."""
        return tuple(sorted({sample.group for sample in self.samples}))

    def of_split(self, split: str) -> tuple[Sample, ...]:
        """The pictures of one split."""
        return tuple(sample for sample in self.samples if sample.split == split)

    def counts(self) -> dict[str, dict[str, int]]:
        """For each class the number of pictures in each split, "" included; zeros are left out."""
        found = Counter((sample.label, sample.split) for sample in self.samples)
        return {
            name: {split: found[name, split] for split in (*SPLITS, "") if found[name, split]}
            for name in self.classes
        }

    def check(self) -> None:
        """Refuse what nobody may train on.

        Raises:
            UsageError: It is empty, a label is no class, a split has another name, or a group is in two
                splits.
        """
        self.check_names()
        check_leaks(self.samples)

    def check_names(self) -> None:
        """`check` without looking for leaks."""
        if not self.samples:
            raise UsageError(f"{self.name} holds no pictures; choose another folder.")
        unknown = sorted({sample.label for sample in self.samples} - set(self.classes))
        if unknown:
            raise UsageError(
                f"{self.name} has pictures labelled {', '.join(unknown)}, which is none of its classes."
            )
        odd = sorted({sample.split for sample in self.samples} - {*SPLITS, ""})
        if odd:
            raise UsageError(f"{self.name} names the split {odd[0]!r}; use train, validation or test.")

    def split(
        self,
        seed: int = 1,
        shares: tuple[float, float, float] = SHARES,
        *,
        anew: bool = False,
        together: Iterable[set[str]] = (),
    ) -> DataIndex:
        """Deal the groups to the splits, alike in classes as far as whole groups allow.

        The same groups, seed and shares give the same splits. A group that is in validation or test already
        stays there, and one in train stays unless there is no validation: then it is drawn from train.

        Args:
            seed: Decides the order of dealing.
            shares: Of the pictures: train, validation, test. They need not add up to 1.
            anew: Forget the splits that are there.
            together: Sets of groups that share pictures; each is dealt as one, unless its groups are settled
                in different splits already.

        Raises:
            UsageError: The shares make no sense, a group is in two splits, or a split stays empty.
        """
        if not all(0 <= share < math.inf for share in shares) or shares[0] <= 0:
            raise UsageError(
                "The shares must be three numbers of 0 or more, the first above 0, as in 70/15/15."
            )
        if not anew:
            check_leaks(self.samples)
        held = {} if anew else {sample.group: sample.split for sample in self.samples if sample.split}
        heads = _heads(together, held)
        labels: dict[str, Counter[str]] = defaultdict(Counter)
        for sample in self.samples:
            labels[heads.get(sample.group, sample.group)][sample.label] += 1
        held = {heads.get(group, group): split for group, split in held.items()}
        chosen = deal(labels, self.classes, held, dict(zip(SPLITS, shares, strict=True)), seed)
        return self.with_splits({group: chosen[heads.get(group, group)] for group in self.groups})

    def with_splits(self, splits: Mapping[str, str]) -> DataIndex:
        """The same pictures, each in the split of its group; "" where `splits` does not name the group.

        A picture that is listed twice is kept once.
        """
        once = {(sample.path, sample.frame): sample for sample in reversed(self.samples)}
        moved = [replace(sample, split=splits.get(sample.group, "")) for sample in once.values()]
        return replace(self, samples=tuple(reversed(moved)))

    def with_stored(self, stored: StoredSplits, *, regroup: bool) -> DataIndex:
        """The same pictures with the splits of a table.

        Args:
            stored: The table.
            regroup: Take from it also the group of a picture whose own group it does not know: so what
                `--groups` found when the splits were dealt need not be said again.
        """
        if not regroup:
            return self.with_splits(stored.splits)

        def group_of(sample: Sample) -> str:
            # Of a file outside the folder the table has the bare name, which another may have, too.
            inside = self.folder is not None and sample.path.is_relative_to(self.folder)
            if not inside or sample.group in stored.splits:
                return sample.group
            return stored.groups.get((self._relative(sample.path), sample.frame), sample.group)

        samples = tuple(replace(sample, group=group_of(sample)) for sample in self.samples)
        return replace(self, samples=samples).with_splits(stored.splits)

    def save(self, path: Path) -> None:
        """Write the pictures, with their splits, as CSV. File names are relative to the data set's folder.

        Raises:
            SaveError: The file cannot be written.
        """
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for sample in self.samples:
            row = (sample.label, sample.source, sample.group, sample.split, sample.frame)
            table.writerow([self._relative(sample.path), *row])
        try:
            content = text.getvalue().encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"A name in {self.name} is no UTF-8 text and cannot stand in a table; rename "
                f"{self._unwritable()}."
            ) from error
        write_atomically(path, content)

    def _unwritable(self) -> str:
        """The first picture whose name is no text."""
        names = (self._relative(sample.path) for sample in self.samples)
        return next((readable(name) for name in names if readable(name) != name), "the folder")

    def _relative(self, path: Path) -> str:
        if self.folder is not None and path.is_relative_to(self.folder):
            return path.relative_to(self.folder).as_posix()
        return path.name


def _heads(together: Iterable[set[str]], held: Mapping[str, str]) -> dict[str, str]:
    """For each group that is dealt with others the name under which they are dealt."""
    heads: dict[str, str] = {}
    for each in _merged(together):
        if len({held[group] for group in each if group in held}) <= 1:
            heads |= dict.fromkeys(each, min(each))
    return heads


def _merged(sets: Iterable[set[str]]) -> list[set[str]]:
    """Sets that have something in common become one."""
    found: list[set[str]] = []
    for each in sets:
        touched = [other for other in found if other & each]
        found = [other for other in found if not other & each] + [each.union(*touched)]
    return found


def listing(samples: Iterable[Sample]) -> bytes:
    """Which pictures these are, under which label, in which split; tells one set or deal from another."""
    lines = (f"{one.path}\0{one.frame}\0{one.label}\0{one.split}\n" for one in samples)
    return "".join(lines).encode(errors="surrogateescape")


def check_leaks(samples: Iterable[Sample]) -> None:
    """Refuse a group in two splits.

    Raises:
        UsageError: There is one; the sentence names it.
    """
    homes: dict[str, str] = {}
    for sample in samples:
        if sample.split and homes.setdefault(sample.group, sample.split) != sample.split:
            raise UsageError(
                f"The group {sample.group} is in {homes[sample.group]} and in {sample.split}; keep all "
                "pictures of a patient or video in one split (`semc data split --anew` deals them again)."
            )


@dataclass(frozen=True, slots=True)
class StoredSplits:
    """A table that `DataIndex.save` wrote.

    Attributes:
        splits: Of each group.
        groups: Of each picture: by its file, as the table names it, and its frame.
    """

    splits: Mapping[str, str]
    groups: Mapping[tuple[str, int], str]


def read_splits(path: Path) -> StoredSplits:
    """What a table that `DataIndex.save` wrote says.

    Raises:
        UsageError: It cannot be read, or puts a group into two splits.
    """
    try:
        with path.open(newline="", encoding="utf-8") as table:
            rows = [
                (row["file"], int(row["frame"]), row["group"], row["split"]) for row in csv.DictReader(table)
            ]
        if not rows:
            raise ValueError("no rows")
    except FileNotFoundError as error:
        raise UsageError(f"There is no table of splits {path}; `semc data split` writes one.") from error
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise UsageError(
            f"{path.name} cannot be read as a table of splits; remove it and run `semc data split` again."
        ) from error
    check_leaks(Sample(path, "", group, split=split) for _, _, group, split in rows)
    return StoredSplits(
        {group: split for _, _, group, split in rows},
        {(file, frame): group for file, frame, group, _ in rows},
    )


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Class names in their fixed order: those of the liver as the program has them, else sorted; NSP last."""
    found = set(labels)
    known = [name for name in LIVER_PLANES if name in found]
    others = sorted(found - set(known) - {NON_STANDARD})
    return (*known, *others, *([NON_STANDARD] if NON_STANDARD in found else []))


def join(indexes: Sequence[DataIndex]) -> DataIndex:
    """Several data sets as one. Classes of one name are one class; groups stay apart.

    Raises:
        UsageError: There is none, a group is in two splits, or corrections would be mixed with what shows
            another anatomy or population.
    """
    if len(indexes) == 1:
        return indexes[0]
    if not indexes:
        raise UsageError("There is no data set to train on; name at least one.")
    check_alike(indexes)
    names = [index.name for index in indexes]
    unlike = [name if names.count(name) == 1 else f"{name}-{place}" for place, name in enumerate(names, 1)]
    samples = [
        replace(sample, group=f"{name}/{sample.group}")
        for name, index in zip(unlike, indexes, strict=True)
        for sample in index.samples
    ]
    classes = in_order(name for index in indexes for name in index.classes)
    notes = [f"{index.name}: {note}" for index in indexes for note in index.notes]
    none_class = NON_STANDARD if NON_STANDARD in classes else None
    scanned = tuple(dict.fromkeys(name for index in indexes for name in index.scanned))
    joined = DataIndex(" + ".join(names), tuple(samples), classes, none_class, tuple(notes), scanned=scanned)
    joined.check()
    return joined


def check_alike(indexes: Sequence[DataIndex]) -> None:
    """Refuse corrections beside what is of another kind: fetal scans and livers are never learned together.

    Raises:
        UsageError: There are such; the sentence names both.
    """
    for one, other in itertools.permutations(indexes, 2):
        shown = other.scanned or tuple(name for name in other.classes if name != NON_STANDARD)
        if surely_apart(one.scanned, shown):
            raise UsageError(
                f"{one.name} holds corrections of scans with {words_of(one.scanned)}, and {other.name} shows "
                f"{words_of(shown)}: no model learns both together. Train on one of them at a time."
            )


def make_index(
    name: str,
    samples: Iterable[Sample],
    folder: Path,
    notes: Iterable[str] = (),
    classes: tuple[str, ...] = (),
) -> DataIndex:
    """The index of pictures that were found in `folder`. Leaks are not looked for yet.

    Args:
        name: See `DataIndex`.
        samples: The pictures.
        folder: Where they lie.
        notes: Sentences about them.
        classes: In their order; by default `in_order` of the labels.

    Raises:
        UsageError: See `DataIndex.check_names`.
    """
    kept = tuple(samples)
    names = classes or in_order(sample.label for sample in kept)
    index = DataIndex(
        name, kept, names, NON_STANDARD if NON_STANDARD in names else None, tuple(notes), folder
    )
    index.check_names()
    return index
