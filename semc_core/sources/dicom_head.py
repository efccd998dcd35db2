"""Tells a DICOM file by its first bytes, without loading what reads it."""

from __future__ import annotations

from typing import Final

HEAD_BYTES: Final = 132
"""What `is_dicom_head` looks at."""
_MAGIC: Final = b"DICM"
_MAGIC_AT: Final = 128
_LITTLE_GROUPS: Final = (b"\x02\x00", b"\x08\x00")
_BIG_GROUPS: Final = (b"\x00\x02", b"\x00\x08")
_TYPES: Final = (b"UL", b"CS", b"UI", b"OB", b"DA", b"TM", b"SH", b"LO", b"DT", b"SQ", b"ST")
"""Types (VR) that the first elements of a file have."""


def is_dicom_head(head: bytes) -> bool:
    """Whether a file begins as DICOM does: with its preamble, or, as some programs write it, at once."""
    if head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC:
        return True
    if head[:2] in _LITTLE_GROUPS:
        # Without types (implicit VR) the length follows: the first elements are short.
        short = int.from_bytes(head[4:8], "little") <= 64
        return head[4:6] in _TYPES or (head[:2] == b"\x08\x00" and head[3:4] == b"\x00" and short)
    return head[:2] in _BIG_GROUPS and head[4:6] in _TYPES
