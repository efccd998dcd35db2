"""Every frame is counted once, and durations over the time they are said to be."""

from __future__ import annotations

import pytest

from semc_core.pipeline.queues import LatestQueue
from semc_core.pipeline.statistics import SPREAD_WINDOW_S, FrameCounter
from semc_core.types import FramePacket
from tests.pipeline.scripted import packet


@pytest.mark.requirement("S2")
def test_each_way_a_frame_can_go_is_counted_and_the_sum_holds() -> None:
    meter = FrameCounter()
    frames: LatestQueue[FramePacket] = LatestQueue()

    def counts() -> tuple[int, int, int, int]:
        counted = meter.statistics()
        parts = (counted.classified, counted.skipped, counted.dropped, counted.in_flight)
        assert counted.frames_in == sum(parts)
        return parts

    meter.arrived(packet(0, 0.0), frames)
    meter.arrived(packet(1, 0.1), frames)
    assert counts() == (0, 0, 1, 1), "replaced"
    frames.get()
    assert counts() == (0, 0, 1, 1), "in the model"
    meter.classified(0.01, 0.02)
    assert counts() == (1, 0, 1, 0)
    meter.arrived(packet(2, 0.2), frames)
    frames.get()
    meter.skipped()
    assert counts() == (1, 1, 1, 0)
    meter.arrived(packet(3, 0.3), frames)
    frames.get()
    meter.failed()
    assert counts() == (1, 1, 2, 0)
    meter.arrived(packet(4, 0.4), frames)
    meter.close(frames)
    meter.close(frames)
    assert counts() == (1, 1, 3, 0), "left in the mailbox"
    meter.arrived(packet(5, 0.5), frames)
    assert counts() == (1, 1, 4, 0), "too late"


def test_a_frame_that_nobody_answers_for_stays_in_flight() -> None:
    meter = FrameCounter()
    frames: LatestQueue[FramePacket] = LatestQueue()
    meter.arrived(packet(0, 0.0), frames)
    frames.get()
    meter.close(frames)
    assert meter.statistics().in_flight == 1


def test_percentiles_are_of_the_last_seconds_and_of_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr("semc_core.pipeline.statistics.time.monotonic", lambda: now_s)
    meter = FrameCounter(keep_all=True)
    for second in range(3000):
        now_s = second / 60
        meter.classified(0.1 if now_s < 30 else 0.01, 0.2 if now_s < 30 else 0.02)
    recent = meter.statistics()
    assert (recent.model.p99_ms, recent.latency.p50_ms) == pytest.approx((10, 20))
    model, latency = meter.whole_run()
    assert (model.p50_ms, latency.p50_ms, latency.p99_ms) == pytest.approx((100, 200, 200))
    assert meter.whole_run(skip=1800)[0].p99_ms == pytest.approx(10)
    now_s += 2 * SPREAD_WINDOW_S
    assert meter.statistics().model.p50_ms == 0.0
    assert FrameCounter().whole_run()[0].p50_ms == 0.0
