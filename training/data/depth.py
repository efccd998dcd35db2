"""How many bits the 16-bit pictures of a data set really use.

Scanners and research exports write pictures of 10, 12 or 14 bits into PNG files of 16, and rarely say so.
Read by all 16, they are nearly black. One picture cannot tell whether it is dark or shallow; a whole set can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from semc_core.sources.pictures import MOST_PIXELS, significant_bits
from semc_core.text import counted, readable
from training.data.index import Sample

_DEPTHS: Final = (8, 10, 12, 14)
_WHOLE: Final = 16
_HEAD_BYTES: Final = 26
_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_GRAY_16: Final = bytes((_WHOLE, 0))
"""Bits and kind of colour in the head of a gray PNG file of 16 bits."""


def with_depths(samples: Iterable[Sample]) -> tuple[list[Sample], list[str]]:
    """The samples with the bits that the pictures of their source really use, and sentences about them."""
    samples = list(samples)
    files: dict[str, dict[Path, None]] = defaultdict(dict)
    for sample in samples:
        if sample.path.suffix.lower() == ".png":
            files[sample.source][sample.path] = None
    bits: dict[Path, int] = {}
    notes = []
    for source, paths in files.items():
        deep = [path for path in paths if _is_deep(path)]
        used = _bits_used(deep)
        if deep and used < _WHOLE:
            bits |= dict.fromkeys(deep, used)
            of = f" of {readable(source)}" if len(files) > 1 and source else ""
            notes.append(
                f"{counted(len(deep), 'PNG file')} of {_WHOLE} bits{of}: no value needs more than {used}, so "
                f"{(1 << used) - 1} is taken for white."
            )
    return [replace(sample, bits=bits.get(sample.path, 0)) for sample in samples], notes


def _is_deep(path: Path) -> bool:
    """Whether a file is gray, of 16 bits, of a size that is read, and does not say how many of them count."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    deep = head.startswith(_MAGIC) and head[24:] == _GRAY_16 and width * height <= MOST_PIXELS
    return deep and significant_bits(path) is None


def _bits_used(paths: Iterable[Path]) -> int:
    """The smallest of the usual depths that holds every value."""
    highest = 0
    for path in paths:
        try:
            with Image.open(path, formats=("PNG",)) as image:
                highest = max(highest, int(np.asarray(image).max(initial=0)))
        except (OSError, SyntaxError, ValueError):
            continue  # Reading it for training says why.
        if highest.bit_length() > _DEPTHS[-1]:
            return _WHOLE
    return (
        min((bits for bits in _DEPTHS if highest.bit_length() <= bits), default=_WHOLE) if highest else _WHOLE
    )
