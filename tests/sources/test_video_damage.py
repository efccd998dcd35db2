"""Damage inside a picture is told, also where a decoder would hide it; what leans on it is left out."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from semc_core.sources.open import open_source
from tests.sources.capture_clips import read_all, write_video
from tests.sources.seek_clips import encode
from tests.sources.test_video_kinds import as_seen, assert_true, lose

HURT = 18
FILES: dict[str, tuple[str, int, set[int]]] = {
    "mjpeg.mkv": ("mjpeg", 0, {18}),
    "mjpeg.avi": ("mjpeg", 0, {18}),
    "mpeg4.mp4": ("mpeg4", 0, set(range(18, 24))),
    "mpeg4.avi": ("mpeg4", 2, {17}),
    "mpeg2.ts": ("mpeg2video", 2, {17, *range(19, 24)}),
    "mpeg1.mpg": ("mpeg1video", 2, {17, *range(19, 24)}),
    "msmpeg4.avi": ("msmpeg4", 0, set(range(18, 24))),
    "flv.flv": ("flv", 0, set(range(18, 24))),
    "h263.avi": ("h263p", 0, set(range(18, 24))),
    "av1.mp4": ("libsvtav1", 0, set(range(18, 24))),
}


def _hurt(path: Path, byte: int) -> Path:
    """Overwrite a third of the packet `HURT`, but at most 120 bytes, so that no other is touched."""
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    place, size = packets[HURT]
    assert place is not None
    data, begin = bytearray(path.read_bytes()), place + size // 3
    length = min(size // 3, 120)
    data[begin : begin + length] = bytes([byte]) * length
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("byte", [0, 255])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.requirement("R4")
def test_a_picture_that_is_damaged_inside_is_left_out_with_all_that_lean_on_it(
    tmp_path: Path, name: str, byte: int
) -> None:
    codec, b_frames, lost = FILES[name]
    options = {"preset": "12"} if codec == "libsvtav1" else {}
    path = encode(tmp_path / name, codec, options, gop=12, b_frames=b_frames, count=40)
    whole = {packet.index: packet for packet in read_all(open_source(str(path)))}
    frames, notice = as_seen(_hurt(path, byte))
    assert set(whole) - set(frames) == lost
    for index, packet in frames.items():
        np.testing.assert_array_equal(packet.pixels, whole[index].pixels)
        assert packet.pts_s == whole[index].pts_s
    assert "damaged and left out" in notice


@pytest.mark.parametrize(("b_frames", "told"), [(0, False), (2, True)])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_an_avi_is_told_to_lack_times_only_where_its_frames_change_places(
    tmp_path: Path, codec: str, b_frames: int, told: bool
) -> None:
    path = write_video(tmp_path / "a.avi", 30, codec=(codec, "yuv420p"), b_frames=b_frames)
    _, notice = as_seen(path)
    assert ("times of decoding only" in notice) is told


@pytest.mark.parametrize("lost", [[0], [0, 1, 2, 3], [0, 2]])
@pytest.mark.parametrize(
    ("codec", "b_frames"), [("mjpeg", 0), ("libx264", 0), ("libx264", 2), ("mpeg4", 0), ("mpeg4", 2)]
)
def test_frames_of_an_avi_whose_beginning_is_lost_keep_their_numbers(
    tmp_path: Path, codec: str, b_frames: int, lost: list[int]
) -> None:
    form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = lose(write_video(tmp_path / "a.avi", 40, codec=(codec, form), b_frames=b_frames), lost)
    frames, notice = as_seen(path)
    assert not set(lost) & set(frames)
    assert len(frames) >= 18
    assert_true(frames)
    assert "damaged and left out" in notice
