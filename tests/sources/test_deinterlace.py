"""Combs of interlaced pictures are known and removed, the same whichever way a frame is reached."""

from __future__ import annotations

import random
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import FrameDamaged
from semc_core.phantom.scan import SimulatedScan
from semc_core.picture_options import AS_IT_IS, PictureOptions
from semc_core.sources.devices import contents
from semc_core.sources.devices.buffers import BufferForm
from semc_core.sources.devices.pictures import CardPictures
from semc_core.sources.devices.script import Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.devices.stamps import Came
from semc_core.sources.frames.deinterlace import MARKED, REMOVED
from semc_core.sources.frames.watched import ReadingWatch
from semc_core.sources.live.camera import CameraSource
from semc_core.sources.live.stream import StreamSource
from semc_core.sources.open import open_seekable
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket
from tests.http_servers import offering
from tests.sources.capture_clips import write_video
from tests.sources.test_video_kinds import MJPEG, lose

RATE = 25
ON, OFF = PictureOptions(deinterlace="on"), PictureOptions(deinterlace="off")
LOOKS_SO = "The pictures look interlaced, though nothing says so"


def woven(number: int, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A frame whose odd lines are of half a frame later."""
    frame = contents.sweep(number / RATE, width, height)[..., 0].copy()
    frame[1::2] = contents.sweep((number + 0.5) / RATE, width, height)[1::2, :, 0]
    return frame


def write(path: Path, *, marked: bool, count: int = 14, combs: bool = True) -> Path:
    """A video with B-frames, interlaced or not, and marked as interlaced or not."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=RATE)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.bit_rate, stream.codec_context.gop_size = 8_000_000, 6
        stream.codec_context.max_b_frames = 2
        if marked:
            stream.codec_context.options = {"flags": "+ildct+ilme"}
        for number in range(count):
            pixels = woven(number) if combs else contents.sweep(number / RATE, 320, 240)[..., 0]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="gray")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def combs(gray: NDArray[np.uint8]) -> float:
    """How far lines are from those above and below them."""
    lines = gray.astype(int)
    return float(np.abs(2 * lines[1:-1] - lines[:-2] - lines[2:]).mean())


def in_order(path: Path, options: PictureOptions) -> tuple[list[FramePacket], str]:
    with closing(VideoSource(path, options)) as source:
        packets = []
        while (packet := source.read()) is not None:
            packets.append(packet)
        return packets, source.info.notice


def test_what_is_marked_is_deinterlaced_unless_the_user_does_not_want_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", marked=True)
    read, said = in_order(path, AS_IT_IS)
    left, said_off = in_order(path, OFF)
    assert [packet.index for packet in read] == [packet.index for packet in left] == list(range(14))
    assert [packet.pts_s for packet in read] == [packet.pts_s for packet in left]
    assert (said, said_off) == (REMOVED, MARKED)
    for packet, as_it_was in zip(read, left, strict=True):
        assert combs(packet.gray) < 0.2 * combs(as_it_was.gray)
        # Not another moment: one of the two fields is kept as it is.
        assert min(np.abs(packet.gray[at::2].astype(int) - as_it_was.gray[at::2]).mean() for at in (0, 1)) < 1


@pytest.mark.parametrize("options", [AS_IT_IS, ON], ids=["auto", "on"])
def test_every_frame_is_the_same_whichever_way_it_is_reached(tmp_path: Path, options: PictureOptions) -> None:
    path = write(tmp_path / "a.mkv", marked=True)
    read, _ = in_order(path, options)
    order = list(range(14))
    random.Random(3).shuffle(order)
    with closing(open_seekable(path, options=options)) as loop:
        for index in [*order, 13, 0, 12, 1]:
            np.testing.assert_array_equal(loop.frame(index).pixels, read[index].pixels)
            np.testing.assert_array_equal(loop.frame(index).gray, read[index].gray)


def test_a_damaged_frame_is_no_neighbour_in_either_way(tmp_path: Path) -> None:
    path = lose(write_video(tmp_path / "a.avi", 12, codec=MJPEG), [5])
    read, _ = in_order(path, ON)
    by_number = {packet.index: packet for packet in read}
    assert sorted(by_number) == [number for number in range(12) if number != 5]
    with closing(open_seekable(path, options=ON)) as loop:
        for index in (6, 4, 11, 0, 7, 3):
            np.testing.assert_array_equal(loop.frame(index).gray, by_number[index].gray)
        with pytest.raises(FrameDamaged):
            loop.frame(5)


