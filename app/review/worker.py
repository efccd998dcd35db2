"""What is done behind the window for the session in review: corrections, looks, pictures. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.measuring.heads import HeadProposals
from app.review.commands import ReviewCommands
from app.review.frames import ReviewReader
from app.review.session import OpenReview
from app.tasks import Background, Post, fault_of
from app.view_data import ReviewSnapshot
from semc_core.errors import SaveError
from semc_core.imaging.thumbnail import thumbnail
from semc_core.language import N_, _
from semc_core.review.analysis import ReviewPhase, ReviewState
from semc_core.session.correcting.changes import AddPlane, Change, ChooseFrame
from semc_core.session.correcting.sentences import done_sentence, seen_words
from semc_core.session.files import read_png
from semc_core.session.records import FrameTable
from semc_core.session.session import Session
from semc_core.types import FrameResult

_REFRESH_S: Final = 0.5
_NOT_CHANGED: Final = N_("Nothing was changed: this session is open elsewhere, and here for looking only.")


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told, on the window's thread.

    Attributes:
        message: The sentence about what was done.
        fault: The sentence about what went wrong.
        changed: A frame that was asked for is there, or a correction is made.
    """

    message: Callable[[str], None]
    fault: Callable[[str], None]
    changed: Callable[[], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """How a session stood at one moment.

    Attributes:
        snapshot: All that is shown of it.
        head: Of its log.
        whole: Whether all of its source is analysed; known of sessions that are only looked at.
    """

    snapshot: ReviewSnapshot
    head: tuple[int, str]
    whole: bool


class SessionWorker:
    """Corrects and reads one open session on threads. Called by the window's thread; only `close` waits.

    Attributes:
        opened: The session with all that belongs to it; not closed here.
        snapshot: How the session stands.
        pictures: Small pictures of the planes, by the name of the PNG; another dict with each that comes.
        reader: Reads its frames.
        heads: Finds heads in them.
    """

    def __init__(self, opened: OpenReview, post: Post, listener: Listener) -> None:
        self.opened = opened
        self.snapshot = ReviewSnapshot()
        self.pictures: dict[str, NDArray[np.uint8]] = {}
        self._listener = listener
        # Pictures have a thread of their own, so that no correction waits for one.
        self._corrections = Background("review-corrections", post)
        self._pictures = Background("review-pictures", post, others_first=True)
        self._asked_pictures: set[str] = set()
        self._refresh: Future[_Look | None] | None = None
        self._refreshed_s = 0.0
        self._waiting = 0
        self._final = False
        self._analysis_message = ""
        self._head = (0, "")
        self._whole = False
        self._commands: ReviewCommands | None = None
        self.reader = ReviewReader(
            opened, lambda sentence: post(partial(listener.fault, sentence)), lambda: post(listener.changed)
        )
        self.heads = HeadProposals(post, lambda: listener.changed())
        self._look_again()

    def close(self) -> None:
        """Make the corrections that wait, and end; for any thread."""
        if self._refresh is not None:
            self._refresh.cancel()
        self.reader.close()
        self._corrections.close()
        self._pictures.close(forget=True)
        self.heads.close()

    def commands(self, refuse: Callable[[str], None]) -> ReviewCommands:
        """What the keys do: the same ones as long as it is open, so that it is found again as it was left.

        Args:
            refuse: As in `ReviewCommands`; the first stays.
        """
        if self._commands is None:
            opened = self.opened
            self._commands = ReviewCommands(
                self, opened.times_s(None), opened.planes, opened.source is not None, refuse
            )
        self._commands.playhead.playing = False
        return self._commands

    @property
    def looking_only(self) -> bool:
        """Whether nothing can be changed here."""
        return self.opened.looking_only

    @property
    def progress(self) -> ReviewState:
        """How far the analysis is."""
        table = self.snapshot.table
        done = 0 if table is None else len(table)
        if self.opened.analysis is None:
            return ReviewState(ReviewPhase.DONE, done, done)
        state = self.opened.analysis.state
        if self.looking_only and not self._whole:
            # Whoever holds it may be analysing it.
            return ReviewState(ReviewPhase.ANALYSING, done, max(done, state.total), 0.0, state.message)
        return state

    @property
    def waiting(self) -> int:
        """Corrections that were asked for and neither made nor refused yet."""
        return self._waiting

    # Corrections.

    def apply(self, change: Change) -> None:
        """Make this change."""
        before = self.snapshot.plane(getattr(change, "plane_id", None))

        def correct() -> str:
            self.opened.session.apply(change)
            return done_sentence(change, before)

        self._correct(correct)

    def choose_frame(self, plane_id: int, index: int) -> None:
        """Save the frame at place `index` of the loop for this plane."""
        self._with_frame(index, plane_id, lambda result: ChooseFrame(plane_id, result))

    def add_plane(self, plane: str, index: int) -> None:
        """Add a plane at the frame at place `index` of the loop."""
        self._with_frame(index, None, lambda result: AddPlane(plane, result))

    def undo(self) -> None:
        """Undo the last correction."""
        self._step_back(Session.undo, N_("Undone: {change}"), N_("There is nothing to undo."))

    def redo(self) -> None:
        """Do it again."""
        self._step_back(Session.redo, N_("Done again: {change}"), N_("There is nothing to do again."))

    def _with_frame(self, index: int, plane_id: int | None, make: Callable[[FrameResult], Change]) -> None:
        analysis = self.opened.analysis
        if analysis is None:
            return
        seen, before = self.reader.newest_look, self.snapshot.plane(plane_id)

        def correct() -> str:
            change = make(analysis.look_at(index, maps=False, seen=seen))
            self.opened.session.apply(change)
            return done_sentence(change, before)

        self._correct(correct)

    def _step_back(self, step: Callable[[Session], str | None], done: str, nothing: str) -> None:
        times = {plane.plane_id: plane.time_s for plane in self.snapshot.planes}

        def correct() -> str:
            text = step(self.opened.session)
            return _(nothing) if text is None else _(done, change=seen_words(text, times.get))

        self._correct(correct)

    def _correct(self, correct: Callable[[], str]) -> None:
        """Correct, and tell what was done; a person waits, so the analysis holds and looks come later."""
        if self.looking_only:
            self._listener.message(_(_NOT_CHANGED))
            return
        analysis, session = self.opened.analysis, self.opened.session

        def do() -> tuple[str, ReviewSnapshot]:
            with nullcontext() if analysis is None else analysis.held():
                return correct(), _snapshot(session, None)

        if self._refresh is not None and self._refresh.cancel():
            self._refresh, self._final = None, False
        self._waiting += 1
        self._corrections.start(do, self._corrected)

    def _corrected(self, future: Future[tuple[str, ReviewSnapshot]]) -> None:
        self._waiting -= 1
        if error := future.exception():
            self._listener.fault(fault_of(error))
        else:
            sentence, snapshot = future.result()
            self.reader.read_saved_again()
            self._show(replace(snapshot, table=self.snapshot.table))
            self._listener.message(sentence)
        self._listener.changed()

    # Looks.

    def tick(self, now_s: float) -> None:
        """Look at what the analysis found: to be called often. Also once after its end."""
        if now_s - self._refreshed_s < _REFRESH_S:
            return
        self._refreshed_s = now_s
        progress = self.progress
        if progress.message and progress.message != self._analysis_message:
            self._analysis_message = progress.message
            self._listener.fault(progress.message)
        if progress.running or not self._final or self.looking_only:
            self._look_again(final=not progress.running)

    def _look_again(self, final: bool = False) -> None:
        if self._refresh is None:
            self._final = final
            known = self._head
            self._refresh = self._corrections.start(lambda: _look(self.opened, known), self._looked)

    def _looked(self, future: Future[_Look | None]) -> None:
        self._refresh = None
        if error := future.exception():
            self._listener.fault(fault_of(error))
        elif (look := future.result()) is not None:
            # What could not be read is read the next time.
            self._head, self._whole = look.head, look.whole
            self._show(look.snapshot)

    # Pictures.

    def _show(self, snapshot: ReviewSnapshot) -> None:
        self.snapshot = snapshot
        for plane in snapshot.planes:
            if plane.png is not None and plane.png not in self._asked_pictures:
                self._asked_pictures.add(plane.png)
                self._pictures.start(partial(_picture, self.opened, plane.png), self._take_picture)

    def _take_picture(self, future: Future[tuple[str, NDArray[np.uint8]]]) -> None:
        error = future.exception()
        if error is None:
            name, small = future.result()
            self.pictures = {**self.pictures, name: small}
        elif not isinstance(error, SaveError):  # told by `semc session verify`; the card stays without
            self._listener.fault(fault_of(error))


# On the worker's threads.


def _look(opened: OpenReview, known: tuple[int, str]) -> _Look | None:
    """How the session stands; None where it is only looked at, and its log still ends with `known`."""
    session = opened.session
    head, whole = session.head, False
    if session.read_only:
        # Somebody else may write to it; mostly nobody does.
        if head == known:
            return None
        whole = session.complete or session.source.live
        table = session.frames()
    else:
        table = session.frames() if opened.analysis is None else opened.analysis.table()
    return _Look(_snapshot(session, table), head, whole)


def _snapshot(session: Session, table: FrameTable | None) -> ReviewSnapshot:
    return ReviewSnapshot(
        planes=session.planes(rejected=True),
        regions=session.regions(),
        note=session.note,
        items=session.items(),
        table=table,
        measurements=session.measurements(),
        scales=session.scales(),
        age=session.age(),
        fetuses=session.fetuses(),
    )


def _picture(opened: OpenReview, name: str) -> tuple[str, NDArray[np.uint8]]:
    if opened.analysis is not None:
        opened.analysis.give_way()
    return name, thumbnail(read_png(opened.session.folder / name))
