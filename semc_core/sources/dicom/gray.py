"""From the stored gray values of a DICOM file to 8 bits, by one look-up table for the whole loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Self

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import apply_modality_lut

from semc_core.sources.dicom.elements import Elements
from semc_core.sources.dicom.pixel_format import PixelFormat

_MOST_BITS: Final = 16


class GrayTable:
    """Maps every stored value to 0-255; MONOCHROME1 (0 is white) comes out inverted.

    Args:
        form: Of the pixels.
        shown: float, one value in 0-1 for each of `stored_values(form)`.
    """

    def __init__(self, form: PixelFormat, shown: NDArray[np.floating[Any]]) -> None:
        levels = np.round(np.clip(shown, 0, 1) * 255).astype(np.uint8)
        self._table = 255 - levels if form.colour == "MONOCHROME1" else levels
        self._lowest = int(stored_values(form)[0])
        self._same = self._lowest == 0 and np.array_equal(self._table, np.arange(256))

    @classmethod
    def from_window(cls, header: pydicom.Dataset, form: PixelFormat) -> Self | None:
        """By the header's window or table; 8 bits without either are kept. None: the loop's range is needed.

        Raises:
            ValueError: More than 16 bits per pixel.
        """
        stored, elements = stored_values(form), Elements(header)
        if header.get("VOILUTSequence"):
            return cls(form, _looked_up(_modality(stored, header), header))
        centre, width = elements.number("WindowCenter"), elements.number("WindowWidth")
        if centre is not None and width is not None and width >= 1:
            function = elements.text("VOILUTFunction") or "LINEAR"
            return cls(form, _windowed(_modality(stored, header), centre, width, function))
        if form.stored == 8 and stored[0] == 0:
            return cls(form, stored / 255.0)
        return None

    @classmethod
    def from_range(cls, form: PixelFormat, limits: tuple[int, int]) -> Self:
        """Scaled so that the loop's least stored value is black and its greatest white."""
        low, high = limits
        return cls(form, (stored_values(form) - low) / max(1, high - low))

    def apply(self, raw: NDArray[Any]) -> NDArray[np.uint8]:
        """`raw`, any integers (H, W), as uint8 (H, W). Values outside the stored bits are clipped to them."""
        if raw.dtype == np.uint8 and self._lowest == 0 and len(self._table) == 256:
            return raw.copy() if self._same else np.asarray(cv2.LUT(raw, self._table), np.uint8)
        index = np.clip(raw.astype(np.int32) - self._lowest, 0, len(self._table) - 1)
        return np.asarray(self._table[index], np.uint8)


def stored_values(form: PixelFormat) -> NDArray[np.int64]:
    """Every value a pixel can have, ascending.

    Raises:
        ValueError: More than 16 bits per pixel.
    """
    bits = form.stored
    if bits > _MOST_BITS:
        raise ValueError(f"{bits} bits per pixel are not supported, 16 are the most")
    lowest = -(2 ** (bits - 1)) if form.signed else 0
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


def _modality(stored: NDArray[np.int64], header: pydicom.Dataset) -> NDArray[Any]:
    """The values the window is given in."""
    if header.get("ModalityLUTSequence"):
        return np.asarray(apply_modality_lut(stored.astype(np.int32), header))
    elements = Elements(header)
    slope, intercept = elements.number("RescaleSlope"), elements.number("RescaleIntercept")
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
