"""Heads that are proposed on the frames of brain planes, found on a thread. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app.tasks import Background, Post, fault_of
from semc_core.measure.ellipse import Ellipse
from semc_core.types import FramePacket

if TYPE_CHECKING:
    from semc_core.measure.head import HeadFinder


@dataclass(frozen=True, slots=True)
class HeadProposal:
    """What was found in one frame.

    Attributes:
        outline: Of the head, pixels of the frame; None where nothing is proposed.
        error: The share of the circumference within which 90 of 100 lie.
        why: Why nothing is proposed, a sentence; "" where something is.
    """

    outline: Ellipse | None
    error: float = 0.0
    why: str = ""


class HeadProposals:
    """Called by the window's thread; only `close` waits. The model is loaded when it is first needed."""

    def __init__(
        self, post: Post, arrived: Callable[[], None], make: Callable[[], HeadFinder] | None = None
    ) -> None:
        """Nothing is begun yet.

        Args:
            post: Has something done on the window's thread.
            arrived: Called there when something that was asked for is known.
            make: Loads what finds heads.
        """
        # One thread of the processor: playing and the analysis go on beside it.
        self._make = make or _head_finder
        self._arrived = arrived
        self._thread = Background("heads", post, others_first=True)
        self._finder: HeadFinder | None = None
        self._asked: set[int] = set()
        self._found: dict[int, HeadProposal] = {}

    def of(self, packet: FramePacket) -> HeadProposal | None:
        """What is proposed for a frame; None while it is looked for, which this begins."""
        index = packet.index
        if index not in self._asked:
            self._asked.add(index)
            self._thread.start(partial(self._find, packet), partial(self._take, self._found, index))
        return self._found.get(index)

    def forget(self) -> None:
        """The frames of another source have the same numbers."""
        self._asked, self._found = set(), {}

    def close(self) -> None:
        """End, after what is being looked for; for any thread."""
        self._thread.close(forget=True)
        if self._finder is not None:
            self._finder.close()

    def _find(self, packet: FramePacket) -> HeadProposal:
        if self._finder is None:
            self._finder = self._make()
        (found,) = self._finder.find([packet.gray])
        return HeadProposal(found.outline, self._finder.spec.error, found.why)

    def _take(self, found: dict[int, HeadProposal], index: int, future: Future[HeadProposal]) -> None:
        error = future.exception()
        found[index] = future.result() if error is None else HeadProposal(None, why=fault_of(error))
        self._arrived()


def _head_finder() -> HeadFinder:
    from semc_core.measure.head import HeadFinder  # the window opens without OpenVINO

    return HeadFinder(threads=1)
