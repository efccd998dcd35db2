"""DICOM files, single and multi-frame, through pydicom.

Only the elements named here are read: the patient's name and number never enter the program.

From the stored gray values of a DICOM file to 8 bits, by one look-up table for the whole loop.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_color_lut, apply_modality_lut, iter_pixels
from pydicom.tag import BaseTag, Tag

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.sources.base import BaseSource, Grabbed
from semc_core.types import Crop, SourceInfo

_DEFAULT_RATE = 30.0
_READ_TAGS = [
    "TransferSyntaxUID", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "FrameIncrementPointer", "FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "RescaleSlope", "RescaleIntercept",
    "ModalityLUTSequence", "SequenceOfUltrasoundRegions",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
]  # fmt: skip
_NEEDED = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored")
# What pydicom and its decoders raise for files that are damaged or beyond them.
_UNREADABLE = (
    AttributeError, EOFError, KeyError, IndexError, NotImplementedError, OSError, RuntimeError, TypeError,
    ValueError, struct.error, zlib.error,
)  # fmt: skip

_TISSUE = 1
_TWO_DIMENSIONAL = 1


class DicomSource(BaseSource):
    """The frames of a DICOM cine loop or still, decoded one by one.

    Times come from the first of these that is there and makes sense: what FrameIncrementPointer names,
    FrameTimeVector, FrameTime, CineRate, RecommendedDisplayFrameRate; else 30 frames/s and a notice.
    Gray becomes uint8 (H, W): through the window of the header; without one, 8-bit pixels are kept as they
    are and deeper ones are scaled by the least and greatest value of the whole loop. MONOCHROME1 is inverted.
    Colour becomes uint8 (H, W, 3) RGB.

    `hinted_crop` is the header's largest region of 2D tissue, if it lies inside the picture.

    Raises:
        SourceError: Not DICOM, without pictures, damaged, or compressed in a way that is not known here.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._header = header = _read_header(self._path)
        try:
            count = int(header.get("NumberOfFrames", 1) or 1)
            width, height = int(header.Columns), int(header.Rows)
            self._times_s, rate, notice = frame_times(header, count)
            self._hinted_crop, region_notice = tissue_region(header, width, height)
        except _UNREADABLE as error:
            raise SourceError(f"{self._path.name} has a damaged header; export it again.") from error
        super().__init__(
            SourceInfo(
                source_id=self._path.name,
                kind="dicom",
                width=width,
                height=height,
                frame_rate=rate,
                frame_count=count,
                live=False,
                notice=" ".join(filter(None, (notice, region_notice))),
            )
        )
        self._by_colour_table = header.PhotometricInterpretation == "PALETTE COLOR"
        self._inflated: pydicom.Dataset | None = None
        self._table: GrayTable | None = None
        self._table_made = False
        self._frames = self._decode(count)
        # Decoding the first frame now tells a compression that is not known here when the file is opened.
        with closing(self._raw_frames()) as frames:
            if next(frames, None) is None:
                raise SourceError(f"{self._path.name} holds no picture; choose an image or a cine loop.")

    def _grab(self) -> Grabbed | None:
        return next(self._frames, None)

    def _release(self) -> None:
        self._frames.close()
        self._inflated = None

    @property
    def hinted_crop(self) -> Crop | None:
        """See `FrameSource.hinted_crop`."""
        return self._hinted_crop

    def times_s(self) -> list[float]:
        """The time of every frame that the header counts, seconds."""
        return list(self._times_s)

    def grab_at(self, index: int) -> Grabbed:
        """The frame `index`, whatever was read before.

        Raises:
            SourceError: The file ends before it, or it cannot be decoded.
        """
        if not self._table_made:
            self._table, self._table_made = self._gray_table(), True
        with closing(self._raw_frames([index])) as frames:
            raw = next(frames, None)
        if raw is None:
            raise SourceError(f"{self._path.name} ends before its last frame; copy it again.")
        return Grabbed(Picture(self._pixels(raw, self._table)), self._times_s[index])

    def _raw_frames(self, indices: list[int] | None = None) -> Generator[NDArray[Any], None, None]:
        """The stored values, colour already as RGB; (H, W) or (H, W, 3). All frames, or those asked for."""
        source: Path | pydicom.Dataset = self._path
        try:
            if self._header.file_meta.TransferSyntaxUID.is_deflated:
                # Frames cannot be found in a deflated file; it is read whole, its technical elements alone.
                source = self._inflated = self._inflated or pydicom.dcmread(
                    self._path, specific_tags=[*_READ_TAGS, "PixelData"]
                )
            yield from iter_pixels(source, indices=indices)
        except _UNREADABLE as error:
            raise SourceError(
                f"{self._path.name} cannot be decoded; it is damaged or its compression is not supported."
            ) from error

    def _decode(self, count: int) -> Generator[Grabbed, None, None]:
        table = self._gray_table()
        with closing(self._raw_frames()) as frames:
            for index, raw in enumerate(frames):
                if index == count:
                    self._add_notice("The file holds more frames than its header says; the rest is left out.")
                    return
                yield Grabbed(Picture(self._pixels(raw, table)), self._times_s[index])

    def _pixels(self, raw: NDArray[Any], table: GrayTable | None) -> NDArray[np.uint8]:
        if table is not None:
            return table.apply(raw)
        if self._by_colour_table:
            return self._by_palette(raw)
        return to_8_bit(raw, int(self._header.BitsStored))

    def _by_palette(self, raw: NDArray[Any]) -> NDArray[np.uint8]:
        try:
            return to_8_bit(apply_color_lut(raw, self._header), 0)
        except _UNREADABLE as error:
            raise SourceError(f"{self._path.name} has a damaged colour palette; export it again.") from error

    def _gray_table(self) -> GrayTable | None:
        """None for colour."""
        if self._by_colour_table or int(self._header.SamplesPerPixel) != 1:
            return None
        try:
            table = GrayTable.from_window(self._header)
        except _UNREADABLE as error:
            raise SourceError(f"{self._path.name} has gray values that cannot be shown; {error}.") from error
        if table is not None:
            return table
        with closing(self._raw_frames()) as frames:
            return GrayTable.from_range(self._header, loop_range(frames, self._check_interrupted))


