"""Image files: depth, colours, orientation, animations, and what is none."""

from __future__ import annotations

import os
import socket
import struct
import sys
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semc_core.errors import SourceError
from semc_core.sources.open import open_seekable, open_source
from semc_core.sources.pictures import read_image
from tests.sources.capture_clips import number_of, numbered, read_all, write_images, write_video


def _save_loop(path: Path, durations_ms: list[int]) -> None:
    frames = [Image.fromarray(np.dstack([numbered(index)] * 3)) for index in range(len(durations_ms))]
    extra: dict[str, Any] = {"lossless": True} if path.suffix == ".webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations_ms, **extra)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif"])
def test_an_animation_is_a_loop_with_its_own_times(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    _save_loop(path, [40, 80, 200, 40, 40, 40])
    packets = read_all(open_source(str(path)))
    assert [number_of(packet.pixels) for packet in packets] == list(range(6))
    assert [packet.pts_s for packet in packets] == pytest.approx([0, 0.04, 0.12, 0.32, 0.36, 0.4])
    with closing(open_seekable(path)) as seekable:
        for packet in reversed(packets):
            np.testing.assert_array_equal(seekable.frame(packet.index).pixels, packet.pixels)
        assert seekable.times_s.tolist() == [packet.pts_s for packet in packets]


def test_the_pages_of_a_tiff_are_a_loop_and_it_is_told_that_they_have_no_times(tmp_path: Path) -> None:
    pages = [Image.fromarray(numbered(index)) for index in range(5)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    source = open_source(str(tmp_path / "a.tif"))
    packets = read_all(source)
    assert [number_of(packet.pixels) for packet in packets] == list(range(5))
    assert not source.info.stills
    assert "have no times" in source.info.notice
    with closing(open_source(str(tmp_path / "a.tif"), images="stills")) as stills:
        assert stills.info.stills


def test_pictures_that_cannot_be_read_are_left_out_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    write_images(tmp_path / "a", 6)
    whole = (tmp_path / "a" / "img4.png").read_bytes()
    (tmp_path / "a" / "img4.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a" / "img1.png").write_bytes(b"")
    source = open_source(str(tmp_path / "a"), frame_rate=25)
    packets = read_all(source)
    assert [(packet.index, number_of(packet.pixels)) for packet in packets] == [
        (index, index) for index in (1, 2, 4, 5)
    ]
    assert [packet.pts_s for packet in packets] == pytest.approx([0.04, 0.08, 0.16, 0.2])
    assert "2 of 6 pictures cannot be read and are left out: img1.png, img4.png." in source.info.notice
    with closing(open_seekable(tmp_path / "a", frame_rate=25)) as seekable:
        assert number_of(seekable.frame(4).pixels) == 4
        with pytest.raises(SourceError, match=r"img4\.png"):
            seekable.frame(3)


def _png(bits: int, rows: bytes, width: int, significant: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, 1, bits, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head),
            chunk(b"sBIT", significant) if significant else b"",
            chunk(b"IDAT", zlib.compress(b"\0" + rows)) + chunk(b"IEND", b""),
        ]
    )


