"""Files that are small and would unpack to far more: refused with the size, and without taking the memory.

Each is opened in a process of its own, which says how much memory it needed beyond what the program takes.
"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate

from semc_core.errors import PacsError, SaveError
from semc_core.pacs import bundle
from semc_core.session.files import read_png

MOST_MIB = 250
SIDE = 60_000
_EXPLICIT, _DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
_JPEG, _JPEG_2000, _RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"

_OPEN = """
import resource, sys
import av, cv2, numpy, PIL.Image, pydicom
from semc_core.errors import SemcError
from semc_core.sources.open import open_seekable, open_source
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for opened in (open_source, open_seekable):
    try:
        opened(__import__("pathlib").Path(sys.argv[1]) if opened is open_seekable else sys.argv[1]).read()
    except SemcError as error:
        told = str(error)
    else:
        sys.exit("opened")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, told)
"""


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 10**6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff() -> bytes:
    long, short = 4, 3
    tags: tuple[tuple[int, int, int], ...] = (
        (256, long, SIDE),
        (257, long, SIDE),
        (258, short, 8),
        (259, short, 1),
        (262, short, 1),
    )
    tags += ((273, long, 8), (277, short, 1), (278, long, SIDE), (279, long, SIDE))
    listed = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + listed + b"\0\0\0\0"


def bmp() -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + head


def jpeg_2000() -> bytes:
    size = struct.pack(">HIIIIIIIIH", 0, SIDE, SIDE, 0, 0, SIDE, SIDE, 0, 0, 1) + b"\7\1\1"
    rest = b"\xff\x52\0\x0c\0\0\0\1\0\0\4\4\0\0\xff\xd9"
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + rest


def jpeg() -> bytes:
    frame = b"\xff\xc0\0\x0b\x08" + struct.pack(">HH", SIDE, SIDE) + b"\1\1\x11\0"
    return b"\xff\xd8" + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\0" * 100 + b"\xff\xd9"


def gif() -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", SIDE, SIDE, 0x80, 0, 0) + b"\0" * 6
    return head + b"\x2c" + struct.pack("<HHHHB", 0, 0, SIDE, SIDE, 0) + b"\x02\x02\x44\x01\0\x3b"


def dicom(syntax: str, pixels: bytes, side: int = SIDE, frames: int = 1) -> bytes:
    data = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
    data.Rows, data.Columns, data.NumberOfFrames = side, side, frames
    data.SamplesPerPixel, data.BitsAllocated, data.BitsStored, data.HighBit = 1, 8, 8, 7
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 0
    compressed = syntax in (_JPEG, _JPEG_2000, _RLE)
    data.PixelData = encapsulate([pixels]) if compressed else pixels
    data["PixelData"].is_undefined_length = compressed
    content = io.BytesIO()
    data.save_as(content, enforce_file_format=True)
    return content.getvalue()


def rle() -> bytes:
    return dicom(_RLE, struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 200)


def deflated(noise: int = 0) -> bytes:
    """600 MiB of zeros in 600 KiB, and so many bytes of noise before them."""
    head = dicom(_DEFLATED, b"\0" * 4, side=2)
    content = pydicom.dcmread(io.BytesIO(head))
    meta = head[: 144 + content.file_meta["FileMetaInformationGroupLength"].value]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    element = struct.pack("<HH2sHI", 0x0009, 0x1010, b"OB", 0, noise + (600 << 20))
    element += np.random.default_rng(0).bytes(noise)
    zeros = (packer.compress(b"\0" * (1 << 20)) for _ in range(600))
    return meta + packer.compress(element) + b"".join(zeros) + packer.flush()


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a.png": (png, "60000 x 60000|million pixels"),
    "a.tif": (tiff, "60000 x 60000|million pixels"),
    "a.bmp": (bmp, "60000 x 60000|million pixels"),
    "a.j2k": (jpeg_2000, "60000 x 60000|million pixels"),
    "a.jpg": (jpeg, "60000 x 60000|million pixels"),
    "a.gif": (gif, "no picture"),
    "a.y4m": (lambda: b"YUV4MPEG2 W60000 H60000 F25:1 C420\nFRAME\n" + b"\0" * 100, "cannot be opened"),
    "b.y4m": (lambda: b"YUV4MPEG2 W16384 H8192 F25:1 C420\nFRAME\n" + b"\0" * 100, "16384 x 8192"),
    "native.dcm": (lambda: dicom(_EXPLICIT, b"\0" * 64), "3600000000 bytes"),
    "rle.dcm": (rle, "cannot be decoded"),
    "j2k.dcm": (lambda: dicom(_JPEG_2000, jpeg_2000()), "cannot be decoded"),
    "jpeg.dcm": (lambda: dicom(_JPEG, jpeg()), "cannot be decoded"),
    "deflated.dcm": (deflated, "would inflate to more than 300 times"),
    "noise.dcm": (lambda: deflated(4 << 20), "would inflate to more than 512 MiB"),
    "frames.dcm": (lambda: dicom(_EXPLICIT, b"\0" * 10**7, side=1, frames=10**7), "10000000 frames"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="a process does not tell its peak there")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] if name in ("noise.dcm", "deflated.dcm") else [])
        for name in BOMBS
    ],
)
def test_what_would_unpack_to_far_more_is_refused_and_takes_no_memory(name: str, tmp_path: Path) -> None:
    make, told = BOMBS[name]
    (tmp_path / name).write_bytes(make())
    command = [sys.executable, "-c", _OPEN, str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    mib, _, words = done.stdout.partition(" ")
    assert any(each in words for each in told.split("|")), words
    assert int(mib) < MOST_MIB


def test_a_saved_plane_that_would_unpack_to_far_more_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    with pytest.raises(SaveError, match="60000 x 60000"):
        read_png(tmp_path / "a.png")


def test_an_object_of_an_export_is_not_unpacked_where_it_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dicom/a.dcm", np.zeros(10**6, np.uint8).tobytes())
    monkeypatch.setattr(bundle, "_MOST_BYTES", 10**5)
    with pytest.raises(PacsError, match="1 MB"):
        bundle._from_zip(tmp_path / "a.zip")("dicom/a.dcm")
