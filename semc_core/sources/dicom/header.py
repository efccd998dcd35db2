"""Opens a DICOM file: the technical elements of its header, and where its pixel data lies.

What holds no picture that can be shown is refused here, each kind with its own sentence.
"""

from __future__ import annotations

import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, Literal

import pydicom
from pydicom import config
from pydicom.errors import InvalidDicomError
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedUSVolumeStorage,
    MediaStorageDirectoryStorage,
)

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.sources.dicom.deflated import inflated
from semc_core.sources.dicom.elements import UNREADABLE, Elements
from semc_core.sources.dicom_head import HEAD_BYTES, is_dicom_head
from semc_core.text import readable

_PIXEL_DATA: Final = 0x7FE00010
_FLOAT_PIXEL_DATA: Final = (0x7FE00008, 0x7FE00009)
_UNDEFINED: Final = 0xFFFFFFFF
_LONG_TYPES: Final = (b"OB", b"OW", b"UN", b"OF", b"OD", b"OL", b"OV", b"UT")
_NAMED_FILES: Final = 3
_TAGS: Final = [
    "SOPClassUID", "TransferSyntaxUID", "DirectoryRecordSequence",
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelAspectRatio",
    "FrameIncrementPointer", "FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "RescaleSlope", "RescaleIntercept",
    "ModalityLUTSequence", "SequenceOfUltrasoundRegions",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData", "ExtendedOffsetTable",
]  # fmt: skip

