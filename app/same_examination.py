"""Whether a scan goes on with the examination of the one before: planes, words and patient stay, or not.

Between the scan, its checklist and the worklist, which do not know each other. Each scan stays a session of
its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from semc_core.language import _
from semc_core.session.examination import Examination, is_same_patient

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
        say: Callable[[str], None],
    ) -> None:
        """Nothing was scanned yet.

        Args:
            page: Asks, and shows the planes.
            checklists: What was said of the protocol's items.
            worklist: Whose scan it is.
            say: Told what was answered, a sentence.
        """
        self._page, self._checklists, self._worklist, self._say = page, checklists, worklist, say
        self._before: Examination | None = None
        self._carried = False
        page.kept.on_same = self._answered

    def look(self, chosen: Examination | None) -> Callable[[], None]:
        """A scan begins, of the examination that was `chosen` for it; call this before it is shown.

        Returns:
            What asks, once the scan is shown. Of another patient nothing is asked.
        """
        before, planes = self._worklist.current, self._page.kept.before()

        def offer() -> None:
            self._before, self._carried = before, False
            if not _is_another(before, chosen):
                self._page.kept.earlier.offer(planes)

        return offer

    def _answered(self, same: bool) -> None:
        self._checklists.go_on(same)
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
