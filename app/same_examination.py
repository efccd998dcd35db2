"""Whether a scan goes on with the examination of the one before: planes, words and patient stay, or not.

Between the scan, its checklist and the worklist, which do not know each other. Each scan stays a session of
its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from app.tasks import Background, Post, fault_of
from semc_core.language import _, joined
from semc_core.session.examination import Examination, is_same_patient
from semc_core.session.same_examination import go_on_with

if TYPE_CHECKING:
    from app.checklist.controller import ChecklistController
    from app.live.page import LivePage
    from app.worklist.controller import WorklistController


class SameExamination:
    """Called by the window's thread."""

    def __init__(
        self,
        page: LivePage,
        checklists: ChecklistController,
        worklist: WorklistController,
        post: Post,
        say: Callable[[str], None],
    ) -> None:
        """Nothing was scanned yet.

        Args:
            page: Asks, and shows the planes.
            checklists: What was said of the protocol's items.
            worklist: Whose scan it is.
            post: See `app.tasks`.
            say: Told what was answered, a sentence.
        """
        self._page, self._checklists, self._worklist, self._say = page, checklists, worklist, say
        self._before: Examination | None = None
        self._carried = False
        self._earlier_id = ""
        self._said: str | None = None
        self._writes = Background("same-examination", post)
        page.kept.on_same = self._answered

    def look(self, chosen: Examination | None) -> Callable[[], None]:
        """A scan begins, of the examination that was `chosen` for it; call this before it is shown.

        Returns:
            What asks, once the scan is shown. Of another patient nothing is asked.
        """
        before, (planes, letters) = self._worklist.current, self._page.kept.before()
        pipeline = self._worklist.pipeline
        session = None if pipeline is None else pipeline.session

        def offer() -> None:
            self._before, self._carried, self._said = before, False, None
            self._earlier_id = "" if session is None else session.id
            if not _is_another(before, chosen):
                self._page.kept.earlier.offer(planes, letters)

        return offer

    def tick(self) -> None:
        """Write into the session what was answered, as soon as there is one: to be called often."""
        pipeline, said = self._worklist.pipeline, self._said
        if said is None or pipeline is None or (session := pipeline.session) is None:
            return
        self._said = None
        self._writes.start(lambda: go_on_with(session, said), self._written)

    def close(self) -> None:
        """Wait for what is written."""
        self._writes.close()

    def _written(self, future: Future[None]) -> None:
        if (error := future.exception()) is not None:
            said = _("The session does not say that it is of the same examination.")
            self._say(joined((said, fault_of(error))))

    def _answered(self, same: bool) -> None:
        if self._earlier_id:
            self._said = self._earlier_id if same else ""
        self._checklists.go_on(same, self._page.kept.earlier.letters)
        worklist, before = self._worklist, self._before
        if same and before is not None and worklist.running and worklist.current is None:
            self._carried = True
            worklist.choose(before)
        elif not same and self._carried and worklist.running and worklist.current == before:
            self._carried = False
            worklist.choose(None)
        if same:
            self._say(_("This scan goes on with the examination before."))
        else:
            self._say(_("This scan is a new examination."))


def _is_another(before: Examination | None, chosen: Examination | None) -> bool:
    """Whether two scans are known to be of two patients."""
    if before is None or chosen is None:
        return False
    return not is_same_patient(before.patient_name, before.patient_id, chosen)
