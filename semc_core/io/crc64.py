"""The 64-bit checksum of ECMA-182, as OpenIGTLink has it: over megabytes, many times a second.

A checksum is a remainder of polynomials over bits, so that of parts can be computed side by side and put
together: each part's is multiplied by x to the number of bits that follow it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL: Final = 0x42F0E1EBA9EA3693
_BITS: Final = 64
_TOP: Final = 1 << 63
_ALL: Final = (1 << 64) - 1
_WORD: Final = 2
"""Bytes that are taken at once."""
_FEW: Final = 4096
"""Bytes for which side by side is no gain."""
_MOST_LANES: Final = 2048
Tables = NDArray[np.uint64]
"""uint64 (8, 256): what a linear map makes of each byte of a number, the lowest first."""


def crc64(content: bytes | bytearray | memoryview) -> int:
    """The checksum of some bytes; 0 for none, and for zeros alone."""
    size = len(content)
    lanes = 1
    while lanes < _MOST_LANES and size > lanes * _FEW // 8:
        lanes *= 2
    words = -(-size // (lanes * _WORD))
    # Zeros before it change nothing.
    padded = np.zeros(lanes * words * _WORD, np.uint8)
    padded[padded.size - size :] = np.frombuffer(content, np.uint8)
    columns = np.ascontiguousarray(padded.view(">u2").reshape(lanes, words).T.astype(np.uint64))
    table = _table()
    parts = np.zeros(lanes, np.uint64)
    for column in columns:
        parts = table[(parts >> np.uint64(48)) ^ column] ^ (parts << np.uint64(16))
    for shift in _shifts(words * _WORD, lanes):
        parts = _applied(shift, parts[0::2]) ^ parts[1::2]
    return int(parts[0])


@cache
def _table() -> NDArray[np.uint64]:
    """uint64 (65536,): the checksum of each two bytes."""
    found = np.arange(1 << 16, dtype=np.uint64) << np.uint64(48)
    for _ in range(16):
        over = np.where(found & np.uint64(_TOP), np.uint64(_POLYNOMIAL), np.uint64(0))
        found = (found << np.uint64(1)) ^ over
    return found


@lru_cache(8)
def _shifts(size: int, lanes: int) -> tuple[Tables, ...]:
    """For parts of so many bytes, and for those of twice as many, and so on: what goes before one."""
    columns = [1 << bit for bit in range(_BITS)]
    for _ in range(8):
        columns = [_times_x(each) for each in columns]
    found: list[Tables] = []
    power = _tables(columns)
    by = _tables([1 << bit for bit in range(_BITS)])
    while size:
        if size & 1:
            by = _after(by, power)
        power, size = _after(power, power), size >> 1
    while lanes > 1:
        found.append(by)
        by, lanes = _after(by, by), lanes // 2
    return tuple(found)


def _times_x(number: int) -> int:
    return ((number << 1) & _ALL) ^ (_POLYNOMIAL if number & _TOP else 0)


def _tables(columns: list[int]) -> Tables:
    """Of the map that makes these of the bits."""
    found = np.zeros((8, 256), np.uint64)
    values = np.arange(256)
    for bit, made in enumerate(columns):
        found[bit // 8][(values >> (bit % 8)) & 1 == 1] ^= np.uint64(made)
    return found


def _after(first: Tables, then: Tables) -> Tables:
    """One map after the other."""
    return _applied(then, first.reshape(-1)).reshape(8, 256)


def _applied(tables: Tables, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    made = np.zeros_like(numbers)
    for place in range(8):
        made ^= tables[place][(numbers >> np.uint64(8 * place)) & np.uint64(255)]
    return made
