"""Words for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls but for tab and line feed, marks that turn the direction of writing, halves of characters."""
_LONGEST: Final = 40


def readable(text: str) -> str:
    r"""`text` as any file and terminal takes it: bytes of a file's name that are no UTF-8 stand as "\xff".

    Python keeps such bytes as halves of surrogate pairs, which no UTF-8 text may hold. What a terminal would
    obey, and what would show the text in another order than it has, is spelt out too. All else stays.
    """
    return _UNSEEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    byte = code - 0xDC00
    if code < 0x80 or 0x80 <= byte <= 0xFF:
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}"


def short(text: str) -> str:
    """`text` for a sentence: of a long one its beginning."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 group", "2 groups"; `many` where it is not `one` with an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def utc_now() -> str:
    """The moment, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def scan_time(seconds: float) -> str:
    """A time within the scan: "0:07.3", "12:40.0"."""
    tenths = int(seconds * 10 + 0.5)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
