"""The session in review: opened, corrected and closed without the window ever waiting. No Qt here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.review.frames import ReviewReader
from app.review.session import OpenReview, ReviewRequest
from app.tasks import SOON, Job, SerialExecutor
from app.view_data import ReviewSnapshot
from semc_core.errors import ModelFileError, SaveError, SemcError
from semc_core.imaging.thumbnail import thumbnail
from semc_core.review.analysis import ReviewPhase, ReviewState
from semc_core.session.changes import AddPlane, Change, ChooseFrame
from semc_core.session.files import read_png
from semc_core.session.records import FrameTable
from semc_core.session.sentences import done_sentence
from semc_core.session.session import Session
from semc_core.types import FrameResult

_REFRESH_S: Final = 0.5
_NOT_CHANGED: Final = "Nothing was changed: this session is open elsewhere, and here for looking only."


Opener = Callable[[ReviewRequest], OpenReview]


class ReviewController:
    """Holds the session that is open in review. Called by one thread; only `close` waits.

    Attributes:
        fault: What went wrong last, or "".
        request: What was asked for last.
        arrived: Called on another thread when a frame that was asked for is there, or a correction is made;
            returns at once.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._opening: Job[OpenReview] | None = None
        self._closing: list[Job[None]] = []
        self._next: ReviewRequest | None = None
        self.request: ReviewRequest | None = None
        self.arrived: Callable[[], None] = lambda: None
        self._open: OpenReview | None = None
        self._hand: SerialExecutor | None = None
        self._picture_hand: SerialExecutor | None = (
            None  # so that no correction waits for a picture of a card
        )
        self._reader: ReviewReader | None = None
        self._lock = threading.Lock()
        self._snapshot = ReviewSnapshot()
        self._pictures: dict[str, NDArray[np.uint8]] = {}
        self._unreadable: set[str] = set()
        self._said = ""
        self._fault = ""
        self._way_out = "source"
        self._refreshing = False
        self._refreshed_s = 0.0
        self._final = False
        self._told_of = ""
        self._head = (0, "")
        self._whole = False

    # Opening and closing.

    def begin(self, request: ReviewRequest) -> None:
        """Open this next; what is open is closed first."""
        self._next, self.request = request, request
        self.fault, self._way_out = "", "source"
        self.release()

    def release(self) -> None:
        """Close what is open, on another thread."""
        if self._open is not None:
            reader, hands, opened = self._reader, (self._hand, self._picture_hand), self._open
            self._open, self._hand, self._picture_hand, self._reader = None, None, None, None
            self._closing.append(Job(lambda: _close_all(reader, hands, opened), "review-close"))
        with self._lock:
            self._snapshot, self._pictures, self._unreadable = ReviewSnapshot(), {}, set()

    @property
    def opening(self) -> bool:
        """Whether a session is about to be open."""
        return self._opening is not None or self._next is not None

    @property
    def open(self) -> OpenReview | None:
        """The session that is open."""
        return self._open

    @property
    def fault(self) -> str:
        """What went wrong last, or ""."""
        with self._lock:
            return self._fault

    @fault.setter
    def fault(self, sentence: str) -> None:
        with self._lock:
            self._fault = sentence

    @property
    def way_out(self) -> str:
        """What would help against `fault`: another "model", "change_folder", or another "source"."""
        fault = self.fault
        if self._open is None:
            return self._way_out
        model = self._open.model
        return "model" if model is not None and model.fault and model.fault in fault else "source"

    def poll(self, now_s: float) -> None:
        """Take the next step, if there is one: to be called often. Returns at once."""
        for job in [job for job in self._closing if job.done]:
            self._closing.remove(job)
            self._finish(job)
        if self._opening is not None and self._opening.done:
            self._take_opened(self._opening)
        if self._next is not None and self._opening is None and not self._closing:
            request, self._next = self._next, None
            self._opening = Job(lambda: self._opener(request), "review-open")
        if self._open is not None and now_s - self._refreshed_s >= _REFRESH_S:
            self._refreshed_s = now_s
            self._refresh_if_needed()

    def close(self) -> None:
        """Close everything and wait for it.

        Raises:
            SemcError: Something could not be written.
        """
        self._next = None
        if self._opening is not None:
            job, self._opening = self._opening, None
            try:
                job.result().close()
            except SemcError as error:
                self.fault = str(error)
        self.release()
        while self._closing:
            self._closing.pop().result()

    def _take_opened(self, job: Job[OpenReview]) -> None:
        self._opening = None
        try:
            opened = job.result()
        except SemcError as error:
            self.fault = str(error)
            self._way_out = _way_out(error)
            return
        if self._next is not None:
            self._closing.append(Job(opened.close, "review-close"))
            return
        self._open = opened
        self._final, self._told_of = False, ""
        self._head, self._whole = (0, ""), False
        # One that waited when the session before was let go was forgotten with its hand.
        self._refreshing = False
        self._hand = SerialExecutor(self._failed)
        self._picture_hand = SerialExecutor(self._failed, "review-pictures", last=True)
        self._reader = ReviewReader(opened, self._failed, self.arrived)
        self._refresh()

    def _finish(self, job: Job[None]) -> None:
        try:
            job.result()
        except SemcError as error:
            self.fault = str(error)

    def _failed(self, sentence: str) -> None:
        self.fault = sentence

    # What it knows.

    @property
    def snapshot(self) -> ReviewSnapshot:
        """How the session stands."""
        with self._lock:
            return self._snapshot

    @property
    def pictures(self) -> dict[str, NDArray[np.uint8]]:
        """Small pictures of the planes, by the name of the PNG. Not to be changed."""
        with self._lock:
            return self._pictures

    @property
    def progress(self) -> ReviewState:
        """How far the analysis is."""
        opened = self._open
        if opened is None or opened.analysis is None:
            table = self.snapshot.table
            count = 0 if table is None else len(table)
            return ReviewState(ReviewPhase.DONE, count, count)
        state = opened.analysis.state
        if self.looking_only and not self._whole:
            # Whoever holds it may be analysing it.
            table = self.snapshot.table
            done = 0 if table is None else len(table)
            return ReviewState(ReviewPhase.ANALYSING, done, max(done, state.total), 0.0, state.message)
        return state

    def take_said(self) -> str:
        """What was done since the last call, or ""."""
        with self._lock:
            said, self._said = self._said, ""
            return said

    @property
    def reader(self) -> ReviewReader:
        """Reads frames of what is open; there is none while nothing is."""
        assert self._reader is not None
        return self._reader

    # Corrections.

    def apply(self, change: Change) -> None:
        """Make this change."""
        opened = self._changeable()
        if opened is None:
            return
        before = self.snapshot.plane(getattr(change, "plane_id", None))

        def correct() -> str:
            opened.session.apply(change)
            return done_sentence(change, before)

        self._correct(opened, correct)

    def choose_frame(self, plane_id: int, index: int) -> None:
        """Save frame `index` for this plane."""
        self._with_frame(index, lambda result: ChooseFrame(plane_id, result))

    def add_plane(self, plane: str, index: int) -> None:
        """Add a plane at frame `index`."""
        self._with_frame(index, lambda result: AddPlane(plane, result))

    def undo(self) -> None:
        """Undo the last correction."""
        self._step_back(lambda session: session.undo(), "Undone", "There is nothing to undo.")

    def redo(self) -> None:
        """Do it again."""
        self._step_back(lambda session: session.redo(), "Done again", "There is nothing to do again.")

    def _with_frame(self, index: int, make: Callable[[FrameResult], Change]) -> None:
        opened = self._changeable()
        if opened is None or opened.analysis is None:
            return
        analysis, seen = opened.analysis, self.reader.looked

        def correct() -> str:
            change = make(analysis.look_at(index, maps=False, seen=seen))
            before = self.snapshot.plane(getattr(change, "plane_id", None))
            opened.session.apply(change)
            return done_sentence(change, before)

        self._correct(opened, correct)

    def _step_back(self, step: Callable[[Session], str | None], word: str, nothing: str) -> None:
        opened = self._changeable()
        if opened is None:
            return

        def correct() -> str:
            text = step(opened.session)
            return nothing if text is None else f"{word}: {text}"

        self._correct(opened, correct)

    def _changeable(self) -> OpenReview | None:
        """What is open, if it can be changed; else that is said."""
        if not self.looking_only:
            return self._open
        with self._lock:
            self._said = _NOT_CHANGED
        return None

    @property
    def looking_only(self) -> bool:
        """Whether nothing in what is open can be changed here."""
        return self._open is not None and self._open.looking_only

    def _correct(self, opened: OpenReview, correct: Callable[[], str]) -> None:
        """Correct on the hand's thread, and tell what was done; a person waits, so the analysis holds."""

        def do() -> None:
            with nullcontext() if opened.analysis is None else opened.analysis.held():
                self._told(correct())
            self.arrived()

        self._do(do)

    def _do(self, work: Callable[[], None], priority: int = 0) -> None:
        if self._hand is not None:
            self._hand.do(work, priority)

    # On the hand's thread.

    def _told(self, sentence: str) -> None:
        opened = self._open
        with self._lock:
            self._said = sentence
        reader = self._reader
        if reader is not None:
            reader.read_saved_again()
        if opened is not None:
            self._take_snapshot(opened, self.snapshot.table)

    def _take_snapshot(self, opened: OpenReview, table: FrameTable | None) -> None:
        session = opened.session
        snapshot = ReviewSnapshot(
            planes=session.planes(rejected=True),
            regions=session.regions(),
            note=session.note,
            items=session.items(),
            table=table,
        )
        with self._lock:
            if opened is self._open:
                self._snapshot = snapshot
            known, hand = self._pictures.keys() | self._unreadable, self._picture_hand
        for plane in snapshot.planes:
            if plane.png is not None and plane.png not in known and hand is not None:
                known.add(plane.png)
                hand.do(partial(self._read_picture, opened, plane.png), SOON)

    def _read_picture(self, opened: OpenReview, name: str) -> None:
        with self._lock:
            if name in self._pictures:
                return  # asked for again before it was read
        if opened.analysis is not None:
            opened.analysis.give_way()
        try:
            small = thumbnail(read_png(opened.session.folder / name))
        except SaveError:
            # Told by `semc session verify`; the card stays without a picture.
            with self._lock:
                self._unreadable.add(name)
            return
        with self._lock:
            if opened is self._open:
                self._pictures = {**self._pictures, name: small}

    def _refresh(self) -> None:
        opened = self._open
        if opened is None or self._refreshing:
            return
        self._refreshing = True

        def refresh() -> None:
            try:
                head = opened.session.head
                if opened.session.read_only:
                    # Somebody else may write to it; mostly nobody does.
                    if head == self._head:
                        return
                    self._whole = opened.session.complete or opened.session.source.live
                    table = opened.session.frames()
                else:
                    table = opened.session.frames() if opened.analysis is None else opened.analysis.table()
                self._take_snapshot(opened, table)
                # Last: what could not be read is read the next time.
                self._head = head
            finally:
                self._refreshing = False

        self._do(refresh, SOON)

    def _refresh_if_needed(self) -> None:
        """While the analysis runs, and once after its end."""
        progress = self.progress
        if progress.message and progress.message != self._told_of:
            self._told_of = self.fault = progress.message
        if progress.running or not self._final or self.looking_only:
            self._final = not progress.running
            self._refresh()


def _way_out(error: SemcError) -> str:
    """What helps against an error that kept a session from being opened."""
    if isinstance(error, ModelFileError):
        return "model"
    return "change_folder" if isinstance(error, SaveError) else "source"


def _close_all(
    reader: ReviewReader | None, hands: Sequence[SerialExecutor | None], opened: OpenReview
) -> None:
    for one in (reader, *hands):
        if one is not None:
            one.close()
    opened.close()
