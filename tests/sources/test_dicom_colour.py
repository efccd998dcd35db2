"""DICOM: every way to store colour comes out as what was painted, whatever the header says of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pydicom.data
import pytest
from numpy.typing import NDArray
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from semc_core.sources.dicom import DicomSource
from semc_core.sources.seek.stills import SeekableLoop
from tests.sources.capture_clips import number_of, write_dicom
from tests.sources.dicom_clips import as_ybr, coloured, jpeg, right_colours, seen, without, write_compressed

FRAMES = np.stack([coloured(number) for number in range(5)])
PIXEL_REPRESENTATION, PLANAR_CONFIGURATION = 0x00280103, 0x00280006


def _planes(pixels: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 1)).tobytes()


def _halved(ybr: NDArray[np.uint8]) -> bytes:
    """Y Y Cb Cr of every two pixels."""
    pairs = ybr.reshape(-1, 2, 3)
    return np.stack((pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]), axis=1).tobytes()


def _partial(ybr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    levels = ybr.astype(float)
    luma, colour = levels[..., :1] * 219 / 255 + 16, (levels[..., 1:] - 128) * 224 / 255 + 128
    return np.concatenate((luma, colour), axis=-1).round().astype(np.uint8)


def _inks(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    black = 255 - rgb.max(axis=-1, keepdims=True)
    return np.concatenate((255 - rgb - black, black), axis=-1)


def _hsv(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2HSV_FULL) for one in rgb]).astype(np.uint8)


def _check(path: Path) -> str:
    """In sequence and at random every frame has its number and its colours; gives the notice."""
    pixels, numbers, _, notice = seen(path)
    assert numbers == list(range(len(FRAMES)))
    assert [number_of(_bars(one)) for one in pixels] == numbers
    assert all(right_colours(one) for one in pixels)
    loop = SeekableLoop(DicomSource(path))
    for number in reversed(numbers):
        np.testing.assert_array_equal(loop.frame(number).pixels, pixels[number])
    loop.close()
    return notice


def _bars(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part above the fields of colour, as high as `number_of` takes it."""
    return np.concatenate((pixels[:48], pixels[:48]))


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize(
    ("colour", "convert"),
    [
        ("RGB", lambda rgb: rgb),
        ("YBR_FULL", as_ybr),
        ("HSV", _hsv),
        ("CMYK", _inks),
        ("ARGB", lambda rgb: np.concatenate((rgb[..., :1] * 0, rgb), axis=-1)),
    ],
)
def test_every_kind_of_colour_is_read_in_either_order(
    tmp_path: Path, colour: str, convert: Any, planar: int
) -> None:
    stored = convert(FRAMES)
    path = write_dicom(
        tmp_path / "a.dcm", stored, FrameTime=40, PhotometricInterpretation=colour,
        PlanarConfiguration=planar, SamplesPerPixel=stored.shape[-1],
        PixelData=_planes(stored) if planar else stored.tobytes(),
    )  # fmt: skip
    assert _check(path) == ""


@pytest.mark.parametrize(("colour", "convert"), [("YBR_FULL_422", as_ybr), ("YBR_PARTIAL_422", None)])
def test_every_frame_of_halved_colour_is_right(tmp_path: Path, colour: str, convert: Any) -> None:
    ybr = as_ybr(FRAMES) if convert else _partial(as_ybr(FRAMES))
    path = write_dicom(
        tmp_path / "a.dcm", FRAMES, FrameTime=40, PhotometricInterpretation=colour, PixelData=_halved(ybr)
    )
    assert _check(path) == ""


def test_colour_that_is_halved_in_the_header_alone_is_read_in_full(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "a.dcm", as_ybr(FRAMES), FrameTime=40, PhotometricInterpretation="YBR_FULL_422"
    )
    assert "stored in full" in _check(path)


def test_colour_of_sixteen_bits_keeps_its_highest_eight(tmp_path: Path) -> None:
    assert _check(write_dicom(tmp_path / "a.dcm", FRAMES.astype(np.uint16) * 257, FrameTime=40)) == ""


@pytest.mark.parametrize(
    ("ybr", "sampling", "jfif", "said", "told"),
    [
        (True, 0, True, "YBR_FULL", ""),
        (True, 1, False, "YBR_FULL_422", ""),
        (True, 1, False, "RGB", "hold brightness and colour difference"),
        (True, 0, False, "RGB", "hold brightness and colour difference"),
        (True, 0, True, "RGB", "hold brightness and colour difference"),
        (False, 0, False, "RGB", ""),
        (False, 0, True, "RGB", ""),
        (False, 0, False, "YBR_FULL_422", "hold RGB"),
    ],
)
@pytest.mark.parametrize("planar", [0, 1])
def test_the_colours_of_a_jpeg_are_those_that_it_holds(
    tmp_path: Path, ybr: bool, sampling: int, jfif: bool, said: str, told: str, planar: int
) -> None:
    frames = [jpeg(one, ybr=ybr, sampling=sampling, jfif=jfif) for one in FRAMES]
    path = write_compressed(
        tmp_path / "a.dcm", frames, PhotometricInterpretation=said, PlanarConfiguration=planar
    )
    notice = _check(path)
    assert told in notice
    assert ("Planar Configuration" in notice) == bool(planar)
    assert bool(notice) == bool(told or planar)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_lossless_compression_gives_what_was_stored(tmp_path: Path, syntax: Any) -> None:
    path = write_dicom(tmp_path / "a.dcm", FRAMES, FrameTime=40)
    data = pydicom.dcmread(path)
    data.compress(syntax)
    data.save_as(path)
    assert _check(path) == ""
    np.testing.assert_array_equal(np.stack(seen(path)[0]), FRAMES)


