"""A clock for a simulated card and its reader, which goes by what they wait for: never by a busy machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from semc_core.sources.devices import simulated
from semc_core.sources.devices.worker import Worker
from semc_core.sources.live import camera, outage

T = TypeVar("T")


class CardClock:
    """`time` that stands still but for what is waited for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now_s = 1000.0

    def monotonic(self) -> float:
        with self._lock:
            return self._now_s

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now_s += max(0.0, seconds)


class NeverStopped(threading.Event):
    """What tells a reader to stop: waited for, it lets the clock go on."""

    def __init__(self, clock: CardClock, waited: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._clock, self._waited = clock, waited

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._clock.sleep(timeout)
        self._waited()
        return False


class Impatient(Worker):
    """Gives up a call that took too long by the clock."""

    clock = CardClock()

    def call(self, what: Callable[[], T], late: Callable[[T], None], timeout_s: float) -> T:
        begun_s = self.clock.monotonic()
        given = super().call(what, late, 60)
        if self.clock.monotonic() - begun_s > timeout_s:
            late(given)
            raise TimeoutError
        return given


def put_in_place(monkeypatch: pytest.MonkeyPatch) -> CardClock:
    """From now on simulated cards and their readers go by this clock."""
    now = CardClock()
    for place in (camera, outage, simulated):
        monkeypatch.setattr(place, "time", now)
    monkeypatch.setattr(Impatient, "clock", now)
    monkeypatch.setattr(camera, "Worker", Impatient)
    return now
