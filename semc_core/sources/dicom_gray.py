"""From the stored gray values of a DICOM file to 8 bits, by one look-up table for the whole loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import apply_modality_lut

_MOST_BITS = 16


class GrayTable:
    """Maps every stored value to 0-255; MONOCHROME1 (0 is white) comes out inverted.

    Args:
        header: Of the file.
        shown: float, one value in 0-1 for each of `stored_values(header)`.
    """

    def __init__(self, header: pydicom.Dataset, shown: NDArray[np.floating[Any]]) -> None:
        levels = np.round(np.clip(shown, 0, 1) * 255).astype(np.uint8)
        self._table = 255 - levels if header.PhotometricInterpretation == "MONOCHROME1" else levels
        self._lowest = int(stored_values(header)[0])

    @classmethod
    def from_window(cls, header: pydicom.Dataset) -> Self | None:
        """By the header's window or table; 8 bits without either are kept. None: the loop's range is needed.

        Raises:
            ValueError: More than 16 bits per pixel.
        """
        stored = stored_values(header)
        if header.get("VOILUTSequence"):
            return cls(header, _looked_up(_modality(stored, header), header))
        centre, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
        if centre is not None and width is not None and width >= 1:
            return cls(header, _windowed(_modality(stored, header), centre, width, _function(header)))
        if _bits(header) == 8 and stored[0] == 0:
            return cls(header, stored / 255.0)
        return None

    @classmethod
    def from_range(cls, header: pydicom.Dataset, limits: tuple[int, int]) -> Self:
        """Scaled so that the loop's least stored value is black and its greatest white."""
        low, high = limits
        return cls(header, (stored_values(header) - low) / max(1, high - low))

    def apply(self, raw: NDArray[Any]) -> NDArray[np.uint8]:
        """`raw`, any integers (H, W), as uint8 (H, W). Values outside the stored bits are clipped to them."""
        index = np.clip(raw.astype(np.int32) - self._lowest, 0, len(self._table) - 1)
        return np.asarray(self._table[index], np.uint8)


def stored_values(header: pydicom.Dataset) -> NDArray[np.int64]:
    """Every value a pixel can have, ascending.

    Raises:
        ValueError: More than 16 bits per pixel.
    """
    bits = _bits(header)
    if bits > _MOST_BITS:
        raise ValueError(f"{bits} bits per pixel are not supported, 16 are the most")
    lowest = -(2 ** (bits - 1)) if header.get("PixelRepresentation", 0) else 0
    return np.arange(lowest, lowest + 2**bits, dtype=np.int64)


def loop_range(frames: Iterable[NDArray[Any]], check: Callable[[], None]) -> tuple[int, int]:
    """Least and greatest stored value of a whole loop. `check` is called for every frame and may raise."""
    low, high = None, None
    for frame in frames:
        check()
        least, most = int(frame.min()), int(frame.max())
        low = least if low is None else min(low, least)
        high = most if high is None else max(high, most)
    return low or 0, high or 0


def _bits(header: pydicom.Dataset) -> int:
    return int(header.get("BitsStored", header.BitsAllocated))


def _modality(stored: NDArray[np.int64], header: pydicom.Dataset) -> NDArray[Any]:
    """The values the window is given in."""
    if header.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(stored.astype(np.int32), header))
    slope, intercept = _first(header.get("RescaleSlope")), _first(header.get("RescaleIntercept"))
    return stored * (1.0 if slope is None else slope) + (intercept or 0.0)


def _looked_up(values: NDArray[Any], header: pydicom.Dataset) -> NDArray[np.float64]:
    """DICOM PS3.3 C.11.2.1.1, to 0-1: values outside the table take its first or last entry.

    Raises:
        ValueError: The table is shorter than its descriptor says.
    """
    item = header.VOILUTSequence[0]
    count, first, bits = (int(number) for number in item.LUTDescriptor)
    # The descriptor has 16 bits: 65536 entries are written as 0,
    # a negative first value may be written as its two's complement.
    count = count or 2**16
    if first >= 2**15 and values.min() < 0:
        first -= 2**16
    data = item.LUTData
    if isinstance(data, bytes):
        # Two entries of 8 bits may share a word (OW); otherwise an entry has a word of its own.
        word = ">u2" if header.original_encoding[1] is False else "<u2"
        data = np.frombuffer(data, np.uint8 if len(data) < 2 * count else word)
    table = np.atleast_1d(np.asarray(data, np.int64))[:count]
    if len(table) < count:
        raise ValueError("its look-up table is cut short")
    index = np.clip(np.rint(values).astype(np.int64) - first, 0, count - 1)
    return np.asarray(table[index] / (2**bits - 1), np.float64)


def _windowed(values: NDArray[Any], centre: float, width: float, function: str) -> NDArray[np.float64]:
    """DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3, to 0-1 before clipping."""
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR_EXACT":
        return (values - centre) / width + 0.5
    # LINEAR: a width of 1 is a step at the centre.
    return (values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5


def _function(header: pydicom.Dataset) -> str:
    return str(header.get("VOILUTFunction") or "LINEAR")


def _first(value: Any) -> float | None:
    """The first of the numbers an element gives; None where it is missing."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, str | int | float) else next(iter(value)))
