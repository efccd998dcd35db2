"""Finds the frames in compressed pixel data: which fragments belong to which frame.

The offset tables are hints only. What the fragments themselves say counts more: a table that is missing,
shifted or cut costs nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, Final

from semc_core.sources.dicom.header import PixelData

_ITEM: Final = 0xFFFEE000
_BEGINNINGS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
"""Of a JPEG, JPEG-LS or JPEG 2000 picture."""
_LOOKED_AT: Final = 8
_MOST_FRAGMENTS: Final = 2_000_000

Span = tuple[int, int]
"""First byte in the file, and bytes."""


@dataclass(frozen=True, slots=True)
class Fragments:
    """The items of compressed pixel data.

    Attributes:
        spans: Of each fragment.
        table: Offsets of the frames as the Basic Offset Table gives them, from the first fragment's item.
        begins: Whether each fragment begins as a picture does.
        cut: Whether the file ends within a fragment.
    """

    spans: tuple[Span, ...]
    table: tuple[int, ...]
    begins: tuple[bool, ...]
    cut: bool


def read_fragments(pixels: PixelData) -> Fragments:
    """Walk along the items; ends at the first thing that is none."""
    with pixels.open() as file:
        return _walked(file, pixels.start, pixels.start + pixels.length)


def _walked(file: BinaryIO, place: int, end: int) -> Fragments:
    spans: list[Span] = []
    begins: list[bool] = []
    table: tuple[int, ...] | None = None
    cut = False
    while place + 8 <= end and len(spans) < _MOST_FRAGMENTS:
        file.seek(place)
        group, element, length = struct.unpack("<HHI", file.read(8))
        if group << 16 | element != _ITEM:
            break
        cut = place + 8 + length > end
        length = min(length, end - place - 8)
        if table is None:
            usable = length // 4 * 4
            table = struct.unpack(f"<{usable // 4}I", file.read(usable))
        else:
            spans.append((place + 8, length))
            begins.append(file.read(min(length, _LOOKED_AT)).startswith(_BEGINNINGS))
        place += 8 + length
    return Fragments(tuple(spans), table or (), tuple(begins), cut)


def read_spans(pixels: PixelData, spans: Sequence[Span]) -> bytes:
    """What lies there, joined; less where the file is shorter by now."""
    with pixels.open() as file:
        parts = []
        for start, length in spans:
            file.seek(start)
            parts.append(file.read(length))
    return b"".join(parts)


def frame_spans(
    fragments: Fragments, extended: Sequence[int], expected: int | None
) -> tuple[list[list[Span]], bool]:
    """The fragments of every frame, and whether an offset table was wrong.

    Args:
        fragments: Of the file.
        extended: The Extended Offset Table; empty where there is none.
        expected: Frames that the header counts; None where it does not say.
    """
    spans = fragments.spans
    if not spans:
        return [], False
    given = tuple(extended) or fragments.table
    by_table = _by_table(spans, given)
    wrong = bool(given) and by_table is None
    begins = [place for place, beginning in enumerate(fragments.begins) if beginning]
    if by_table is not None and (expected is None or len(by_table) == expected):
        starts = by_table
    elif expected == len(spans):
        starts = list(range(len(spans)))
        wrong = wrong or by_table is not None
    elif begins[:1] == [0]:
        # Each begins as a picture does, or continues the one before it.
        starts = begins
    elif expected == 1:
        starts = [0]
    else:
        starts = by_table or list(range(len(spans)))
    return [list(spans[first:last]) for first, last in pairwise([*starts, len(spans)])], wrong


def _by_table(spans: Sequence[Span], offsets: Sequence[int]) -> list[int] | None:
    """Number of the first fragment of every frame; None where the table does not fit the fragments."""
    # An offset leads to the item, which has 8 bytes before its fragment.
    places = {start - spans[0][0]: number for number, (start, _) in enumerate(spans)}
    starts = [places.get(offset, -1) for offset in offsets]
    fits = bool(starts) and starts[0] == 0 and all(first < last for first, last in pairwise(starts))
    return starts if fits else None
