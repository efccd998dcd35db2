"""The words of a PDF report, which it holds as numbers of letters in fonts, and where everything is drawn."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

from tests.record.pictures import digest

_STREAM: Final = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT_OR_TEXT: Final = re.compile(rb"/F(\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj", re.DOTALL)
_LETTER: Final = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>")
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)


def report(content: bytes) -> dict[str, Any]:
    """Number of pages, words in the order in which they are drawn, and a hash of all lines and places."""
    streams = [_inflated(each) for each in _STREAM.findall(content)]
    fonts = [_letters(each) for each in streams if b"begincmap" in each]
    pages = [each for each in streams if b" Tf" in each]
    used = sorted({int(found[1]) for page in pages for found in _FONT_OR_TEXT.finditer(page) if found[1]})
    by_number = dict(zip(used, fonts, strict=True))
    drawn = b"".join(_FONT_OR_TEXT.sub(b"*", page) for page in pages)
    return {
        "pages": len(re.findall(rb"/Type /Page\b", content)),
        "words": [word for page in pages for word in _words(page, by_number)],
        "places": digest(drawn),
        "pictures_here": [digest(each) for each in streams if each.startswith(b"\xff\xd8")],
    }


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _letters(cmap: bytes) -> dict[int, str]:
    """Number of a letter -> the letter."""
    return {int(a, 16): bytes.fromhex(b.decode()).decode("utf-16-be") for a, b in _LETTER.findall(cmap)}


def _words(page: bytes, fonts: dict[int, dict[int, str]]) -> list[str]:
    letters: dict[int, str] = {}
    words = []
    for found in _FONT_OR_TEXT.finditer(page):
        if found[1]:
            letters = fonts[int(found[1])]
            continue
        text = _ESCAPED.sub(lambda escaped: {b"r": b"\r", b"n": b"\n"}.get(escaped[1], escaped[1]), found[2])
        words.append("".join(letters[int.from_bytes(text[i : i + 2])] for i in range(0, len(text), 2)))
    return words
