"""Which patients a model learned from: in its file, as keyed hashes that say nothing to whoever has no key.

The key lies in the user's folder and never in a model file, so what a model learned from can be known again
on this computer (or where the key was copied to), and guessed nowhere. It serves two ends: two models are
compared only on patients of whom neither knows, and it is counted how often a test split was looked at.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.io.secret_file import read_or_make_secret
from semc_core.model.file import TRAINING_PREFIX, Arrays
from semc_core.paths import data_folder
from training.data.index import DataIndex

KEY_NAME: Final = "patients.key"
_GROUPS: Final = f"{TRAINING_PREFIX}groups"
"""float32 (G, 4): three whole numbers of 24 bits, the hash of a group, and how it was used."""
_KEY: Final = f"{TRAINING_PREFIX}groups_key"
"""float32 (3,): the hash of nothing, which says whether two models have one key."""
_TRAINED, _CHOSEN = 0, 1
_KEY_BYTES: Final = 32
_WORDS: Final = 3
_WORD_BYTES: Final = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LearnedFrom:
    """The groups that a model knows, as hashes.

    Attributes:
        trained: Its weights were learned from them.
        chosen: Its weights, calibration and thresholds were chosen on them.
    """

    trained: frozenset[bytes]
    chosen: frozenset[bytes]


def patients_key(folder: Path | None = None) -> bytes:
    """The key of this computer's user, made when there is none.

    Args:
        folder: None for the user's own.

    Raises:
        OSError: It can neither be read nor made.
        UsageError: The file is no such key.
    """
    path = (folder or data_folder()) / KEY_NAME
    key = read_or_make_secret(path, _KEY_BYTES)
    if len(key) != _KEY_BYTES:
        raise UsageError(f"{path} is no key; put the old file back, or remove it to begin with a new one.")
    return key


def hashed(key: bytes, index: DataIndex, group: str) -> bytes:
    """A group of a data set, the same whether the set is read alone or as one of several."""
    # Joined sets have their name before each group, and no folder.
    name = group if index.folder is None else f"{index.name}/{group}"
    return hmac.new(key, name.encode(errors="surrogateescape"), hashlib.sha256).digest()[
        : _WORDS * _WORD_BYTES
    ]


def learned_arrays(index: DataIndex, before: Mapping[str, NDArray[np.float32]] | None = None) -> Arrays:
    """The tensors that say which groups a model knows that was trained on the splits of `index`.

    Args:
        index: The data set, split.
        before: The tensors of the file that the training started from: what that knows, the new one does.

    Returns:
        Nothing, and a line in the log, where there can be no key.
    """
    try:
        key = patients_key()
    except OSError as error:
        _log.warning("The model will not say which patients it knows: there is no key (%s).", error.strerror)
        return {}
    found: dict[bytes, int] = {}
    for split, use in (("validation", _CHOSEN), ("train", _TRAINED)):
        found |= {hashed(key, index, sample.group): use for sample in index.of_split(split)}
    if before is not None and (known := _read(before, key)) is not None:
        found = dict.fromkeys(known.chosen, _CHOSEN) | found | dict.fromkeys(known.trained, _TRAINED)
    rows = [[*_words(each), use] for each, use in sorted(found.items())]
    return {
        _GROUPS: np.array(rows, np.float32).reshape(-1, _WORDS + 1),
        _KEY: np.array(_words(_mark(key)), np.float32),
    }


def learned_from(arrays: Mapping[str, NDArray[np.float32]]) -> LearnedFrom | None:
    """What the tensors of a model file say; None if they do not, or by another key than this user's."""
    try:
        return _read(arrays, patients_key())
    except OSError:
        return None


def known_groups(
    index: DataIndex, groups: Iterable[str], learned: LearnedFrom, *, only_trained: bool
) -> set[str]:
    """Which of the groups of a data set a model knows.

    Args:
        index: The data set.
        groups: Of it.
        learned: What the model knows.
        only_trained: Those that it was chosen on do not count.

    Raises:
        OSError: There is no key.
    """
    key = patients_key()
    known = learned.trained if only_trained else learned.trained | learned.chosen
    return {group for group in groups if hashed(key, index, group) in known}


def split_mark(index: DataIndex) -> str:
    """Tells one test split from another, whatever the size or the order of its pictures.

    Raises:
        OSError: There is no key.
    """
    key = patients_key()
    lines = sorted(
        hashed(key, index, one.group).hex() + f" {one.frame} {one.path.name}"
        for one in index.of_split("test")
    )
    return hmac.new(key, "\n".join(lines).encode(errors="surrogateescape"), hashlib.sha256).hexdigest()


def _read(arrays: Mapping[str, NDArray[np.float32]], key: bytes) -> LearnedFrom | None:
    rows, mark = arrays.get(_GROUPS), arrays.get(_KEY)
    if rows is None or mark is None or rows.ndim != 2 or rows.shape[1] != _WORDS + 1:
        return None
    if mark.tolist() != _words(_mark(key)):
        return None
    uses: dict[int, set[bytes]] = {_TRAINED: set(), _CHOSEN: set()}
    for *words, use in rows.astype(np.int64).tolist():
        if use in uses and all(0 <= word < 1 << 8 * _WORD_BYTES for word in words):
            uses[use].add(b"".join(word.to_bytes(_WORD_BYTES, "big") for word in words))
    return LearnedFrom(frozenset(uses[_TRAINED]), frozenset(uses[_CHOSEN]))


def _mark(key: bytes) -> bytes:
    return hmac.new(key, b"", hashlib.sha256).digest()[: _WORDS * _WORD_BYTES]


def _words(digest: bytes) -> list[float]:
    """Whole numbers below 2^24, which float32 holds exactly."""
    return [
        float(int.from_bytes(digest[place : place + _WORD_BYTES], "big"))
        for place in range(0, _WORDS * _WORD_BYTES, _WORD_BYTES)
    ]
