"""Makes DICOM files of every kind, right and wrong, from pictures whose colours and numbers are known."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space
from pydicom.uid import UID, JPEGBaseline8Bit

from semc_core.sources.dicom import DicomSource
from tests.sources.capture_clips import numbered, read_all, write_dicom

COLOURS = ((220, 30, 30), (40, 60, 220), (30, 200, 40))


def coloured(number: int) -> NDArray[np.uint8]:
    """uint8 (96, 128, 3): as `numbered`, with a red, a blue and a green field at the bottom."""
    picture = np.repeat(numbered(number)[..., None], 3, axis=2)
    for field, colour in enumerate(COLOURS):
        picture[64:, 16 + 32 * field : 32 + 32 * field] = colour
    return picture


def fields_of(pixels: NDArray[np.uint8]) -> list[list[int]]:
    """The colours that `coloured` painted, as they are now."""
    return [
        pixels[72:88, 20 + 32 * field : 28 + 32 * field].mean((0, 1)).round().tolist() for field in range(3)
    ]


def right_colours(pixels: NDArray[np.uint8], tolerance: int = 4) -> bool:
    """Whether they are what was painted."""
    return bool(np.abs(np.array(fields_of(pixels)) - COLOURS).max() <= tolerance)


def as_ybr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB as brightness and colour difference."""
    return np.asarray(convert_color_space(pixels, "RGB", "YBR_FULL"), np.uint8)


def jpeg(pixels: NDArray[np.uint8], *, ybr: bool = True, sampling: int = 0, jfif: bool = True) -> bytes:
    """A JPEG of RGB pixels or gray ones.

    Args:
        pixels: To be compressed.
        ybr: Whether brightness and colour difference are stored; else RGB, said by nothing.
        sampling: 0 stores all colour, 1 half of it.
        jfif: Whether the mark of JFIF files is kept.
    """
    file = BytesIO()
    if pixels.ndim == 2:
        Image.fromarray(pixels).save(file, "JPEG", quality=95)
    elif ybr:
        Image.fromarray(pixels).save(file, "JPEG", quality=95, subsampling=sampling)
    else:
        # Handed over as if it were brightness and colour difference, RGB is stored as it is.
        Image.frombytes("YCbCr", pixels.shape[1::-1], pixels.tobytes()).save(
            file, "JPEG", quality=95, subsampling=0
        )
    data = file.getvalue()
    if jfif:
        return data
    assert data[2:4] == b"\xff\xe0"
    return data[:2] + data[4 + int.from_bytes(data[4:6], "big") :]


def write_compressed(
    path: Path,
    frames: Sequence[bytes],
    *,
    syntax: UID = JPEGBaseline8Bit,
    data: bytes | None = None,
    **elements: Any,
) -> Path:
    """A loop of compressed `coloured` frames; `data` replaces the pixel data, `elements` the header's."""
    given: dict[str, Any] = {"PhotometricInterpretation": "YBR_FULL_422", "FrameTime": 40, **elements}
    write_dicom(path, np.zeros((1, 96, 128, 3), np.uint8), **{"NumberOfFrames": len(frames), **given})
    file = pydicom.dcmread(path)
    file.file_meta.TransferSyntaxUID = syntax
    file.PixelData = encapsulate(list(frames), has_bot=True) if data is None else data
    file["PixelData"].is_undefined_length = True
    file["PixelData"].VR = "OB"
    file.save_as(path, enforce_file_format=True)
    return path


def without(path: Path, keyword_tag: int) -> Path:
    """The file without one element of its header, which has a short length."""
    data = path.read_bytes()
    tag = struct.pack("<HH", keyword_tag >> 16, keyword_tag & 0xFFFF)
    at = data.index(tag, 132)
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    path.write_bytes(data[:at] + data[at + 8 + length :])
    return path


def seen(path: Path) -> tuple[list[NDArray[np.uint8]], list[int], list[float], str]:
    """Pixels, numbers and times of a sequential read, and the notice after it."""
    source = DicomSource(path)
    packets = read_all(source)
    return (
        [packet.pixels for packet in packets], [packet.index for packet in packets],
        [packet.pts_s for packet in packets], source.info.notice,
    )  # fmt: skip
