"""The examination of the session in review: read and written behind the window. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from app.tasks import Background, Post, fault_of
from semc_core.language import _
from semc_core.session.examination import Examination
from semc_core.session.session import Session
from semc_core.session.whose import set_examination


class ReviewedExamination:
    """Called by the window's thread; only `close` waits.

    Attributes:
        examination: Of the session that is open in review; None for none, and until it is read.
        on_message: Told what went wrong, a sentence.
    """

    def __init__(self, post: Post) -> None:
        """Nothing is open yet."""
        self._work = Background("reviewed-examination", post)
        self._session: Session | None = None
        self._kept: Examination | None = None
        self.examination: Examination | None = None
        self.on_message: Callable[[str], None] = lambda sentence: None

    def begin(self, session: Session | None) -> None:
        """Another session is open; None for none."""
        self._session, self._kept, self.examination = session, None, None
        if session is None:
            return

        def read(future: Future[Examination | None]) -> None:
            # One that was closed or damaged meanwhile is told of where it is shown.
            if future.exception() is None and self._session is session:
                self._kept = self.examination = future.result()

        self._work.start(lambda: session.examination, read)

    def set(self, session: Session, examination: Examination | None) -> None:
        """Write it into this session; what was there is shown again where that cannot be."""
        if self._session is session:
            self.examination = examination

        def written(future: Future[None]) -> None:
            error = future.exception()
            if self._session is session:
                self._kept = examination if error is None else self._kept
                self.examination = self._kept
            if error is not None:
                told = _("The examination was not written into the session.")
                self.on_message(f"{told} {fault_of(error)}")

        self._work.start(lambda: set_examination(session, examination), written)

    def close(self) -> None:
        """End, and wait for what is being written."""
        self._work.close()
