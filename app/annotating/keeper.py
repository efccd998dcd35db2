"""The annotations of a session: read, written, taken back behind the window. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from app.annotating.subject import Subject
from app.tasks import Background, Post, fault_of
from semc_core.language import _
from semc_core.session.annotations import Annotations


class AnnotationKeeper:
    """Called by the window's thread; only `close` waits.

    Attributes:
        now: What is on the frames; None until it is read.
        on_message: Told what went wrong, a sentence.
    """

    def __init__(self, post: Post) -> None:
        """Nothing is open yet."""
        self._work = Background("annotations", post)
        self._subject: Subject | None = None
        self._due = False
        self._done: list[tuple[Annotations, object]] = []
        self._undone: list[tuple[Annotations, object]] = []
        self.now: Annotations | None = None
        self.on_message: Callable[[str], None] = lambda sentence: None

    def begin(self, subject: Subject | None) -> None:
        """Another session is open; None for none."""
        self._subject, self.now, self._due = subject, None, False
        self._done.clear()
        self._undone.clear()
        if subject is None:
            return

        def read(future: Future[Annotations]) -> None:
            # One that was closed or damaged meanwhile is told of where it is shown.
            if future.exception() is None and self._subject is subject and self.now is None:
                self.now = future.result()

        self._work.start(subject.read, read)

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

    def go_on(self) -> None:
        """Write what could not be written before: to be called often."""
        subject, now = self._subject, self.now
        if not self._due or subject is None or now is None or not subject.ready:
            return
        self._due = False
        wanted = self.now = now.with_planes(subject.plane_of)

        def written(future: Future[None]) -> None:
            if (error := future.exception()) is not None:
                self.on_message(_("What was drawn was not kept.") + f" {fault_of(error)}")
                if self._subject is subject:
                    # What is shown is what the session holds.
                    self.begin(subject)

        self._work.start(lambda: subject.write(wanted), written)

    def close(self) -> None:
        """End, and wait for what is being written."""
        self.go_on()
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
        self.now, self._due = wanted, True
        self.go_on()
