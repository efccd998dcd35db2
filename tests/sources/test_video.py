"""Video files: exact times, every frame, and honest errors."""

from __future__ import annotations

import csv
import struct
import sys
from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from semc_core.errors import SourceError
from semc_core.sources.frames.decoded import picture_of, says_monochrome
from semc_core.sources.open import open_seekable, open_source
from semc_core.sources.video import VideoSource
from tests.skips import REAL_DATA
from tests.sources.capture_clips import HEIGHT, WIDTH, number_of, numbered, read_all, write_video


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts", ".avi", ".mpeg"])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_frames_come_in_the_order_they_are_shown_with_their_times(
    tmp_path: Path, suffix: str, b_frames: int
) -> None:
    source = VideoSource(write_video(tmp_path / f"a{suffix}", 40, b_frames=b_frames))
    packets = read_all(source)
    assert [number_of(packet.pixels) for packet in packets] == list(range(40))
    assert [packet.pts_s for packet in packets] == pytest.approx(
        [index / 25 for index in range(40)], abs=1e-3
    )
    assert source.info.frame_rate == pytest.approx(25)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_frame_rate_keeps_its_exact_times(tmp_path: Path, suffix: str) -> None:
    ticks = [0, 7, 40, 41, 200, 1000, 1033, 1066, 2500, 2501]
    packets = read_all(VideoSource(write_video(tmp_path / f"a{suffix}", len(ticks), ticks=ticks, b_frames=2)))
    assert [number_of(packet.pixels) for packet in packets] == list(range(len(ticks)))
    assert [packet.pts_s for packet in packets] == pytest.approx([tick / 1000 for tick in ticks], abs=1e-9)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such names")
@pytest.mark.parametrize(
    "name",
    [
        "12:30 [x].mkv", "file:a.mkv", "-i a.mkv", "Müller's %d.mkv", " a b .mkv", "قلب الجنين.mkv",
        "\N{GRINNING FACE}.mkv", "肝" * 83 + ".mkv", "a" * 255, "loop", "loop.dcm", "loop.png",
        "loop.mp4.bak", r"\\server\share\loop.mkv", "NUL.mkv", "a\tb\x1b[2J.mkv",
    ],
)  # fmt: skip
def test_a_file_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    write_video(tmp_path / "a.mkv", 3).rename(place / name)
    monkeypatch.chdir(place)
    assert [number_of(packet.pixels) for packet in read_all(open_source(name))] == [0, 1, 2]
    with closing(open_seekable(Path(name))) as seekable:
        assert number_of(seekable.frame(2).pixels) == 2
    assert [path.name for path in place.iterdir()] == [name], "nothing is written beside what is read"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets few people make links")
def test_a_link_leads_to_its_file_and_one_to_nothing_says_so(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mkv", 3)
    (tmp_path / "link.mp4").symlink_to("a.mkv")
    (tmp_path / "of a link").symlink_to("link.mp4")
    for name in ("link.mp4", "of a link"):
        assert len(read_all(open_source(str(tmp_path / name)))) == 3
    (tmp_path / "nowhere.mkv").symlink_to("gone.mkv")
    (tmp_path / "itself.mkv").symlink_to("itself.mkv")
    for name in ("nowhere.mkv", "itself.mkv"):
        with pytest.raises(SourceError, match=rf"{name}.*\.$"):
            open_source(str(tmp_path / name))


def test_times_start_at_zero_whatever_the_file_says(tmp_path: Path) -> None:
    packets = read_all(VideoSource(write_video(tmp_path / "a.mkv", 3, ticks=[5000, 5040, 5100])))
    assert [packet.pts_s for packet in packets] == pytest.approx([0, 0.04, 0.1])


def test_gray_stays_gray_to_the_last_bit(tmp_path: Path) -> None:
    packets = read_all(VideoSource(write_video(tmp_path / "a.mkv", 3, codec=("ffv1", "gray"))))
    for index, packet in enumerate(packets):
        np.testing.assert_array_equal(packet.pixels, numbered(index))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_video_without_colour_is_gray_whatever_its_decoder_gives(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 3, codec=("libx264", "gray"))
    packets = read_all(VideoSource(path))
    assert [number_of(packet.pixels) for packet in packets] == [0, 1, 2]
    with av.open(str(path)) as container:
        for frame, packet in zip(container.decode(video=0), packets, strict=True):
            assert frame.format.name == "yuv420p", "as if it had colours"
            coloured = picture_of(frame).pixels.astype(np.int16)
            assert packet.pixels.ndim == 2
            assert np.abs(coloured - packet.pixels[..., None]).max() <= 1
    with closing(open_seekable(path)) as seekable:
        np.testing.assert_array_equal(seekable.frame(2).pixels, packets[2].pixels)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("0164000dffe1000267640100026855fcf8f800", True),
        ("0164000dffe1000267640100026855fdf8f800", False),  # half as many colours as pixels
        ("0164000dffe100026764010002685500", False),  # something else follows
        ("0164000dffe1000267640100026855", False),  # it does not say
        ("0142000dffe1000267640100026855fcf8f800", False),  # a profile that cannot say
        ("0164000dffe000", False),  # the sets are in the stream
        ("0164000dffe10002676400", False),
        ("0164000dffe1ffff67", False),
        ("0164000dffe1", False),
        ("", False),
    ],
)
def test_what_a_configuration_record_says_of_colours(record: str, told: bool) -> None:
    assert says_monochrome(bytes.fromhex(record)) is told


