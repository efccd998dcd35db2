"""What is received: kinds of objects, and codings. All that the program's source of DICOM files reads."""

from __future__ import annotations

from typing import Final

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

KINDS: Final = (
    str(UltrasoundImageStorage),
    str(UltrasoundMultiFrameImageStorage),
    # Retired; older scanners send them.
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.3",
    str(SecondaryCaptureImageStorage),
    str(MultiFrameSingleBitSecondaryCaptureImageStorage),
    str(MultiFrameGrayscaleByteSecondaryCaptureImageStorage),
    str(MultiFrameGrayscaleWordSecondaryCaptureImageStorage),
    str(MultiFrameTrueColorSecondaryCaptureImageStorage),
)
"""SOP classes."""

_VIDEO: Final = tuple(f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109))
"""MPEG-2, H.264, HEVC."""

SYNTAXES: Final = (
    *map(
        str,
        (
            ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian,
            DeflatedExplicitVRLittleEndian, RLELossless, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless,
            JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEG2000, HTJ2KLossless,
            HTJ2KLosslessRPCL, HTJ2K,
        ),
    ),
    *_VIDEO,
    # In fragments; HEVC has no such forms.
    *(f"{video}.1" for video in _VIDEO[:7]),
)  # fmt: skip
"""Transfer syntaxes."""
