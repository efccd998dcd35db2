"""The frames of a DICOM file, native or compressed, each by its number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID, JPEGBaseline8Bit

from semc_core.errors import SourceError
from semc_core.language import _
from semc_core.sources.dicom.codecs import UNDECODABLE, can_decode, decode
from semc_core.sources.dicom.codestream import Codestream, codestream_of
from semc_core.sources.dicom.colour import looks_like_rgb
from semc_core.sources.dicom.fragments import Span, read_spans
from semc_core.sources.dicom.header import PixelData
from semc_core.sources.dicom.pixel_format import PixelFormat, Tell

_ALLOCATED: Final = (1, 8, 16, 32, 64)


class DamagedFrame(Exception):
    """One frame cannot be read."""


class StoredFrames(Protocol):
    """What both kinds have.

    Attributes:
        count: Frames.
        form: How their values are meant.
    """

    count: int
    form: PixelFormat

    def values(self, index: int) -> NDArray[Any]:
        """Integers (H, W), or (H, W, samples).

        Raises:
            DamagedFrame: It cannot be read.
        """
        ...


class NativeFrames:
    """See `StoredFrames`: values as they are stored, one frame after the other."""

    def __init__(
        self, pixels: PixelData, form: PixelFormat, little: bool, expected: int | None, tell: Tell
    ) -> None:
        """Count them.

        Args:
            pixels: Where they lie.
            form: What the header says.
            little: Whether the low byte of a number comes first.
            expected: Frames that the header counts.
            tell: Told of what the data says otherwise.

        Raises:
            SourceError: Not one frame is there, or its kind is not supported; without the file's name.
        """
        if form.rows < 1 or form.columns < 1:
            raise SourceError(_("does not say how large its picture is (Rows and Columns); export it again"))
        if form.colour == "YBR_PARTIAL_420" or form.allocated not in _ALLOCATED:
            raise SourceError(
                _(
                    "stores {colour} with {bits} bits a sample, which is not supported; export it as "
                    "RGB or MONOCHROME2 with 8 or 16 bits",
                    colour=form.colour,
                    bits=form.allocated,
                )
            )
        self._pixels, self._little = pixels, little
        self._swapped = pixels.words and form.allocated <= 8
        self.form = _unhalved(form, pixels.length, expected, tell)
        self.count = _held(pixels.length, self.form.frame_bits, expected or 1)
        if self.count == 0:
            raise SourceError(
                _(
                    "ends within its first picture: {needed} bytes are needed, {held} are there; copy it "
                    "again",
                    needed=self.form.frame_bits // 8,
                    held=pixels.length,
                )
            )

    def values(self, index: int) -> NDArray[Any]:
        """See `StoredFrames`."""
        form = self.form
        if form.allocated == 1:
            return self._bits(index)
        size = form.frame_bits // 8
        data = self._read(index * size, size)
        kind = f"{'<' if self._little else '>'}{'i' if form.signed else 'u'}{form.allocated // 8}"
        samples = _used_bits(np.frombuffer(data, kind), form)
        return _arranged(samples, form)

    def _bits(self, index: int) -> NDArray[Any]:
        """Frames of one bit a pixel follow each other without a gap."""
        first = index * self.form.frame_bits
        last = first + self.form.frame_bits
        data = self._read(first // 8, (last + 7) // 8 - first // 8)
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[first % 8 :]
        return np.asarray(bits[: self.form.frame_bits].reshape(self.form.rows, self.form.columns))

    def _read(self, first: int, size: int) -> bytes:
        pixels = self._pixels
        # Bytes that are swapped in pairs are read in whole pairs.
        before, after = (first % 2, (first + size) % 2) if self._swapped else (0, 0)
        try:
            data = read_spans(pixels, [(pixels.start + first - before, before + size + after)])
        except OSError as error:
            raise DamagedFrame from error
        if self._swapped and len(data) % 2 == 0:
            data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
        data = data[before : before + size]
        if len(data) < size:
            raise DamagedFrame
        return data


def _held(length: int, frame_bits: int, expected: int) -> int:
    """Whole frames in so many bytes. One byte behind those that are expected only makes the length even."""
    held = length * 8 // frame_bits
    return expected if held > expected and length - (expected * frame_bits + 7) // 8 <= 1 else held


def _unhalved(form: PixelFormat, length: int, expected: int | None, tell: Tell) -> PixelFormat:
    """Some programs say that colour is halved, and store all of it: the amount of data tells."""
    if form.per_pixel == form.samples:
        return form
    full = replace(form, colour=form.colour.removesuffix("_422"))
    whole, half = full.frame_bits // 8, form.frame_bits // 8
    stores_all = length % whole < 2 if expected is None and length % half > 1 else length // whole == expected
    if not stores_all:
        return form
    tell(
        _(
            "The header says {colour}, but the colours are stored in full; they are read so.",
            colour=form.colour,
        )
    )
    # YBR_PARTIAL without its number of samples is none of the standard's words; its colours are the same.
    return replace(full, colour="YBR_FULL") if form.colour == "YBR_FULL_422" else full


def _used_bits(samples: NDArray[Any], form: PixelFormat) -> NDArray[Any]:
    """Only the bits that count, in their place, with their sign."""
    if form.stored == form.allocated:
        return samples
    above = form.allocated - 1 - form.high_bit
    return np.asarray(np.right_shift(np.left_shift(samples, above), form.allocated - form.stored))


def _arranged(samples: NDArray[Any], form: PixelFormat) -> NDArray[Any]:
    """As rows and columns."""
    rows, columns = form.rows, form.columns
    if form.samples == 1:
        return samples.reshape(rows, columns)
    if form.per_pixel == 2.0 and form.samples == 3:
        # Two pixels share their colour: Y Y Cb Cr.
        pairs = samples.reshape(-1, 4)
        full = np.stack(
            (pairs[:, 0], pairs[:, 2], pairs[:, 3], pairs[:, 1], pairs[:, 2], pairs[:, 3]), axis=-1
        )
        return full.reshape(rows, columns, 3)
    if form.planar:
        return np.ascontiguousarray(np.moveaxis(samples.reshape(form.samples, rows, columns), 0, -1))
    return samples.reshape(rows, columns, form.samples)


class CompressedFrames:
    """See `StoredFrames`: each frame compressed by itself. Its colours come out as they truly are."""

    def __init__(
        self, pixels: PixelData, spans: list[list[Span]], form: PixelFormat, syntax: UID | None, tell: Tell
    ) -> None:
        """Find out how they are compressed, and which colours they hold.

        Args:
            pixels: Where they lie.
            spans: Fragments of each frame.
            form: What the header says.
            syntax: The compression that the header names.
            tell: Told of what the data says otherwise.

        Raises:
            SourceError: None of them can be decoded; without the file's name.
        """
        self._pixels, self._spans, self.count = pixels, spans, len(spans)
        self._from_ybr = False
        stream = next(filter(None, (codestream_of(self._data(index)) for index in range(self.count))), None)
        name = syntax.name if syntax is not None else _("of an unknown kind")
        if stream is None or not can_decode(stream.syntax):
            if syntax is not None and can_decode(syntax):
                raise SourceError(
                    _(
                        "says that it is compressed ({name}), but its pictures are not; export it again",
                        name=name,
                    )
                )
            raise SourceError(
                _(
                    "is compressed in a way that is not supported ({name}); export it without "
                    "compression or as JPEG",
                    name=name,
                )
            )
        self._syntax = _family(stream, syntax, tell)
        self.form = _told_by_stream(form, stream, tell)
        self._judge_colours(form, name, tell)

    def values(self, index: int) -> NDArray[Any]:
        """See `StoredFrames`."""
        data = self._data(index)
        stream = codestream_of(data)
        form = self.form
        if stream is None or (stream.rows and (stream.rows, stream.columns) != (form.rows, form.columns)):
            raise DamagedFrame
        if stream.samples and stream.samples != form.samples:
            raise DamagedFrame
        try:
            return decode(data, replace(stream, syntax=self._syntax), form, from_ybr=self._from_ybr)
        except UNDECODABLE as error:
            raise DamagedFrame from error

    def _data(self, index: int) -> bytes:
        try:
            return read_spans(self._pixels, self._spans[index])
        except OSError as error:
            raise DamagedFrame from error

    def _judge_colours(self, said: PixelFormat, name: str, tell: Tell) -> None:
        """By the first frame that can be decoded."""
        for index in range(self.count):
            try:
                values = self.values(index)
            except DamagedFrame:
                continue
            if self.form.samples == 3:
                self._judge(values, said, codestream_of(self._data(index)), tell)
            return
        if self.count == 1:
            raise SourceError(
                _(
                    "cannot be decoded. Its picture could not be read as {name}: it is damaged, or of a kind "
                    "that is not supported; copy or export it again",
                    name=name,
                )
            )
        raise SourceError(
            _(
                "cannot be decoded. None of its {count} frames could be read as {name}: it is damaged, or of "
                "a kind that is not supported; copy or export it again",
                count=self.count,
                name=name,
            )
        )

    def _judge(self, values: NDArray[Any], said: PixelFormat, stream: Codestream | None, tell: Tell) -> None:
        assert stream is not None
        rgb = _is_rgb(values, said, stream)
        says_rgb = not said.colour.startswith("YBR_") or said.colour in ("YBR_ICT", "YBR_RCT")
        if rgb != says_rgb:
            found = "RGB" if rgb else _("brightness and colour difference (YBR)")
            tell(
                _(
                    "The header says {said}, but its pictures hold {found}; they are read so.",
                    said=said.colour,
                    found=found,
                )
            )
        if rgb:
            self.form = replace(self.form, colour="RGB")
        elif self.form.stored <= 8 and not said.colour.startswith("YBR_PARTIAL"):
            self._from_ybr = True
            self.form = replace(self.form, colour="RGB")
        else:
            kept = said.colour if said.colour.startswith("YBR_") and not says_rgb else "YBR_FULL"
            self.form = replace(self.form, colour=kept)


def _is_rgb(values: NDArray[Any], said: PixelFormat, stream: Codestream) -> bool:
    """What the codestream says; else what the picture looks like; else what the header says."""
    if stream.rgb is not None:
        return stream.rgb
    says_rgb = not said.colour.startswith("YBR_") or said.colour in ("YBR_ICT", "YBR_RCT")
    if stream.samples == 0:
        # Run-length coding: the header alone can say.
        return says_rgb
    if not said.colour.startswith("YBR_") and stream.jfif:
        return looks_like_rgb(values, said.stored) is True
    seen = looks_like_rgb(values, said.stored)
    return says_rgb if seen is None else seen


def _family(stream: Codestream, syntax: UID | None, tell: Tell) -> UID:
    """The header's own name for the compression where it fits what the pictures are."""
    if syntax == stream.syntax:
        return stream.syntax
    if stream.syntax == JPEGBaseline8Bit:
        # JPEG of 8 bits is read alike, whatever its process is called.
        if syntax is None or "JPEG" not in syntax.name or "LS" in syntax.name or "2000" in syntax.name:
            tell(
                _(
                    "The header does not name the pictures' compression, {compression}; it is read so.",
                    compression=stream.syntax.name,
                )
            )
        return stream.syntax
    if syntax is not None and can_decode(syntax) and _same_family(syntax, stream.syntax):
        return syntax
    tell(
        _(
            "The header does not name the pictures' compression, {compression}; it is read so.",
            compression=stream.syntax.name,
        )
    )
    return stream.syntax


