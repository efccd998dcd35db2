"""Raw taps that are changed inside: their records keep right lengths and checksums, so that they are read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from semc_core.sources.raw.records import MARK
from tests.fuzz.mutate import mutated

_HEAD: Final = struct.Struct("<cdII")
_Record = tuple[bytes, float, bytes]


def changed(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Half of the files are changed as any other; of the rest records are changed, added, or left out."""
    if random.random() < 0.5:
        return mutated(content, others, random)
    records = list(_records(content))
    more = [record for other in others for record in _records(other)]
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(records))
        kind, time_s, inside = records[at]
        what = random.randrange(5)
        if what == 0:
            records.insert(random.randrange(len(records) + 1), random.choice(more))
        elif what == 1 and at:
            del records[at]
        elif what == 2:
            records[at] = random.choice(b"ONCDX").to_bytes(1, "big"), random.uniform(-1e9, 1e9), inside
        else:
            records[at] = kind, time_s, mutated(inside, [each[2] for each in more], random)
    return MARK + b"".join(map(_whole, records))


def _records(content: bytes) -> Iterator[_Record]:
    at = len(MARK)
    while at + _HEAD.size <= len(content):
        kind, time_s, size, _ = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        yield kind, time_s, content[at : at + size]
        at += size


def _whole(record: _Record) -> bytes:
    kind, time_s, inside = record
    return _HEAD.pack(kind, time_s, len(inside), zlib.crc32(inside)) + inside
