"""Deflated DICOM files: how much they would inflate to, before anything is inflated as a whole."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO, Final

from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from semc_core.errors import SourceError
from semc_core.sources.dicom.elements import UNREADABLE

_MOST_BYTES: Final = 1 << 29
"""Such a file is held in memory twice while it is read."""
_PREAMBLE_BYTES: Final = 132
_BLOCK: Final = 1 << 20
_META_GROUP: Final = 2
_TRANSFER_SYNTAX: Final = 0x00020010


def check_inflated_size(file: BinaryIO, path: Path) -> None:
    """See that a deflated file does not inflate to more than can be held. Any other file passes.

    Raises:
        SourceError: It would; how much is said as far as it was counted.
    """
    try:
        file.seek(_PREAMBLE_BYTES)
        meta = read_dataset(file, False, True, stop_when=_is_past)
        # As bytes: pydicom warns of what is no identifier.
        syntax = bytes(meta.get_item(_TRANSFER_SYNTAX).value or b"").strip(b" \0").decode("latin-1")
    except UNREADABLE:
        # What is wrong with it is said by who reads it.
        return
    if syntax != DeflatedExplicitVRLittleEndian:
        return
    inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while not inflater.eof and (block := inflater.unconsumed_tail or file.read(_BLOCK)):
        try:
            total += len(inflater.decompress(block, _BLOCK))
        except zlib.error:
            return
        if total > _MOST_BYTES:
            raise SourceError(
                f"{path.name} would inflate to more than {_MOST_BYTES >> 20} MiB; export it not deflated."
            )


def _is_past(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) >> 16 != _META_GROUP
