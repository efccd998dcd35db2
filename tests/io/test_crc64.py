"""The checksum against the value that is known of it, and against the obvious loop."""

from __future__ import annotations

import numpy as np
import pytest

from semc_core.io.crc64 import crc64


def by_bits(content: bytes) -> int:
    found = 0
    for byte in content:
        found ^= byte << 56
        for _ in range(8):
            found = (found << 1) ^ (0x142F0E1EBA9EA3693 if found >> 63 else 0)
    return found


def test_it_is_that_of_ecma_182() -> None:
    assert crc64(b"123456789") == 0x6C40DF5F0B497347
    assert crc64(b"") == crc64(bytes(5000)) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 57, 511, 512, 513, 1025, 20_001])
def test_in_parts_it_is_what_it_is_bit_by_bit(size: int) -> None:
    content = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    assert crc64(content) == by_bits(content)
    assert crc64(bytearray(content)) == crc64(b"\0\0\0" + content)
    assert crc64(content[:-1] + bytes([content[-1] ^ 1])) != crc64(content)