def _same_family(one: UID, other: UID) -> bool:
    families = ("High-Throughput", "JPEG 2000", "JPEG-LS", "JPEG Lossless", "JPEG Extended", "RLE")
    return next((f for f in families if f in one.name), "") == next(
        (f for f in families if f in other.name), "-"
    )


def _told_by_stream(form: PixelFormat, stream: Codestream, tell: Tell) -> PixelFormat:
    """The header's word, but for what the pictures themselves know better."""
    if stream.rows and (stream.rows, stream.columns) != (form.rows, form.columns):
        tell(
            _(
                "The header says {width}x{height} pixels, the pictures have "
                "{held_width}x{held_height}; they are read so.",
                width=form.columns,
                height=form.rows,
                held_width=stream.columns,
                held_height=stream.rows,
            )
        )
        form = replace(form, rows=stream.rows, columns=stream.columns)
    if stream.samples in (1, 3) and stream.samples != form.samples:
        tell(
            _(
                "The header says {samples} samples per pixel, the pictures have {held}; they are read so.",
                samples=form.samples,
                held=stream.samples,
            )
        )
        colour = "MONOCHROME2" if stream.samples == 1 else "RGB"
        form = replace(form, samples=stream.samples, colour=colour)
    if stream.samples == 4 and stream.syntax == JPEGBaseline8Bit:
        # libjpeg makes RGB of four inks.
        form = replace(form, colour="RGB")
    if form.planar:
        # How colours are ordered follows from the compression.
        form = replace(form, planar=False)
    if stream.syntax == JPEGBaseline8Bit and form.stored != 8:
        tell(
            _(
                "The header says {bits} bits per sample, the pictures have 8; they are read so.",
                bits=form.stored,
            )
        )
        form = replace(form, allocated=8, stored=8, high_bit=7)
    return form
