"""The annotations of the session in review: read, written, taken back behind the window. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from app.tasks import Background, Post, fault_of
from semc_core.language import _
from semc_core.session.annotations import Annotations
from semc_core.session.session import Session


class AnnotationKeeper:
    """Called by the window's thread; only `close` waits.

    Attributes:
        now: What is on the frames; None until it is read.
        on_message: Told what went wrong, a sentence.
    """

    def __init__(self, post: Post) -> None:
        """Nothing is open yet."""
        self._work = Background("annotations", post)
        self._session: Session | None = None
        self._done: list[tuple[Annotations, object]] = []
        self._undone: list[tuple[Annotations, object]] = []
        self.now: Annotations | None = None
        self.on_message: Callable[[str], None] = lambda sentence: None

    def begin(self, session: Session | None) -> None:
        """Another session is open; None for none."""
        self._session, self.now = session, None
        self._done.clear()
        self._undone.clear()
        if session is None:
            return

        def read(future: Future[Annotations]) -> None:
            # One that was closed or damaged meanwhile is told of where it is shown.
            if future.exception() is None and self._session is session and self.now is None:
                self.now = future.result()

        self._work.start(lambda: session.annotations, read)

    def set(self, wanted: Annotations, mark: object) -> None:
        """Keep this, as one step of undo; `mark` is how the rest of the session stands."""
        if self.now is not None and wanted != self.now:
            self._done.append((self.now, mark))
            self._undone.clear()
            self._write(wanted)

    def step_back(self, mark: object) -> bool:
        """Take the last change back, if nothing else of the session was changed after it."""
        return self._swap(self._done, self._undone, mark)

    def step_on(self, mark: object) -> bool:
        """Make it again."""
        return self._swap(self._undone, self._done, mark)

    def close(self) -> None:
        """End, and wait for what is being written."""
        self._work.close()

    def _swap(
        self,
        source: list[tuple[Annotations, object]],
        target: list[tuple[Annotations, object]],
        mark: object,
    ) -> bool:
        if self.now is None or not source or source[-1][1] != mark:
            return False
        target.append((self.now, mark))
        self._write(source.pop()[0])
        return True

    def _write(self, wanted: Annotations) -> None:
        session, self.now = self._session, wanted
        if session is None:
            return

        def written(future: Future[None]) -> None:
            if (error := future.exception()) is not None:
                self.on_message(_("What was drawn was not kept.") + f" {fault_of(error)}")
                if self._session is session:
                    # What is shown is what the session holds.
                    self.begin(session)

        self._work.start(lambda: session.set_annotations(wanted), written)
