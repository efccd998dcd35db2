"""DICOM: which frames there are, and when, where the header is wrong, and what is said of the rest."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import (
    HEVCMP51,
    MPEG2MPML,
    MPEG4HP41,
    UID,
    EncapsulatedPDFStorage,
    EnhancedUSVolumeStorage,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPIPHTJ2KReferenced,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from semc_core.errors import SourceError
from semc_core.sources.dicom import DicomSource
from semc_core.sources.open import open_seekable, open_source
from semc_core.sources.seek.stills import SeekableLoop
from tests.skips import REAL_DATA
from tests.sources.capture_clips import number_of, numbered, read_all, write_dicom
from tests.sources.dicom_clips import coloured, jpeg, seen, without, write_compressed

GRAY = np.stack([numbered(index) for index in range(6)])
JPEGS = [jpeg(coloured(index)) for index in range(6)]
NUMBER_OF_FRAMES, TRANSFER_SYNTAX = 0x00280008, 0x00020010


def _numbers(pixels: list[NDArray[np.uint8]]) -> list[int]:
    return [number_of(np.concatenate((one[:48], one[:48]))) for one in pixels]


def _check(path: Path, expected: list[int], times_s: list[float] | None = None) -> str:
    """In sequence and at random the frames are these, at these times; gives the notice."""
    pixels, numbers, at_s, notice = seen(path)
    assert numbers == expected
    assert _numbers(pixels) == expected
    assert at_s == pytest.approx([0.04 * number for number in expected] if times_s is None else times_s)
    loop = SeekableLoop(DicomSource(path))
    for number, one, time_s in zip(numbers[::-1], pixels[::-1], at_s[::-1], strict=True):
        frame = loop.frame(number)
        np.testing.assert_array_equal(frame.pixels, one)
        assert frame.pts_s == time_s
    loop.close()
    return notice


# How many frames


@pytest.mark.parametrize("said", [3, 9])
@pytest.mark.requirement("R2")
def test_the_frames_that_are_there_count_not_those_of_the_header(tmp_path: Path, said: int) -> None:
    notice = f"The header counts {said} frames, the file holds 6; these are read."
    assert (
        _check(write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40, NumberOfFrames=said), list(range(6)))
        == notice
    )
    assert _check(write_compressed(tmp_path / "b.dcm", JPEGS, NumberOfFrames=said), list(range(6))) == notice


def test_a_header_without_a_number_of_frames_is_told(tmp_path: Path) -> None:
    native = without(write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40), NUMBER_OF_FRAMES)
    compressed = without(write_compressed(tmp_path / "b.dcm", JPEGS), NUMBER_OF_FRAMES)
    for path in (native, compressed):
        assert "does not say how many frames" in _check(path, list(range(6)))


def test_a_number_of_frames_that_is_none_is_told(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40)
    path.write_bytes(path.read_bytes().replace(b"IS\x02\x006 ", b"IS\x02\x006A"))
    assert "number of frames cannot be read" in _check(path, list(range(6)))


def test_a_file_that_was_cut_gives_the_frames_that_are_whole(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40)
    path.write_bytes(path.read_bytes()[: -GRAY[0].size - 5])
    assert "the file holds 4" in _check(path, list(range(4)))
    path = write_compressed(tmp_path / "b.dcm", JPEGS)
    path.write_bytes(path.read_bytes()[: -len(JPEGS[5]) // 2])
    notice = _check(path, list(range(5)))
    assert "ends within a frame" in notice
    assert "1 of 6 frames is damaged and left out: number 5." in notice


# Where they are


def _items(*parts: bytes) -> bytes:
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part for part in parts)


def _even(data: bytes) -> bytes:
    return data + b"\0" * (len(data) % 2)


def _table(shift: int) -> bytes:
    places = np.cumsum([0, *(len(_even(one)) + 8 for one in JPEGS[:-1])])
    return struct.pack("<6I", *(int(place) + shift for place in places))


@pytest.mark.parametrize(
    ("table", "told"), [(b"", False), (_table(0), False), (_table(4), True), (_table(0)[:12], True)]
)
def test_frames_are_found_whatever_the_offset_table_says(tmp_path: Path, table: bytes, told: bool) -> None:
    data = _items(table, *(_even(one) for one in JPEGS))
    notice = _check(write_compressed(tmp_path / "a.dcm", JPEGS, data=data), list(range(6)))
    assert ("table of where its frames begin is wrong" in notice) == told


@pytest.mark.parametrize("table", [b"", _table(4)])
def test_frames_of_several_fragments_are_joined_without_a_table(tmp_path: Path, table: bytes) -> None:
    halves = [half for one in JPEGS for half in (one[:1000], _even(one[1000:]))]
    data = _items(table, *halves)
    _check(write_compressed(tmp_path / "a.dcm", JPEGS, data=data), list(range(6)))


@pytest.mark.parametrize("shift", [0, 6])
def test_an_extended_offset_table_is_used_where_it_is_right(tmp_path: Path, shift: int) -> None:
    data, offsets, lengths = encapsulate_extended(JPEGS)
    wrong = (np.frombuffer(offsets, "<u8") + shift).astype("<u8").tobytes()
    path = write_compressed(
        tmp_path / "a.dcm", JPEGS, data=data, ExtendedOffsetTable=wrong, ExtendedOffsetTableLengths=lengths
    )
    assert ("table" in _check(path, list(range(6)))) == bool(shift)


@pytest.mark.parametrize("harm", [lambda one: one[:600], lambda one: b"\0" * len(one), lambda one: b""])
@pytest.mark.parametrize("bad", [0, 3])
@pytest.mark.requirement("R4")
def test_one_damaged_frame_is_left_out_and_the_others_keep_their_places(
    tmp_path: Path, harm: Callable[[bytes], bytes], bad: int
) -> None:
    frames = [_even(harm(one)) if number == bad else _even(one) for number, one in enumerate(JPEGS)]
    path = write_compressed(tmp_path / "a.dcm", JPEGS, data=_items(b"", *frames))
    others = [number for number in range(6) if number != bad]
    assert f"1 of 6 frames is damaged and left out: number {bad}." in _check(path, others)
    with pytest.raises(SourceError, match=f"Frame {bad} of a.dcm is damaged"):
        SeekableLoop(DicomSource(path)).frame(bad)


def test_a_damaged_frame_of_run_length_coding_is_left_out(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40)
    data = pydicom.dcmread(path)
    data.compress(RLELossless)
    frames = list(generate_frames(data.PixelData, number_of_frames=6))
    run = bytes([129, 7]) * 1000
    # Too long by far, empty, with an offset behind its end.
    frames[1] = frames[1][:64] + run
    frames[3] = frames[3][:64]
    frames[4] = frames[4][:4] + struct.pack("<I", 10**6) + frames[4][8:]
    data.PixelData = encapsulate(frames)
    data.save_as(path)
    pixels, numbers, _, notice = seen(path)
    assert numbers == [0, 1, 2, 5]
    assert [number_of(pixels[place]) for place in (0, 2, 3)] == [0, 2, 5]
    assert notice == "2 of 6 frames are damaged and left out: number 3, 4."


# When


@pytest.mark.parametrize(
    ("elements", "times_s", "told"),
    [
        ({"FrameTimeVector": [40, 40, 100, 100, 100]}, [0, 0.04, 0.08, 0.18, 0.28, 0.38], "one time too few"),
        ({"FrameTimeVector": [0, 40, 40, 40, 40, 40, 40]}, None, "more times than there are frames"),
        ({"FrameTimeVector": [0, 0.04, 0.04, 0.04, 0.04, 0.04]}, None, "Vector is taken as seconds"),
        ({"FrameTime": 0.04}, None, "Frame Time of 0.04 ms is taken as seconds"),
        ({"FrameTime": 0.04, "CineRate": 25}, None, "is taken as seconds"),
        ({"FrameTime": 0.5, "CineRate": 2000}, [index / 2000 for index in range(6)], ""),
        ({"CineRate": 25}, None, ""),
    ],
)
def test_times_that_cannot_be_meant_are_put_right_and_told(
    tmp_path: Path, elements: dict[str, Any], times_s: list[float] | None, told: str
) -> None:
    notice = _check(write_dicom(tmp_path / "a.dcm", GRAY, **elements), list(range(6)), times_s)
    assert told in notice
    assert bool(notice) == bool(told)


@pytest.mark.parametrize(
    ("written", "times_s", "told"),
    [
        (b"XX\x04\x0040.0", None, "wrong type for FrameTime"),
        (b"DS\x04\x00??.?", [index / 30 for index in range(6)], "Frame Time is no number"),
        (b"FD\x04\x0040.0", None, "wrong type for FrameTime"),
    ],
)
def test_a_frame_time_of_a_wrong_type_or_without_a_number_is_told(
    tmp_path: Path, written: bytes, times_s: list[float] | None, told: str
) -> None:
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40)
    data = path.read_bytes()
    assert data.count(b"DS\x04\x0040.0") == 1
    path.write_bytes(data.replace(b"DS\x04\x0040.0", written))
    assert told in _check(path, list(range(6)), times_s)


# How the file is written


def test_a_file_without_its_preamble_is_dicom_whatever_it_is_called(tmp_path: Path) -> None:
    data = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40).read_bytes()[132:]
    group = 12 + int.from_bytes(data[8:12], "little")
    for name, content in (("a.dcm", data), ("without-suffix", data), ("no-meta", data[group:])):
        path = tmp_path / name
        path.write_bytes(content)
        source = open_source(str(path))
        assert isinstance(source, DicomSource)
        assert _numbers([packet.pixels for packet in read_all(source)]) == list(range(6))
        assert open_seekable(path).count == 6


def test_a_missing_or_wrong_transfer_syntax_is_found_from_the_data(tmp_path: Path) -> None:
    path = write_compressed(tmp_path / "a.dcm", JPEGS, syntax=JPEG2000Lossless)
    assert "does not name the pictures' compression" in _check(path, list(range(6)))
    data = path.read_bytes()[132:]
    path.write_bytes(data[12 + int.from_bytes(data[8:12], "little") :])
    assert "Transfer Syntax" in _check(path, list(range(6)))


def test_pictures_that_are_not_compressed_as_the_header_says_are_read(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", GRAY, FrameTime=40)
    data = path.read_bytes()
    # Of the same length as the number that stands there.
    path.write_bytes(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0", 1))
    assert "are compressed (RLE Lossless), but they are not" in _check(path, list(range(6)))


# Video


def _stream(codec: str, form: str, count: int = 24) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 8, 2
        stream.codec_context.time_base = Fraction(1, 25)
        stream.bit_rate = 2_000_000
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none:keyint=8"}
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


@pytest.mark.parametrize(
    ("codec", "form", "syntax"),
    [
        ("libx264", "h264", MPEG4HP41),
        ("libx264", "mpegts", MPEG4HP41),
        ("mpeg2video", "mpeg2video", MPEG2MPML),
        ("mpeg2video", "vob", MPEG2MPML),
        ("libx265", "hevc", HEVCMP51),
    ],
)
@pytest.mark.parametrize("said", [24, 1])
@pytest.mark.requirement("R1")
def test_video_inside_dicom_is_read_in_sequence_and_at_random(
    tmp_path: Path, codec: str, form: str, syntax: UID, said: int
) -> None:
    stream = _even(_stream(codec, form))
    parts = [stream[:2000], stream[2000:]]
    path = write_compressed(
        tmp_path / "a.dcm", parts, syntax=syntax, data=_items(b"", *parts), NumberOfFrames=said,
        PhotometricInterpretation="YBR_PARTIAL_420",
    )  # fmt: skip
    assert ("the file holds 24" in _check(path, list(range(24)))) == (said != 24)
    loop = SeekableLoop(DicomSource(path), cache_bytes=1)
    for number in (20, 3, 4, 11, 23, 0, 9, 8, 7):
        assert number_of(loop.frame(number).pixels) == number
    loop.close()


def test_video_that_is_none_says_so(tmp_path: Path) -> None:
    path = write_compressed(
        tmp_path / "a.dcm", [], syntax=MPEG4HP41, data=_items(b"", b"\0\0\0\1" + b"no video" * 40)
    )
    with pytest.raises(SourceError, match=r"a\.dcm holds a video that cannot be"):
        DicomSource(path)


# What cannot be shown


def _without_pixels(path: Path, kind: UID, **elements: Any) -> Path:
    write_dicom(path, GRAY)
    data = pydicom.dcmread(path)
    del data.PixelData
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = kind
    for name, value in elements.items():
        setattr(data, name, value)
    data.save_as(path)
    return path


def _record(name: str) -> Dataset:
    record = Dataset()
    record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["IMAGES", name]
    return record


def test_a_directory_of_a_disc_is_named_with_what_to_open_instead(tmp_path: Path) -> None:
    records = [_record("IM_0001"), _record("IM_0002")]
    path = _without_pixels(
        tmp_path / "DICOMDIR", MediaStorageDirectoryStorage, DirectoryRecordSequence=records
    )
    with pytest.raises(SourceError, match=r"is a DICOMDIR.* such as IMAGES/IM_0001, IMAGES/IM_0002\."):
        open_source(str(path))


def _floating(path: Path) -> Path:
    _without_pixels(path, EncapsulatedPDFStorage, FloatPixelData=GRAY.astype(np.float32).tobytes())
    return path


def _unknown(path: Path) -> Path:
    return write_compressed(path, [b"no picture known here "] * 2, syntax=JPIPHTJ2KReferenced)


def _renamed(path: Path) -> Path:
    return write_compressed(path, [b"not a picture at all "] * 2, syntax=JPEGBaseline8Bit)


def _all_damaged(path: Path) -> Path:
    return write_compressed(path, [one[:600] for one in JPEGS])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (
            lambda path: _without_pixels(path, EncapsulatedPDFStorage),
            r"holds no picture \(Encapsulated PDF Storage\)",
        ),
        (
            lambda path: write_dicom(path, GRAY, SOPClassUID=EnhancedUSVolumeStorage),
            "is an Enhanced US Volume",
        ),
        (_floating, "holds floating-point values"),
        (_unknown, r"compressed in a way that is not supported \(.+\); export it"),
        (_renamed, "says that it is compressed .* but its pictures are not"),
        (_all_damaged, "None of its 6 frames could be read as JPEG Baseline"),
        (lambda path: write_dicom(path, GRAY, Rows=0), "does not say how large its picture is"),
        (lambda path: write_dicom(path, GRAY[:1], Rows=960), "ends within its first picture: 122880 bytes"),
        (lambda path: write_dicom(path, GRAY, PixelData=b""), "ends before its first picture"),
        (lambda path: write_dicom(path, GRAY, BitsAllocated=12, BitsStored=12), "12 bits a sample"),
        (
            lambda path: write_dicom(path, GRAY, PhotometricInterpretation="PALETTE COLOR"),
            "damaged colour palette",
        ),
        (lambda path: write_compressed(path, JPEGS, data=_items(b"")), "ends before its first picture"),
    ],
)
def test_each_reason_has_its_own_sentence(tmp_path: Path, make: Callable[[Path], Path], why: str) -> None:
    path = make(tmp_path / "a.dcm")
    with pytest.raises(SourceError, match=f"^a.dcm .*{why}.*[.]$"):
        DicomSource(path)


@pytest.mark.requirement("R3")
def test_no_damage_to_a_header_brings_another_error_than_ours(tmp_path: Path) -> None:
    native = write_dicom(tmp_path / "a.dcm", GRAY[:2], FrameTime=40, WindowCenter=100, WindowWidth=200)
    compressed = write_compressed(tmp_path / "b.dcm", JPEGS[:2])
    random = np.random.default_rng(5)
    opened = 0
    for path in (native, compressed):
        whole = path.read_bytes()
        for _ in range(150):
            data = bytearray(whole)
            for place in random.integers(132, 1400, random.integers(1, 6)):
                data[place] = random.integers(256)
            path.write_bytes(data)
            try:
                opened += len(read_all(DicomSource(path))) > 0
            except SourceError:
                continue
    assert 0 < opened < 300


# Pictures that failed in other programs, as they were handed over


@pytest.mark.real_data("foreign_failing")
@pytest.mark.parametrize(
    ("name", "count", "told"),
    [
        ("ybr_full_422_native", 5, ""),
        ("jpeg_planar1", 6, "Planar Configuration"),
        ("jpeg_ycbcr_labelled_rgb", 6, "says RGB"),
        ("palette_8_bits_in_words", 6, ""),
        ("frames_fewer_than_header", 6, "counts 9"),
        ("one_bad_jpeg_frame", 5, "number 3"),
        ("frames_no_count", 6, "how many frames"),
        ("no_preamble", 6, ""),
        ("video_h264", 24, ""),
        ("offset_table_shifted", 6, "table"),
        ("no_planar_configuration", 3, "Planar Configuration"),
        ("no_pixel_representation", 6, "Pixel Representation"),
        ("frame_time_bad_vr", 6, "wrong type"),
        ("number_of_frames_garbage", 6, "number of frames"),
        ("frame_time_in_seconds", 6, "as seconds"),
        ("frame_time_vector_n_minus_1", 6, "one time too few"),
    ],
)
def test_files_that_other_programs_fail_on_are_right(name: str, count: int, told: str) -> None:
    pixels, numbers, times_s, notice = seen(REAL_DATA / "foreign_failing" / f"{name}.dcm")
    assert len(pixels) == count
    assert [_block_number(one) for one in pixels] == numbers
    assert told in notice
    assert bool(told) == bool(notice)
    uneven = name == "frame_time_vector_n_minus_1"
    expected = [0, 0.04, 0.08, 0.18, 0.28, 0.38] if uneven else [0.04 * number for number in numbers]
    assert times_s == pytest.approx(expected)
    if pixels[0].ndim == 3:
        width = pixels[0].shape[1]
        marks = [
            pixels[0][-46:-26, left : left + 20].mean((0, 1)) for left in (26, width // 2 - 10, width - 46)
        ]
        np.testing.assert_allclose(marks, [(220, 30, 30), (40, 60, 220), (30, 200, 40)], atol=14)


def _block_number(pixels: NDArray[np.uint8]) -> int:
    """The number in blocks of 16 pixels, the lowest bit on the left."""
    gray = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    return sum(int(gray[12:20, 12 + 16 * bit : 20 + 16 * bit].mean() > 125) << bit for bit in range(8))
