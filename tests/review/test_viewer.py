"""The frame asked for last comes onto the screen, whatever was asked before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from semc_core.errors import SourceError, SourceInterrupted
from semc_core.picture import Picture
from semc_core.review.viewer import FrameViewer
from semc_core.sources.seek.base import GiveUp, Passed
from semc_core.types import FramePacket


class SlowLoop:
    """Gives frame 7 at once, any other when it is let go, or gives up.

    Args:
        first: The index that its first frame says it has: in a recording, that of the scan.
    """

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.release = threading.Event()
        self.given_up: list[int] = []
        self.read: list[int] = []
        self.rounds = 0

    def packet(self, index: int) -> FramePacket:
        return FramePacket("loop", self.first + index, index / 30, 0.0, Picture(np.zeros((2, 2), np.uint8)))

    def frame(self, index: int, give_up: GiveUp | None = None, passed: Passed | None = None) -> FramePacket:
        assert give_up is not None
        assert passed is not None
        self.read.append(index)
        if index < 0:
            raise SourceError("The loop has no frame -1; choose another.")
        while index != 7 and not self.release.wait(0.005):
            for passing in (index - 4, index - 1, index - 4):
                passed(partial(self.packet, passing))
            self.rounds += 1
            if give_up():
                self.given_up.append(index)
                raise SourceInterrupted("Given up.")
        return self.packet(index)


@pytest.fixture
def told() -> list[str]:
    return []


def until(viewer: FrameViewer, holds: Callable[[], bool]) -> None:
    with viewer._changed:
        assert viewer._changed.wait_for(holds, 30)


@pytest.mark.parametrize("first", [0, 130])
def test_something_near_is_shown_until_the_frame_itself_is_there(
    told: list[str], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semc_core.review.viewer.PATIENCE_S", 0.0)
    loop = SlowLoop(first)
    viewer = FrameViewer(loop, told.append)  # type: ignore[arg-type]  # what it needs of a source
    viewer.ask(34)
    until(viewer, lambda: viewer._got is not None and viewer._got.index == first + 33)
    seen, rounds = viewer.got, loop.rounds
    while loop.rounds < rounds + 3:
        loop.release.wait(0.005)
    assert viewer.got is seen, "nothing farther is shown after something near"
    loop.release.set()
    until(viewer, lambda: viewer._got is not None and viewer._got.index == first + 34)
    viewer.ask(7)
    until(viewer, lambda: viewer._got is not None and viewer._got.index == first + 7)
    viewer.close()
    assert not told


def test_what_is_no_longer_asked_for_is_given_up(told: list[str]) -> None:
    loop = SlowLoop()
    viewer = FrameViewer(loop, told.append)  # type: ignore[arg-type]
    viewer.ask(34)
    until(viewer, lambda: loop.read == [34])
    viewer.ask(7)
    until(viewer, lambda: viewer._got is not None and viewer._got.index == 7)
    assert loop.given_up == [34]
    viewer.ask(7)
    assert loop.read == [34, 7], "what was asked for last is not read again"
    viewer.ask(55)
    viewer.close()
    viewer.close()
    assert not told


def test_who_can_wait_better_waits_until_the_frame_is_shown_or_cannot_be(told: list[str]) -> None:
    loop = SlowLoop()
    viewer = FrameViewer(loop, told.append)  # type: ignore[arg-type]
    viewer.wait_until_shown(30)
    viewer.ask(34)
    until(viewer, lambda: loop.read == [34])
    viewer.wait_until_shown(0.01)
    assert viewer.got is None or viewer.got.index != 34
    polite = threading.Thread(target=viewer.wait_until_shown, args=(30,))
    polite.start()
    loop.release.set()
    polite.join(30)
    assert viewer.got is not None
    assert viewer.got.index == 34
    viewer.ask(-1)
    viewer.wait_until_shown(30)
    until(viewer, lambda: bool(told))
    viewer.close()


def test_a_frame_that_cannot_be_read_is_told(told: list[str]) -> None:
    said = threading.Event()

    def tell(sentence: str) -> None:
        told.append(sentence)
        said.set()

    viewer = FrameViewer(SlowLoop(), tell)  # type: ignore[arg-type]
    viewer.ask(-1)
    assert said.wait(30)
    viewer.close()
    assert told == ["The loop has no frame -1; choose another."]
