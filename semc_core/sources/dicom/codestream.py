"""What a compressed picture says of itself: how it is coded, its size, and which colours it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

_JPEG: Final = b"\xff\xd8\xff"
_JPEG_2000: Final = b"\xff\x4f\xff\x51"
_JP2_BOX: Final = b"\x00\x00\x00\x0cjP  "
_FRAME_MARKERS: Final = (
    0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7,
)  # fmt: skip
_LOSSLESS, _LS, _SCAN, _END = 0xC3, 0xF7, 0xDA, 0xD9
_BY_LIBJPEG: Final = (0xC0, 0xC1, 0xC2)
"""Baseline, extended and progressive JPEG."""
_ALONE: Final = (0x01, *range(0xD0, 0xD9))
"""Markers without a length."""
_RGB_NAMES: Final = (b"RGB", b"rgb")
_ADOBE_RGB: Final = 0
_MOST_SEGMENTS: Final = 15
_MOST_PIXELS: Final = 2**16 - 1
"""Of a side, as the header of a DICOM file can say."""


@dataclass(frozen=True, slots=True)
class Codestream:
    """The head of one compressed picture.

    Attributes:
        syntax: A transfer syntax of its kind, of which a decoder can be had.
        rows: Height, pixels; 0 where it does not say.
        columns: Width, pixels; 0 likewise.
        samples: Per pixel; 0 likewise.
        bits: Per sample; 0 likewise.
        rgb: True: its colours are surely RGB; False: surely brightness and colour difference; None: unsaid.
        jfif: Whether it has the mark of JFIF files, which hold brightness and colour difference.
        libjpeg_rgb: Whether libjpeg takes its colours for RGB.
    """

    syntax: UID
    rows: int = 0
    columns: int = 0
    samples: int = 0
    bits: int = 0
    rgb: bool | None = None
    jfif: bool = False
    libjpeg_rgb: bool = False


def codestream_of(data: bytes) -> Codestream | None:
    """None: it is no picture of a known kind."""
    if data.startswith(_JPEG):
        return _jpeg(data)
    if data.startswith((_JPEG_2000, _JP2_BOX)):
        return _jpeg_2000(data)
    segments = int.from_bytes(data[:4], "little")
    if 1 <= segments <= _MOST_SEGMENTS and int.from_bytes(data[4:8], "little") == 64:
        return Codestream(RLELossless)
    return None


def _jpeg(data: bytes) -> Codestream | None:
    place, jfif, adobe = 2, False, None
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in (_SCAN, _END):
            return None
        body = data[place + 4 : place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")]
        if marker in _FRAME_MARKERS:
            return _frame(marker, body, jfif, adobe)
        jfif = jfif or (marker == 0xE0 and body.startswith(b"JFIF"))
        if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        place += 4 + len(body)
    return None


def _frame(marker: int, body: bytes, jfif: bool, adobe: int | None) -> Codestream | None:
    """Out of the header of a frame (ISO/IEC 10918-1, B.2.2)."""
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        return None
    bits, samples = body[0], body[5]
    names = bytes(body[6 + 3 * number] for number in range(samples))
    shares = [body[7 + 3 * number] for number in range(samples)]
    if marker == _LS:
        syntax = JPEGLSLossless
    elif marker in _BY_LIBJPEG:
        syntax = JPEGBaseline8Bit if bits == 8 else JPEGExtended12Bit
    else:
        syntax = JPEGLosslessSV1
    rgb: bool | None = None
    if samples == 3:
        if len(set(shares)) > 1:
            # Only differences of colour are ever stored more coarsely than the rest.
            rgb = False
        elif adobe is not None:
            rgb = adobe == _ADOBE_RGB
        elif names in _RGB_NAMES:
            rgb = True
    rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    by_libjpeg = not jfif and (adobe == _ADOBE_RGB if adobe is not None else names == _RGB_NAMES[0])
    return Codestream(syntax, rows, columns, samples, bits, rgb, jfif, by_libjpeg and samples == 3)


def _jpeg_2000(data: bytes) -> Codestream | None:
    """ISO/IEC 15444-1, A.5.1 (size) and A.6.1 (whether colours are transformed)."""
    start = data.find(_JPEG_2000)
    if start < 0 or len(data) < start + 44:
        return None
    size = data[start + 4 :]
    right, lower, left, upper = (int.from_bytes(size[at : at + 4], "big") for at in (4, 8, 12, 16))
    samples, bits = int.from_bytes(size[36:38], "big"), (size[38] & 0x7F) + 1
    if not (0 < right - left <= _MOST_PIXELS and 0 < lower - upper <= _MOST_PIXELS):
        return None
    place, syntax, transformed = start + 2, JPEG2000, False
    while place + 4 <= len(data) and data[place : place + 2] not in (b"\xff\x90", b"\xff\xd9"):
        if data[place : place + 2] == b"\xff\x50":
            syntax = HTJ2K
        if data[place : place + 2] == b"\xff\x52" and len(data) > place + 8:
            transformed = data[place + 8] == 1
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    # Decoders undo the transformation: what comes out is RGB.
    rgb = True if samples == 3 and transformed else None
    return Codestream(syntax, lower - upper, right - left, samples, bits, rgb)
