"""Pictures that are the same, or look the same.

Shapes: N pictures, W words of a hash.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.imaging.preprocess import to_gray
from semc_core.session.records import file_sha256
from training.data.images import Picture
from training.data.index import DataIndex

_HASH_SIDE: Final = 16
WORDS: Final = _HASH_SIDE * _HASH_SIDE // 64
NEAR_BITS: Final = 14
"""Hashes of 256 bits that differ in at most so many are of pictures that look the same."""

_FLAT: Final = 2.0
"""Pictures whose gray levels deviate less, from black screens, have no hash that says anything."""

_BLOCK: Final = 1024


def pixel_digest(picture: Picture) -> bytes:
    """The same for two pictures only if all pixels are the same."""
    made = hashlib.blake2b(repr(picture.pixels.shape).encode(), digest_size=16)
    made.update(picture.pixels.tobytes())
    return made.digest()


def look_hash(picture: Picture) -> NDArray[np.uint64] | None:
    """Perceptual hash of the scan's region, uint64 (W,); None for a picture without anything to see."""
    import imagehash
    from PIL import Image

    gray = to_gray(picture.crop.cut(picture.pixels))
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