def to_8_bit(pixels: NDArray[Any], bits_stored: int) -> NDArray[np.uint8]:
    """Colour of any depth as uint8; `bits_stored` 0 takes the array's own depth."""
    bits = bits_stored or pixels.dtype.itemsize * 8
    return np.asarray(pixels if bits <= 8 else pixels >> (bits - 8), np.uint8)


def frame_times(header: pydicom.Dataset, count: int) -> tuple[list[float], float | None, str]:
    """Time of every frame (seconds from the first), nominal rate (frames/s), notice or ""."""
    if count == 1:
        return [0.0], None, ""
    for read in _time_readers(header):
        times_s = read(header, count)
        if times_s is not None:
            return times_s, (count - 1) / times_s[-1], ""
    even = [index / _DEFAULT_RATE for index in range(count)]
    return even, _DEFAULT_RATE, "The file does not say its frame rate; 30 frames per second is assumed."


def _time_readers(header: pydicom.Dataset) -> list[Any]:
    pointer = header.get("FrameIncrementPointer")
    named = pointer if isinstance(pointer, BaseTag) else None
    readers = [_from_vector, _from_frame_time, _from_rate]
    if named == Tag("FrameTime"):
        readers.sort(key=lambda reader: reader is not _from_frame_time)
    return readers


def _from_vector(header: pydicom.Dataset, count: int) -> list[float] | None:
    """FrameTimeVector: milliseconds since the frame before, the first of them 0."""
    steps = _numbers(header.get("FrameTimeVector"))
    if len(steps) != count or min(steps[1:], default=0) < 0 or sum(steps[1:]) <= 0:
        return None
    return list(accumulate((step / 1000 for step in steps[1:]), initial=0.0))


def _from_frame_time(header: pydicom.Dataset, count: int) -> list[float] | None:
    step = _numbers(header.get("FrameTime"))[:1]
    return [index * step[0] / 1000 for index in range(count)] if step and step[0] > 0 else None


def _from_rate(header: pydicom.Dataset, count: int) -> list[float] | None:
    for name in ("CineRate", "RecommendedDisplayFrameRate"):
        rate = _numbers(header.get(name))[:1]
        if rate and rate[0] > 0:
            return [index / rate[0] for index in range(count)]
    return None


def _numbers(value: Any) -> list[float]:
    """The numbers of an element; none where it is missing or is not a number."""
    if value is None:
        return []
    values = [value] if isinstance(value, str | int | float) else list(value)
    try:
        return [float(one) for one in values]
    except (TypeError, ValueError):
        return []


def tissue_region(header: pydicom.Dataset, width: int, height: int) -> tuple[Crop | None, str]:
    """The largest 2D tissue region inside the picture, and a notice if the header contradicts itself."""
    regions, outside = [], False
    for region in header.get("SequenceOfUltrasoundRegions") or []:
        corners = [region.get(f"RegionLocation{corner}") for corner in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if any(not isinstance(corner, int) for corner in corners):
            continue
        left, top, right, bottom = corners
        # The standard counts the last pixel as inside; some machines write the first outside.
        if left < 0 or top < 0 or right > width or bottom > height or right <= left or bottom <= top:
            outside = True
        elif (region.get("RegionSpatialFormat"), region.get("RegionDataType")) == (_TWO_DIMENSIONAL, _TISSUE):
            regions.append(Crop(left, top, min(right + 1, width) - left, min(bottom + 1, height) - top))
    notice = "The header gives a region larger than the picture; it is ignored." if outside else ""
    return max(regions, key=lambda crop: crop.width * crop.height, default=None), notice


def _read_header(path: Path) -> pydicom.Dataset:
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_READ_TAGS)
    except FileNotFoundError as error:
        raise SourceError(f"{path.name} was not found; check the name.") from error
    except InvalidDicomError as error:
        raise SourceError(f"{path.name} is not a DICOM file; open it as what it is.") from error
    except _UNREADABLE as error:
        raise SourceError(f"{path.name} cannot be read as DICOM; it is damaged or cut short.") from error
    if any(name not in header for name in _NEEDED):
        raise SourceError(f"{path.name} holds no picture; choose an image or a cine loop.")
    return header


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
