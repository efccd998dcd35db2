"""Makes the files that the tests of the sources read. A frame carries its number as black and white bars."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from semc_core.sources.base import FrameSource
from semc_core.types import FramePacket

HEIGHT, WIDTH, BITS = 96, 128, 8
_BAR = WIDTH // BITS

CODECS = {
    ".mp4": ("libx264", "yuv420p"),
    ".mkv": ("libx264", "yuv420p"),
    ".mov": ("libx264", "yuv420p"),
    ".ts": ("libx264", "yuv420p"),
    ".avi": ("mpeg4", "yuv420p"),
    ".mpeg": ("mpeg2video", "yuv420p"),
    ".gif": ("gif", "gray"),
}


def numbered(number: int) -> NDArray[np.uint8]:
    """uint8 (96, 128): `number` (0-255) as eight bars, the lowest bit on the left."""
    bits = np.array([(number >> bit) & 1 for bit in range(BITS)], np.uint8) * 200 + 25
    return np.tile(np.repeat(bits, _BAR), (HEIGHT, 1)).astype(np.uint8)


def number_of(pixels: NDArray[np.uint8]) -> int:
    """The number that `numbered` wrote, after any lossy coding."""
    gray = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    bars = gray.reshape(HEIGHT, BITS, _BAR).mean(axis=(0, 2)) > 125
    return int(sum(1 << bit for bit in range(BITS) if bars[bit]))


def write_video(
    path: Path | str,
    count: int = 12,
    *,
    rate: int = 25,
    ticks: Sequence[int] | None = None,
    codec: tuple[str, str] | None = None,
    b_frames: int = 2,
    first: int = 0,
    container_format: str | None = None,
) -> Path:
    """A clip of `count` numbered frames; `ticks` are times in milliseconds, else `rate` holds."""
    path = Path(path)
    name, pixel_format = codec or CODECS[path.suffix]
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(name, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        if name in ("libx264", "mpeg4", "mpeg2video"):
            stream.codec_context.max_b_frames = b_frames
            stream.codec_context.gop_size = 12
            stream.bit_rate = 2_000_000
        stream.codec_context.time_base = Fraction(1, 1000 if ticks else rate)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(first + index), format="gray")
            frame = frame.reformat(format=pixel_format)
            frame.pts = ticks[index] if ticks else index
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_images(folder: Path, count: int = 12) -> Path:
    """img1.png to img12.png."""
    folder.mkdir(exist_ok=True)
    for index in range(count):
        assert cv2.imwrite(str(folder / f"img{index + 1}.png"), numbered(index))
    return folder


def write_dicom(path: Path, pixels: NDArray[Any], **elements: Any) -> Path:
    """An uncompressed file of `pixels` (N, H, W) or (N, H, W, 3); `elements` replace what the header says."""
    data = FileDataset(str(path), {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.PatientName = "Secret^Name"
    data.PatientID = "4711"
    data.NumberOfFrames, data.Rows, data.Columns = pixels.shape[:3]
    data.SamplesPerPixel = 3 if pixels.ndim == 4 else 1
    data.PhotometricInterpretation = "RGB" if pixels.ndim == 4 else "MONOCHROME2"
    if pixels.ndim == 4:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = pixels.dtype.itemsize * 8
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for name, value in elements.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


def read_all(source: FrameSource) -> list[FramePacket]:
    """Every frame up to the end; closes the source."""
    packets = []
    while (packet := source.read()) is not None:
        packets.append(packet)
    source.close()
    return packets
