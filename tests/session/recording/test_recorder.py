"""Recording: what is read back is what was put in, whatever happens meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.errors import SaveError, SessionError, SourceError
from semc_core.io.video_encoder import VideoWriter, is_gray
from semc_core.io.video_quality import Quality
from semc_core.session.recording.parts import PartWriter, RecordedSource, part_videos, read_table
from semc_core.session.recording.recorder import Recorder
from semc_core.sources.video import VideoSource
from semc_core.types import FramePacket, read_only
from tests.session.pictures import packet, speckle
from tests.session.recording.killed_recorder import kill_one


def read_all(folder: Path) -> list[FramePacket]:
    source = RecordedSource(folder)
    try:
        frames = []
        while (frame := source.read()) is not None:
            frames.append(frame)
        return frames
    finally:
        source.close()


@pytest.mark.parametrize("kind", ["gray", "colour", "colour without colour"])
def test_lossless_gives_every_pixel_index_and_time_back(tmp_path: Path, kind: str) -> None:
    frames = []
    for number in range(12):
        pixels = speckle(number, colour=kind == "colour")
        if kind == "colour without colour":
            pixels = read_only(np.repeat(pixels[..., None], 3, axis=2))
        # Uneven times and a gap in the numbers, as a live source has them.
        frames.append(packet(number + 5 * (number > 6), pixels, 7.0 + number * 0.0337 + (number % 3) * 0.004))
    recorder = Recorder(lambda: tmp_path, Quality.LOSSLESS)
    assert all(recorder.put(frame) for frame in frames)
    state = recorder.close()

    assert (state.frames, state.lost, state.parts, state.fault) == (12, 0, ("recording.mkv",), "")
    assert not state.active
    again = read_all(tmp_path)
    assert [(one.index, one.pts_s) for one in again] == [(one.index, one.pts_s) for one in frames]
    for given, got in zip(frames, again, strict=True):
        np.testing.assert_array_equal(given.pixels, got.pixels)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("size", [(96, 128), (97, 131)])
def test_compact_is_close_and_keeps_the_form(tmp_path: Path, colour: bool, size: tuple[int, int]) -> None:
    frames = [packet(number, speckle(number, *size, colour=colour)) for number in range(6)]
    recorder = Recorder(lambda: tmp_path, Quality.COMPACT)
    for frame in frames:
        recorder.put(frame)
    recorder.close()

    for given, got in zip(frames, read_all(tmp_path), strict=True):
        assert given.pixels.shape == got.pixels.shape
        difference = given.pixels.astype(int) - got.pixels
        # Colours are stored at half the resolution; gray, on the right, is not tinted.
        assert np.abs(difference).mean() < 8
        assert np.abs(difference[:, 80:].mean(axis=(0, 1))).max() < 1


def test_times_in_the_file_are_the_scans_to_the_millisecond(tmp_path: Path) -> None:
    times = [3.0, 3.0331, 3.1, 3.1002, 3.5]
    recorder = Recorder(lambda: tmp_path)
    for number, time_s in enumerate(times):
        recorder.put(packet(number, speckle(number), time_s))
    recorder.close()

    source = VideoSource(tmp_path / "recording.mkv")
    seen = [source.read() for _ in times]
    source.close()
    # Two frames within one millisecond: the second is a millisecond late in the file, not in the table.
    assert [round(one.pts_s * 1000) for one in seen if one] == [0, 33, 100, 101, 500]
    assert read_table(tmp_path / "recording.mkv").pts_s.tolist() == times


def test_another_size_or_colour_begins_another_part(tmp_path: Path) -> None:
    pictures = [
        speckle(0),
        speckle(1),
        speckle(2, 64, 64),
        speckle(3, 64, 64, colour=True),
        speckle(4, 64, 64),
    ]
    recorder = Recorder(lambda: tmp_path, Quality.LOSSLESS)
    for number, pixels in enumerate(pictures):
        recorder.put(packet(number, pixels))
    state = recorder.close()

    assert state.parts == ("recording.mkv", "recording-2.mkv", "recording-3.mkv")
    assert [video.name for video in part_videos(tmp_path)] == list(state.parts)
    assert state.size_bytes == sum(video.stat().st_size for video in part_videos(tmp_path))
    for given, got in zip(pictures, read_all(tmp_path), strict=True):
        np.testing.assert_array_equal(given, got.pixels)


def test_a_second_recording_leaves_the_first_alone(tmp_path: Path) -> None:
    for number in range(2):
        recorder = Recorder(lambda: tmp_path)
        recorder.put(packet(number, speckle(number)))
        recorder.close()
    assert [frame.index for frame in read_all(tmp_path)] == [0, 1]


def test_what_the_encoder_cannot_take_is_lost_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on = threading.Event(), threading.Event()
    write = VideoWriter.write

    def slow(self: VideoWriter, pixels: NDArray[np.uint8], time_ms: int) -> int:
        writing.set()
        assert go_on.wait(20)
        return write(self, pixels, time_ms)

    monkeypatch.setattr(VideoWriter, "write", slow)
    pixels = speckle(0)
    recorder = Recorder(lambda: tmp_path, waiting_bytes=3 * pixels.nbytes)
    assert recorder.put(packet(0, pixels))
    assert writing.wait(20)
    taken = [recorder.put(packet(number, pixels)) for number in range(1, 6)]
    go_on.set()
    state = recorder.close()

    assert taken == [True, True, True, False, False]
    assert (state.frames, state.lost) == (4, 2)
    assert not recorder.put(packet(9, pixels))
    assert [frame.index for frame in read_all(tmp_path)] == [0, 1, 2, 3]


def test_nothing_waits_so_long_that_a_kill_would_lose_more_than_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on = threading.Event(), threading.Event()
    write = VideoWriter.write

    def slow(self: VideoWriter, pixels: NDArray[np.uint8], time_ms: int) -> int:
        if time_ms > 0:
            writing.set()
            assert go_on.wait(20)
        return write(self, pixels, time_ms)

    monkeypatch.setattr(VideoWriter, "write", slow)
    recorder = Recorder(lambda: tmp_path, waiting_s=0.0)
    assert recorder.put(packet(0, speckle(0), 1.0))
    # The first was written when the second is.
    assert recorder.put(packet(1, speckle(1), 1.1))
    assert writing.wait(20)
    taken = [recorder.put(packet(number, speckle(0), 1.0 + number)) for number in range(2, 5)]
    go_on.set()
    state = recorder.close()

    assert taken == [True, False, False]
    assert (state.frames, state.lost) == (3, 2)


def test_a_part_that_cannot_be_begun_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match="could not be encoded"):
        PartWriter(tmp_path, 0, 0, gray=True, quality=Quality.COMPACT)
    assert list(tmp_path.iterdir()) == []


def test_parts_after_one_that_is_gone_are_found(tmp_path: Path) -> None:
    # A kill before the first video was begun leaves its table.
    (tmp_path / "recording.csv").write_text("frame_index,pts_s,time_ms,channels\n", encoding="utf-8")
    for number in range(9):
        recorder = Recorder(lambda: tmp_path)
        recorder.put(packet(number, speckle(number)))
        recorder.close()
    (tmp_path / "recording-3.mkv").unlink()
    assert [frame.index for frame in read_all(tmp_path)] == [0, *range(2, 9)]


def test_room_is_left_on_the_disk(tmp_path: Path) -> None:
    recorder = Recorder(lambda: tmp_path, reserve_bytes=2**62)
    recorder.put(packet(0, speckle(0)))
    state = recorder.close()
    assert "nearly full" in state.fault
    assert (state.frames, state.parts) == (0, ())


def test_a_table_that_is_damaged_is_told_and_a_cut_last_line_is_left_out(tmp_path: Path) -> None:
    recorder = Recorder(lambda: tmp_path)
    for number in range(4):
        recorder.put(packet(number, speckle(number)))
    recorder.close()
    table = tmp_path / "recording.csv"
    whole = table.read_text(encoding="utf-8")

    table.write_text(whole[:-6], encoding="utf-8")
    assert [frame.index for frame in read_all(tmp_path)] == [0, 1, 2]
    table.write_text(whole.replace("1,", "one,", 1), encoding="utf-8")
    with pytest.raises(SessionError, match="damaged"):
        RecordedSource(tmp_path)


def test_a_part_without_a_picture_is_left_out(tmp_path: Path) -> None:
    for number in range(2):
        recorder = Recorder(lambda: tmp_path)
        recorder.put(packet(number, speckle(number)))
        recorder.close()
    last = tmp_path / "recording-2.mkv"
    last.write_bytes(last.read_bytes()[:300])
    source = RecordedSource(tmp_path)
    read = source.read()
    assert read is not None
    assert (read.index, source.read()) == (0, None)
    assert source.info.notice == (
        "recording-2.mkv, a part of the recording, cannot be read; its frames are missing here."
    )
    source.close()
    (tmp_path / "recording.mkv").write_bytes(b"")
    with pytest.raises(SourceError):
        RecordedSource(tmp_path)


def test_a_session_without_a_recording_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no recording"):
        RecordedSource(tmp_path)


def test_one_coloured_pixel_is_colour() -> None:
    pixels = np.repeat(speckle(1)[..., None], 3, axis=2)
    assert is_gray(pixels)
    pixels[50, 51, 1] ^= 1
    assert not is_gray(pixels)


@pytest.mark.parametrize("quality", list(Quality))
def test_a_kill_leaves_a_recording_that_plays_nearly_to_its_end(tmp_path: Path, quality: Quality) -> None:
    left = kill_one(tmp_path / "scan", quality, 25)
    assert left.wrong == left.gaps, "what a busy machine had no time for is missing, nothing is another"
    assert left.lost_s < 0.5
    assert left.ok


_FILLS_THE_DISK = """
import resource, sys
from pathlib import Path
from semc_core.io.video_quality import Quality
from semc_core.session.recording.recorder import Recorder
from tests.session.pictures import packet, speckle
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
recorder = Recorder(lambda: Path(sys.argv[1]), Quality.LOSSLESS, waiting_bytes=2**30)
for index in range(100):
    recorder.put(packet(index, speckle(index, 240, 320)))
state = recorder.close()
print(state.frames, state.lost, state.fault)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of a file")
def test_a_disk_that_takes_no_more_ends_the_recording_and_loses_nothing_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FILLS_THE_DISK, str(tmp_path)],
        capture_output=True, encoding="utf-8", cwd=Path(__file__).parents[3], check=True,
    )  # fmt: skip
    frames, lost, fault = done.stdout.strip().split(" ", 2)
    assert int(lost) > 0
    assert fault.startswith("The recording was stopped.")
    assert fault.endswith("The scan goes on.")
    again = read_all(tmp_path)
    # The last cluster, 0.25 s, may have been cut off.
    assert int(frames) - 13 <= len(again) <= int(frames) + 1
    for frame in again:
        np.testing.assert_array_equal(frame.pixels, speckle(frame.index, 240, 320))
