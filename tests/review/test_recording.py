"""A recording read at random gives what it gives in order."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import SourceError
from semc_core.io.video_quality import Quality
from semc_core.picture import Picture
from semc_core.review.loop import SeekableRecording
from semc_core.session.recording.parts import RecordedSource, part_videos, unreadable
from semc_core.session.recording.recorder import Recorder
from semc_core.types import FramePacket
from tests.sources.capture_clips import numbered, read_all
from tests.sources.seek_clips import put_made


def test_frames_keep_the_index_and_time_of_the_scan(tmp_path: Path) -> None:
    recorder = Recorder(lambda: tmp_path, Quality.LOSSLESS)
    for number in range(40):
        # A gap in the numbers, uneven times, and from frame 30 on another size: a second part.
        pixels = numbered(number) if number < 30 else np.ascontiguousarray(numbered(number)[:64])
        pixels.flags.writeable = False
        index = number + 5 * (number > 6)
        assert recorder.put(
            FramePacket("scan", index, 7.0 + number * 0.0337 + number % 3 * 0.004, 0.0, Picture(pixels))
        )
    recorder.close()
    expected = read_all(RecordedSource(tmp_path))
    recording = SeekableRecording(tmp_path)
    assert recording.count == len(expected) == 40
    assert recording.times_s.tolist() == [packet.pts_s for packet in expected]
    for index in random.Random(3).sample(range(40), 40):
        on_the_way: list[FramePacket | None] = []
        got = recording.frame(index, passed=partial(put_made, on_the_way))
        wanted = expected[index]
        assert recording.number_of(index) == wanted.index
        assert (got.source_id, got.index, got.pts_s) == (wanted.source_id, wanted.index, wanted.pts_s)
        np.testing.assert_array_equal(got.pixels, wanted.pixels)
        for packet in on_the_way:
            assert packet is not None
            assert packet.index < got.index
            (same,) = [one for one in expected if one.index == packet.index]
            np.testing.assert_array_equal(packet.pixels, same.pixels)
        assert recording.at(got.pts_s) == index
    recording.close()
    recording.close()


def test_a_part_that_a_kill_left_without_a_picture_is_left_out(tmp_path: Path) -> None:
    recorder = Recorder(lambda: tmp_path, Quality.LOSSLESS)
    for number in range(40):
        pixels = numbered(number) if number < 30 else np.ascontiguousarray(numbered(number)[:64])
        pixels.flags.writeable = False
        assert recorder.put(FramePacket("scan", number, number / 30, 0.0, Picture(pixels)))
    recorder.close()
    second = part_videos(tmp_path)[1]
    second.write_bytes(second.read_bytes()[:300])
    expected = read_all(RecordedSource(tmp_path))
    recording = SeekableRecording(tmp_path)
    assert recording.info.notice == unreadable(second)
    assert recording.count == len(expected) == 30
    np.testing.assert_array_equal(recording.frame(29).pixels, expected[29].pixels)
    recording.close()
    first = part_videos(tmp_path)[0]
    first.write_bytes(first.read_bytes()[:300])
    with pytest.raises(SourceError, match="cannot be opened"):
        SeekableRecording(tmp_path)


def test_a_session_without_recording_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no recording"):
        SeekableRecording(tmp_path)
