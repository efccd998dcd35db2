"""What a model says of many frames, kept between calls: only what is new or changed is asked again.

In the user's cache, a file for each model and folder: `marks` (N, 16), which frame of which file as it was
then (its place, size and time), `logits` (N, K) and `features` (N, F). A model with another hash has another
file.

Shapes: N frames, K classes, F features.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from semc_core.errors import SemcError
from semc_core.imaging.preprocess import Preprocessing
from semc_core.io.atomic import save_error, write_atomically
from semc_core.io.private import make_private_folder
from semc_core.paths import cache_folder
from training.data.images import read_pictures
from training.data.index import Sample
from training.data.loading import shown
from training.evaluation.predictions import Predictor

_VERSION: Final = 1
_MARK_BYTES: Final = 16
_FILES_AT_ONCE: Final = 32
_THREADS: Final = 2
_KEPT_FILES: Final = 8

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a model says of frames.

    Attributes:
        samples: N of them, in the order asked for; those that cannot be read are left out.
        logits: float32 (N, K).
        features: float32 (N, F), pooled.
        passed_over: Files that cannot be read, each with the reason, a sentence.
        asked: How many frames the model was asked about now.
    """

    samples: tuple[Sample, ...]
    logits: Floats
    features: Floats
    passed_over: tuple[tuple[Path, str], ...] = ()
    asked: int = 0


def seen(
    samples: Sequence[Sample],
    predictor: Predictor,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cache: Path | None = None,
) -> Seen:
    """What the model says of the frames, from the cache or asked now; stopped half-way, that is kept.

    Args:
        samples: The frames.
        predictor: The model.
        folder: That they were found in; decides the file in the cache.
        progress: Told how many of the new frames are done, of how many.
        cache: Folder for what is kept; None for the user's own.

    Raises:
        RuntimeFault: The model could not be run.
        SaveError: What was asked cannot be kept.
    """
    store = _Store((cache or cache_folder() / "label-next") / _name(predictor, folder))
    marks, passed_over = _marks(samples)
    new = [sample for sample, mark in zip(samples, marks, strict=True) if mark and mark not in store.known]
    by_sample = dict(zip(samples, marks, strict=True))
    done = 0
    try:
        for read, faults in _read(new, predictor.spec.preprocessing):
            passed_over += faults
            if read:
                answers = predictor.answer(torch.from_numpy(np.stack([pixels for _, pixels in read])))
                assert answers.logits is not None
                assert answers.features is not None
                store.add([by_sample[one] for one, _ in read], answers.logits, answers.features)
            done += len(read)
            progress(done, len(new))
    finally:
        if done:
            store.write(set(marks))
    pairs = zip(samples, marks, strict=True)
    kept = [(sample, store.known[mark]) for sample, mark in pairs if mark in store.known]
    rows = [row for _, row in kept]
    logits, features = store.rows(rows)
    return Seen(tuple(sample for sample, _ in kept), logits, features, tuple(passed_over), done)


class _Store:
    """The file of one model and folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logits: list[Floats] = []
        self._features: list[Floats] = []
        self.known: dict[bytes, int] = {}
        # A damaged file is made anew: everything in it can be.
        with contextlib.suppress(OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError):
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                marks, logits, features = (kept[name] for name in ("marks", "logits", "features"))
            if len(marks) == len(logits) == len(features) and marks.shape[1:] == (_MARK_BYTES,):
                self.add([mark.tobytes() for mark in marks], logits, features)

    def add(self, marks: Sequence[bytes], logits: Floats, features: Floats) -> None:
        """Rows beside those that are there."""
        self.known |= {mark: len(self.known) + place for place, mark in enumerate(marks)}
        self._logits.append(np.asarray(logits, np.float32))
        self._features.append(np.asarray(features, np.float32))

    def rows(self, places: Sequence[int]) -> tuple[Floats, Floats]:
        """Logits and features of some rows."""
        if not places:
            return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
        return np.concatenate(self._logits)[places], np.concatenate(self._features)[places]

    def write(self, wanted: set[bytes]) -> None:
        """Keep the rows that are wanted still."""
        kept = {mark: row for mark, row in self.known.items() if mark in wanted}
        logits, features = self.rows(list(kept.values()))
        marks = np.frombuffer(b"".join(kept), np.uint8).reshape(-1, _MARK_BYTES)
        content = io.BytesIO()
        np.savez(content, marks=marks, logits=logits, features=features)
        try:
            make_private_folder(self._path.parent)
            write_atomically(self._path, content.getvalue(), private=True)
            _remove_old(self._path.parent)
        except OSError as error:
            raise save_error(self._path.parent, error) from error


def _name(predictor: Predictor, folder: Path) -> str:
    place = hashlib.sha256(str(folder.absolute()).encode(errors="surrogateescape")).hexdigest()
    return f"{predictor.spec.sha256[:16]}-{place[:16]}.npz"


def _marks(samples: Sequence[Sample]) -> tuple[list[bytes], list[tuple[Path, str]]]:
    """Of each frame what tells it from any other and from itself after a change; b"" of one that is gone."""
    facts: dict[Path, str] = {}
    gone: list[tuple[Path, str]] = []
    marks = []
    for sample in samples:
        if sample.path not in facts:
            try:
                there = sample.path.stat()
                facts[sample.path] = json.dumps(
                    [_VERSION, str(sample.path.absolute()), there.st_size, there.st_mtime_ns]
                )
            except OSError as error:
                facts[sample.path] = ""
                gone.append((sample.path, f"{sample.path.name} cannot be read: {error.strerror}."))
        told = f"{facts[sample.path]} {sample.frame} {sample.bits}".encode()
        marks.append(hashlib.blake2b(told, digest_size=_MARK_BYTES).digest() if facts[sample.path] else b"")
    return marks, gone


Read = list[tuple[Sample, NDArray[np.uint8]]]
Faults = list[tuple[Path, str]]


def _read(samples: Sequence[Sample], spec: Preprocessing) -> Iterator[tuple[Read, Faults]]:
    """The frames of some files at a time, cropped and fitted as `load_frames` does, two threads ahead."""
    files = [list(run) for _, run in groupby(samples, lambda sample: sample.path)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(files), _FILES_AT_ONCE):
            read: Read = []
            faults: Faults = []
            for found, fault in pool.map(
                lambda run: _of_file(run, spec), files[start : start + _FILES_AT_ONCE]
            ):
                read += found
                faults += fault
            yield read, faults


def _of_file(run: list[Sample], spec: Preprocessing) -> tuple[Read, Faults]:
    try:
        pictures = read_pictures(run[0].path, [sample.frame for sample in run], run[0].bits)
        return [(sample, shown(picture, spec)) for sample, picture in zip(run, pictures, strict=True)], []
    except SemcError as error:
        return [], [(run[0].path, str(error))]


def _remove_old(folder: Path) -> None:
    """Only the files used last stay."""
    files = sorted(folder.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[_KEPT_FILES:]:
        with contextlib.suppress(OSError):
            path.unlink()
