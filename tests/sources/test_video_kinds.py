"""Videos of other programs: times, orientation, square pixels, damage; in order and at random alike."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray

from semc_core.errors import SourceError
from semc_core.sources.open import open_seekable, open_source
from semc_core.types import FramePacket
from tests.sources.capture_clips import HEIGHT, WIDTH, number_of, numbered, read_all, write_video

MJPEG = ("mjpeg", "yuvj420p")


def as_seen(path: Path) -> tuple[dict[int, FramePacket], str]:
    """Every frame by its number, the same in order and at random, and the notice."""
    source = open_source(str(path))
    in_order = {packet.index: packet for packet in read_all(source)}
    with closing(open_seekable(path)) as seekable:
        seekable.frame(max(in_order))  # waits until it is settled
        for index in reversed(range(seekable.count)):
            if index not in in_order:
                with pytest.raises(SourceError, match="damaged"):
                    seekable.frame(index)
                continue
            packet = seekable.frame(index)
            assert packet.pts_s == in_order[index].pts_s
            np.testing.assert_array_equal(packet.pixels, in_order[index].pixels)
    return in_order, source.info.notice


def assert_true(frames: dict[int, FramePacket]) -> None:
    """Every frame shows its own number, at its own time."""
    assert {index: number_of(packet.pixels) for index, packet in frames.items()} == {i: i for i in frames}
    for index, packet in frames.items():
        assert packet.pts_s == pytest.approx(index / 25, abs=1e-3)


def lose(path: Path, numbers: list[int]) -> Path:
    """Give these chunks of an AVI file another name, so that no reader knows them."""
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for number in numbers:
        data[places[number] - 8 : places[number] - 4] = b"XXxx"
    path.write_bytes(data)
    return path


def restamped(path: Path, restamp: Callable[[Packet[av.VideoStream]], None]) -> Path:
    """A clip of 40 frames with B-frames whose packets were given other time stamps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.max_b_frames = 2
        frames: list[av.VideoFrame | None] = []
        for index in range(40):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            frames.append(frame)
        for each in [*frames, None]:
            for packet in stream.encode(each):
                restamp(packet)
                container.mux(packet)
    return path


@pytest.mark.parametrize("codec", [("libx264", "yuv420p"), ("mpeg4", "yuv420p"), MJPEG])
def test_frames_of_an_avi_come_in_order_at_its_rate(tmp_path: Path, codec: tuple[str, str]) -> None:
    frames, _ = as_seen(write_video(tmp_path / "a.avi", 40, codec=codec))
    assert list(frames) == list(range(40))
    assert_true(frames)


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_stamps_in_the_order_of_decoding_are_put_in_order(tmp_path: Path, suffix: str) -> None:
    def equal(packet: Packet[av.VideoStream]) -> None:
        packet.pts = packet.dts

    frames, notice = as_seen(restamped(tmp_path / f"a{suffix}", equal))
    assert list(frames) == list(range(40))
    assert_true(frames)
    assert "in order at its frame rate" in notice


@pytest.mark.parametrize("lost", [[20], [0], [39], [0, 7, 8, 20]])
def test_frames_behind_a_lost_chunk_keep_their_numbers(tmp_path: Path, lost: list[int]) -> None:
    frames, notice = as_seen(lose(write_video(tmp_path / "a.avi", 40, codec=MJPEG), lost))
    assert list(frames) == [index for index in range(40) if index not in lost]
    # The time of the first frame of all is 0, lost or not.
    assert_true(frames)
    assert "damaged and left out" in notice


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("codec", [("libx264", "yuv420p"), ("mpeg4", "yuv420p")])
def test_what_leans_on_a_lost_chunk_is_left_out(
    tmp_path: Path, codec: tuple[str, str], b_frames: int
) -> None:
    path = lose(write_video(tmp_path / "a.avi", 40, codec=codec, b_frames=b_frames), [20])
    frames, notice = as_seen(path)
    assert 20 not in frames
    assert set(range(17)) | set(range(25, 40)) <= set(frames)
    assert_true(frames)
    assert "damaged and left out" in notice


