"""Clips around planes, cut from the last seconds in memory."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from semc_core.errors import SessionError
from semc_core.io.video_quality import Quality
from semc_core.session.recording.clips import ClipMaker, ClipSettings, FrameRing
from semc_core.sources.video import VideoSource
from semc_core.types import Crop, FramePacket, FrameResult, HoldEvent
from tests.session.pictures import packet, speckle

RATE = 30


def at(index: int) -> FramePacket:
    return packet(index, speckle(index), index / RATE)


def event(index: int, hold_id: int = 1, *, final: bool = True) -> HoldEvent:
    best = FrameResult(at(index), None, np.ones(1, np.float32), "FHP1", 0.9, Crop(0, 0, 128, 96), "live", 0.0)
    return HoldEvent(hold_id, "FHP1", best, 0.9, index / RATE, index / RATE, final)


def frames_of(clip: Path) -> list[FramePacket]:
    source = VideoSource(clip)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def test_a_clip_holds_two_seconds_before_and_one_after(tmp_path: Path) -> None:
    written: list[tuple[int, str]] = []
    done = threading.Event()

    def note(hold_id: int, name: str) -> None:
        written.append((hold_id, name))
        done.set()

    maker = ClipMaker(lambda: tmp_path, ClipSettings(quality=Quality.LOSSLESS), note)
    for index in range(200):
        maker.put(at(index))
        if index == 115:
            maker.found(event(100))
    assert done.wait(30)
    maker.close()

    assert written == [(1, "clips/001_FHP1_f000100.mkv")]
    frames = frames_of(tmp_path / written[0][1])
    assert len(frames) == 3 * RATE + 1
    assert [round(frame.pts_s * RATE) for frame in frames] == list(range(3 * RATE + 1))
    for frame, index in zip(frames, range(40, 131), strict=True):
        np.testing.assert_array_equal(frame.pixels, speckle(index))


def test_a_better_frame_replaces_the_clip(tmp_path: Path) -> None:
    maker = ClipMaker(lambda: tmp_path, ClipSettings(before_s=0.5, after_s=0.2))
    seen = threading.Event()
    maker._on_written = lambda *_: seen.set()
    for index in range(120):
        maker.put(at(index))
        if index == 20:
            maker.found(event(15, final=False))
    assert seen.wait(30)
    # Settled, so there is a first one; then the hold gets a better frame and ends.
    maker.found(event(110))
    maker.close()
    assert [path.name for path in (tmp_path / "clips").iterdir()] == ["001_FHP1_f000110.mkv"]


def test_the_end_of_the_scan_cuts_a_clip_short_but_writes_it(tmp_path: Path) -> None:
    maker = ClipMaker(lambda: tmp_path, ClipSettings())
    for index in range(31):
        maker.put(at(index))
    maker.found(event(30))
    maker.close()
    assert len(frames_of(tmp_path / "clips" / "001_FHP1_f000030.mkv")) == 31


def test_a_clip_that_cannot_be_told_of_is_removed_and_told(tmp_path: Path) -> None:
    def refuse(hold_id: int, name: str) -> None:
        raise SessionError("There is no such plane.")

    maker = ClipMaker(lambda: tmp_path, ClipSettings(), refuse)
    maker.put(at(0))
    maker.found(event(0))
    maker.close()
    assert "no such plane" in maker.fault
    assert not list((tmp_path / "clips").iterdir())


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    maker = ClipMaker(lambda: tmp_path / "gone", ClipSettings())
    maker.put(at(0))
    maker.found(event(0))
    maker.close()
    assert maker.fault.startswith("A clip was not saved.")


def test_memory_is_bounded_however_large_the_frames_are() -> None:
    pixels = speckle(1)
    most = 20 * pixels.nbytes
    ring = FrameRing(10.0, most)
    for index in range(100):
        ring.put(packet(index, pixels, index / RATE))
        assert ring.size_bytes <= most
    assert len(ring.between(0, 10)) == 20
    while ring.compress_one():
        assert ring.size_bytes <= most
    assert ring.size_bytes <= most / 2
    # Compressed, more of the past fits.
    for index in range(100, 200):
        ring.put(packet(index, pixels, index / RATE))
        while ring.compress_one():
            pass
    assert len(ring.between(0, 10)) > 30
    for frame in ring.between(0, 10):
        assert np.abs(frame.picture().astype(int) - pixels).mean() < 3


@pytest.mark.parametrize("colour", [False, True])
def test_compressed_frames_of_lossless_clips_are_the_same_frames(colour: bool) -> None:
    pixels = speckle(3, colour=colour)
    ring = FrameRing(10.0, 2 * pixels.nbytes, lossless=True)
    for index in range(2):
        ring.put(packet(index, pixels))
    assert ring.compress_one()
    first = ring.between(0, 10)[0]
    assert first.kept is None
    assert first.gray != colour
    np.testing.assert_array_equal(first.picture(), pixels)


def test_frames_that_a_clip_waits_for_stay_longer() -> None:
    ring = FrameRing(1.0, 2**30)
    for index in range(100):
        ring.put(at(index), keep_from_s=0.5 if index < 90 else float("inf"))
        if index == 89:
            assert ring.between(0, 10)[0].pts_s == pytest.approx(0.5)
    assert ring.between(0, 10)[0].pts_s == pytest.approx(99 / RATE - 1)


def test_a_size_that_changes_within_the_clip_cuts_it_there(tmp_path: Path) -> None:
    maker = ClipMaker(lambda: tmp_path, ClipSettings())
    for index in range(30):
        maker.put(packet(index, speckle(index, 64, 64) if index < 10 else speckle(index), index / RATE))
    maker.found(event(20))
    maker.close()
    assert len(frames_of(tmp_path / "clips" / "001_FHP1_f000020.mkv")) == 20
    assert maker.fault == ""
