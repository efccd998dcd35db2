"""Palettes: what colour each stored value stands for, in 8 or 16 bits, however the bytes were written."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import apply_color_lut

from semc_core.language import _
from semc_core.sources.dicom.elements import Elements
from semc_core.sources.dicom.pixel_format import PixelFormat, Tell

_CHANNELS: Final = ("Red", "Green", "Blue")
_MOST_ENTRIES: Final = 2**16


class Palette:
    """Maps stored values to colours."""

    def __init__(self, colours: NDArray[np.uint8], first: int) -> None:
        """Of `colours`, uint8 (n, 3) RGB, of the stored values from `first` on."""
        self._colours = colours
        self._first = first

    @classmethod
    def from_header(cls, header: pydicom.Dataset, form: PixelFormat, little: bool, tell: Tell) -> Palette:
        """Read it.

        Raises:
            ValueError: It is missing, or shorter than it says. Or another of `UNREADABLE`.
        """
        elements = Elements(header)
        count, first, bits = _descriptor(elements, "Red", form.signed)
        if "SegmentedRedPaletteColorLookupTableData" in elements:
            # pydicom unfolds it: it is asked for the colour of every value.
            places = np.arange(count, dtype=np.int64) + first
            wide = np.asarray(apply_color_lut(places.astype(np.int32), header))
            return cls(_levels(wide, 8 * wide.dtype.itemsize, tell), first)
        tables = [_entries(elements, channel, count, bits, little) for channel in _CHANNELS]
        return cls(_levels(np.stack(tables, axis=-1), bits, tell), first)

    def apply(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Values (H, W) as uint8 (H, W, 3). Those outside take the first or last colour."""
        places = np.clip(values.astype(np.int32) - self._first, 0, len(self._colours) - 1)
        return np.asarray(self._colours[places], np.uint8)


def _descriptor(elements: Elements, channel: str, signed: bool) -> tuple[int, int, int]:
    """Entries, the value of the first, bits of each."""
    numbers = [int(one) for one in elements.numbers(f"{channel}PaletteColorLookupTableDescriptor")]
    if len(numbers) != 3:
        raise ValueError("the palette does not say how long it is")
    count, first, bits = numbers
    # 16 bits hold neither 65536, which is written as 0, nor the sign of the first value.
    if signed and first >= 2**15:
        first -= 2**16
    return count % _MOST_ENTRIES or _MOST_ENTRIES, first, bits


def _entries(elements: Elements, channel: str, count: int, bits: int, little: bool) -> NDArray[np.int64]:
    data = elements.data(f"{channel}PaletteColorLookupTableData")
    if len(data) >= 2 * count:
        # Entries of 8 bits, too, may have a word each.
        return np.frombuffer(data, "<u2" if little else ">u2", count).astype(np.int64)
    if bits > 8 or len(data) < count:
        raise ValueError("the palette is cut short")
    packed = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if little else ">u2").astype("<u2").tobytes()
    return np.frombuffer(packed + data[len(packed) :], np.uint8, count).astype(np.int64)


def _levels(entries: NDArray[Any], bits: int, tell: Tell) -> NDArray[np.uint8]:
    """0-255, by what the entries are, not by what the header says of them."""
    most = int(entries.max(initial=0))
    if bits > 8 and 1 < most < 256:
        tell(
            _(
                "The header says that its palette has 16 bits, but its colours have 8; they are taken "
                "as they are."
            )
        )
        bits = 8
    elif bits <= 8 and most > 255:
        bits = 16
    return np.asarray(entries >> (bits - 8) if bits > 8 else entries, np.uint8)
