"""Who keeps many frames keeps what was decoded, and nothing that others made of it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.picture import Picture
from semc_core.session.files import encode_png
from semc_core.session.recording.clips import FrameRing
from semc_core.session.recording.recorder import Recorder
from semc_core.sources.frames.decoded import picture_of
from semc_core.sources.open import open_seekable
from semc_core.types import FramePacket
from tests.session.pictures import speckle
from tests.sources.capture_clips import write_video

Made = list[weakref.ref[NDArray[np.uint8]]]
SHAPE = (96, 128)


def of_video() -> Picture:
    given = av.VideoFrame.from_ndarray(speckle(1, *SHAPE, colour=True), format="rgb24")
    return picture_of(given.reformat(format="yuv420p"))


def of_rgb() -> Picture:
    return Picture(speckle(1, *SHAPE, colour=True))


def asked(frame: FramePacket) -> Made:
    """What was made of the frame's picture, as the window and the model ask for it."""
    made = [weakref.ref(frame.gray)]
    pixels = frame.pixels
    shared = frame.picture.bare().pixels is pixels
    return made if shared else [*made, weakref.ref(pixels)]


def are_gone(made: Made) -> bool:
    return bool(made) and all(each() is None for each in made)


@pytest.mark.parametrize("picture", [of_video, of_rgb])
def test_the_ring_keeps_no_gray_and_no_rgb(picture: Callable[[], Picture]) -> None:
    ring = FrameRing(10.0, 2**30)
    made: Made = []
    for number in range(3):
        frame = FramePacket("scan", number, number / 30, 0.0, picture())
        made += asked(frame)
        ring.put(frame)
        made += asked(frame)
        del frame
    kept = ring.between(0, 10)
    assert [one.gray for one in kept] == [False] * 3
    assert len({one.picture().tobytes() for one in kept}) == 1
    assert are_gone(made)
    assert ring.size_bytes == 3 * picture().nbytes
    if picture is of_video:
        made = [weakref.ref(kept[0].picture())]
        assert are_gone(made), "also what is made to write a clip"


def test_a_frame_of_video_takes_half_of_its_rgb() -> None:
    picture = of_video()
    assert 2 * picture.nbytes == picture.pixels.nbytes == 3 * SHAPE[0] * SHAPE[1]


def test_what_waits_for_the_recorder_is_as_it_was_decoded(tmp_path: Path) -> None:
    go_on = threading.Event()

    def folder() -> Path:
        assert go_on.wait(20)
        return tmp_path

    recorder = Recorder(folder)
    made: Made = []
    for number in range(4):
        frame = FramePacket("scan", number, number / 30, 0.0, of_video())
        assert recorder.put(frame)
        made += asked(frame)
        del frame
    assert are_gone(made)
    go_on.set()
    assert recorder.close().frames == 4


def test_a_cache_of_frames_keeps_no_rgb_of_a_video(tmp_path: Path) -> None:
    source = open_seekable(write_video(tmp_path / "a.mp4", 6))
    try:
        made: Made = []
        for index in (2, 3, 2, 3):
            frame = source.frame(index)
            assert frame.picture.coloured
            made += asked(frame)
            del frame
        assert len(made) == 8
        assert are_gone(made)
    finally:
        source.close()


def test_a_cache_of_stills_keeps_no_gray(tmp_path: Path) -> None:
    for number in range(2):
        content = encode_png(speckle(number, *SHAPE, colour=True))
        (tmp_path / f"{number}.png").write_bytes(content)
    source = open_seekable(tmp_path)
    try:
        made: Made = []
        for index in (0, 1, 0):
            frame = source.frame(index)
            made += asked(frame)
            del frame
        assert len(made) == 3
        assert are_gone(made)
    finally:
        source.close()
