"""What interrupts a scan is told, counted, and stands in the session's log with its times."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from semc_core.io.video_quality import Quality as EncoderQuality
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase, PipelineSettings
from semc_core.session.listing import session_folders
from semc_core.session.session import Session
from semc_core.session.sink import session_sink
from semc_core.sources.devices.contents import number_in
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live.camera import CameraSource
from semc_core.types import Crop, FramePacket
from tests.pipeline.live_scans import assert_nothing_lost, new_engine, phase_of, scripted
from tests.pipeline.scripted import probabilities

MODES = ("160x120@50,yuyv",)


def nothing(index: int) -> NDArray[np.float32]:
    return probabilities("NSP", 0.9)


def card_with(*events: Event, **of_device: Any) -> ScriptedDevice:
    settings: dict[str, Any] = {"identity": "card@1", "modes": MODES, "content": "count", **of_device}
    return ScriptedDevice(**settings, events=events)


def scan_of(card: ScriptedDevice, folder: Path | None, patience_s: float = 60) -> LivePipeline[Session]:
    system = SimulatedDevices(Script((card,)))
    return new_engine(
        lambda: CameraSource("card@1", patience_s=patience_s, system=system),
        scripted(nothing),
        None if folder is None else session_sink(folder),
    )


def run_until(engine: LivePipeline[Session], last: int) -> set[str]:
    """Scan up to the picture with the number `last`; what was told meanwhile."""
    told: set[str] = set()
    engine.start()
    # Bars have a number, too, which is far too large.
    while not last <= number_in(engine.preview.get().pixels) < last + 300:
        info = engine.source_info
        told.add("" if info is None else info.notice)
        assert phase_of(engine) in (Phase.STARTING, Phase.RUNNING)
    return told


def logged(folder: Path, cause: str) -> list[dict[str, Any]]:
    """The entries of one cause: on a busy machine a card may be slow, too."""
    (session,) = session_folders(folder)
    with Session.open(session, read_only=True) as opened:
        assert opened.verify().ok
        return [
            entry.payload
            for entry in opened.audit()
            if entry.kind == "signal" and entry.payload["cause"] == cause
        ]


@pytest.mark.requirement("S4")
def test_a_gap_stands_in_the_log_with_its_times_and_its_cause(tmp_path: Path) -> None:
    engine = scan_of(card_with(Event(60, "unplug", 1.5), Event(120, "fail", 1.5)), tmp_path)
    run_until(engine, 180)
    engine.stop()
    assert_nothing_lost(engine.statistics())
    gaps = logged(tmp_path, "no pictures")  # on a busy machine there may be others, too
    first, second = [gap for gap in gaps if gap["end_s"] - gap["start_s"] >= 1.4][:2]
    assert "is unplugged" in first["why"]
    assert first["end_s"] < second["start_s"]
    assert engine.statistics().interruptions >= 2


def test_a_machine_that_slept_is_told_and_the_scan_goes_on_in_its_own_time(tmp_path: Path) -> None:
    engine = scan_of(card_with(Event(60, "sleep", 90.0)), tmp_path)
    told = run_until(engine, 120)
    engine.stop()
    (gap,) = logged(tmp_path, "machine slept")
    assert gap["end_s"] - gap["start_s"] == pytest.approx(90.0, abs=5.0)
    assert gap["why"] == "The machine slept for 90 s; the scan went on."
    assert any(gap["why"] in each for each in told)
    assert engine.statistics().interruptions >= 1


def test_a_lost_signal_stands_in_the_log(tmp_path: Path) -> None:
    engine = scan_of(card_with(Event(60, "no_signal", 2.0, card="bars")), tmp_path)
    run_until(engine, 260)  # the model is some pictures behind what is shown
    engine.stop()
    (gap,) = logged(tmp_path, "no signal")
    assert gap["end_s"] - gap["start_s"] == pytest.approx(2.0, abs=1.0)


def test_what_is_not_over_when_the_scan_is_stopped_stands_in_the_log(tmp_path: Path) -> None:
    engine = scan_of(card_with(Event(60, "unplug", 3000)), tmp_path)
    engine.start()
    missing_since = time.monotonic()
    while time.monotonic() < missing_since + 1.5:  # a gap is longer than a second
        time.sleep(0.02)
        # On a busy machine pictures may be missing for a moment before the cable is pulled, too.
        if (info := engine.source_info) is None or info.trouble != "no pictures":
            missing_since = time.monotonic()
    engine.stop()
    gap = logged(tmp_path, "no pictures")[-1]
    assert gap["end_s"] > gap["start_s"] + 1


def test_a_card_that_gives_much_less_than_it_was_asked_for_is_told(tmp_path: Path) -> None:
    engine = scan_of(card_with(gives="160x120@4,yuyv"), tmp_path)
    engine.start()
    told = []
    for packet in _pictures(engine, 12):
        info = engine.source_info
        assert info is not None
        told.append((packet, info.trouble, info.notice))
    engine.stop()
    slow = [p for p, trouble, notice in told if trouble == "slow" and "Less than half of the 50" in notice]
    assert slow[0].pts_s < 2.0, "on the pictures' own clock"
    assert told[-1][1] == "slow", "also when what was measured is told instead"
    spell = logged(tmp_path, "slow")[0]
    assert spell["why"].startswith("Less than half of the 50 frames/s come from Camera 0")


def test_a_card_that_gives_what_it_was_asked_for_is_not_slow() -> None:
    engine = scan_of(card_with(modes=("160x120@20,yuyv",)), None)
    engine.start()
    troubles = []
    for _ in _pictures(engine, 40):
        info = engine.source_info
        troubles.append("" if info is None else info.trouble)
    rate = engine.statistics().capture_rate
    engine.stop()
    assert troubles.count("slow") <= len(troubles) // 4 or rate < 12, "only a busy machine gives fewer"


def _pictures(engine: LivePipeline[Session], count: int) -> Iterator[FramePacket]:
    return (engine.preview.get() for _ in range(count))


def test_a_size_that_changes_in_the_middle_begins_another_part_of_the_recording(tmp_path: Path) -> None:
    card = card_with(Event(60, "size", mode="320x200@50,yuyv"), content="scan")
    system = SimulatedDevices(Script((card,)))
    engine = new_engine(
        lambda: CameraSource("card@1", patience_s=60, system=system),
        scripted(nothing),
        session_sink(tmp_path),
        PipelineSettings(record=EncoderQuality.COMPACT),
    )
    engine.start()
    engine.set_crop(Crop(40, 30, 100, 80))
    sizes: set[tuple[int, int]] = set()
    while len(sizes) < 2:
        result = engine.results.get()
        height, width = result.packet.picture.height, result.packet.picture.width
        sizes.add((width, height))
        assert result.crop.left + result.crop.width <= width
        assert result.crop.top + result.crop.height <= height
    assert phase_of(engine) is Phase.RUNNING
    engine.stop()
    recording = engine.tap.recording
    assert sizes == {(160, 120), (320, 200)}
    assert recording is not None
    assert (len(recording.parts), recording.lost, recording.fault) == (2, 0, "")
    (session,) = session_folders(tmp_path)
    with Session.open(session, read_only=True) as opened:
        assert opened.verify().ok
