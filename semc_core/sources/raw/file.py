"""The file of a raw tap: a mark, then records, each with its kind, time, length and checksum.

    SEMCTAP1 newline, then of each record: kind (1 byte), time in seconds (8, float), length (4), CRC-32 of
    the content (4), content; numbers in little-endian order.

O is the `Origin`, N a `Note`, C the `Coding` of the data that follow it: JSON. D is data: flags (1 byte: 1
can be decoded alone, 2 damaged, 4 has a pts, 8 has a dts), pts and dts (8 each), bytes a number (1),
dimensions (1), each dimension (4), the bytes.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.io.atomic import write_atomically
from semc_core.io.documents import Document, DocumentFault
from semc_core.io.regular import open_regular
from semc_core.language import _
from semc_core.sources.raw.records import CODING, MARK, NOTE, ORIGIN, Coding, Note, Origin, Raw, Tapped

T = TypeVar("T")
SUFFIX: Final = ".semctap"
_RECORD: Final = struct.Struct("<cdII")
_DATA: Final = struct.Struct("<BqqBB")
_KEY, _CORRUPT, _HAS_PTS, _HAS_DTS = 1, 2, 4, 8
_LARGEST_BYTES: Final = 256 * 2**20
_MOST_DIMENSIONS: Final = 3


def write_tap(path: Path, tapped: Tapped) -> None:
    """Write it; an older file of that name is replaced. Only its owner may read it: it shows a patient.

    Raises:
        SaveError: It could not be written.
    """
    start_s = tapped.data[0].time_s
    parts = [MARK, *_record(b"O", 0.0, _plain(tapped.origin))]
    for note in tapped.notes:
        told = Note(round(note.time_s - start_s, 6), note.words)
        parts += _record(b"N", told.time_s, _plain(told))
    coding: Coding | None = None
    for raw in tapped.data:
        if raw.coding != coding:
            coding = raw.coding
            parts += _record(b"C", raw.time_s - start_s, _plain(coding))
        parts += _record(b"D", raw.time_s - start_s, *_data(raw))
    write_atomically(path, b"".join(parts), private=True)


class TapFile:
    """A file of a raw tap, read from its beginning. Used by one thread.

    Attributes:
        origin: Where it came from.
        notes: What happened, as far as it was read.
        cut_short: Whether reading came to a place where the rest is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            SourceError: It cannot be read, or is none.
        """
        self._name = path.name
        try:
            self._file: BinaryIO = open_regular(path)
        except OSError as error:
            raise SourceError(
                _("{name} cannot be read; check the name and its permissions.", name=path.name)
            ) from error
        self.notes: list[Note] = []
        self.cut_short = False
        try:
            self.origin = self._begin()
        except BaseException:
            self._file.close()
            raise

    def data(self) -> Iterator[Raw]:
        """Buffers and packets in order, `time_s` from the first on; ends where the file does, or is damaged.

        Raises:
            SourceError: What it says of its data is no coding.
        """
        coding: Coding | None = None
        while (record := self._next()) is not None:
            kind, time_s, content = record
            if kind == b"N":
                self.notes.append(self._parsed(NOTE, content))
            elif kind == b"C":
                coding = self._parsed(CODING, content)
            elif kind == b"D" and coding is not None:
                raw = _raw(coding, time_s, content)
                if raw is None:
                    self.cut_short = True
                    return
                yield raw

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _begin(self) -> Origin:
        record = self._next() if self._file.read(len(MARK)) == MARK else None
        if record is None or record[0] != b"O":
            raise SourceError(
                _("{name} is no raw recording, or is damaged at its beginning.", name=self._name)
            )
        return self._parsed(ORIGIN, record[2])

    def _next(self) -> tuple[bytes, float, bytes] | None:
        """Kind, time and content of the next record; None at the end, or where the rest is damaged."""
        head = self._file.read(_RECORD.size)
        if not head:
            return None
        if len(head) == _RECORD.size:
            kind, time_s, size, checksum = _RECORD.unpack(head)
            if size <= _LARGEST_BYTES and math.isfinite(time_s):
                content = self._file.read(size)
                if len(content) == size and zlib.crc32(content) == checksum:
                    return kind, time_s, content
        self.cut_short = True
        return None

    def _parsed(self, document: Document[T], content: bytes) -> T:
        try:
            return document.parse(content)
        except DocumentFault as error:
            raise SourceError(
                _("{name} cannot be played: {reason}; ask for it again.", name=self._name, reason=error)
            ) from error


def _plain(value: Origin | Note | Coding) -> bytes:
    return json.dumps(asdict(value)).encode()


def _record(kind: bytes, time_s: float, *content: bytes) -> tuple[bytes, ...]:
    checksum, size = 0, 0
    for part in content:
        checksum, size = zlib.crc32(part, checksum), size + len(part)
    return (_RECORD.pack(kind, time_s, size, checksum), *content)


def _data(raw: Raw) -> tuple[bytes, bytes]:
    flags = _KEY * raw.key | _CORRUPT * raw.corrupt
    flags |= _HAS_PTS * (raw.pts is not None) | _HAS_DTS * (raw.dts is not None)
    shape = raw.data.shape
    head = _DATA.pack(flags, raw.pts or 0, raw.dts or 0, raw.data.dtype.itemsize, len(shape))
    return head + struct.pack(f"<{len(shape)}I", *shape), raw.data.tobytes()


def _raw(coding: Coding, time_s: float, content: bytes) -> Raw | None:
    """The data that a record holds; None where it is damaged."""
    if len(content) < _DATA.size:
        return None
    flags, pts, dts, itemsize, dimensions = _DATA.unpack_from(content)
    at = _DATA.size + 4 * dimensions
    if itemsize not in (1, 2) or not 1 <= dimensions <= _MOST_DIMENSIONS or len(content) < at:
        return None
    shape = struct.unpack_from(f"<{dimensions}I", content, _DATA.size)
    if math.prod(shape) * itemsize != len(content) - at:
        return None
    data: NDArray[np.generic] = np.frombuffer(content, np.uint8 if itemsize == 1 else "<u2", offset=at)
    return Raw(
        coding=coding,
        time_s=time_s,
        data=data.reshape(shape),
        key=bool(flags & _KEY),
        pts=pts if flags & _HAS_PTS else None,
        dts=dts if flags & _HAS_DTS else None,
        corrupt=bool(flags & _CORRUPT),
    )
