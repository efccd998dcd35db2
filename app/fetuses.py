"""What the keys on fetuses do: in a scan from the newest frame on, in review from the one that is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from app.commands import REVIEW
from semc_core.language import _
from semc_core.session.correcting.changes import SetFetus
from semc_core.session.fetuses import ONE, Fetuses

if TYPE_CHECKING:
    from app.checklist.controller import ChecklistController
    from app.live.page import LivePage
    from app.review.controller import ReviewController
    from app.review.page import ReviewPage

_AFTER_S: Final = 0.001
"""A turn comes after the frame that its key was pressed at: what is saved of that is of the one before."""


class FetusKeys:
    """Called by the window's thread."""

    def __init__(
        self,
        live: LivePage,
        page: ReviewPage,
        review: ReviewController,
        checklists: ChecklistController,
        tell: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        """Act on these.

        Args:
            live: The scan.
            page: The review.
            review: Whose session it is.
            checklists: Which protocol is followed in each.
            tell: Tells what could not be done in the scan, a sentence.
            say: The same of the review.
        """
        self._live, self._page, self._review, self._checklists = live, page, review, checklists
        self._tell, self._say = tell, say

    def does(self, page: Callable[[], str]) -> dict[str, Callable[[], object]]:
        """What each key does; `page` says which page is shown."""
        return {
            "fetus": lambda: self._turn(page() == REVIEW, one_more=False),
            "one_more_fetus": lambda: self._turn(page() == REVIEW, one_more=True),
            "move_fetus": self._move,
        }

    @property
    def review_time_s(self) -> float:
        """Of the frame that is shown in review."""
        commands = self._page.commands
        return 0.0 if commands is None else commands.playhead.time_s

    def _turn(self, in_review: bool, *, one_more: bool) -> None:
        fetuses = self._in_review if in_review else self._in_scan
        if not self._is_fetal(in_review, fetuses):
            return
        now = fetuses.at(self.review_time_s) if in_review else fetuses.newest
        letter = fetuses.one_more if one_more else fetuses.after(now)
        if not letter:
            (self._say if in_review else self._tell)(
                _("There are four fetuses already; more cannot be told apart here.")
            )
        elif in_review and self._page.commands is not None:
            self._page.commands.turn_to_fetus(letter)
        elif (result := self._live.result) is not None:
            self._live.kept.correct(SetFetus(result.packet.pts_s + _AFTER_S, letter))
        else:
            self._tell(_("No frame was analysed yet; say it when the picture is there."))

    def _move(self) -> None:
        if self._is_fetal(True, self._in_review) and self._page.commands is not None:
            self._page.commands.move_to_fetus("")

    def _is_fetal(self, in_review: bool, fetuses: Fetuses) -> bool:
        """Whether there can be several; if not, that is said."""
        from semc_core.protocols.protocol import scans_fetuses

        if in_review:
            opened = self._review.open
            planes = () if opened is None else opened.planes
            protocol = self._checklists.protocol_of_review(planes)
        else:
            planes = () if self._live.spec is None else self._live.spec.planes
            protocol = self._checklists.protocol_of_scan(planes)
        if fetuses.letters or scans_fetuses(protocol, planes):
            return True
        (self._say if in_review else self._tell)(
            _(
                "Neither the protocol nor the model here is for a fetus, so there is none to change to; "
                "choose a fetal protocol beside the checklist."
            )
        )
        return False

    @property
    def _in_review(self) -> Fetuses:
        return self._review.snapshot.fetuses or ONE

    @property
    def _in_scan(self) -> Fetuses:
        return self._live.kept.fetuses
