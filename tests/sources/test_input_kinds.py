"""Every kind of video that docs/inputs.md names is read right; the page is current."""

from __future__ import annotations

import importlib
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.sources.capture_clips import HEIGHT, WIDTH, numbered
from tests.sources.input_kinds import KINDS, PAGE, VIDEOS, Video, page
from tests.sources.test_video_kinds import as_seen, assert_true

COUNT = 20


def _make(path: Path, video: Video) -> Path:
    options = {"libsvtav1": {"preset": "12"}, "libx265": {"x265-params": "log-level=none"}}.get(
        video.codec, {}
    )
    with av.open(str(path), "w", format=video.container) as container:
        stream = container.add_stream(video.codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, video.pixels
        stream.bit_rate, stream.codec_context.gop_size = 4_000_000, 12
        stream.codec_context.max_b_frames = video.b_frames
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="gray").reformat(format=video.pixels)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("video", VIDEOS, ids=lambda video: f"{video.name}-{video.codec}")
def test_every_frame_of_every_kind_of_video_has_its_number_and_time(tmp_path: Path, video: Video) -> None:
    frames, _ = as_seen(_make(tmp_path / video.name, video))
    assert list(frames) == list(range(COUNT))
    assert_true(frames)


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_line_of_the_page_is_held_by_a_test() -> None:
    for kind in (kind for kinds in KINDS.values() for kind in kinds):
        assert kind.tests, kind.words
        for test in kind.tests:
            module, name = test.split(":")
            assert callable(getattr(importlib.import_module(f"tests.sources.{module}"), name)), test
