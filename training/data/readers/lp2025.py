"""LP2025 (SEMC paper): class folders FHP1, FHP2, LLP, RLP, LPV-S, HRP, NSP, with or without train and test.

The names are taken as they are written: capitals, dashes and underscores make no difference.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from semc_core.labels import LIVER_CLASSES, LIVER_PLANES
from training.data.index import DataIndex
from training.data.readers import class_folders
from training.data.readers.class_folders import plain, plain_class
from training.data.readers.options import ReadOptions

_NAMES: Final = {plain(name): name for name in LIVER_CLASSES}
_LEAST_PLANES: Final = 2


def fits(folder: Path) -> bool:
    """Whether all class folders bear the names of LP2025."""
    found = {_class_of(name) for name in class_folders.class_names(folder)}
    return found <= set(LIVER_CLASSES) and len(found & set(LIVER_PLANES)) >= _LEAST_PLANES


def read(folder: Path, options: ReadOptions) -> DataIndex:
    """Index the folders. Raises UsageError as `make_index` does."""
    return class_folders.read(folder, options, "LP2025", _class_of)


def _class_of(name: str) -> str:
    return _NAMES.get(plain(name)) or plain_class(name)
