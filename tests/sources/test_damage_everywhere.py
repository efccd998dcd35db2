"""Damaged files say the same of every frame with any number of threads, in order and at random."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import av
import pytest

from semc_core.errors import FrameDamaged
from semc_core.sources import video
from semc_core.sources.open import open_seekable, open_source
from tests.sources.capture_clips import read_all
from tests.sources.seek_clips import encode, numbers_and_times

COUNT = 40
X264 = {"preset": "veryfast", "x264-params": "scenecut=0:keyint=20:bframes=3:b-pyramid=normal"}
X265 = {"preset": "ultrafast", "x265-params": "keyint=20:bframes=3:log-level=none"}
KINDS: dict[str, tuple[str, dict[str, str], int]] = {
    "h264.mp4": ("libx264", X264, 3),
    "h264.mkv": ("libx264", X264, 3),
    "h264.ts": ("libx264", X264, 3),
    "h264.avi": ("libx264", X264, 3),
    "hevc.mp4": ("libx265", X265, 3),
    "vp8.webm": ("libvpx", {"cpu-used": "8"}, 0),
    "vp9.webm": ("libvpx-vp9", {"cpu-used": "8", "deadline": "realtime"}, 0),
    "ffv1.mkv": ("ffv1", {}, 0),
    "mpeg4.mp4": ("mpeg4", {}, 2),
    "mpeg4.avi": ("mpeg4", {}, 2),
    "mpeg2.ts": ("mpeg2video", {}, 2),
    "mjpeg.mkv": ("mjpeg", {}, 0),
}


class Seen(NamedTuple):
    """What a read in order gave: time and pixels by number, and the numbers of damaged frames."""

    frames: dict[int, tuple[float, bytes]]
    damaged: list[int]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The undamaged clips that were needed so far."""
    return {"": tmp_path_factory.mktemp("clips")}


def clip(clips: dict[str, Path], name: str) -> Path:
    if name not in clips:
        codec, options, b_frames = KINDS[name]
        clips[name] = encode(clips[""] / name, codec, options, gop=20, b_frames=b_frames, count=COUNT)
    return clips[name]


def places_of(path: Path) -> list[tuple[int, int]]:
    """Where each packet is, and its size."""
    with av.open(str(path)) as container:
        return [(p.pos, p.size) for p in container.demux(video=0) if p.size and p.pos is not None]


def hurt(path: Path, into: Path, seed: int) -> Path:
    """A copy with two packets damaged: bytes overwritten by zeros, ones or others, or all of it by zeros."""
    dice, data, places = random.Random(seed), bytearray(path.read_bytes()), places_of(path)
    for _ in range(2):
        place, size = places[dice.randrange(len(places))]
        begin = dice.randrange(min(40, size - 1), size)
        length = min(size - begin, dice.randint(20, 200))
        kind = dice.randrange(4)
        if kind == 3:
            data[place : place + size] = bytes(size)
        else:
            data[begin + place : begin + place + length] = (
                dice.randbytes(length) if kind == 2 else bytes([255 * kind]) * length
            )
    into.write_bytes(data)
    return into


