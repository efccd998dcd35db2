"""The pictures of a data set, split, as a `FrameSet`, read through the one preprocessing that live has.

Shapes: N frames, h x w pixels.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Final

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.errors import SemcError, UsageError
from semc_core.imaging.crop import outline_in
from semc_core.imaging.preprocess import Preprocessing, prepare
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.documents import STRICT, Document
from semc_core.io.leftovers import leftovers, work_done, work_path
from semc_core.io.private import make_private_folder, new_private_file
from semc_core.labels import NON_STANDARD
from semc_core.paths import cache_folder
from semc_core.text import readable
from training.data.checks import is_unlabelled, what_is_lacking
from training.data.enough import check_enough_groups, too_little
from training.data.frame_set import FrameSet, Row
from training.data.images import SamplePicture, read_pictures
from training.data.index import DataIndex, Sample, check_leaks
from training.data.readers import ReadOptions, open_data, open_many

_IN_MEMORY_BYTES: Final = 64 << 20
"""Smaller sets are kept in memory; larger ones lie in a file that is read as it is used."""

_KEPT_FILES: Final = 8
_VERSION: Final = 1
_BATCH: Final = 64
_THREADS: Final = 2

FACTS: Final[Document[list[tuple[str, float, int]]]] = Document(
    # Infinite is the distance of a picture that is near no plane.
    list[tuple[str, float, int]],
    config={**STRICT, "allow_inf_nan": True},
)
"""Beside the pictures that are kept: of each its kind, distance and frame; see `Row`."""

Progress = Callable[[int, int], None]
"""Told how many pictures are done, of how many."""


def load_frames(
    index: DataIndex,
    split: str,
    preprocessing: Preprocessing,
    side: int | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> FrameSet:
    """Read the pictures of one split, cropped, gray, and of one size, as the live path makes them.

    A large set is written once to a file in `cache` and mapped from there, so that memory stays flat; the
    same pictures with the same preprocessing are not read again.

    Args:
        index: The data set.
        split: "train", "validation", "test", or "" for all pictures, whatever their split.
        preprocessing: Of the model; its mean and deviation are applied when the pictures are used.
        side: Rows and columns; None takes the model's own.
        cache: Folder for large sets; None for the user's own.
        progress: Told of each batch.

    Raises:
        UsageError: The split is empty, a group is in two splits, or a picture cannot be read.
        SaveError: The file could not be written.
    """
    check_leaks(index.samples)
    samples = index.samples if split == "" else index.of_split(split)
    if not samples:
        raise UsageError(_nothing_in(index, split))
    size = (side or preprocessing.height, side or preprocessing.width)
    # Gray levels as they are: the network's own mean and deviation are applied when it is trained.
    spec = replace(preprocessing, height=size[0], width=size[1], mean=(0.0,), std=(1 / 255,), per_image=False)
    made = _made(samples, spec, progress or (lambda done, total: None))
    if len(samples) * size[0] * size[1] <= _IN_MEMORY_BYTES:
        parts = list(made)
        frames = np.stack([pixels for pixels, _ in parts])
        rows = [row for _, row in parts]
    else:
        frames, rows = _mapped(samples, spec, made, cache or cache_folder() / "training")
    labels = torch.tensor([index.classes.index(sample.label) for sample in samples])
    return FrameSet(torch.from_numpy(frames), labels, rows, index.classes)


def _nothing_in(index: DataIndex, split: str) -> str:
    if any(sample.split for sample in index.samples):
        return f"{index.name} has no {split} pictures; split it again with a share for it."
    return f"{index.name} is not split; run `semc data split` on it first."


def _made(
    samples: Sequence[Sample], spec: Preprocessing, progress: Progress
) -> Iterator[tuple[NDArray[np.uint8], Row]]:
    """Picture, uint8 (h, w), and row of each sample, in order. Two threads decode ahead."""
    runs = [list(run) for _, run in itertools.groupby(samples, lambda sample: sample.path)]
    done = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(runs), _BATCH):
            for made in pool.map(lambda run: _read(run, spec), runs[start : start + _BATCH]):
                yield from made
                done += len(made)
            progress(done, len(samples))


def _read(run: list[Sample], spec: Preprocessing) -> list[tuple[NDArray[np.uint8], Row]]:
    """The pictures of one file."""
    try:
        found = read_pictures(run[0].path, [sample.frame for sample in run], run[0].bits)
        paired = zip(run, found, strict=True)
        return [(shown(picture, spec), _row(sample, picture)) for sample, picture in paired]
    except SemcError as error:
        raise UsageError(
            f"{readable(str(run[0].path))}: {error} `semc data check` lists all that cannot be read."
        ) from error


def shown(picture: SamplePicture, spec: Preprocessing) -> NDArray[np.uint8]:
    """A picture as frames are stored: cropped, gray, uint8 (h, w) of the size of `spec`.

    Args:
        picture: As `read_pictures` gives it.
        spec: Of the model; its mean and deviation are applied when frames are used.
    """
    spec = replace(spec, mean=(0.0,), std=(1 / 255,), per_image=False)
    outline = outline_in(picture.picture, picture.crop, spec)
    return np.asarray(np.rint(prepare(picture.picture.gray, picture.crop, spec, outline)[0]), np.uint8)


def _row(sample: Sample, picture: SamplePicture) -> Row:
    return Row(sample.group, sample.source, sample.label, picture.kind, picture.distance, picture.scan_frame)


def _mapped(
    samples: Sequence[Sample],
    spec: Preprocessing,
    made: Iterator[tuple[NDArray[np.uint8], Row]],
    folder: Path,
) -> tuple[NDArray[np.uint8], list[Row]]:
    """Frames on a memory map, uint8 (N, h, w), and their rows, from the cache or written there now."""
    pixels_path = folder / f"{_key(samples, spec)}.npy"
    facts_path = pixels_path.with_suffix(".json")
    try:
        make_private_folder(folder)
        if not facts_path.exists():
            _write(pixels_path, facts_path, (len(samples), spec.height, spec.width), made)
            _remove_old(folder)
        facts = FACTS.read(facts_path)
        os.utime(facts_path)
        frames: NDArray[np.uint8] = np.load(pixels_path, mmap_mode="c")
    except OSError as error:
        raise save_error(folder, error) from error
    except ValueError as error:  # DocumentFault, and NumPy's own
        raise _damaged(facts_path, str(error)) from error
    if len(facts) != len(samples) or len(frames) != len(samples):
        raise _damaged(facts_path, f"it is not of {len(samples)} pictures")
    rows = [
        Row(sample.group, sample.source, sample.label, kind, distance, frame)
        for sample, (kind, distance, frame) in zip(samples, facts, strict=True)
    ]
    return frames, rows


def _damaged(facts_path: Path, why: str) -> UsageError:
    return UsageError(
        f"{facts_path} keeps pictures that were read before and is damaged ({why}); remove it, and they are "
        "read again."
    )


def _write(
    pixels_path: Path,
    facts_path: Path,
    shape: tuple[int, int, int],
    made: Iterator[tuple[NDArray[np.uint8], Row]],
) -> None:
    """Picture after picture; nothing but the rows is kept. The facts are written last."""
    facts = []
    partial = work_path(pixels_path)
    try:
        with os.fdopen(new_private_file(partial), "wb") as out:
            _write_header(out, shape)
            for pixels, row in made:
                out.write(pixels.tobytes())
                facts.append([row.kind, row.distance, row.frame])
            out.flush()
            os.fsync(out.fileno())
        partial.replace(pixels_path)
    finally:
        partial.unlink(missing_ok=True)
        work_done(partial)
    write_atomically(facts_path, json.dumps(facts).encode(), private=True)


def _write_header(out: IO[bytes], shape: tuple[int, int, int]) -> None:
    described = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, described)


def _key(samples: Sequence[Sample], spec: Preprocessing) -> str:
    """Another one as soon as a file or the preprocessing is another."""
    digest = hashlib.sha256(json.dumps([_VERSION, asdict(spec)]).encode())
    for sample in samples:
        try:
            seen = sample.path.stat()
        except OSError as error:
            raise UsageError(f"{sample.path.name} is no longer there; index the data set again.") from error
        facts = [str(sample.path), seen.st_size, seen.st_mtime_ns, sample.frame]
        facts += [sample.bits] if sample.bits else []
        digest.update(json.dumps(facts).encode())
    return digest.hexdigest()[:32]


def _remove_old(folder: Path) -> None:
    """Only the sets used last stay, and none that a killed program left unfinished."""
    facts = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    old = facts[_KEPT_FILES:]
    dead = [path for path, _, _ in leftovers(folder)]
    # Of earlier versions, or of another machine that shares the folder.
    left = [path for path in folder.glob("*.part") if path.stat().st_mtime < time.time() - 86_400]
    for path in (*old, *(each.with_suffix(".npy") for each in old), *dead, *left):
        # On Windows a file that another program still reads stays until the next time.
        with contextlib.suppress(PermissionError):
            path.unlink(missing_ok=True)


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


def load_index(
    places: Sequence[str],
    seed: int,
    groups: str = "",
    of: tuple[str, ...] = (),
    deal: Callable[[DataIndex], DataIndex] | None = None,
) -> DataIndex:
    """One or more data sets as one, with splits: those that are there, or dealt by the seed.

    Args:
        places: Folders, tables, or names as `training.data.readers.open_data` takes them.
        seed: Of the splits, where there are none.
        groups: Finds the patient in a file's name; see `ReadOptions`.
        of: Which sessions; see there, too.
        deal: Deals those without a split, in place of the seed alone.

    Raises:
        TooLittleData: There are too few patients to deal.
        UsageError: A set cannot be read, or a patient is in two splits.
    """
    index = open_index(places, groups, of)
    dealt = index.of_split("train") and index.of_split("validation")
    # Of several sets one may be dealt already and another not: nothing of that one must get lost.
    if not dealt or (len(places) > 1 and index.of_split("")):
        check_enough_groups(index)
        index = index.split(seed) if deal is None else deal(index)
    index.check()
    return index


def open_index(places: Sequence[str], groups: str = "", of: tuple[str, ...] = ()) -> DataIndex:
    """One or more data sets as one, with the splits that are there; see `load_index`."""
    whole: list[Path | str] = list(places)
    options = ReadOptions(groups, of=of)
    return open_data(whole[0], options) if len(whole) == 1 else open_many(whole, options)


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
    of: tuple[str, ...] = (),
) -> Given:
    """The training and validation frames of data sets.

    Args:
        places: See `load_index`.
        preprocessing: Of the network.
        seed: See `load_index`.
        groups: See `load_index`.
        progress: Told how many pictures are read.
        of: See `load_index`.

    Raises:
        TooLittleData: There are too few patients, or a class has hardly any pictures to learn from.
        UsageError: A set cannot be read or split.
    """
    return given(for_classification(load_index(places, seed, groups, of)), preprocessing, progress)


def given(index: DataIndex, preprocessing: Preprocessing, progress: Progress | None = None) -> Given:
    """The training and validation frames of a data set with splits; see `load_given`."""
    if lacking := what_is_lacking(index):
        raise too_little(index, lacking)
    train = load_frames(index, "train", preprocessing, progress=progress)
    validation = load_frames(index, "validation", preprocessing, progress=progress)
    return Given(train, validation, index)
