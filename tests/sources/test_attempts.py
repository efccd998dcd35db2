"""Several tries to connect at once: the first that succeeds is taken, and none is left open."""

from __future__ import annotations

import itertools
import threading

import pytest

from semc_core.errors import SourceError
from semc_core.sources.live.attempts import Attempts


class Opened:
    def __init__(self, number: int) -> None:
        self.number, self.closed = number, threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_a_try_that_hangs_does_not_hold_up_the_next_and_is_closed_when_it_comes_back() -> None:
    numbers, go_on = itertools.count(), threading.Event()
    made: list[Opened] = []

    def connect() -> Opened:
        made.append(Opened(next(numbers)))
        mine = made[-1]
        if mine.number == 0:
            go_on.wait()
        return mine

    attempts = Attempts(connect, at_once=2, every_s=0.01)
    first = attempts.first(threading.Event(), lambda: 0.0, lambda why: None)
    assert first is not None
    assert first.number == 1
    go_on.set()
    assert made[0].closed.wait(30), "it came too late"
    assert not first.closed.is_set()


def test_what_fails_is_told_and_tried_again_after_a_pause() -> None:
    numbers, told = itertools.count(), list[str]()

    def connect() -> Opened:
        if (number := next(numbers)) < 3:
            raise SourceError(f"not yet {number}")
        return Opened(number)

    first = Attempts(connect, at_once=1, every_s=1000).first(threading.Event(), lambda: 0.0, told.append)
    assert first is not None
    assert told == ["not yet 0", "not yet 1", "not yet 2"]


def test_no_more_are_under_way_than_may_be_and_the_end_of_the_scan_ends_it() -> None:
    begun, stopping, go_on = list[int](), threading.Event(), threading.Event()

    def connect() -> Opened:
        begun.append(1)
        if len(begun) == 2:
            stopping.set()
        go_on.wait()
        return Opened(0)

    assert Attempts(connect, at_once=2, every_s=0.0).first(stopping, lambda: 0.0, lambda why: None) is None
    assert len(begun) == 2
    go_on.set()


def test_a_fault_that_is_none_of_the_network_is_raised() -> None:
    def connect() -> Opened:
        raise ZeroDivisionError

    attempts = Attempts(connect, at_once=1, every_s=1.0)
    with pytest.raises(ZeroDivisionError):
        attempts.first(threading.Event(), lambda: 0.0, lambda why: None)
