"""HC18 (van den Heuvel et al. 2018): fetal head planes, `training_set/010_2HC.png` and `test_set/000_HC.png`.

The number begins the name; it is counted anew in each set. Pictures that end in `_Annotation` are outlines.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from semc_core.sources.images import natural_key
from training.data.index import DataIndex, Sample, make_index
from training.data.readers.options import ReadOptions

_FILE: Final = re.compile(r"(\d+)_\d*HC\.png", re.IGNORECASE)
_SETS: Final = {"training_set": "train", "test_set": "test"}
_LABEL: Final = "fetal_head"


def fits(folder: Path) -> bool:
    """Whether its two sets are there."""
    return any(_FILE.fullmatch(path.name) for where in _sets(folder) for path in where.iterdir())


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the pictures; a number is a group. Raises UsageError as `make_index` does."""
    samples = []
    for where in _sets(folder):
        split = _SETS[where.name]
        for path in sorted(where.iterdir(), key=lambda each: natural_key(each.name)):
            if found := _FILE.fullmatch(path.name):
                samples.append(Sample(path, _LABEL, f"{split}-{found[1]}", "HC18", split))
    return make_index("HC18", samples, folder)


def _sets(folder: Path) -> list[Path]:
    """In the folder, in one below it, or each in one of its own name, as the archives unpack."""
    found = [
        path for depth in ("", "*/", "*/*/") for name in _SETS for path in sorted(folder.glob(depth + name))
    ]
    return [path for path in found if path.is_dir()]
