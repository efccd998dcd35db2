"""What the published network sees in each picture: in itself, its mirror image and changed versions.

Its layers do not learn, so they run once for all trainings. A folder holds `seen.npy`, float32 (N, F), the
features before the last layer averaged over the picture, `answers.npy`, float32 (N, S), the published
network's logits, and `rows.csv`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SaveError, UsageError
from semc_core.imaging.preprocess import prepare, whole
from semc_core.io.atomic import write_atomically
from semc_core.model.architecture import SONONET16
from semc_core.runtime.base import RawRuntime
from training.fetal.changes import changed
from training.fetal.pictures import FetalPicture

ITSELF: Final = -1
"""The version that is the picture, not changed."""
MIRRORED: Final = -2
CHANGED: Final = 4
"""Changed versions of each picture."""

_BATCH: Final = 32
_AHEAD: Final = 2
_COLUMNS: Final = ("version", "label", "source", "country", "group", "name")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Version:
    """One row: which picture, and which version of it."""

    version: int
    label: str
    source: str
    country: str
    group: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a folder holds.

    Attributes:
        seen: float32 (N, F).
        answers: float32 (N, S).
        rows: N.
    """

    seen: Floats
    answers: Floats
    rows: list[Version]


def write_versions(
    folder: Path,
    pictures: list[FetalPicture],
    runtime: RawRuntime,
    seed: int,
    tell: Callable[[int, int], None],
) -> None:
    """Change, prepare and look at all pictures.

    Args:
        folder: To write; made if missing.
        pictures: See `pictures.read_pictures`.
        runtime: Of the published SonoNet-16.
        seed: Of the changes.
        tell: Called with how many of how many are done.

    Raises:
        SaveError: The folder cannot be written.
        RuntimeFault: The network could not be run.
    """
    plan = [(place, version) for place in range(len(pictures)) for version in range(MIRRORED, CHANGED)]
    seen, answers = [], []
    for inputs in _inputs_ahead(pictures, plan, seed):
        raw = runtime.raw(inputs)
        seen.append(raw.pooled)
        answers.append(raw.logits)
        tell(_BATCH * len(seen), len(plan))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "seen.npy", np.concatenate(seen).astype(np.float32))
        np.save(folder / "answers.npy", np.concatenate(answers).astype(np.float32))
    except OSError as error:
        raise SaveError(f"{folder.name} cannot be written; choose another folder.") from error
    _write_rows(folder / "rows.csv", [_row(pictures[place], version) for place, version in plan])


def read_versions(folder: Path) -> Prepared:
    """What `write_versions` wrote.

    Raises:
        UsageError: It was not written to its end.
    """
    try:
        with (folder / "rows.csv").open(newline="", encoding="utf-8") as table:
            rows = [Version(int(row.pop("version")), **row) for row in csv.DictReader(table)]
        return Prepared(np.load(folder / "seen.npy"), np.load(folder / "answers.npy"), rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder.name} holds no prepared pictures; prepare them first.") from error


def _inputs_ahead(
    pictures: list[FetalPicture], plan: list[tuple[int, int]], seed: int
) -> Iterator[NDArray[np.float32]]:
    """Batches (B, 1, h, w) in order, each made on another thread while the one before is looked at."""

    def batch(first: int) -> NDArray[np.float32]:
        return np.stack(
            [_input(pictures[at], at, version, seed) for at, version in plan[first : first + _BATCH]]
        )

    starts = range(0, len(plan), _BATCH)
    with ThreadPoolExecutor(1) as maker:
        waiting = [maker.submit(batch, first) for first in starts[:_AHEAD]]
        for first in (*starts[_AHEAD:], *[None] * min(_AHEAD, len(starts))):
            made = waiting.pop(0)
            if first is not None:
                waiting.append(maker.submit(batch, first))
            yield made.result()


def _row(picture: FetalPicture, version: int) -> Version:
    p = picture
    return Version(version, p.label, p.source, p.country, p.group, p.name)


def _write_rows(path: Path, rows: list[Version]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows([getattr(row, name) for name in _COLUMNS] for row in rows)
    write_atomically(path, text.getvalue().encode())


def _input(picture: FetalPicture, place: int, version: int, seed: int) -> NDArray[np.float32]:
    p = SONONET16.preprocessing
    if version in (ITSELF, MIRRORED):
        itself = prepare(picture.gray, picture.region, p)
        return itself if version == ITSELF else np.ascontiguousarray(itself[:, :, ::-1])
    rng = np.random.default_rng((seed, place, version))
    gray = changed(rng, picture.gray, picture.region, p.height, p.width)
    return prepare(gray, whole(gray), p)