def test_frames_behind_a_damaged_one_keep_their_numbers(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mov", 40, codec=MJPEG)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for place, size in (places[0], places[7], places[39]):
        data[place + 10 : place + size - 10] = b"\xff" * (size - 20)
    path.write_bytes(data)
    frames, notice = as_seen(path)
    assert set(range(40)) - set(frames) == {0, 7, 39}
    assert_true(frames)
    assert "3 frames are damaged and left out: 0, 7, 39." in notice


_ONE = 0x10000
MATRICES: dict[str, tuple[tuple[int, int, int, int], Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]] = {
    "as stored": ((1, 0, 0, 1), lambda p: p),
    "left and right": ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
    "top and bottom": ((1, 0, 0, -1), lambda p: p[::-1]),
    "half a turn": ((-1, 0, 0, -1), lambda p: p[::-1, ::-1]),
    "transposed": ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1)),
    "a quarter clockwise": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "a quarter counter-clockwise": ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
    "transposed the other way": ((0, -1, -1, 0), lambda p: np.rot90(p.swapaxes(0, 1), 2)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_video_is_turned_and_mirrored_as_its_matrix_says(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / "a.mp4", 3)
    stored = [packet.pixels for packet in read_all(open_source(str(path)))]
    (a, b, c, d), shown = MATRICES[name]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a * _ONE, b * _ONE, 0, c * _ONE, d * _ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    frames, _ = as_seen(path)
    for index, pixels in enumerate(stored):
        np.testing.assert_array_equal(frames[index].pixels, shown(pixels))
        assert frames[index].gray.shape == frames[index].pixels.shape[:2]
        assert (frames[index].picture.height, frames[index].picture.width) == frames[index].gray.shape


@pytest.mark.parametrize(("aspect", "width"), [((16, 11), 186), ((2, 1), 256), ((1, 2), 64)])
@pytest.mark.parametrize(
    "codec", [("libx264", "yuv420p"), ("libx264", "yuv420p10le"), ("libx264", "yuv444p")]
)
def test_pixels_are_made_square_and_it_is_told(
    tmp_path: Path, aspect: tuple[int, int], width: int, codec: tuple[str, str]
) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec[0], rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, codec[1]
        stream.codec_context.sample_aspect_ratio = Fraction(*aspect)
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="gray").reformat(format=codec[1])
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    source = open_source(str(path))
    assert (source.info.width, source.info.height) == (width, HEIGHT)
    source.close()
    frames, notice = as_seen(path)
    assert all(frame.pixels.shape[:2] == frame.gray.shape == (HEIGHT, width) for frame in frames.values())
    assert f"128 x 96 are shown as {width} x 96" in notice


def test_colours_that_are_hidden_are_not_shown(tmp_path: Path) -> None:
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    rgba[..., 0], rgba[:, WIDTH // 2 :, 3] = 200, 255
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgra"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format="bgra")))
        container.mux(stream.encode())
    (packet,) = read_all(open_source(str(path)))
    assert packet.pixels[:, : WIDTH // 2].max() == 0
    assert (packet.pixels[:, WIDTH // 2 :] == (200, 0, 0)).all()


def test_a_size_that_changes_within_the_file_is_kept_and_told(tmp_path: Path) -> None:
    first = write_video(tmp_path / "a.mjpeg", 6, codec=MJPEG, container_format="mjpeg")
    frame = av.VideoFrame.from_ndarray(np.full((80, 112), 90, np.uint8), format="gray")
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 112, 80, "yuvj420p", Fraction(1, 25)
    small = b"".join(bytes(packet) for packet in encoder.encode(frame.reformat(format="yuvj420p")))
    first.write_bytes(first.read_bytes() + small * 3)
    frames, notice = as_seen(first)
    assert [frame.pixels.shape[:2] for frame in frames.values()] == [(96, 128)] * 6 + [(80, 112)] * 3
    assert "changes within the file" in notice


@pytest.mark.parametrize("depth", ["yuv420p10le", "yuv422p", "yuv444p", "yuv422p10le", "yuv444p10le"])
def test_deeper_and_finer_video_shows_the_same(tmp_path: Path, depth: str) -> None:
    (packet, *_) = read_all(open_source(str(write_video(tmp_path / "a.mp4", 3, codec=("libx264", depth)))))
    assert np.abs(packet.pixels.astype(int) - numbered(0)[..., None]).max() <= 8
    assert np.abs(packet.gray.astype(int) - numbered(0)).max() <= 8


@pytest.mark.parametrize("skipped", [5, 12])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_an_edit_list_cuts_off_at_the_beginning_is_not_there(
    tmp_path: Path, b_frames: int, skipped: int
) -> None:
    path = write_video(tmp_path / "a.mp4", 40, b_frames=b_frames)
    data = bytearray(path.read_bytes())
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    at = data.index(b"elst") + 12
    duration_ms, begins, rate = struct.unpack_from(">IiI", data, at)
    struct.pack_into(">IiI", data, at, duration_ms - 40 * skipped, begins + skipped * scale // 25, rate)
    path.write_bytes(data)
    frames, notice = as_seen(path)
    shown = {index: number_of(packet.pixels) for index, packet in frames.items()}
    assert shown == {index: index + skipped for index in range(40 - skipped)}
    for index, packet in frames.items():
        assert packet.pts_s == pytest.approx(index / 25, abs=1e-3)
    assert notice == ""


@pytest.mark.parametrize("name", ["a.dv", "a.avi"])
def test_digital_video_of_a_tape_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream("dvvideo", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for index in range(12):
            large = np.asarray(
                cv2.resize(numbered(index), (720, 576), interpolation=cv2.INTER_NEAREST), np.uint8
            )
            frame = av.VideoFrame.from_ndarray(large, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    frames, _ = as_seen(path)
    small: dict[int, int] = {}
    for index, packet in frames.items():
        shown = cv2.resize(packet.gray, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        small[index] = number_of(np.asarray(shown, np.uint8))
    assert small == {index: index for index in range(12)}
    assert [packet.pts_s for packet in frames.values()] == pytest.approx(
        [n / 25 for n in range(12)], abs=1e-3
    )
