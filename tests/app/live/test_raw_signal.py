"""The key that keeps what a card sends, and saves it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.live.raw_signal import RawSignal
from app.scan_options import ScanOptions
from semc_core.sources.raw.records import Coding, Raw
from semc_core.sources.raw.replay import TapSource
from semc_core.sources.raw.tap import camera_origin
from tests.app.main_thread import PostedWork


@pytest.fixture
def options(tmp_path: Path) -> ScanOptions:
    return ScanOptions("camera:0", Path("model"), "cpu", tmp_path / "out")


def test_the_key_begins_to_keep_and_then_saves_and_says_that_pixels_may_show_a_name(
    options: ScanOptions,
) -> None:
    thread, told, wrong = PostedWork(), list[str](), list[str]()
    signal = RawSignal(thread.post, told.append, wrong.append)
    options.tap.describe(camera_origin("usb-1:2@x", ()))
    signal.press(options)
    assert options.tap.keeping
    signal.press(options)
    thread.run_until(lambda: bool(wrong))
    assert (len(told), "Nothing has come" in wrong[0]) == (1, True)
    options.tap.keep(Raw(Coding("buffer", "BGR3", 4, 3), 0.0, np.full((3, 4, 3), 7, np.uint8)))
    signal.press(options)
    thread.run_until(lambda: len(told) == 2)
    signal.close()
    (path,) = options.output.glob("raw-*.semctap")
    assert str(path) in told[1]
    assert "look at it before you send it" in told[1]
    source = TapSource(path)
    assert source.info.width == 4
    source.close()
