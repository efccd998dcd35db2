"""A video inside a DICOM file that is damaged: each frame is the right one, or said to be damaged."""

from __future__ import annotations

import random
from contextlib import closing
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from pydicom.uid import HEVCMP51, MPEG2MPML, MPEG4HP41, UID

from semc_core.errors import FrameDamaged
from semc_core.sources.dicom import DicomSource
from semc_core.sources.seek.stills import SeekableLoop
from semc_core.types import FramePacket
from tests.sources.capture_clips import number_of, read_all
from tests.sources.dicom_clips import write_compressed
from tests.sources.test_dicom_frames import _even, _items, _stream

COUNT = 24
KINDS: dict[str, tuple[str, str, UID]] = {
    "H.264": ("libx264", "h264", MPEG4HP41),
    "H.264 in a transport stream": ("libx264", "mpegts", MPEG4HP41),
    "MPEG-2": ("mpeg2video", "mpeg2video", MPEG2MPML),
    "HEVC": ("libx265", "hevc", HEVCMP51),
}
HURT = {
    "H.264": (1, 5, 9, 12, 23),
    # Others fit into one of its packets: without that packet they are not there at all.
    "H.264 in a transport stream": (0,),
    "MPEG-2": (0, 1, 5, 9, 12, 23),
    # Of the others FFmpeg says nothing.
    "HEVC": (1, 5, 9, 23),
}


def loop_of(path: Path, stream: bytes, syntax: UID) -> Path:
    even = _even(stream)
    return write_compressed(
        path, [even], syntax=syntax, data=_items(b"", even), NumberOfFrames=COUNT,
        PhotometricInterpretation="YBR_PARTIAL_420",
    )  # fmt: skip


def places_of(stream: bytes) -> list[tuple[int, int]]:
    """Where the packets lie, and how large they are, in the order of decoding."""
    with av.open(BytesIO(stream), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert len(packets) == COUNT
        # Where a container cuts its packets up, only the beginning is known.
        return [(packet.pos or 0, packet.size) for packet in packets]


def seen(path: Path) -> tuple[dict[int, FramePacket], list[int], str]:
    """In order and, the same, at random: the frames, the numbers of damaged ones, and the notice."""
    source = DicomSource(path)
    frames = {packet.index: packet for packet in read_all(source)}
    damaged, notice = list(source.damaged), source.info.notice
    count = source.info.frame_count
    assert count is not None
    assert sorted([*frames, *damaged]) == list(range(count))
    with closing(SeekableLoop(DicomSource(path), cache_bytes=1)) as loop:
        assert loop.count == count
        for index in random.Random(1).sample(range(count), count):
            if index in frames:
                np.testing.assert_array_equal(loop.frame(index).pixels, frames[index].pixels)
                assert loop.frame(index).pts_s == frames[index].pts_s
                continue
            with pytest.raises(FrameDamaged, match=f"Frame {index} of a.dcm is damaged"):
                loop.frame(index)
    return frames, damaged, notice


@pytest.mark.parametrize(("kind", "number"), [(kind, each) for kind, all_ in HURT.items() for each in all_])
@pytest.mark.requirement("R4")
def test_behind_a_damaged_picture_no_frame_shows_under_the_number_of_another(
    tmp_path: Path, kind: str, number: int
) -> None:
    codec, form, syntax = KINDS[kind]
    data = bytearray(_stream(codec, form))
    place, size = places_of(bytes(data))[number]
    begin, length = (place + 60, 100) if form == "mpegts" else (place + size // 3, size // 2)
    data[begin : begin + length] = bytes([170]) * length
    frames, damaged, notice = seen(loop_of(tmp_path / "a.dcm", bytes(data), syntax))
    assert damaged
    assert len(frames) + len(damaged) == COUNT
    assert {index: number_of(packet.pixels) for index, packet in frames.items()} == {n: n for n in frames}
    assert f"of {COUNT} frames" in notice
    assert "damaged and left out" in notice
    # A key picture comes every 8 frames.
    assert len(frames) >= COUNT - 16


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_video_has_no_damaged_frame(tmp_path: Path, kind: str) -> None:
    codec, form, syntax = KINDS[kind]
    frames, damaged, notice = seen(loop_of(tmp_path / "a.dcm", _stream(codec, form), syntax))
    assert list(frames) == list(range(COUNT))
    assert (damaged, notice) == ([], "")
    for index, packet in frames.items():
        assert number_of(packet.pixels) == index
        assert packet.pts_s == pytest.approx(index / 25)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_changed_unnoticed_show_the_same_in_sequence_and_at_random(
    tmp_path: Path, kind: str, seed: int
) -> None:
    codec, form, syntax = KINDS[kind]
    chance, data = random.Random(seed), bytearray(_stream(codec, form))
    for _ in range(3):
        at = chance.randrange(len(data) // 4, len(data) - 60)
        data[at : at + 4] = chance.randbytes(4)
    frames, _, _ = seen(loop_of(tmp_path / "a.dcm", bytes(data), syntax))
    assert len(frames) >= 4
