"""Changes bytes at random: the same seed makes the same change."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

_MOST_CHANGES: Final = 8
_LONGEST: Final = 64
_MAGIC: Final = (
    *(b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"),
    *(
        b"\xff\xff\xff\x7f",
        b"\0\0\0\x80",
        b"-1",
        b"1e999",
        b"NaN",
        b"null",
        b"[" * 300,
        b"{}",
        b"\xed\xa0\x80",
    ),
    *(
        b"\x1b[31m",
        b"\xe2\x80\xae",
        b"../",
        b"http://127.0.0.1/",
        b"9" * 40,
        b"\\",
        b"\r\n",
        b"%s",
        b"''",
        b'"',
    ),
)


def mutated(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """`content` with one to eight changes; parts of `others` are mixed in now and then."""
    data = bytearray(content)
    for _ in range(random.randint(1, _MOST_CHANGES)):
        _change(data, others, random)
    return bytes(data)


def _change(data: bytearray, others: Sequence[bytes], random: Random) -> None:
    # Headers are short and stand first: half of the changes go there.
    end = len(data) if random.random() < 0.5 else min(len(data), 512)
    at = random.randrange(end + 1)
    length = random.randint(1, _LONGEST)
    kind = random.randrange(8)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << random.randrange(8)
    elif kind == 1 and at < len(data):
        data[at] = random.randrange(256)
    elif kind == 2:
        del data[at : at + length]
    elif kind == 3:
        data[at:at] = random.randbytes(length)
    elif kind == 4:
        magic = random.choice(_MAGIC)
        data[at : at + random.choice((0, len(magic)))] = magic
    elif kind == 5:
        data[at:at] = data[at : at + length]
    elif kind == 6 and random.random() < 0.3:
        del data[at:]
    else:
        other = random.choice(others)
        begin = random.randrange(len(other) + 1)
        data[at : at + length] = other[begin : begin + length]
