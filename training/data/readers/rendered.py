"""Simulated patients: a rendered set, or patients named by number, which are rendered into the cache."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from semc_core.labels import LIVER_CLASSES
from semc_core.paths import cache_folder
from training.data.frame_set import SOURCE, read_shard, shard_path
from training.data.index import DataIndex, Sample, make_index
from training.data.readers.options import ReadOptions
from training.data.splits import choose_patients, split_of

_NAME: Final = "simulated:"
_SHARD: Final = re.compile(r"p\d{5,}\.csv")


def fits(folder: Path) -> bool:
    """Whether there is a patient's pair of files."""
    return any(_SHARD.fullmatch(path.name) for path in folder.glob("p*.csv"))


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index all patients; the number decides the split. Raises UsageError for damaged files."""
    paths = sorted(path for path in folder.glob("p*.csv") if _SHARD.fullmatch(path.name))
    return _index(folder, paths)


def is_name(where: Path | str) -> bool:
    """Whether this names simulated patients, not a folder."""
    return isinstance(where, str) and where.startswith(_NAME)


def simulated(where: str) -> DataIndex:
    """The patients of "simulated:20" (dealt to the splits) or "simulated:0:20" (by number).

    Raises:
        UsageError: They are written otherwise.
        SaveError: They could not be rendered into the cache.
    """
    from training.data.synthetic import RenderOptions, render_patients

    patients = choose_patients(where.removeprefix(_NAME))
    options = RenderOptions()
    folder = cache_folder() / "training" / f"simulated-{options.size}-{options.frames}"
    for _ in render_patients(folder, patients, options, processes=2):
        pass
    return _index(folder, [shard_path(folder, patient) for patient in patients])


def _index(folder: Path, paths: list[Path]) -> DataIndex:
    samples = []
    for path in paths:
        for frame, row in enumerate(read_shard(path)[1]):
            split = split_of(int(row.group)).value
            samples.append(Sample(path.with_suffix(".npy"), row.plane, row.group, SOURCE, split, frame))
    return make_index("simulated", samples, folder, classes=LIVER_CLASSES)
