"""The analysis of one loop of the list, on a thread of its own. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Final, Protocol

from app.batch.presenter import Summary
from semc_core.errors import SessionError, SessionInUse
from semc_core.language import N_, _
from semc_core.protocols.standing import Standings
from semc_core.review.analysis import LoopAnalysis, ReviewPhase
from semc_core.session.session import Session
from semc_core.sources.seek.base import SeekableSource

_LOOK_S: Final = 0.2
_IN_USE: Final = N_(
    "Its session is open in another window or program, which has not analysed it to its end; close it there, "
    "then press Enter here."
)


class OpenLoop(Protocol):
    """A loop's session with its frames and its analysis, which goes on by itself."""

    @property
    def session(self) -> Session:
        """Of the loop; a new one, or the one of an earlier analysis."""
        ...

    @property
    def source(self) -> SeekableSource | None:
        """Its frames; None if they are not there."""
        ...

    @property
    def analysis(self) -> LoopAnalysis | None:
        """None without frames."""
        ...

    @property
    def notice(self) -> str:
        """What the user should know of it, or ""."""
        ...

    def close(self) -> None:
        """Let go of everything; what was analysed stays. May raise a SemcError."""
        ...


Opener = Callable[[Path], OpenLoop]
"""Opens a loop, as review does. May take long, and raise a SemcError."""

GiveWay = Callable[[float], None]
"""Waits while a person waits for something else, so many seconds at most."""

Told = Callable[[int, int, float | None], object]
"""Takes how far it is: frames concluded, frames in all, and the length in seconds, if that is known."""


class LoopRun:
    """Opens a loop, waits for the end of its analysis, and closes it.

    Attributes:
        path: Of the loop.
        begun: Whether it was opened, or is about to be.
        held: Set: its analysis holds until this is clear again. It is not begun before that, either.
        ended: Set: it ends soon, wherever it is. What was analysed is gone on with the next time.
    """

    def __init__(self, path: Path, open_loop: Opener, give_way: GiveWay) -> None:
        """Nothing is opened yet.

        Args:
            path: Of the loop.
            open_loop: Opens it.
            give_way: Called between frames, on the analysis's threads.
        """
        self.path = path
        self.begun = False
        self.held, self.ended = Event(), Event()
        self._open, self._give_way = open_loop, give_way

    def run(self, told: Told) -> Summary | None:
        """Do it, on the calling thread.

        Args:
            told: Called several times a second, on that thread.

        Returns:
            What was found; None where it was ended before.

        Raises:
            SemcError: It could not be analysed; the message says why.
        """
        while self.held.is_set():
            told(0, 0, None)
            if self.ended.wait(_LOOK_S):
                return None
        if self.ended.is_set():
            return None
        self.begun = True
        told(0, 0, None)
        opened = self._open(self.path)
        try:
            again = opened.session.complete
            return summary_of(opened.session, again) if self._follow(opened, told) else None
        finally:
            opened.close()

    def _follow(self, opened: OpenLoop, told: Told) -> bool:
        """Wait until all of it is analysed. Returns False where it was ended before."""
        analysis, session = opened.analysis, opened.session
        if session.complete:
            return True
        if session.read_only:
            raise SessionInUse(_(_IN_USE))
        if analysis is None:
            raise SessionError(opened.notice)
        times_s = None if opened.source is None else opened.source.times_s
        length_s = None if times_s is None or not len(times_s) else float(times_s[-1] - times_s[0])
        analysis.give_way_to(self._give_way)
        while (state := analysis.state).running:
            told(state.done, state.total, length_s)
            analysis.pause(self.held.is_set())
            if self.ended.wait(_LOOK_S):
                return False
        if state.phase is not ReviewPhase.DONE:
            raise SessionError(state.message)
        return True


def summary_of(session: Session, again: bool, standings: Standings | None = None) -> Summary:
    """What the list says of a session.

    Args:
        session: Open.
        again: Whether it was complete before.
        standings: Knows the protocols; None reads them.
    """
    standing = (standings or Standings()).of(session)
    planes = tuple(plane.plane for plane in session.planes())
    return Summary(session.folder, planes, standing.settled, standing.required, session.length_s, again=again)
