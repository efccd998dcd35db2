"""JPEG without its end: read where the whole picture is there, damaged where some of it is not."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from semc_core.errors import SourceError
from semc_core.sources.dicom import DicomSource
from semc_core.sources.open import open_source
from tests.sources.capture_clips import number_of, read_all, write_dicom, write_video
from tests.sources.test_video_kinds import MJPEG, as_seen

_END = b"\xff\xd9"
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restart markers": {"restart_marker_rows": 2},
}


def _textured() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:144, 0:192]
    noise = np.random.default_rng(0).integers(0, 30, (144, 192))
    return np.asarray(60 + (columns * 3 + rows) % 97 + noise, np.uint8)


def _encoded(pixels: NDArray[np.uint8], **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, **options)
    return file.getvalue()


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_without_its_end_is_whole_where_nothing_else_is_missing(
    tmp_path: Path, kind: str, colours: bool
) -> None:
    gray = _textured()
    data = _encoded(np.dstack([gray, 255 - gray, gray // 2]) if colours else gray, **KINDS[kind])
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    (whole,) = read_all(open_source(str(path)))
    for end in (b"", b"\0" * 40):
        path.write_bytes(data.removesuffix(_END) + end)
        (packet,) = read_all(open_source(str(path)))
        np.testing.assert_array_equal(packet.pixels, whole.pixels)
    for cut in (data[: len(data) // 2], data[: len(data) * 9 // 10], data[:-40]):
        path.write_bytes(cut)
        with pytest.raises(SourceError, match="cannot be read as an image"):
            open_source(str(path))


def test_a_jpeg_that_is_ended_too_early_is_not_shown_with_gray_instead(tmp_path: Path) -> None:
    data = _encoded(_textured())
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2] + _END)
    with pytest.raises(SourceError, match="cannot be read as an image"):
        open_source(str(tmp_path / "a.jpg"))
    gray = np.full((64, 64), 128, np.uint8)
    (tmp_path / "b.jpg").write_bytes(_encoded(gray))
    (packet,) = read_all(open_source(str(tmp_path / "b.jpg")))
    np.testing.assert_array_equal(packet.pixels, gray)


def test_the_frames_of_a_dicom_file_are_damaged_only_where_some_of_them_is_missing(tmp_path: Path) -> None:
    pixels = np.stack([np.roll(_textured(), shift, 1) for shift in range(5)])
    path = write_dicom(tmp_path / "a.dcm", pixels)
    data = dcmread(path)
    frames = [_encoded(frame) for frame in pixels]
    frames[1] = frames[1].removesuffix(_END)
    frames[3] = frames[3][: len(frames[3]) // 2] + _END
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR = "OB"
    data.save_as(path, enforce_file_format=True)
    source = DicomSource(path)
    packets = read_all(source)
    assert [packet.index for packet in packets] == [0, 1, 2, 4]
    for packet in packets:
        assert np.abs(packet.gray.astype(int) - pixels[packet.index]).mean() < 4
    assert "number 3" in source.info.notice


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_frames_of_motion_jpeg_need_no_end(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 12, codec=MJPEG)
    path.write_bytes(path.read_bytes().replace(_END, b"\0\0"))
    frames, notice = as_seen(path)
    assert {index: number_of(packet.pixels) for index, packet in frames.items()} == {i: i for i in range(12)}
    assert notice == ""
