"""The elements of a header as their bytes say, whatever type they are declared to have. Raises nothing."""

from __future__ import annotations

import math
import struct
from typing import Any, Final

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException

from semc_core.errors import SourceError

UNREADABLE: Final = (
    AttributeError, BytesLengthException, EOFError, KeyError, IndexError, NotImplementedError, OSError,
    OverflowError, RuntimeError, TypeError, ValueError, struct.error,
)  # fmt: skip
"""What pydicom and its decoders raise for what is damaged or beyond them."""

_BINARY: Final = {
    "US": "H",
    "SS": "h",
    "US or SS": "H",
    "UL": "I",
    "SL": "i",
    "FL": "f",
    "FD": "d",
    "AT": "H",
}
_UNTYPED: Final = (None, "UN")


class Elements:
    """Reads one data set, by keyword.

    Attributes:
        mistyped: Keywords whose declared type is not the one that the standard gives them.
    """

    def __init__(self, header: pydicom.Dataset) -> None:
        self._header = header
        self.mistyped: list[str] = []

    def __contains__(self, keyword: str) -> bool:
        """Whether it is there and not empty."""
        return bool(self.data(keyword))

    def data(self, keyword: str) -> bytes:
        """The bytes; empty where it is missing."""
        element = self._element(keyword)
        return element.value if element is not None and isinstance(element.value, bytes) else b""

    def text(self, keyword: str) -> str:
        """The first value, upper case; "" where it is missing."""
        return _text(self.data(keyword)).split("\\")[0].strip().upper()

    def numbers(self, keyword: str) -> list[float]:
        """Its values, all of them finite; none where it is missing or one of them is no number."""
        element = self._element(keyword)
        data = self.data(keyword)
        if element is None or not data:
            return []
        standard = dictionary_VR(_tag(keyword))
        declared = standard if element.VR in _UNTYPED else element.VR
        if declared != standard and declared not in standard and keyword not in self.mistyped:
            self.mistyped.append(keyword)
        for kind in (declared, standard):
            values = _numbers(data, _BINARY.get(kind), "<" if element.is_little_endian else ">")
            if values is not None:
                return values
        return []

    def number(self, keyword: str) -> float | None:
        """The first value; None where there is none."""
        return next(iter(self.numbers(keyword)), None)

    def whole(self, keyword: str) -> int | None:
        """The first value; None where it is missing or no whole number."""
        value = self.number(keyword)
        return int(value) if value is not None and value == int(value) else None

    def items(self, keyword: str) -> list[Elements]:
        """The items of a sequence.

        Raises:
            SourceError: It cannot be read; its message is for whoever says which file.
        """
        try:
            return [Elements(item) for item in self._header.get(keyword) or []]
        except UNREADABLE as error:
            raise SourceError(f"{keyword} cannot be read") from error

    def _element(self, keyword: str) -> RawDataElement | None:
        try:
            element: Any = self._header.get_item(_tag(keyword))
        except UNREADABLE:
            return None
        if isinstance(element, RawDataElement):
            return element
        if element is None:
            return None
        # pydicom has read it already, with the whole item.
        value = element.value
        values = value if isinstance(value, list | tuple | pydicom.multival.MultiValue) else [value]
        data = value if isinstance(value, bytes) else "\\".join(str(one) for one in values).encode()
        kind = element.VR if isinstance(value, bytes) else "LO"
        return RawDataElement(_tag(keyword), kind, len(data), data, 0, False, True)


def _tag(keyword: str) -> pydicom.tag.BaseTag:
    tag = tag_for_keyword(keyword)
    assert tag is not None, keyword
    return pydicom.tag.Tag(tag)


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace").strip(" \0")


def _numbers(data: bytes, code: str | None, order: str) -> list[float] | None:
    """None: the bytes are not of this kind."""
    try:
        if code is None:
            values = [float(one) for one in _text(data).split("\\")]
        else:
            count = len(data) // struct.calcsize(code)
            if count * struct.calcsize(code) != len(data):
                return None
            values = list(struct.unpack(f"{order}{count}{code}", data))
    except (ValueError, struct.error):
        return None
    return values if all(math.isfinite(one) for one in values) else None