@pytest.mark.skipif(not shutil.which("dcmcjpeg"), reason="dcmtk is not installed")
@pytest.mark.parametrize("kind", ["colour", "gray of 8 bits", "gray of 16 bits"])
@pytest.mark.parametrize(
    ("syntax", "how"),
    [(JPEGLosslessSV1, ("+e1",)), *((JPEGLossless, ("+el", "+sv", str(n))) for n in (1, 4, 6, 7))],
)
def test_lossless_jpeg_of_dcmtk_gives_what_was_stored_bit_by_bit(
    tmp_path: Path, syntax: Any, how: tuple[str, ...], kind: str
) -> None:
    noise = np.random.default_rng(2).integers(0, 65536, FRAMES.shape[:3]).astype(np.uint16)
    kinds: dict[str, NDArray[Any]] = {
        "colour": FRAMES, "gray of 8 bits": FRAMES[..., 1], "gray of 16 bits": noise
    }  # fmt: skip
    stored = kinds[kind]
    plain = write_dicom(tmp_path / "plain.dcm", stored, FrameTime=40)
    packed = tmp_path / "packed.dcm"
    subprocess.run(["dcmcjpeg", *how, str(plain), str(packed)], check=True, capture_output=True)
    assert pydicom.dcmread(packed, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    given, known = np.stack(seen(packed)[0]), np.stack(seen(plain)[0])
    np.testing.assert_array_equal(given, known)
    if stored.dtype == np.uint8:
        np.testing.assert_array_equal(given, stored)


@pytest.mark.parametrize(
    ("bits", "kind", "scale", "told"),
    [
        (8, np.uint8, 1, ""),
        (8, np.uint16, 1, ""),
        (8, np.uint16, 257, ""),
        (16, np.uint16, 257, ""),
        (16, np.uint16, 1, "its colours have 8"),
    ],
)
@pytest.mark.parametrize("first", [0, 1000])
def test_palettes_are_read_however_they_were_written(
    tmp_path: Path, bits: int, kind: type, scale: int, told: str, first: int
) -> None:
    colours, places = np.unique(FRAMES.reshape(-1, 3), axis=0, return_inverse=True)
    stored = places.reshape(FRAMES.shape[:3]).astype(np.uint16 if first else np.uint8) + first
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR", "FrameTime": 40}
    for channel, name in enumerate(("Red", "Green", "Blue")):
        table: NDArray[Any] = np.zeros(256, kind)
        table[: len(colours)] = colours[:, channel].astype(kind) * scale
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, first, bits]
        elements[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    path = write_dicom(tmp_path / "a.dcm", stored.astype(np.uint16 if first else np.uint8), **elements)
    notice = _check(path)
    assert told in notice
    assert bool(told) == bool(notice)


@pytest.mark.requirement("R2")
def test_defaults_stand_in_for_what_the_header_leaves_out_and_are_told(tmp_path: Path) -> None:
    path = without(write_dicom(tmp_path / "a.dcm", FRAMES, FrameTime=40), PLANAR_CONFIGURATION)
    assert "pixel by pixel is assumed" in _check(without(path, PIXEL_REPRESENTATION))
    assert "unsigned is assumed" in seen(path)[3]


def test_the_size_that_the_pictures_themselves_have_is_believed(tmp_path: Path) -> None:
    path = write_compressed(tmp_path / "a.dcm", [jpeg(one) for one in FRAMES], Rows=90, Columns=100)
    assert "the pictures have 128x96" in _check(path)
    assert (DicomSource(path).info.width, DicomSource(path).info.height) == (128, 96)


def test_bits_beside_those_that_count_are_left_out(tmp_path: Path) -> None:
    levels = np.arange(0, 4096, 16, dtype=np.uint16).reshape(1, 16, 16)
    shown = {"BitsStored": 12, "WindowCenter": 2048, "WindowWidth": 4096}
    low = write_dicom(tmp_path / "low.dcm", levels | 0x8000, HighBit=11, **shown)
    high = write_dicom(tmp_path / "high.dcm", levels << 4 | 0x0003, HighBit=15, **shown)
    for path in (low, high):
        np.testing.assert_allclose(seen(path)[0][0].ravel(), np.arange(256), atol=1)


def test_lossy_jpeg_of_twelve_bits_is_read() -> None:
    path = pydicom.data.get_testdata_file("JPGExtended.dcm", download=False)
    assert isinstance(path, str)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == JPEGExtended12Bit
    (pixels,) = seen(Path(path))[0]
    assert pixels.shape == (1024, 256)
    assert (int(pixels.min()), int(pixels.max())) == (0, 255)