def test_combs_that_nothing_marks_are_said_and_removed_when_that_is_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", marked=False, count=70)
    left, said = in_order(path, AS_IT_IS)
    assert LOOKS_SO in said
    assert "--deinterlace on" in said
    read, said_on = in_order(path, ON)
    assert LOOKS_SO not in said_on
    assert np.mean([combs(one.gray) for one in read]) < 0.2 * np.mean([combs(one.gray) for one in left])


def test_what_has_no_combs_is_not_called_interlaced(tmp_path: Path) -> None:
    _, said = in_order(write(tmp_path / "a.mkv", marked=False, count=70, combs=False), AS_IT_IS)
    assert said == ""
    scan = SimulatedScan(7, 2.0, 160, 120, furniture=True)
    watch = ReadingWatch(AS_IT_IS)
    assert "".join(watch.saw(scan.frame(number), True, number / 30) for number in range(40)) == ""


def test_a_stream_is_deinterlaced_as_a_file_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ts", marked=True)
    read, _ = in_order(path, AS_IT_IS)
    with offering(tmp_path) as address, closing(StreamSource(f"{address}/a.ts")) as stream:
        received = []
        while (packet := stream.read()) is not None:
            received.append(packet)
        assert stream.info.notice == REMOVED
    assert len(received) == len(read)
    for packet, same in zip(received, read, strict=True):
        np.testing.assert_array_equal(packet.gray, same.gray)
    assert [packet.pts_s for packet in received] == pytest.approx([packet.pts_s for packet in read])


@pytest.mark.parametrize("mode", ["320x240@50,yuyv", "320x240@50,mjpg"])
def test_combs_of_a_card_are_removed_when_that_is_chosen(mode: str) -> None:
    device = ScriptedDevice(modes=(mode,), content="sweep", interlaced=True)
    found = {}
    for options in (AS_IT_IS, ON):
        system = SimulatedDevices(Script(device=(device,)))
        with closing(CameraSource(device.identity, None, options, system=system)) as camera:
            packets: list[FramePacket] = []
            while len(packets) < 12:
                packet = camera.read()
                assert packet is not None
                packets.append(packet)
            assert [one.captured_s for one in packets] == sorted({one.captured_s for one in packets})
            assert [one.pts_s for one in packets] == sorted({one.pts_s for one in packets})
            found[options] = np.mean([combs(one.gray) for one in packets]), camera.info.notice
    assert found[ON][0] < 0.3 * found[AS_IT_IS][0]
    assert found[ON][1].startswith("By the picture options: deinterlaced.")


@pytest.mark.parametrize("codec", ["YUYV", "MJPG"])
def test_every_frame_of_a_card_comes_of_the_deinterlacer_also_where_their_form_changes(codec: str) -> None:
    pictures = CardPictures(ON)
    pictures.begin(BufferForm(codec, "limited", 64, 48))
    given = []
    for number, (width, height) in enumerate([(64, 48)] * 5 + [(32, 24)] * 4 + [(64, 48)] * 3):
        shown = contents.sweep(number / 25, width, height)
        given += pictures.of(contents.as_yuyv(shown) if codec == "YUYV" else shown, Came(float(number)))
    assert [came.arrived_s for _, came in given] == list(range(11)), "the last one waits for the next"
    given += pictures.ended()
    assert [came.arrived_s for _, came in given] == list(range(12))
    assert [picture.width for picture, _ in given] == [64] * 5 + [32] * 4 + [64] * 3


def test_combs_of_a_card_are_said() -> None:
    device = ScriptedDevice(modes=("320x240@60,mjpg",), content="sweep", interlaced=True)
    system = SimulatedDevices(Script(device=(device,)))
    with closing(CameraSource(device.identity, system=system)) as camera:
        for _ in range(75):
            assert camera.read() is not None
        assert LOOKS_SO in camera.info.notice


def test_a_file_that_is_not_interlaced_is_not_touched(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", marked=False, combs=False)
    for packet, same in zip(in_order(path, AS_IT_IS)[0], in_order(path, OFF)[0], strict=True):
        np.testing.assert_array_equal(packet.pixels, same.pixels)