def test_a_video_with_colours_keeps_them(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 1)
    assert read_all(VideoSource(path))[0].pixels.ndim == 3
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 0] = 200
    frame = av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format="yuv420p")
    assert picture_of(frame, monochrome=True).pixels.ndim == 3, (
        "it has, although its stream said it would not"
    )


def test_colours_come_as_red_green_blue(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 0] = 200
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format="bgr0")))
        container.mux(stream.encode())
    np.testing.assert_array_equal(read_all(VideoSource(path))[0].pixels, red)


def test_a_clip_filmed_sideways_is_shown_upright(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 2)
    data = path.read_bytes()
    upright, quarter_right = ((1, 0, 0, 0, 1, 0, 0, 0, 16384), (0, 1, 0, -1, 0, 0, 0, 0, 16384))
    old, new = (struct.pack(">9i", *(value << 16 for value in matrix)) for matrix in (upright, quarter_right))
    header = data.index(b"tkhd")
    place = data.index(old, header)
    path.write_bytes(data[:place] + new + data[place + len(new) :])
    source = VideoSource(path)
    assert (source.info.width, source.info.height) == (HEIGHT, WIDTH)
    packets = read_all(source)
    # The camera was turned, so the picture is turned clockwise to stand upright: left becomes top.
    assert [number_of(np.rot90(packet.pixels)) for packet in packets] == [0, 1]


def _damage(path: Path, packets: slice, skip: int) -> None:
    """Overwrite some of the clip's packets from their byte `skip` on."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for place, size in places[packets]:
        data[place + skip : place + size - skip] = b"\xff" * (size - 2 * skip)
    path.write_bytes(data)


def test_frames_that_cannot_be_decoded_are_left_out_and_told(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 100, codec=("mjpeg", "yuvj420p"))
    _damage(path, slice(40, 43), skip=20)
    source = VideoSource(path)
    packets = read_all(source)
    numbers = [number_of(packet.pixels) for packet in packets]
    assert [number for number in numbers if not 40 <= number < 43] == [*range(40), *range(43, 100)]
    assert packets[-1].pts_s == pytest.approx(99 / 25)
    assert "damaged" in source.info.notice


def test_frames_that_the_decoder_mended_are_told(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 100)
    _damage(path, slice(40, 43), skip=20)
    source = VideoSource(path)
    numbers = [number_of(packet.pixels) for packet in read_all(source)]
    assert numbers[:37] == list(range(37))
    assert numbers[-40:] == list(range(60, 100))
    assert "damaged" in source.info.notice


def test_a_file_cut_short_gives_what_is_left(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", 100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    numbers = [number_of(packet.pixels) for packet in read_all(VideoSource(path))]
    assert 20 < len(numbers) < 100
    assert numbers == list(range(len(numbers)))


def test_files_that_are_no_videos_say_so(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("#EXTM3U\nhttp://example.org/other.ts\n" * 40, encoding="utf-8")
    with pytest.raises(SourceError, match=r"notes\.mp4 cannot be opened as a video"):
        VideoSource(text)
    with pytest.raises(SourceError, match="was not found"):
        VideoSource(tmp_path / "none.mp4")
    cut = write_video(tmp_path / "cut.mp4", 30)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with pytest.raises(SourceError, match="cut short"):
        VideoSource(cut)


def test_a_file_with_sound_only_says_so(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate = 8000
        assert isinstance(stream, av.AudioStream)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(SourceError, match="holds no pictures"):
        VideoSource(path)


def _coded_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


@pytest.mark.long
@pytest.mark.real_data("cine")
def test_every_frame_of_the_real_clips_is_decoded() -> None:
    with (REAL_DATA / "cine" / "index.csv").open(newline="", encoding="utf-8") as file:
        listed = [(REAL_DATA / row["file"], int(row["frames"])) for row in csv.DictReader(file)]
    assert len(listed) == 44
    for path, frames in listed:
        source = VideoSource(path)
        count = 0
        last_s = 0.0
        while (packet := source.read()) is not None:
            count += 1
            last_s = packet.pts_s
        source.close()
        assert count == _coded_frames(path), path.name
        assert source.info.frame_count in (None, count), path.name
        # MPEG program streams do not tell their number; the list then holds an estimate from the length.
        assert count == frames or (source.info.frame_count is None and 0 < count - frames <= 2), path.name
        assert source.info.notice == ""
        assert source.info.frame_rate is not None
        assert last_s == pytest.approx((count - 1) / source.info.frame_rate, abs=0.1), path.name
