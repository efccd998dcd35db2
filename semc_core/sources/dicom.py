"""DICOM files, single and multi-frame, through pydicom.

Only the elements named here are read: the patient's name and number never enter the program.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_color_lut, iter_pixels
from pydicom.tag import BaseTag, Tag

from semc_core.errors import SourceError
from semc_core.sources.base import SourceInfo
from semc_core.sources.dicom_gray import GrayTable, loop_range
from semc_core.sources.threaded import BaseSource, Grabbed
from semc_core.types import Crop

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

    Attributes:
        hinted_crop: The header's largest region of 2D tissue, if it lies inside the picture.

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
            self.hinted_crop, region_notice = tissue_region(header, width, height)
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
        return Grabbed(self._pixels(raw, self._table), self._times_s[index])

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
                yield Grabbed(self._pixels(raw, table), self._times_s[index])

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
