"""Decodes one compressed frame: JPEG of 8 bits by libjpeg (Pillow), nearly all else by pydicom's decoders."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any, Final

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space, get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
)

from semc_core.sources import jpeg
from semc_core.sources.dicom.codestream import Codestream
from semc_core.sources.dicom.elements import UNREADABLE
from semc_core.sources.dicom.pixel_format import PixelFormat
from semc_core.sources.dicom.run_length import decode_run_length

UNDECODABLE: Final = (*UNREADABLE, SyntaxError, Image.DecompressionBombError)
"""What decoders raise for a damaged picture."""

_ONLY: Final = dict.fromkeys(
    (JPEG2000, JPEG2000Lossless, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL), "pylibjpeg"
)
"""Not by GDCM where OpenJPEG has failed: of some damaged frames it ends the whole program."""
# Each failure of a decoder is logged by pydicom with its traceback, and told by us in a sentence.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def can_decode(syntax: UID) -> bool:
    """Whether there is a decoder."""
    try:
        return bool(get_decoder(syntax).is_available)
    except UNREADABLE:
        return False


def decode(data: bytes, stream: Codestream, form: PixelFormat, *, from_ybr: bool) -> NDArray[Any]:
    """The values of a frame, (H, W) or (H, W, 3), as they are stored.

    Args:
        data: The compressed frame.
        stream: What its head says.
        form: What the header says.
        from_ybr: Whether the colours, brightness and colour difference, are to be made RGB at once.

    Raises:
        One of `UNDECODABLE`.
    """
    if stream.syntax == JPEGBaseline8Bit:
        pixels: NDArray[Any] = _by_libjpeg(data, stream, from_ybr)
        return pixels.view(np.int8) if form.signed and stream.samples == 1 else pixels
    if stream.syntax == JPEGExtended12Bit:
        return _by_gdcm(data, stream, form)
    run_length = stream.syntax == RLELossless
    values = decode_run_length(data, form) if run_length else _by_pydicom(data, stream, form)
    return np.asarray(convert_color_space(values, "YBR_FULL", "RGB")) if from_ybr else values


def _by_libjpeg(data: bytes, stream: Codestream, from_ybr: bool) -> NDArray[np.uint8]:
    pixels = jpeg.decoded(data, lambda each: _libjpeg_pixels(each, stream, from_ybr))
    if from_ybr and stream.libjpeg_rgb:
        return np.asarray(convert_color_space(pixels, "YBR_FULL", "RGB"), np.uint8)
    return pixels


def _libjpeg_pixels(data: bytes, stream: Codestream, from_ybr: bool) -> NDArray[np.uint8]:
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        if stream.samples == 4:
            return np.asarray(image.convert("RGB"))
        if stream.samples == 3 and not stream.libjpeg_rgb and not from_ybr:
            # Asked for what it takes them to be, libjpeg hands the colours out as they are.
            image.draft("YCbCr", image.size)
        return np.asarray(image)


def _by_gdcm(data: bytes, stream: Codestream, form: PixelFormat) -> NDArray[Any]:
    """Lossy JPEG of 12 bits, gray. pydicom does not pass it on to GDCM, which reads it as dcmtk does."""
    if stream.samples != 1 or stream.bits != 12:
        raise NotImplementedError("only gray of 12 bits")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(data)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((form.columns, form.rows, 1))
    image.SetDataElement(element)
    gray = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gray))
    coding = gdcm.TransferSyntax.GetTSType(str.__str__(JPEGExtended12Bit))
    image.SetTransferSyntax(gdcm.TransferSyntax(coding))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, int(form.signed)))
    # GDCM hands bytes over as text.
    values = image.GetBuffer().encode("utf-8", "surrogateescape")
    kind = "<i2" if form.signed else "<u2"
    return np.frombuffer(values, kind).reshape(form.rows, form.columns)


def _by_pydicom(data: bytes, stream: Codestream, form: PixelFormat) -> NDArray[Any]:
    samples = stream.samples or form.samples
    # Named so that pydicom finds no contradiction to warn of: the colours are judged by `colour`.
    several = "YBR_FULL" if stream.jfif and stream.rgb is not True else "RGB"
    values, _ = get_decoder(stream.syntax).as_array(
        encapsulate([data], has_bot=False), index=0, raw=True, number_of_frames=1, pixel_keyword="PixelData",
        rows=form.rows, columns=form.columns, samples_per_pixel=samples, planar_configuration=0,
        photometric_interpretation="MONOCHROME2" if samples == 1 else several,
        bits_allocated=form.allocated, bits_stored=form.stored, pixel_representation=int(form.signed),
        decoding_plugin=_ONLY.get(stream.syntax, ""),
    )  # fmt: skip
    return np.asarray(values)
