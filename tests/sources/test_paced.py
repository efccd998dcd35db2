"""A source played at its own speed."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from semc_core.errors import SourceInterrupted
from semc_core.sources.base import PacedSource
from semc_core.sources.images import ImageFolderSource
from tests.sources.capture_clips import write_images


def test_frames_are_not_given_before_their_time(tmp_path: Path) -> None:
    source = PacedSource(ImageFolderSource(write_images(tmp_path, 6), frame_rate=50))
    assert source.info.live
    begun_s = time.monotonic()
    while (packet := source.read()) is not None:
        assert packet.captured_s - begun_s >= packet.pts_s
        assert packet.captured_s <= time.monotonic()


def test_a_late_reader_does_not_wait(tmp_path: Path) -> None:
    source = PacedSource(ImageFolderSource(write_images(tmp_path, 6), frame_rate=1e6))
    source.read()
    threading.Event().wait(0.01)
    waited = [source.read() for _ in range(5)]
    assert all(packet is not None and packet.captured_s - packet.pts_s > 0 for packet in waited)
    assert source.read() is None


def test_an_interrupt_ends_the_wait_at_once(tmp_path: Path) -> None:
    source = PacedSource(ImageFolderSource(write_images(tmp_path, 2), frame_rate=1 / 3600))
    source.read()
    outcome = []

    def wait_an_hour() -> None:
        with pytest.raises(SourceInterrupted):
            source.read()
        outcome.append("interrupted")

    reader = threading.Thread(target=wait_an_hour)
    reader.start()
    source.interrupt()
    reader.join(30)
    assert outcome == ["interrupted"]
    source.close()