_quiet = threading.Lock()
"""Held while warnings are off, for all threads."""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Inside, nobody is warned: pydicom's warnings may quote the header. One thread at a time."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where the pixel data lies.

    Attributes:
        path: The file.
        inflated: The file as it was inflated; None where it is not deflated.
        start: First byte, in the one or the other.
        length: Bytes that are there; may be fewer than the file says.
        wrapped: Whether it is made of fragments, as compressed data is.
        words: Whether its bytes are swapped in pairs, as samples of 8 bits are in big-endian words.
        cut: Whether the file ends before it, as far as its own length tells.
    """

    path: Path
    inflated: bytes | None
    start: int
    length: int
    wrapped: bool
    words: bool
    cut: bool = False

    def open(self) -> BinaryIO:
        """The file, as it was inflated if it was deflated; whoever asks closes it.

        It is opened for every frame, so that it can be moved or deleted between two of them.
        """
        return self.path.open("rb") if self.inflated is None else BytesIO(self.inflated)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """What was found.

    Attributes:
        dataset: The technical elements, not yet converted.
        elements: The same, to be read safely.
        syntax: How the pixel data is coded; None where the file does not say, or nothing known.
        little: Whether the low byte of a number comes first.
        pixels: See `PixelData`.
    """

    dataset: pydicom.Dataset
    elements: Elements
    syntax: UID | None
    little: bool
    pixels: PixelData


def open_dicom(path: Path) -> OpenedFile:
    """Read the header of `path`.

    Raises:
        SourceError: It cannot be read, is not DICOM, or holds no picture that can be shown.
    """
    try:
        with path.open("rb") as file:
            return _opened(file, path)
    except FileNotFoundError as error:
        raise SourceError(_("{name} was not found; check the name.", name=path.name)) from error
    except OSError as error:
        raise SourceError(_("{name} may not be read; check its permissions.", name=path.name)) from error


def _opened(file: BinaryIO, path: Path) -> OpenedFile:
    if not is_dicom_head(file.read(HEAD_BYTES)):
        raise SourceError(_("{name} is not a DICOM file; open it as what it is.", name=path.name))
    with without_warnings():
        plain = inflated(file, path)
    file = file if plain is None else BytesIO(plain)
    file.seek(0)
    header = _parsed(file, path)
    syntax = _syntax(header) if plain is None else DeflatedExplicitVRLittleEndian
    elements = Elements(header)
    _refuse_other_kinds(header, elements, path)
    implicit, little = header.original_encoding
    pixels = _find(file, bool(implicit), little is not False, path)
    if pixels is None:
        if kind := _kind(header):
            raise SourceError(
                _(
                    "{name} holds no picture ({kind}); choose an image or a cine loop.",
                    name=path.name,
                    kind=kind,
                )
            )
        raise SourceError(_("{name} holds no picture; choose an image or a cine loop.", name=path.name))
    if pixels.length == 0:
        raise SourceError(_("{name} ends before its first picture; copy it again.", name=path.name))
    pixels = replace(pixels, inflated=plain)
    return OpenedFile(header, elements, syntax, little is not False, pixels)


def _parsed(file: BinaryIO, path: Path) -> pydicom.Dataset:
    try:
        with without_warnings():
            return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
    except InvalidDicomError as error:
        raise SourceError(_("{name} is not a DICOM file; open it as what it is.", name=path.name)) from error
    except (*UNREADABLE, zlib.error) as error:
        raise SourceError(
            _("{name} cannot be read as DICOM; it is damaged or cut short.", name=path.name)
        ) from error


def _syntax(header: pydicom.Dataset) -> UID | None:
    syntax = _uid(_of_file(header).text("TransferSyntaxUID"))
    return syntax if syntax and syntax.is_transfer_syntax else None


def _sop_class(header: pydicom.Dataset) -> UID:
    return _uid(Elements(header).text("SOPClassUID") or _of_file(header).text("MediaStorageSOPClassUID"))


def _of_file(header: pydicom.Dataset) -> Elements:
    """The elements that stand before all others; none where the file was written without them."""
    return Elements(getattr(header, "file_meta", None) or pydicom.Dataset())


def _uid(text: str) -> UID:
    """Without a warning where it is none."""
    return UID(text, validation_mode=config.IGNORE)


def _refuse_other_kinds(header: pydicom.Dataset, elements: Elements, path: Path) -> None:
    kind = _sop_class(header)
    if kind == MediaStorageDirectoryStorage or "DirectoryRecordSequence" in header:
        listed = _listed(elements)
        if listed:
            raise SourceError(
                _(
                    "{name} is a DICOMDIR, the list of what is on a disc, and no picture itself; open one of "
                    "the files that it lists, such as {files}.",
                    name=path.name,
                    files=listed,
                )
            )
        raise SourceError(
            _(
                "{name} is a DICOMDIR, the list of what is on a disc, and no picture itself; open one of the "
                "files that it lists.",
                name=path.name,
            )
        )
    if kind == EnhancedUSVolumeStorage:
        raise SourceError(
            _(
                "{name} is an Enhanced US Volume, a volume in three dimensions, which is not "
                "supported; export a cine loop of plane pictures from it.",
                name=path.name,
            )
        )


def _listed(elements: Elements) -> str:
    """A few names of files out of a DICOMDIR."""
    try:
        ids = [item.data("ReferencedFileID") for item in elements.items("DirectoryRecordSequence")]
    except SourceError:
        return ""
    names = [readable(one.decode("ascii", "replace").strip(" \0").replace("\\", "/")) for one in ids if one]
    shown = [name for name in names if name.isprintable()][:_NAMED_FILES]
    return ", ".join(shown)


def _kind(header: pydicom.Dataset) -> str:
    """What it holds instead of a picture, where the standard has a name for it."""
    kind = _sop_class(header)
    return kind.name if kind and kind.name != kind else ""


def _find(file: BinaryIO, implicit: bool, little: bool, path: Path) -> PixelData | None:
    """The pixel data that begins where `file` stands; None if there is none.

    Raises:
        SourceError: Its values are of a kind that is not supported.
    """
    head = file.read(12)
    order: Literal["little", "big"] = "little" if little else "big"
    if len(head) < 8:
        return None
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
    if tag in _FLOAT_PIXEL_DATA:
        raise SourceError(
            _(
                "{name} holds floating-point values, which are not supported; export it with 16 bits "
                "or fewer.",
                name=path.name,
            )
        )
    if tag != _PIXEL_DATA:
        return None
    kind = head[4:6]
    if implicit or not kind.isalpha():
        start, length = file.tell() - len(head) + 8, int.from_bytes(head[4:8], order)
    elif kind in _LONG_TYPES:
        start, length = file.tell() - len(head) + 12, int.from_bytes(head[8:12], order)
    else:
        start, length = file.tell() - len(head) + 8, int.from_bytes(head[6:8], order)
    there = max(0, file.seek(0, 2) - start)
    wrapped = length == _UNDEFINED
    words = not little and kind == b"OW"
    cut = not wrapped and length > there
    return PixelData(path, None, start, there if wrapped else min(length, there), wrapped, words, cut)
