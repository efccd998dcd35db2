"""A stream gives pictures again soon after its sender is back, by a clock that goes by what is waited for.

Senders and threads are made up; what decides when, how often and how long it is tried is the program's.
`python -m tests.pipeline.healing` measures real senders by the real clock.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest

from semc_core.errors import SourceError
from semc_core.picture import Picture
from semc_core.picture_options import AS_IT_IS
from semc_core.sources.frames.live_frames import Received
from semc_core.sources.live import attempts, outage, stream
from semc_core.sources.live.outage import NO_PICTURES, OutageTeller
from tests.pipeline.healing import AWAY_S
from tests.sources.card_clock import CardClock, NeverStopped

GOAL_S: Final = 2.0
TOLD_S: Final = 2.0
RATE: Final = 25
CONNECTS_S: Final = 0.5
"""So long a sender takes from the first word to the first picture."""
PICTURE: Final = Picture(np.full((8, 8), 99, np.uint8))


class Network:
    """A sender that is away for a while, and those who ask it.

    Args:
        clock: That all of it goes by.
        lost: Whether connections stay open and carry nothing, and who asks meanwhile hears nothing; else
            they are closed, and who asks is refused.
        away_s: How long.
    """

    def __init__(self, clock: CardClock, lost: bool, away_s: float) -> None:
        self.clock, self._lost = clock, lost
        self.gone_s = clock.monotonic() + 10
        self.back_s = self.gone_s + away_s
        self.tries = 0
        self.answer_s = 0.0

    def connect(self, url: str, name: str, timeouts_s: tuple[float, float], *_: object) -> Connected:
        """As `connect.connect`; how long it took stands in `answer_s`."""
        self.tries += 1
        away = self.gone_s <= self.clock.monotonic() < self.back_s
        self.answer_s = CONNECTS_S if not away else timeouts_s[0] if self._lost else 0.0
        if away:
            raise SourceError(f"{name} is away.")
        return Connected(self, timeouts_s[1])

    def pictures(self, read_timeout_s: float) -> Iterator[Received]:
        """Of one connection: until the sender goes."""
        begun_s = self.clock.monotonic()
        while True:
            self.clock.sleep(1 / RATE)
            now_s = self.clock.monotonic()
            if begun_s < self.gone_s <= now_s:
                self.clock.sleep(read_timeout_s if self._lost else 0)
                raise SourceError("It broke off.")
            yield Received(PICTURE, now_s - begun_s, now_s)


class Tries:
    """A queue of how tries to connect end, each so long after it was begun."""

    def __init__(self, network: Network) -> None:
        self._network, self._clock = network, network.clock
        self._coming: list[tuple[float, int, Any]] = []
        self._numbers = itertools.count()

    def put(self, result: Any) -> None:
        """A try was begun, and will end so."""
        due_s = self._clock.monotonic() + self._network.answer_s
        heapq.heappush(self._coming, (due_s, next(self._numbers), result))

    def get(self, timeout: float = 0.0) -> Any:
        """Waits for the next end of a try."""
        now_s = self._clock.monotonic()
        if self._coming and self._coming[0][0] <= now_s + timeout:
            due_s, _, result = heapq.heappop(self._coming)
            self._clock.sleep(due_s - now_s)
            return result
        self._clock.sleep(timeout)
        raise queue.Empty

    def empty(self) -> bool:
        """Whether none has ended by now."""
        return not self._coming or self._coming[0][0] > self._clock.monotonic()


class Connected:
    """See `connect.StreamConnection`."""

    rate, has_end, told = float(RATE), False, ""

    def __init__(self, network: Network, read_timeout_s: float) -> None:
        self._network, self._read_timeout_s = network, read_timeout_s

    def received(self) -> Iterator[Received | None]:
        return self._network.pictures(self._read_timeout_s)

    def close(self) -> None:
        """Nothing is held."""


class AtOnce:
    """A thread that has done its work when it is begun."""

    def __init__(self, target: Callable[[], None], **_: object) -> None:
        self.start = target


def outcome(
    monkeypatch: pytest.MonkeyPatch, scheme: str, lost: bool, away_s: float
) -> tuple[float, float, int]:
    """Seconds from the sender's return to the first picture, from its end until that is told; and tries."""
    clock = CardClock()
    network = Network(clock, lost, away_s)
    for place in (attempts, outage):
        monkeypatch.setattr(place, "time", clock)
    monkeypatch.setattr(attempts, "threading", SimpleNamespace(Thread=AtOnce, Lock=threading.Lock))
    monkeypatch.setattr(
        attempts, "queue", SimpleNamespace(SimpleQueue=lambda: Tries(network), Empty=queue.Empty)
    )
    monkeypatch.setattr(stream, "connect", network.connect)
    connected = scheme not in stream._WITHOUT_CONNECTION
    timeouts_s = (stream.OPEN_TIMEOUT_S, stream.CONNECTED_TIMEOUT_S if connected else stream.READ_TIMEOUT_S)
    teller, told_s = OutageTeller("The stream"), list[float]()
    reader = stream._Stream(f"{scheme}://host/live", "The stream", timeouts_s, teller, AS_IT_IS, None)
    info = reader.open()

    def look() -> None:
        if teller.added_to(info).trouble == NO_PICTURES:
            told_s.append(clock.monotonic())

    sleep = clock.sleep

    def slept(seconds: float) -> None:
        """In small steps, as somebody looks at the window meanwhile."""
        while seconds > 0:
            sleep(min(0.1, seconds))
            seconds -= 0.1
            look()

    monkeypatch.setattr(clock, "sleep", slept)
    while (grabbed := reader.grab(NeverStopped(clock))) is not None:
        assert grabbed.captured_s is not None
        if grabbed.captured_s >= network.back_s:
            return grabbed.captured_s - network.back_s, told_s[0] - network.gone_s, network.tries
    raise AssertionError("it ended")


@pytest.mark.parametrize("away_s", AWAY_S)
@pytest.mark.parametrize("lost", [False, True], ids=["killed", "vanished"])
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_stream_heals_within_the_stated_time_after_its_sender_is_back(
    monkeypatch: pytest.MonkeyPatch, scheme: str, lost: bool, away_s: float
) -> None:
    healed_s, told_s, _ = outcome(monkeypatch, scheme, lost, away_s)
    assert CONNECTS_S <= healed_s <= GOAL_S
    assert told_s <= TOLD_S, "meanwhile it was said that no pictures come"


@pytest.mark.parametrize(("lost", "most"), [(False, 75), (True, 84)], ids=["killed", "vanished"])
def test_who_does_not_come_back_for_a_minute_is_asked_with_pauses(
    monkeypatch: pytest.MonkeyPatch, lost: bool, most: int
) -> None:
    healed_s, _, tries = outcome(monkeypatch, "rtsp", lost, 60.0)
    assert healed_s <= GOAL_S
    assert 30 <= tries <= most, tries