@pytest.mark.parametrize(
    ("bits", "significant", "values"),
    [
        (1, b"", [0, 1]),
        (2, b"", [0, 3]),
        (4, b"", [0, 15]),
        (8, b"", [0, 255]),
        (16, b"", [0, 65535]),
        (16, b"\x0c", [0, 4095]),
        (16, b"\x0c", [0, 65535]),
        (16, b"\x0a", [0, 1023]),
    ],
)
def test_black_and_white_of_a_png_are_those_of_its_depth(
    tmp_path: Path, bits: int, significant: bytes, values: list[int]
) -> None:
    packed = "".join(f"{value:0{bits}b}" for value in values * 4)
    rows = int(packed, 2).to_bytes(len(packed) // 8, "big")
    (tmp_path / "a.png").write_bytes(_png(bits, rows, 8, significant))
    assert read_image(tmp_path / "a.png").tolist() == [[0, 255] * 4]


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of each pass of an interlaced PNG: first column and row, and the steps between them."""


def test_an_interlaced_png_is_the_picture_that_was_stored(tmp_path: Path) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (13, 21), np.uint8)
    passes = [pixels[top::down, left::across] for left, top, across, down in ADAM7]
    rows = b"".join(b"\0" + row.tobytes() for one in passes if one.size for row in one)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 21, 13, 8, 0, 0, 0, 1)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), pixels)


def test_a_tiff_of_twelve_bits_in_sixteen_is_scaled_where_it_says_so(tmp_path: Path) -> None:
    values = Image.fromarray(np.array([[0, 4095]], np.uint16))
    values.save(tmp_path / "a.tif", tiffinfo={281: 4095})
    assert read_image(tmp_path / "a.tif").tolist() == [[0, 255]]
    values.save(tmp_path / "b.tif")
    assert read_image(tmp_path / "b.tif").tolist() == [[0, 15]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_colour_under_alpha_is_not_shown(tmp_path: Path, mode: str) -> None:
    rgba = np.full((8, 8, 4), 200, np.uint8)
    rgba[..., 3] = 255
    rgba[:4] = (90, 90, 90, 0)
    image = Image.fromarray(rgba)
    (image.convert("LA") if mode == "LA" else image.quantize(4) if mode == "P" else image).save(
        tmp_path / "a.png"
    )
    pixels = read_image(tmp_path / "a.png")
    assert pixels[:4].max() == 0
    assert pixels[4:].min() >= 195


def test_a_jpeg_in_the_colours_of_print_and_on_its_side_is_shown_upright_in_rgb(tmp_path: Path) -> None:
    red = np.zeros((32, 64, 3), np.uint8)
    red[:, :32, 0] = 220
    Image.fromarray(red).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    np.testing.assert_allclose(read_image(tmp_path / "print.jpg").astype(int), red, atol=12)
    turned = Image.fromarray(red)
    exif = turned.getexif()
    exif[274] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    upright = read_image(tmp_path / "turned.jpg").astype(int)
    assert np.abs(upright - np.rot90(red, -1)).mean() < 3


@pytest.mark.parametrize("name", ["a.jp2", "a.webp", "a", "a.mp4.bak", "a.dcm"])
def test_a_picture_is_known_by_what_is_in_it(tmp_path: Path, name: str) -> None:
    kind = {".jp2": "JPEG2000", ".webp": "WEBP"}.get(Path(name).suffix, "PNG")
    extra: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    with (tmp_path / name).open("wb") as file:
        Image.fromarray(np.dstack([numbered(5)] * 3)).save(file, kind, **extra)
    (packet,) = read_all(open_source(str(tmp_path / name)))
    np.testing.assert_array_equal(packet.pixels, np.dstack([numbered(5)] * 3))


def test_a_video_under_the_name_of_a_picture_is_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 3).rename(tmp_path / "a.png")
    assert len(read_all(open_source(str(path)))) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.mp4"))
        for path, what in ((tmp_path / "pipe.mp4", "pipe"), (tmp_path / "s.mp4", "socket")):
            with pytest.raises(SourceError, match=what):
                open_source(str(path))
            with pytest.raises(SourceError, match=what):
                open_seekable(path)
    with pytest.raises(SourceError, match="device"):
        open_source("/dev/zero")


@pytest.mark.parametrize("name", ["a.m3u8", "a.mp4", "a.sdp", "a.ffconcat", "a.png"])
def test_a_playlist_leads_nowhere(tmp_path: Path, name: str) -> None:
    other = write_video(tmp_path / "other.ts", 3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        texts = (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{other}'\n",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 26\n",
        )
        for text in texts:
            (tmp_path / name).write_text(text, encoding="utf-8")
            with pytest.raises(SourceError):
                open_source(str(tmp_path / name))
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("disposal", [0, 1, 2])
@pytest.mark.parametrize("blend", [0, 1])
@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_pictures_of_an_animation_that_hold_only_what_changed_are_whole_in_any_order(
    tmp_path: Path, suffix: str, blend: int, disposal: int
) -> None:
    drawn = [np.full((96, 128, 3), 60, np.uint8) for _ in range(5)]
    for number, picture in enumerate(drawn):
        picture[20:40, 8 * number : 8 * number + 20] = (250, 20, 20)
    first, *others = [Image.fromarray(picture) for picture in drawn]
    options: dict[str, Any] = (
        {"disposal": disposal, "blend": blend} if suffix == ".png" else {"lossless": True}
    )
    options = {"disposal": disposal} if suffix == ".gif" else options
    path = tmp_path / f"a{suffix}"
    first.save(path, save_all=True, append_images=others, duration=[50, 100, 20, 300, 70], **options)
    packets = read_all(open_source(str(path)))
    assert [packet.pts_s for packet in packets] == pytest.approx([0, 0.05, 0.15, 0.17, 0.47])
    if (suffix, blend, disposal) != (".png", 0, 2):
        # Of that one Pillow writes pictures that are black where nothing changed, as FFmpeg shows them.
        for packet, picture in zip(packets, drawn, strict=True):
            assert np.abs(packet.pixels.astype(int) - picture).max() <= 2
    with closing(open_seekable(path)) as seekable:
        for packet in reversed(packets):
            np.testing.assert_array_equal(seekable.frame(packet.index).pixels, packet.pixels)


def test_gray_of_32_bits_is_not_black(tmp_path: Path) -> None:
    values = np.tile(np.arange(0, 65536, 512, dtype=np.int32), (96, 1))
    Image.fromarray(values).save(tmp_path / "a.tif")
    (packet,) = read_all(open_source(str(tmp_path / "a.tif")))
    np.testing.assert_array_equal(packet.gray, values >> 8)


def test_a_value_of_16_bits_that_stands_for_nothing_is_not_shown(tmp_path: Path) -> None:
    values = np.tile(np.arange(0, 65536, 512, dtype=np.uint16), (96, 1))
    Image.fromarray(values).save(tmp_path / "a.png", transparency=int(values[0, 100]))
    (packet,) = read_all(open_source(str(tmp_path / "a.png")))
    assert packet.gray[:, 100].max() == 0
    assert packet.gray[0, 99] == values[0, 99] >> 8
