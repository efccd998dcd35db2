"""Saved pictures are read back as they were; what is none is told in a sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from semc_core.errors import SaveError
from semc_core.session.files import encode_png, read_png


def huge() -> bytes:
    """A PNG that says it is larger than OpenCV takes."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 3)])
def test_a_picture_comes_back_as_it_was(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    (tmp_path / "ä.png").write_bytes(encode_png(pixels))
    found = read_png(tmp_path / "ä.png")
    np.testing.assert_array_equal(found, pixels)
    assert not found.flags.writeable


@pytest.mark.parametrize("content", [b"", b"no picture", huge(), "deep"])
def test_what_is_no_picture_of_ours_is_said_to_be_damaged(tmp_path: Path, content: bytes | str) -> None:
    if isinstance(content, str):
        content = cv2.imencode(".png", np.full((4, 4), 40_000, np.uint16))[1].tobytes()
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SaveError, match=r"a\.png is damaged"):
        read_png(tmp_path / "a.png")
    with pytest.raises(SaveError, match="was changed since"):
        read_png(tmp_path / "a.png", "00")
    with pytest.raises(SaveError, match=r"b\.png is missing"):
        read_png(tmp_path / "b.png")
