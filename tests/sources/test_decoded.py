"""Frames of video as pictures: gray is the luma at the full range, RGB what FFmpeg makes of the frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.imaging.crop import find_crop
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture import Picture
from semc_core.sources.frames.decoded import expanded, luma_of, picture_of
from semc_core.sources.images import ImageFolderSource
from semc_core.sources.video import VideoSource
from tests.sources.capture_clips import read_all

WIDTH, HEIGHT = 256, 64
LIMITED, FULL = 1, 2
LUMA: Final = (
    "yuv420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv410p", "nv12", "yuyv422", "yuva420p",
    "yuv420p10le", "yuv422p10le", "yuv444p12le", "yuv420p16le",
)  # fmt: skip
WITHOUT_LUMA: Final = ("rgb24", "bgr24", "bgr0", "bgra", "gbrp10le")
GRAY: Final = ("gray", "gray10le", "gray12le", "gray16le")


def ramp() -> NDArray[np.uint8]:
    """Every gray level, each a column."""
    return np.tile(np.arange(WIDTH, dtype=np.uint8), (HEIGHT, 1))


def colours(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """RGB, smooth as a picture is, with all kinds of colour."""
    noise = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4).astype(np.float32)
    return np.clip((smooth - 128) * 6 + 128, 0, 255).astype(np.uint8)


def stored(
    path: Path, pixels: NDArray[np.uint8], form: str, full: bool, codec: str = "ffv1", **options: str
) -> Path:
    """A file of three frames with these pixels, uint8 (H, W) or (H, W, 3), in this form and range."""
    given = av.VideoFrame.from_ndarray(pixels, format="gray" if pixels.ndim == 2 else "rgb24")
    colour_range = FULL if full else LIMITED
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, form
        stream.codec_context.color_range = colour_range
        stream.codec_context.time_base = Fraction(1, 25)
        for index in range(3):
            frame = given.reformat(format=form, dst_color_range=colour_range)
            frame.color_range, frame.pts, frame.time_base = colour_range, index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def suffix(form: str) -> str:
    """Of a container that can hold it."""
    return {"nv12": ".avi", "yuyv422": ".avi", "bgr24": ".avi", "rgb24": ".mov"}.get(form, ".mkv")


def codec(form: str) -> str:
    """A lossless one that knows it."""
    return "ffv1" if suffix(form) == ".mkv" else "rawvideo"


def off(first: NDArray[np.uint8], second: NDArray[Any] | cv2.typing.MatLike) -> int:
    """The largest difference in levels."""
    return int(np.abs(first.astype(int) - second).max())


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("form", LUMA)
def test_every_level_comes_back_from_luma_of_any_depth(tmp_path: Path, form: str, full: bool) -> None:
    path = stored(tmp_path / f"a{suffix(form)}", ramp(), form, full, codec(form))
    [decoded, *_] = frames(path)
    assert decoded.format.name == form
    decoded.color_range = FULL if full else LIMITED  # AVI has no place for it.
    picture = picture_of(decoded)
    assert off(picture.gray, ramp()) <= 1
    assert picture.coloured
    assert picture.pixels.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("form", GRAY)
def test_every_level_comes_back_from_gray_of_any_depth(tmp_path: Path, form: str) -> None:
    picture = picture_of(frames(stored(tmp_path / "a.mkv", ramp(), form, True))[0])
    assert off(picture.gray, ramp()) <= 1
    assert picture.pixels is picture.gray


@pytest.mark.parametrize("form", ["yuvj420p", "yuvj422p", "yuvj444p"])
def test_motion_jpeg_is_full_range_without_saying_so(tmp_path: Path, form: str) -> None:
    [decoded, *_] = frames(stored(tmp_path / "a.mkv", ramp(), form, True, "mjpeg", qmin="1", qmax="1"))
    assert decoded.format.name == form
    decoded.color_range = 0
    assert off(picture_of(decoded).gray, ramp()) <= 3


def test_a_range_that_nobody_tells_is_the_limited_one(tmp_path: Path) -> None:
    [decoded, *_] = frames(stored(tmp_path / "a.mkv", ramp(), "yuv420p", False))
    decoded.color_range = 0
    assert off(picture_of(decoded).gray, ramp()) <= 1


def test_only_what_is_lent_keeps_the_memory_of_the_decoder(tmp_path: Path) -> None:
    [decoded, *_] = frames(stored(tmp_path / "a.mkv", ramp(), "yuv420p", True))
    luma = luma_of(decoded)
    assert luma is not None
    assert np.shares_memory(picture_of(decoded, lent=True).gray, luma)
    assert not np.shares_memory(picture_of(decoded).gray, luma)


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video", "ffv1", "rawvideo"])
def test_pictures_that_are_kept_stay_as_they_are_while_others_are_decoded(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 240, HEIGHT, "yuv420p"
        for seed in range(40):
            noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, 240, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode())
    source = VideoSource(path)
    at_once = []
    while (packet := source.read()) is not None:
        at_once.append((packet.gray.copy(), packet.pixels.copy()))
    source.close()
    kept = read_all(VideoSource(path))
    assert len(kept) == len(at_once) == 40
    for packet, (gray, pixels) in zip(kept, at_once, strict=True):
        np.testing.assert_array_equal(packet.gray, gray)
        np.testing.assert_array_equal(packet.pixels, pixels)


@pytest.mark.parametrize("form", WITHOUT_LUMA)
def test_rgb_of_any_order_has_the_gray_of_its_rgb(tmp_path: Path, form: str) -> None:
    picture = picture_of(frames(stored(tmp_path / f"a{suffix(form)}", colours(), form, True, codec(form)))[0])
    assert off(picture.pixels, colours()) <= 1
    np.testing.assert_array_equal(picture.gray, cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY))


def test_a_palette_has_the_gray_of_its_rgb(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    blocks = np.repeat(np.repeat(colours()[::16, ::16], 16, axis=0), 16, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb8"
        given = av.VideoFrame.from_ndarray(blocks, format="rgb24")
        container.mux(stream.encode(given.reformat(format="rgb8")))
        container.mux(stream.encode(None))
    [decoded, *_] = frames(path)
    picture = picture_of(decoded)
    assert off(picture.pixels, np.asarray(decoded.to_ndarray(format="rgb24"))) == 0
    np.testing.assert_array_equal(picture.gray, cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("size", [(256, 64), (127, 97), (641, 479)], ids=str)
@pytest.mark.parametrize("form", [*LUMA[:6], *LUMA[8:], "bgr0"])
def test_rgb_is_to_the_last_bit_what_ffmpeg_makes_of_the_frame(
    tmp_path: Path, form: str, size: tuple[int, int], full: bool
) -> None:
    for decoded in frames(stored(tmp_path / "a.mkv", colours(*size), form, full)):
        wanted = np.asarray(decoded.to_ndarray(format="rgb24", threads=1))
        np.testing.assert_array_equal(picture_of(decoded).pixels, wanted)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
def test_the_streams_matrix_makes_its_rgb_and_leaves_its_gray(tmp_path: Path, matrix: str) -> None:
    params = {"x264-params": f"colormatrix={matrix}", "crf": "1"}
    path = stored(tmp_path / "a.mkv", colours(), "yuv420p", False, "libx264", **params)
    plain = stored(tmp_path / "b.mkv", colours(), "yuv420p", False, "libx264", crf="1")
    for decoded, same in zip(frames(path), frames(plain), strict=True):
        assert decoded.colorspace != same.colorspace
        wanted = np.asarray(decoded.to_ndarray(format="rgb24", threads=1))
        np.testing.assert_array_equal(picture_of(decoded).pixels, wanted)
        np.testing.assert_array_equal(picture_of(decoded).gray, picture_of(same).gray)


def test_interlaced_frames_keep_the_rgb_that_ffmpeg_makes_field_by_field(tmp_path: Path) -> None:
    path = stored(tmp_path / "a.mkv", colours(), "yuv420p", False, "mpeg2video", flags="+ildct+ilme")
    for decoded in frames(path):
        assert decoded.interlaced_frame
        picture = picture_of(decoded)
        np.testing.assert_array_equal(picture.pixels, decoded.to_ndarray(format="rgb24", threads=1))
        assert off(picture.gray, cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)) <= 40
        luma = np.asarray(decoded.to_ndarray(format="gray", threads=1))
        assert off(picture.gray, luma) <= 1, "luma has all lines, in whatever order they were scanned"


@pytest.mark.parametrize("form", ["yuv420p", "yuv420p10le", "rgb24", "gray", "nv12"])
def test_a_picture_stays_when_the_decoders_buffer_is_written_again(tmp_path: Path, form: str) -> None:
    pixels = ramp() if form == "gray" else colours()
    [decoded, *_] = frames(stored(tmp_path / f"a{suffix(form)}", pixels, form, True, codec(form)))
    untouched = picture_of(decoded)
    gray, shown = untouched.gray.copy(), untouched.pixels.copy()
    picture = picture_of(decoded)
    decoded.make_writable()
    for plane in decoded.planes:
        plane.update(bytes(plane.buffer_size))
    assert not np.asarray(decoded.to_ndarray(format="gray"))[8:].max() > 16, "the buffer is black by now"
    np.testing.assert_array_equal(picture.gray, gray)
    np.testing.assert_array_equal(picture.pixels, shown)


@pytest.mark.parametrize("form", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_the_same_scan_by_pictures_and_by_video_is_the_same_gray(tmp_path: Path, form: str) -> None:
    scan = SimulatedScan(7, 30.0, 640, 480, furniture=True)
    rgb = np.repeat(scan.frame(100)[..., None], 3, axis=2)
    rgb[40:80, 20:60] = (240, 90, 20)
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), rgb[..., ::-1])
    [still] = read_all(ImageFolderSource(folder))
    region = find_crop(still.picture)
    assert region is not None
    for full in (False, True):
        video = stored(tmp_path / f"{full}.mkv", rgb, form, full, "libx264", crf="2")
        for packet in read_all(VideoSource(video)):
            differs = np.abs(packet.gray.astype(int) - still.gray)
            assert differs.mean() < 1
            assert np.quantile(differs, 0.999) <= 4
            assert find_crop(packet.picture) == region


def test_the_region_is_found_without_colours_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = np.repeat(SimulatedScan(7, 30.0, 640, 480).frame(100)[..., None], 3, axis=2)
    [packet, *_] = read_all(VideoSource(stored(tmp_path / "a.mkv", rgb, "yuv420p", False)))
    wanted = find_crop(packet.picture)
    assert wanted is not None

    def refuse(_: Picture) -> NDArray[np.uint8]:
        raise AssertionError("all pixels were made")

    monkeypatch.setattr(Picture, "pixels", property(refuse))
    assert find_crop(packet.picture.bare()) == wanted


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (3, 5), (48, 64)])
def test_limited_range_is_stretched_as_its_definition_says_whatever_the_shape(shape: tuple[int, int]) -> None:
    luma = np.resize(np.arange(256, dtype=np.uint8), shape)
    for first in range(0, 256, luma.size):
        levels = luma + np.uint8(first)
        stretched = np.clip(np.round((levels.astype(float) - 16) * 255 / 219), 0, 255)
        np.testing.assert_array_equal(expanded(levels), stretched)
