"""From the capture thread to the sink: nothing that is classified escapes a recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from semc_core.errors import SaveError
from semc_core.io.video_quality import Quality
from semc_core.pipeline.capture_tap import CaptureTap
from semc_core.pipeline.sink import MemorySink
from semc_core.session.recording.clips import ClipSettings
from semc_core.session.recording.parts import RecordedSource
from semc_core.session.records import PROGRAM
from semc_core.session.session import Session
from semc_core.session.writer import SessionWriter
from tests.pipeline.scripted import packet
from tests.session.killed_writer import origin
from tests.session.sessions import frame


def recorded(folder: Path) -> list[int]:
    source = RecordedSource(folder)
    indices = []
    while (shown := source.read()) is not None:
        indices.append(shown.index)
    source.close()
    return indices


def test_the_newest_frame_before_the_scan_begins_is_recorded_too(tmp_path: Path) -> None:
    tap = CaptureTap()
    for index in range(5):
        tap.captured(packet(index, index / 30))
    sink = SessionWriter(tmp_path / "scan", origin(), clips=ClipSettings())
    sink.start_recording(Quality.LOSSLESS)
    tap.connect(sink)
    tap.captured(packet(5, 5 / 30))
    sink.classified(frame(4))
    sink.close()
    assert sink.fault == ""
    assert recorded(tmp_path / "scan") == [4, 5]


def test_recordings_follow_each_other_and_are_logged(tmp_path: Path) -> None:
    tap = CaptureTap()
    sink = SessionWriter(tmp_path / "scan", origin())
    tap.connect(sink)
    sink.classified(frame(0))
    for index in range(9):
        if index in (2, 6):
            tap.start_recording(Quality.LOSSLESS)
            tap.start_recording(Quality.LOSSLESS)
        if index == 4:
            tap.stop_recording()
            assert tap.recording is not None and not tap.recording.active  # noqa: PT018 - one state
        tap.captured(packet(index, index / 30))
    sink.close()

    assert recorded(tmp_path / "scan") == [2, 3, 6, 7, 8]
    with Session.open(tmp_path / "scan", read_only=True) as session:
        told = [
            entry.payload for entry in session.audit() if (entry.who, entry.kind) == (PROGRAM, "recording")
        ]
    assert [(each["parts"], each["frames"]) for each in told] == [
        (["recording.mkv"], 2),
        (["recording-2.mkv"], 3),
    ]
    with pytest.raises(SaveError, match="over"):
        tap.start_recording()


def test_a_scan_that_is_not_saved_or_has_not_begun_cannot_be_recorded() -> None:
    tap = CaptureTap()
    with pytest.raises(SaveError, match="not begun"):
        tap.start_recording()
    tap.stop_recording()
    tap.connect(MemorySink())
    with pytest.raises(SaveError, match="switch saving on"):
        tap.start_recording()
    assert tap.recording is None
    tap.stop_recording()


def test_a_session_that_never_began_ends_the_recording_with_a_sentence(tmp_path: Path) -> None:
    sink = SessionWriter(tmp_path / "scan", origin())
    sink.start_recording(Quality.COMPACT)
    sink.captured(packet(0, 0.0))
    sink.close()
    assert "no session to write to" in sink.fault
    assert not (tmp_path / "scan").exists()
