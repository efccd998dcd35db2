"""Reading at random gives what reading in order gives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.data
import pytest
from av.container import InputContainer
from pydicom.uid import RLELossless

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.sources.open import open_seekable, open_source
from semc_core.sources.seek import cursor
from semc_core.sources.seek.base import index_at
from semc_core.sources.seek.cache import ByteCache
from semc_core.sources.seek.video import SeekableVideo
from semc_core.types import FramePacket
from tests.sources.capture_clips import read_all, write_dicom, write_video
from tests.sources.seek_clips import KINDS, OPEN, encode, first_difference, numbers_and_times, order_of

SEEKS = 15


def assert_as_in_order(path: Path, seeks: int = SEEKS) -> None:
    expected = read_all(open_source(str(path)))
    source = open_seekable(path)
    try:
        # As the analysis does; only of damaged files does it make a difference.
        source.confirm(*numbers_and_times(expected))
        assert first_difference(source, expected, order_of(expected[-1].index + 1, seeks)) == ""
        for packet in expected[:: max(1, len(expected) // 7)]:
            assert source.times_s[source.at(packet.pts_s)] == packet.pts_s
            assert not source.frame(packet.index).pixels.flags.writeable
    finally:
        source.close()


@pytest.mark.parametrize("kind", KINDS)
def test_any_frame_is_the_one_a_sequential_read_gives(tmp_path: Path, kind: str) -> None:
    assert_as_in_order(KINDS[kind](tmp_path))


def _speckle(*shape: int, dtype: Any = np.uint8) -> np.ndarray[Any, np.dtype[Any]]:
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


def test_any_frame_of_a_dicom_loop(tmp_path: Path) -> None:
    deep = write_dicom(tmp_path / "deep.dcm", _speckle(9, 40, 50, dtype=np.uint16) // 5, FrameTime=40)
    colour = write_dicom(
        tmp_path / "colour.dcm", _speckle(9, 40, 50, 3), FrameTimeVector=[0, 10, 20, 5, 5, 90, 1, 1, 1]
    )
    packed = pydicom.dcmread(colour)
    packed.compress(RLELossless)
    packed.save_as(tmp_path / "packed.dcm")
    deflated = pydicom.dcmread(deep)
    deflated.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    deflated.save_as(tmp_path / "deflated.dcm")
    for path in (deep, colour, tmp_path / "packed.dcm", tmp_path / "deflated.dcm"):
        assert_as_in_order(path)


def test_a_real_scanner_loop_and_a_palette() -> None:
    for name in ("examples_ybr_color.dcm", "examples_palette.dcm"):
        path = pydicom.data.get_testdata_file(name, download=False)
        assert isinstance(path, str)
        assert_as_in_order(Path(path), 10)


def test_a_dicom_loop_that_ends_too_early_says_so(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a.dcm", _speckle(9, 40, 50), NumberOfFrames=12, FrameTime=40)
    source = open_seekable(path)
    with pytest.raises(SourceError):
        source.frame(11)
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


def read_and_open(folder: Path) -> tuple[list[FramePacket], SeekableVideo]:
    """All frames of a video with open groups of pictures, and the video, open for seeking."""
    path = encode(folder / "a.mp4", "libx264", {"preset": "veryfast", "x264-params": OPEN})
    expected, source = read_all(open_source(str(path))), open_seekable(path)
    assert isinstance(source, SeekableVideo)
    return expected, source


def test_a_frame_that_is_no_longer_wanted_is_given_up(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", "libx264", {"preset": "veryfast", "x264-params": OPEN})
    source = open_seekable(path)
    with pytest.raises(SourceInterrupted, match="given up"):
        source.frame(67, lambda: True)
    expected = read_all(open_source(str(path)))
    assert first_difference(source, expected, [60, 59, 20]) == ""
    source.close()


def test_frames_before_the_one_jumped_to_are_there_soon(tmp_path: Path) -> None:
    expected, source = read_and_open(tmp_path)
    source.frame(57, lambda: False)
    kept = source._decoder.kept
    while 56 not in kept:
        # Whoever asks for one frame in between does not end it.
        np.testing.assert_array_equal(source.frame(3).pixels, expected[3].pixels)
    for index in range(45, 57):
        np.testing.assert_array_equal(source.frame(index, lambda: False).pixels, expected[index].pixels)
    source.close()
    with pytest.raises(SourceError, match="is closed"):
        source._packet(30, lambda: False, None)


def test_a_jump_does_not_wait_for_the_file_to_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, source = read_and_open(tmp_path)

    def opened(path: Path) -> InputContainer:
        raise AssertionError(f"{path.name} was opened again")

    monkeypatch.setattr(cursor, "open_container", opened)
    with closing(source):
        assert first_difference(source, expected, [60, 30, 45, 20]) == ""


def test_a_decoder_that_was_begun_by_the_old_index_is_not_gone_on_with(tmp_path: Path) -> None:
    expected, source = read_and_open(tmp_path)
    assert source.frame(50).index == 50
    index = source._index
    later = replace(
        index, stamps=None if index.stamps is None else index.stamps[1:], times_s=index.times_s[1:]
    )
    source._decoder.use(later)
    assert source._decoder._nearest(51) is None
    source._decoder.use(index)
    assert first_difference(source, expected, [51, 52, 20]) == ""
    source.close()


def test_who_watches_goes_ahead_of_who_does_not(tmp_path: Path) -> None:
    expected, source = read_and_open(tmp_path)
    begun, watched = threading.Event(), threading.Event()
    order: list[int] = []

    def passed(make: Callable[[], FramePacket | None]) -> None:
        begun.set()
        assert watched.wait(60)

    def patiently() -> None:
        got = source.frame(69, passed=passed)
        order.append(got.index)
        np.testing.assert_array_equal(got.pixels, expected[69].pixels)

    def watching() -> None:
        got = source.frame(20, lambda: False)
        order.append(got.index)
        np.testing.assert_array_equal(got.pixels, expected[20].pixels)

    threads = [threading.Thread(target=patiently), threading.Thread(target=watching)]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    while not source._somebody_hurries():
        assert threads[1].is_alive()
    watched.set()
    for thread in threads:
        thread.join(60)
    source.close()
    assert order == [20, 69]


def test_many_threads_read_one_loop(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", "libx264", {"preset": "veryfast", "x264-params": OPEN})
    expected, source = read_all(open_source(str(path))), open_seekable(path)
    problems: list[str] = []

    def read(seed: int) -> None:
        problems.append(first_difference(source, expected, order_of(len(expected), 15, seed)))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source.close()
    assert problems == ["", "", ""]


def test_memory_stays_within_the_cache_however_far_one_goes(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", "libx264", {"preset": "veryfast", "x264-params": OPEN})
    info = open_source(str(path))
    info.close()
    limit = 20 * 128 * 96 * 3 // 2
    source = SeekableVideo(path, info.info, cache_bytes=limit)
    for index in (*range(70), *reversed(range(70))):
        source.frame(index)
        assert source._decoder.kept.used <= limit + 128 * 96 * 3
    source.close()


def test_the_cache_lets_go_of_what_was_not_used_for_longest() -> None:
    cache: ByteCache[str] = ByteCache(30)
    for index in range(3):
        cache.put(index, str(index), 10)
    assert cache.get(0) == "0"
    cache.put(3, "3", 10)
    assert [index in cache for index in range(4)] == [True, False, True, True]
    cache.put(4, "large", 100)
    assert cache.used == 100
    assert cache.get(4) == "large"


def test_the_frame_at_a_time_is_the_last_that_began() -> None:
    times_s = np.array([0.0, 0.1, 0.1, 0.5])
    assert [index_at(times_s, time_s) for time_s in (-1, 0, 0.05, 0.1, 0.4999, 0.5, 9)] == [
        0,
        0,
        0,
        2,
        2,
        3,
        3,
    ]
