"""The session in review: opened and closed without the window ever waiting. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from app.review.session import OpenReview, ReviewRequest
from app.review.worker import Listener, SessionWorker
from app.tasks import Background, Post, fault_of
from app.view_data import ReviewSnapshot
from semc_core.errors import ModelFileError, SaveError, SemcError
from semc_core.language import N_, _
from semc_core.review.analysis import ReviewPhase, ReviewState
from semc_core.session.correcting.changes import Change

Opener = Callable[[ReviewRequest], OpenReview]

OPENING = N_("Opening …")


def _nothing() -> Path | None:
    """For where nothing is to be done first."""
    return None


class ReviewController:
    """Holds the session that is open in review. Called by the window's thread; only `close` waits.

    While another is opened, the one before is put aside: nothing of it is shown, since what comes may be of
    another patient. It is closed when the other is open, and shown again as it was left if that cannot be.

    Attributes:
        fault: What went wrong last, or "".
        request: What was asked for last.
        unopened: Whether that is not open: not yet, or it could not be.
        on_open: Told the worker of what is open from now on; None for nothing.
        on_message: Told the sentence about what was done, or could not be.
        on_change: A session is open, a frame that was asked for is there, or a correction is made.
    """

    def __init__(self, opener: Opener, post: Post) -> None:
        self._opener = opener
        self._post = post
        # One thread: what is opened next waits until what was open before is closed.
        self._doors = Background("review-open", post)
        self._opening: Future[OpenReview] | None = None
        self._closing: Future[None] | None = None
        self._next: ReviewRequest | None = None
        self._first, self._changed_first = _nothing, False
        self._worker: SessionWorker | None = None
        self._aside: SessionWorker | None = None
        self._way_out = "source"
        self.request: ReviewRequest | None = None
        self.fault = ""
        self.unopened = False
        self.on_open: Callable[[SessionWorker | None], None] = lambda worker: None
        self.on_message: Callable[[str], None] = lambda sentence: None
        self.on_change: Callable[[], None] = lambda: None

    def begin(self, request: ReviewRequest, first: Callable[[], Path | None] = _nothing) -> None:
        """Open this next; what is open is closed once that is.

        Args:
            request: What to open.
            first: Done before with the session of that folder, when all else is closed, on the thread that
                opens. It may say which folder is to be opened instead.
        """
        again = self.request is not None and request.path == self.request.path
        self._next, self.request, self._first = request, request, first
        self.fault, self._way_out, self.unopened = "", "source", True
        self._changed_first = first is not _nothing
        if again or self._changed_first or self._shows(request.path):
            self.release()
        elif self._worker is not None:
            self._aside, self._worker = self._worker, None
            self.on_open(None)
        self.on_message(_(OPENING))
        self._open_next()

    def release(self) -> None:
        """Close what is open, on another thread."""
        worker, self._worker = self._worker, None
        self.on_open(None)
        if worker is not None:
            self._closing = self._doors.start(lambda: _close(worker), self._closed)
        self._close_aside()

    def _close_aside(self) -> None:
        aside, self._aside = self._aside, None
        if aside is not None:
            self._closing = self._doors.start(lambda: _close(aside), self._closed)

    def _shows(self, folder: Path) -> bool:
        """Whether this is the folder of the session that is open, or put aside."""
        worker = self._worker or self._aside
        return worker is not None and worker.opened.session.folder == folder

    @property
    def opening(self) -> bool:
        """Whether a session is about to be open."""
        return self._opening is not None or self._next is not None

    @property
    def worker(self) -> SessionWorker | None:
        """What corrects and reads the session that is open."""
        return self._worker

    @property
    def open(self) -> OpenReview | None:
        """The session that is open."""
        return None if self._worker is None else self._worker.opened

    @property
    def snapshot(self) -> ReviewSnapshot:
        """How the session stands; empty while none is open."""
        return ReviewSnapshot() if self._worker is None else self._worker.snapshot

    @property
    def progress(self) -> ReviewState:
        """How far the analysis is."""
        return ReviewState(ReviewPhase.DONE, 0, 0) if self._worker is None else self._worker.progress

    @property
    def way_out(self) -> str:
        """What would help against `fault`: another "model", "change_folder", or another "source"."""
        opened = self.open
        if opened is None or self.unopened:
            return self._way_out
        model = opened.model
        return "model" if model is not None and model.fault and model.fault in self.fault else "source"

    def apply(self, change: Change) -> None:
        """Make this change in the session that is open."""
        if self._worker is not None:
            self._worker.apply(change)

    def tick(self, now_s: float) -> None:
        """Look at what the analysis found: to be called often. Returns at once."""
        if self._worker is not None:
            self._worker.tick(now_s)

    def give_way(self, limit_s: float) -> None:
        """Wait while a frame of the open session is waited for, so long at most; for any thread."""
        worker = self._worker
        if worker is not None:
            worker.reader.wait_until_shown(limit_s)

    def close(self) -> None:
        """Close everything and wait for it.

        Raises:
            SemcError: Something could not be written.
        """
        self._next = None
        opening, self._opening = self._opening, None
        try:
            if opening is not None:
                opening.result().close()
        except SemcError as error:
            self.fault = str(error)
        self.release()
        self._doors.close()
        if self._closing is not None:
            self._closing.result()

    def _open_next(self) -> None:
        if self._next is not None and self._opening is None:
            request, self._next = self._next, None
            first, self._first = self._first, _nothing
            self._opening = self._doors.start(lambda: self._open_after(first, request), self._opened)

    def _open_after(self, first: Callable[[], Path | None], request: ReviewRequest) -> OpenReview:
        folder = first()
        return self._opener(request if folder is None else replace(request, path=folder))

    def _opened(self, future: Future[OpenReview]) -> None:
        self._opening = None
        error = future.exception()
        if self._next is not None:
            if error is None:
                self._closing = self._doors.start(future.result().close, self._closed)
            self._open_next()
        elif error is None:
            self._use_or_again(future.result())
        else:
            self.fault, self._way_out = fault_of(error), _way_out(error)
            self.on_message("")
            if self._aside is not None:
                self._worker, self._aside = self._aside, None
                self.on_open(self._worker)
                self.on_change()

    def _use_or_again(self, opened: OpenReview) -> None:
        """Use it; if it is the very session that was put aside, and so cannot be written, open it again."""
        again = opened.looking_only and self._shows(opened.session.folder)
        if again:
            self._closing = self._doors.start(opened.close, self._closed)
            self._next = self.request
        self._close_aside()
        if again:
            self._open_next()
        else:
            self._use(opened)

    def _use(self, opened: OpenReview) -> None:
        listener = Listener(lambda text: self.on_message(text), self._failed, lambda: self.on_change())
        self._worker, self.unopened = SessionWorker(opened, self._post, listener), False
        if self._changed_first and self.request is not None:
            self.request = replace(self.request, path=opened.session.folder)
        self.on_open(self._worker)
        self.on_message(opened.greeting)
        self.on_change()

    def _closed(self, future: Future[None]) -> None:
        if error := future.exception():
            self._failed(fault_of(error))

    def _failed(self, sentence: str) -> None:
        self.fault = sentence


def _way_out(error: BaseException) -> str:
    """What helps against an error that kept a session from being opened."""
    if isinstance(error, ModelFileError):
        return "model"
    return "change_folder" if isinstance(error, SaveError) else "source"


def _close(worker: SessionWorker) -> None:
    worker.close()
    worker.opened.close()
