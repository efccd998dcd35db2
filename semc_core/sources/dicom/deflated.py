"""Deflated DICOM files: inflated for all who look at them, and no further than can be held."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.sources.dicom.elements import UNREADABLE

_MOST_BYTES: Final = 1 << 29
"""Such a file is held in memory while it is read."""
_MOST_TIMES: Final = 300
_LEAST_BYTES: Final = 1 << 26
"""What inflates to more than this, and to so many times of what was read for it, is no scan."""
_DEFLATED: Final = str(DeflatedExplicitVRLittleEndian).encode("ascii")
_INFLATED: Final = str(ExplicitVRLittleEndian).encode("ascii")
_PREAMBLE_BYTES: Final = 132
_BLOCK: Final = 1 << 20
_META_GROUP: Final = 2
_TRANSFER_SYNTAX: Final = 0x00020010


def inflated(file: BinaryIO, path: Path) -> bytes | None:
    """The file as it would be if it were not deflated (Explicit VR Little Endian); None of any other file.

    In bounds, and once for all who look: what reads a deflated file would inflate it as a whole each time.

    Raises:
        SourceError: It would inflate to more than can be held, or is damaged.
    """
    try:
        file.seek(_PREAMBLE_BYTES)
        meta = read_dataset(file, False, True, stop_when=_is_past)
        # As bytes: pydicom warns of what is no identifier.
        syntax = bytes(meta.get_item(_TRANSFER_SYNTAX).value or b"").strip(b" \0")
    except UNREADABLE:
        # What is wrong with it is said by who reads it.
        return None
    if syntax != _DEFLATED:
        return None
    start, total = file.tell(), 0
    # Counted first: what is too large takes no memory.
    for block in _blocks(file, path):
        total += len(block)
        if total > _MOST_BYTES:
            raise SourceError(
                _(
                    "{name} would inflate to more than {size} MiB; export it not deflated.",
                    name=path.name,
                    size=_MOST_BYTES >> 20,
                )
            )
        if total > max(_LEAST_BYTES, _MOST_TIMES * file.tell()):
            raise SourceError(
                _(
                    "{name} would inflate to more than {times} times its size, which no scan does; "
                    "export it not deflated.",
                    name=path.name,
                    times=_MOST_TIMES,
                )
            )
    file.seek(0)
    plain = BytesIO()
    # Of the same length, so that the group's length stays right.
    plain.write(file.read(start).replace(_DEFLATED, _INFLATED.ljust(len(_DEFLATED), b"\0")))
    for block in _blocks(file, path):
        plain.write(block)
    return plain.getvalue()


def _blocks(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """What is deflated from where the file stands. Raises SourceError where it is damaged."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    with suppress(zlib.error):
        while not inflater.eof and (block := inflater.unconsumed_tail or file.read(_BLOCK)):
            yield inflater.decompress(block, _BLOCK)
    if not inflater.eof:
        raise SourceError(_("{name} cannot be read as DICOM; it is damaged or cut short.", name=path.name))


def _is_past(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) >> 16 != _META_GROUP
