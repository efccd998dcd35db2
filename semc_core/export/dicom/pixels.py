"""Pixels into a DICOM object: stored as they are, packed without loss, or as JPEG where that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLSLossless

from semc_core.errors import ExportError
from semc_core.language import _

Packing = Literal["none", "jpeg-ls", "jpeg"]
"""How pixels are stored. All but "jpeg" give back the same pixels.

Every program reads "none"; "jpeg-ls" needs a third of the space (speckle that a video codec left: 2.3 to 3.1
times smaller; a scanner's own loop: 5.2; RLE 1.0 to 2.3, so it is not offered).
"""

TRANSFER_SYNTAXES: Final[dict[Packing, UID]] = {
    "none": ExplicitVRLittleEndian,
    "jpeg-ls": JPEGLSLossless,
    "jpeg": JPEGBaseline8Bit,
}
JPEG_QUALITY: Final = 92
# The encoder's buffer is twice the picture: too small for its header where the picture is tinier than this.
_LEAST_FOR_JPEG_LS: Final = 64
# A length of 32 bits, of which the last value means "unknown".
_LARGEST_BYTES: Final = 2**32 - 2


@dataclass(frozen=True, slots=True)
class LossyStep:
    """A lossy compression that the pixels went through.

    Attributes:
        method: The standard's term: "ISO_10918_1" (JPEG), "ISO_14496_10" (H.264), ...
        ratio: Bytes before, divided by bytes after.
    """

    method: str
    ratio: float


Lossy = tuple[LossyStep, ...] | None
"""Compressions in order; () where nothing was lost, None where that is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedFrames:
    """Frames as they go into the object.

    Attributes:
        data: The value of Pixel Data.
        packing: How they are stored.
        count: Number of frames.
        height: Rows.
        width: Columns.
        samples: 1 (gray) or 3 (colour).
        loss: What this packing itself lost; None if nothing.
    """

    data: bytes
    packing: Packing
    count: int
    height: int
    width: int
    samples: int
    loss: LossyStep | None

    @property
    def photometric(self) -> str:
        """The photometric interpretation of the stored pixels."""
        if self.samples == 1:
            return "MONOCHROME2"
        return "YBR_FULL_422" if self.packing == "jpeg" else "RGB"


def pack(frames: Iterable[NDArray[np.uint8]], packing: Packing) -> PackedFrames:
    """Pack frames, uint8 (H, W) gray or (H, W, 3) RGB, all of one shape. Holds only packed ones in memory.

    Pictures of a few pixels are not packed as JPEG-LS but stored as they are.

    Raises:
        ExportError: There is no frame, their sizes differ, or they are too many for one DICOM object.
    """
    packed: list[bytes] = []
    shape: tuple[int, ...] | None = None
    size = 0
    for frame in frames:
        if shape is None:
            shape = frame.shape
            packing = "none" if packing == "jpeg-ls" and frame.size < _LEAST_FOR_JPEG_LS else packing
        if frame.shape != shape:
            raise ExportError(_("The frame size changes within the clip; export the parts one by one."))
        packed.append(_pack_one(frame, packing))
        size += len(packed[-1])
        if size > _LARGEST_BYTES:
            raise ExportError(_("The clip is larger than DICOM allows (4 GB); export a shorter one."))
    if shape is None:
        raise ExportError(_("The clip has no frames; choose a longer part of the loop."))
    raw = len(packed) * int(np.prod(shape))
    loss = LossyStep("ISO_10918_1", raw / size) if packing == "jpeg" else None
    data = b"".join(packed) if packing == "none" else encapsulate(packed)
    return PackedFrames(
        data=data + b"\0" * (len(data) % 2),
        packing=packing,
        count=len(packed),
        height=shape[0],
        width=shape[1],
        samples=1 if len(shape) == 2 else 3,
        loss=loss,
    )


def put_pixels(dataset: Dataset, packed: PackedFrames, lossy_before: Lossy) -> None:
    """Write the Image Pixel module, and what was lost on the way if that is known, into `dataset`."""
    dataset.SamplesPerPixel = packed.samples
    dataset.PhotometricInterpretation = packed.photometric
    if packed.samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = packed.height, packed.width
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    steps = (*(lossy_before or ()), *((packed.loss,) if packed.loss else ()))
    if steps or lossy_before is not None:
        dataset.LossyImageCompression = "01" if steps else "00"
    if steps:
        dataset.LossyImageCompressionRatio = [f"{step.ratio:.2f}" for step in steps]
        dataset.LossyImageCompressionMethod = [step.method for step in steps]
    dataset.PixelData = packed.data
    dataset["PixelData"].VR = "OB"


def _pack_one(frame: NDArray[np.uint8], packing: Packing) -> bytes:
    if packing == "none":
        return frame.tobytes()
    if packing == "jpeg":
        return _jpeg(frame)
    gray = frame.ndim == 2
    options: dict[str, Any] = {
        "rows": frame.shape[0],
        "columns": frame.shape[1],
        "samples_per_pixel": 1 if gray else 3,
        "photometric_interpretation": "MONOCHROME2" if gray else "RGB",
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "number_of_frames": 1,
    }
    if not gray:
        options["planar_configuration"] = 0
    try:
        encoded: bytes = get_encoder(TRANSFER_SYNTAXES[packing]).encode(
            np.ascontiguousarray(frame), **options
        )
    except RuntimeError as error:
        raise ExportError(_("A frame could not be packed; choose to store pixels as they are.")) from error
    return encoded + b"\0" * (len(encoded) % 2)


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    """Baseline JPEG; colour with 4:2:2 sampling, as YBR_FULL_422 says."""
    picture = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    settings = (
        cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    )  # fmt: skip
    done, content = cv2.imencode(".jpg", picture, settings)
    if not done:
        raise ExportError(_("A frame could not be written as JPEG; choose to keep all pixels as they are."))
    encoded = content.tobytes()
    return encoded + b"\0" * (len(encoded) % 2)
