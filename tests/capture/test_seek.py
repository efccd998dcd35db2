"""Reading at random gives what reading in order gives."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from semc_core.capture.open import open_source
from semc_core.capture.seek import SeekableSource, open_seekable
from semc_core.errors import SourceError
from tests.capture.capture_clips import read_all, write_images, write_video

SEEKS = 30


def assert_same_as_in_order(source: SeekableSource, path: Path, seeks: int = SEEKS, seed: int = 1) -> None:
    """`seeks` random frames, and single steps both ways, compared with a sequential read of `path`."""
    expected = read_all(open_source(str(path)))
    order = [random.Random(seed).randrange(len(expected)) for _ in range(seeks)]
    near = order[-1]
    order += [max(0, near - step) for step in range(1, 6)] + [min(len(expected) - 1, near + 1), 0]
    for index in order:
        got, wanted = source.frame(index), expected[index]
        assert (got.source_id, got.index, got.pts_s) == (wanted.source_id, index, wanted.pts_s)
        np.testing.assert_array_equal(got.pixels, wanted.pixels)
        assert not got.pixels.flags.writeable
    assert source.settled
    assert source.count == source.info.frame_count == len(expected)
    assert source.times_s.tolist() == [packet.pts_s for packet in expected]
    assert [source.at(packet.pts_s) for packet in expected[-3:]] == [
        max(i for i, other in enumerate(expected) if other.pts_s <= packet.pts_s) for packet in expected[-3:]
    ]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts", ".avi", ".mpeg", ".gif"])
def test_any_frame_of_a_video_is_the_one_a_sequential_read_gives(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a{suffix}", 40, b_frames=3)
    source = open_seekable(path)
    try:
        assert_same_as_in_order(source, path)
    finally:
        source.close()


def test_any_image_of_a_folder(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images")
    source = open_seekable(folder)
    assert_same_as_in_order(source, folder)
    source.close()


def test_what_is_not_there_or_closed_is_told(tmp_path: Path) -> None:
    source = open_seekable(write_video(tmp_path / "a.mp4"))
    for index in (-1, 12):
        with pytest.raises(SourceError, match=f"has no frame {index}"):
            source.frame(index)
    source.close()
    source.close()
    with pytest.raises(SourceError, match="is closed"):
        source.frame(0)
    with pytest.raises(SourceError, match="was not found"):
        open_seekable(tmp_path / "none.mp4")
