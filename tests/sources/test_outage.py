"""What is told of a source that comes and goes: one true thing at a time, and nothing that is over."""

from __future__ import annotations

import time

from semc_core.sources.live.outage import NO_PICTURES, OutageTeller
from semc_core.types import SourceInfo

INFO = SourceInfo("camera 0", "camera", 640, 480, 30.0, None, True, "Camera 0 gives less than asked.")


def test_what_was_measured_before_is_not_told_while_nothing_comes() -> None:
    teller = OutageTeller("Camera 0")
    teller.came(time.monotonic())
    assert teller.added_to(INFO) == INFO
    teller.began("Camera 0 is unplugged.")
    told = teller.added_to(INFO)
    assert (told.notice, told.trouble, told.outage) == (
        "Camera 0 is unplugged.",
        NO_PICTURES,
        "Camera 0 is unplugged.",
    )
    teller.came(time.monotonic())
    told = teller.added_to(INFO)
    assert "unplugged" not in told.notice
    assert told.notice.startswith("Camera 0 gave no pictures for ")
    assert told.notice.endswith(INFO.notice)
    assert (told.trouble, told.outage) == ("", "Camera 0 is unplugged.")


def test_a_device_that_hangs_and_says_nothing_is_told_to_be_silent() -> None:
    teller = OutageTeller("Camera 0", silent_after_s=0.0)
    teller.came(time.monotonic() - 1)
    assert "gives no pictures at the moment" in teller.added_to(INFO).notice


def test_that_the_scan_went_on_is_told_for_a_while_and_not_for_ever() -> None:
    teller = OutageTeller("Camera 0", silent_after_s=1000)
    teller.rate_is_told = True  # by the notice of its own
    now_s = time.monotonic()
    teller.came(now_s - 60)
    teller.began("Camera 0 is unplugged.")
    teller.came(now_s - 30)
    assert teller.added_to(INFO).notice == INFO.notice
