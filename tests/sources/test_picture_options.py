"""What the user says of a picture's levels, shape and direction holds for files, pictures and cards."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import UsageError
from semc_core.picture import Picture
from semc_core.picture_options import (
    AS_IT_IS,
    Aspect,
    Flip,
    PictureOptions,
    Range,
    choices,
    from_text,
    picture_options,
    to_text,
)
from semc_core.sources.devices import contents
from semc_core.sources.devices.buffers import BufferForm
from semc_core.sources.devices.pictures import CardPictures
from semc_core.sources.devices.script import Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.devices.stamps import Came
from semc_core.sources.live.camera import CameraSource
from semc_core.sources.live.stream import StreamSource
from semc_core.sources.open import open_seekable, open_source
from tests.http_servers import offering

RAMP = contents.ramp(256, 64)[..., 0]
LIMITED_RAMP = contents.limited(contents.ramp(256, 64))[..., 0]


def write_planes(path: Path, luma: NDArray[np.uint8], said: int, codec: str = "ffv1", count: int = 3) -> Path:
    """A video whose luma is stored as given, and whose range is `said` (FFmpeg's number; 0: none)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = luma.shape
        stream.pix_fmt = "yuv420p"
        stream.codec_context.color_range = said
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(
                format="yuv420p", src_color_range=2, dst_color_range=2
            )
            frame.pts, frame.time_base, frame.color_range = index, Fraction(1, 10), said
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def first(source_text: str, options: PictureOptions) -> Picture:
    with closing(open_source(source_text, options=options)) as source:
        packet = source.read()
        assert packet is not None
        assert (source.info.height, source.info.width) == packet.gray.shape
        assert source.info.picture_options == options
        return packet.picture


def at_random(path: Path, options: PictureOptions) -> Picture:
    with closing(open_seekable(path, options=options)) as source:
        return source.frame(0).picture


def from_card(device: ScriptedDevice, options: PictureOptions) -> Picture:
    system = SimulatedDevices(Script(device=(device,)))
    with closing(CameraSource(device.identity, None, options, system=system)) as camera:
        packet = camera.read()
        assert packet is not None
        assert (camera.info.height, camera.info.width) == packet.gray.shape
        return packet.picture


def farthest(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> int:
    return int(np.abs(left.astype(int) - right.astype(int)).max())


@pytest.mark.parametrize("levels", ["full", "limited"])
@pytest.mark.parametrize("said", [0, 1, 2])
def test_a_ramp_in_a_file_comes_back_by_the_range_that_the_user_says(
    tmp_path: Path, levels: Range, said: int
) -> None:
    stored = RAMP if levels == "full" else LIMITED_RAMP
    path = write_planes(tmp_path / "a.mkv", stored, said)
    right = PictureOptions(range=levels)
    for picture in (first(str(path), right), at_random(path, right)):
        assert farthest(picture.gray, RAMP) <= 2
        assert farthest(picture.pixels[..., 1], RAMP) <= 2
    by_itself = first(str(path), AS_IT_IS).gray
    assert (farthest(by_itself, RAMP) <= 2) == ((levels == "full") == (said == 2))


@pytest.mark.parametrize("mode", ["256x64@100,yuyv", "256x64@100,mjpg"])
@pytest.mark.parametrize("levels", ["full", "limited"])
def test_a_ramp_on_a_card_comes_back_by_the_range_that_the_user_says(mode: str, levels: Range) -> None:
    device = ScriptedDevice(modes=(mode,), content="ramp", levels="full" if levels == "full" else "limited")
    picture = from_card(device, PictureOptions(range=levels))
    assert farthest(picture.gray, RAMP) <= 2
    assert farthest(picture.pixels[..., 1], RAMP) <= 2
    by_itself = from_card(device, AS_IT_IS).gray
    assert (farthest(by_itself, RAMP) <= 2) == ((levels == "limited") == mode.endswith("yuyv"))


def test_colours_of_a_card_that_sends_them_packed_are_right() -> None:
    device_colours = contents.as_yuyv(
        contents.limited(np.full((240, 320, 3), (200, 60, 30), np.uint8))
    )  # BGR
    pictures = CardPictures(AS_IT_IS)
    pictures.begin(BufferForm("YUYV", "limited", 320, 240))
    ((shown, _),) = pictures.of(device_colours, Came(0.0))
    colour = shown.pixels[120, 160]
    assert np.abs(colour.astype(int) - (30, 60, 200)).max() <= 6


def test_stored_pictures_take_a_limited_range_too(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), LIMITED_RAMP)
    assert farthest(first(str(path), PictureOptions(range="limited")).gray, RAMP) <= 2
    assert np.array_equal(first(str(path), AS_IT_IS).gray, LIMITED_RAMP)


def roundness(gray: NDArray[np.uint8]) -> float:
    """Width over height of what is bright."""
    rows, columns = np.nonzero(gray > 128)
    return float((np.ptp(columns) + 1) / (np.ptp(rows) + 1))


SQUEEZED = [
    ("4:3", 1280, 720), ("16:9", 640, 480), ("16:9", 720, 576), ("4:3", 720, 480),
]  # fmt: skip


@pytest.mark.parametrize(("screen", "width", "height"), SQUEEZED)
def test_a_circle_on_a_squeezed_picture_is_round_as_the_user_says(
    tmp_path: Path, screen: Aspect, width: int, height: int
) -> None:
    options = PictureOptions(aspect=screen)
    device = ScriptedDevice(
        modes=(f"{width}x{height}@100,mjpg",), content="circle", screen="4:3" if screen == "4:3" else "16:9"
    )
    path = write_planes(tmp_path / "a.mkv", contents.circle(width, height, screen)[..., 0], 2)
    for picture in (from_card(device, options), first(str(path), options), at_random(path, options)):
        assert abs(roundness(picture.gray) - 1) < 0.01
        assert abs(roundness(picture.pixels[..., 1]) - 1) < 0.01
    assert abs(roundness(from_card(device, AS_IT_IS).gray) - 1) > 0.05


def streamed(folder: Path, name: str, options: PictureOptions) -> Picture:
    with offering(folder) as address, closing(StreamSource(f"{address}/{name}", options)) as stream:
        packet = stream.read()
        assert packet is not None
        assert (stream.info.height, stream.info.width) == packet.gray.shape
        return packet.picture


@pytest.mark.parametrize("levels", ["full", "limited"])
@pytest.mark.parametrize("said", [1, 2])
def test_a_ramp_in_a_stream_comes_back_by_the_range_that_the_user_says(
    tmp_path: Path, levels: Range, said: int
) -> None:
    write_planes(tmp_path / "a.mkv", RAMP if levels == "full" else LIMITED_RAMP, said)
    picture = streamed(tmp_path, "a.mkv", PictureOptions(range=levels))
    assert farthest(picture.gray, RAMP) <= 2
    assert farthest(picture.pixels[..., 1], RAMP) <= 2
    by_itself = streamed(tmp_path, "a.mkv", AS_IT_IS).gray
    assert (farthest(by_itself, RAMP) <= 2) == ((levels == "full") == (said == 2))


@pytest.mark.parametrize(("screen", "width", "height"), SQUEEZED)
def test_a_circle_in_a_squeezed_stream_is_round_as_the_user_says(
    tmp_path: Path, screen: Aspect, width: int, height: int
) -> None:
    write_planes(tmp_path / "a.mkv", contents.circle(width, height, screen)[..., 0], 2)
    assert abs(roundness(streamed(tmp_path, "a.mkv", PictureOptions(aspect=screen)).gray) - 1) < 0.01
    assert abs(roundness(streamed(tmp_path, "a.mkv", AS_IT_IS).gray) - 1) > 0.05


def test_the_shape_holds_for_a_picture_that_is_shown_turned() -> None:
    from semc_core.sources.frames.upright import Upright

    turned = Upright(transposed=True).wished(PictureOptions(aspect="4:3"), 200, 100)
    height, width = turned.shape(200, 100)
    assert abs(width / height - 4 / 3) < 0.01


FLIPPED: dict[Flip, tuple[int, int]] = {
    "none": (0, 0), "horizontal": (0, 1), "vertical": (1, 0), "180": (1, 1),
}  # fmt: skip
"""Where what was at the top left is."""


@pytest.mark.parametrize("flip", FLIPPED)
def test_flips_hold_for_files_pictures_streams_cards_and_the_simulated_scan(
    tmp_path: Path, flip: Flip
) -> None:
    marked = np.zeros((64, 96), np.uint8)
    marked[:20, :20] = 200
    options = PictureOptions(flip=flip)
    video = write_planes(tmp_path / "a.mkv", marked, 2)
    cv2.imwrite(str(tmp_path / "a.png"), marked)
    pictures = [
        first(str(video), options),
        at_random(video, options),
        first(str(tmp_path / "a.png"), options),
    ]
    pictures.append(at_random(tmp_path / "a.png", options))
    pictures.append(streamed(tmp_path, "a.mkv", options))
    below, right = FLIPPED[flip]
    for picture in pictures:
        assert picture.gray[10 if not below else -10, 10 if not right else -10] > 180
        assert (picture.gray > 100).sum() == 400
    straight = first("simulated:3", AS_IT_IS).gray
    flipped = straight[:: -1 if below else 1, :: -1 if right else 1]
    assert np.array_equal(first("simulated:3", options).gray, flipped)
    device = ScriptedDevice(modes=("320x240@100,mjpg",), content="count", content_rate=0.001)
    upright = from_card(device, AS_IT_IS).pixels
    assert np.array_equal(
        from_card(device, options).pixels, upright[:: -1 if below else 1, :: -1 if right else 1]
    )


def test_what_was_chosen_is_said_and_what_was_not_is_not(tmp_path: Path) -> None:
    path = write_planes(tmp_path / "a.mkv", RAMP, 2)
    with closing(open_source(str(path), options=PictureOptions("full", "4:3", "off", "180"))) as source:
        assert source.info.notice == (
            "By the picture options: full range, shown at 4:3, turned by 180 degrees."
        )
    with closing(open_source(str(path))) as source:
        assert source.info.notice == ""


def test_options_are_kept_as_text_and_wrong_ones_are_refused() -> None:
    chosen = PictureOptions("limited", "16:9", "on", "vertical")
    assert from_text(to_text(chosen)) == chosen
    assert from_text(to_text(AS_IT_IS)) == AS_IT_IS
    assert choices("flip")[0] == "none"
    with pytest.raises(UsageError, match=r"The picture option range is auto, full, limited, not 'tv'\."):
        picture_options({"range": "tv"})
    with pytest.raises(UsageError, match="There is no picture option colour"):
        from_text("colour=red")


def said_by_card(device: ScriptedDevice, seconds: float, options: PictureOptions = AS_IT_IS) -> str:
    system = SimulatedDevices(Script(device=(device,)))
    with closing(CameraSource(device.identity, None, options, system=system)) as camera:
        while (packet := camera.read()) is not None and packet.pts_s < seconds:
            pass
        return camera.info.notice


LOST, GRAY_BLACK = "--range full", "--range limited"


def screen(levels: int) -> NDArray[np.uint8]:
    """A dark screen with gray tissue and white text, uint8 (120, 160)."""
    picture = np.zeros((120, 160), np.uint8)
    picture[20:100, 30:130] = np.random.default_rng(levels).integers(20, 160, (80, 100))
    picture[4:12, 10:60] = 255
    return picture


@pytest.mark.parametrize(
    ("stored_full", "said", "hint"), [(True, 1, LOST), (False, 2, GRAY_BLACK), (True, 2, ""), (False, 1, "")]
)
def test_a_wrong_range_is_suspected_within_five_seconds(
    tmp_path: Path, stored_full: bool, said: int, hint: str
) -> None:
    shown = screen(1)
    stored = shown if stored_full else contents.limited(np.dstack([shown] * 3))[..., 0]
    path = write_planes(tmp_path / "a.mkv", stored, said, count=50)
    with closing(open_source(str(path))) as source:
        while (packet := source.read()) is not None and packet.pts_s < 4.5:
            pass
        assert hint in source.info.notice
        assert bool(hint) == bool(source.info.notice)
    with offering(tmp_path) as address, closing(StreamSource(f"{address}/a.mkv")) as stream:
        while (packet := stream.read()) is not None and packet.pts_s < 4.5:
            pass
        assert stream.info.notice == source.info.notice
    with closing(open_source(str(path), options=PictureOptions(range="full"))) as source:
        while source.read() is not None:
            pass
        assert source.info.notice == "By the picture options: full range."


def test_a_wrong_range_of_a_card_is_suspected() -> None:
    packed, full = ("320x120@100,yuyv",), ("320x120@50,mjpg",)
    assert LOST in said_by_card(ScriptedDevice(modes=packed, content="ramp"), 0.2)
    assert said_by_card(ScriptedDevice(modes=packed, content="ramp", levels="limited"), 0.2) == ""
    assert GRAY_BLACK in said_by_card(ScriptedDevice(modes=full, content="ramp", levels="limited"), 3.0)