def seen(path: Path, threads: int, monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setattr(video, "usable_cores", lambda: threads)
    with closing(video.VideoSource(path)) as source:
        frames: dict[int, tuple[float, bytes]] = {}
        while (packet := source.read()) is not None:
            frames[packet.index] = packet.pts_s, packet.pixels.tobytes()
        return Seen(frames, list(source.damaged))


@pytest.mark.parametrize("seed", [3, 10])
@pytest.mark.parametrize("name", KINDS)
def test_time_and_picture_of_a_frame_are_the_same_with_one_thread_and_with_four_and_at_random(
    clips: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, seed: int
) -> None:
    path = hurt(clip(clips, name), tmp_path / name, seed)
    one = seen(path, 1, monkeypatch)
    assert len(one.frames) >= 5
    assert seen(path, 4, monkeypatch) == one
    expected = read_all(open_source(str(path)))
    with closing(open_seekable(path)) as source:
        source.confirm(*numbers_and_times(expected), complete=True)
        source.frame(0)  # waits until it is settled
        assert source.count == max(*one.frames, *one.damaged, 0) + 1
        order = random.Random(seed).sample(range(source.count), 12)
        for index in order:
            if index in one.damaged:
                with pytest.raises(FrameDamaged):
                    source.frame(index)
                continue
            packet = source.frame(index)
            assert (packet.pts_s, packet.pixels.tobytes()) == one.frames[index], index


@pytest.mark.parametrize("number", [4, 6, 38])
@pytest.mark.parametrize("name", ["h264.mp4", "h264.avi", "mpeg4.mp4", "mpeg4.avi"])
@pytest.mark.requirement("R4")
def test_no_frame_shows_what_leans_on_a_lost_one_shown_later_or_its_neighbour(
    clips: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    path = clip(clips, name)
    whole, data = seen(path, 1, monkeypatch), bytearray(path.read_bytes())
    place, size = places_of(path)[number]
    data[place : place + size] = bytes(size)
    (tmp_path / name).write_bytes(data)
    left = seen(tmp_path / name, 4, monkeypatch)
    assert left.damaged
    assert len(left.frames) >= 15
    assert {index for index, given in left.frames.items() if given != whole.frames[index]} == set()


TOLD = ("ffv1.mkv", "mpeg2.ts", "mpeg4.mp4")
"""Of the others' changed bits FFmpeg says nothing: they decode, to another picture (docs/inputs.md)."""


@pytest.mark.parametrize("number", [1, 6, 20, 38])
@pytest.mark.parametrize("name", ["hevc.mp4", "vp8.webm", "vp9.webm", *TOLD])
def test_damage_inside_a_picture_puts_no_other_frame_under_its_number(
    clips: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    path = clip(clips, name)
    whole, data = seen(path, 1, monkeypatch), bytearray(path.read_bytes())
    place, size = places_of(path)[number]
    begin = place + size // 3
    # In a transport stream no other of its packets is touched.
    length = min(size // 2, 120) if name.endswith(".ts") else size // 2
    data[begin : begin + length] = bytes([170]) * length
    (tmp_path / name).write_bytes(data)
    left = seen(tmp_path / name, 4, monkeypatch)
    assert sorted([*left.frames, *left.damaged]) == list(range(COUNT))
    numbers = {pixels: index for index, (_, pixels) in whole.frames.items()}
    for index, (time_s, pixels) in left.frames.items():
        assert numbers.get(pixels, index) == index
        assert time_s == whole.frames[index][0]
    changed = [index for index, given in left.frames.items() if given != whole.frames[index]]
    assert bool(left.damaged) is (name in TOLD)
    assert bool(changed) is (name not in TOLD)


@pytest.mark.parametrize("number", [1, 6, 20, 38])
def test_where_a_packet_of_hevc_is_gone_no_other_frame_shows_under_its_number(
    clips: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = clip(clips, "hevc.mp4")
    whole, data = seen(path, 1, monkeypatch), bytearray(path.read_bytes())
    place, size = places_of(path)[number]
    data[place : place + size] = bytes(size)
    (tmp_path / "hevc.mp4").write_bytes(data)
    left = seen(tmp_path / "hevc.mp4", 4, monkeypatch)
    assert left.damaged
    assert sorted([*left.frames, *left.damaged]) == list(range(COUNT))
    assert {index for index, given in left.frames.items() if given != whole.frames[index]} == set()


@pytest.mark.parametrize("gop", [1, 20])
def test_a_recording_whose_checksums_do_not_hold_shows_no_picture_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gop: int
) -> None:
    path = encode(tmp_path / "a.mkv", "ffv1", {"level": "3", "slicecrc": "1"}, gop=gop, count=COUNT)
    whole, data = seen(path, 1, monkeypatch), bytearray(path.read_bytes())
    place, size = places_of(path)[25]
    data[place + size // 2] ^= 1
    path.write_bytes(data)
    left = seen(path, 4, monkeypatch)
    assert left.damaged == ([25] if gop == 1 else list(range(25, 40)))
    assert left.frames == {index: given for index, given in whole.frames.items() if index not in left.damaged}
    with closing(open_seekable(path)) as source, pytest.raises(FrameDamaged):
        source.frame(25)
