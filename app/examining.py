"""The examination that is filled in by hand: whose it is on each page, and how it is erased.

Between the worklist, the scan and the review, which do not know each other.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.commands import LIVE, REVIEW
from app.dialogs import DialogHost
from app.keys import first_key
from app.review.controller import ReviewController
from app.review.worker import SessionWorker
from app.worklist.by_hand import FormSubject
from app.worklist.presenter import THE_SESSION, examination_line, reassigning
from semc_core.language import _
from semc_core.session.erasing.forget import forget
from semc_core.session.examination import Examination
from semc_core.session.session import Session


def erase_in_review() -> str:
    """Where the patient's data of a scan are erased, a sentence."""
    return _(
        "To erase it later, open the session in review ({key}), and this form there.", key=first_key("review")
    )


class Examining:
    """Called by the window's thread."""

    def __init__(self, dialogs: DialogHost, review: ReviewController) -> None:
        """Nothing is shown yet.

        Args:
            dialogs: Where the form is opened.
            review: Whose session may be erased.
        """
        self._dialogs, self._review = dialogs, review
        self._erased: Path | None = None

    def show(self, page: str) -> None:
        """Open the form for what this page shows."""
        self._dialogs.show_form(self._subject(page))

    def line(self, page: str) -> str:
        """What the window says of the examination on this page."""
        if page == REVIEW:
            return examination_line(self._dialogs.reviewed.examination, "this session", used=False)
        return self._dialogs.worklist.line(page == LIVE)

    def follow_review(self, worker: SessionWorker | None) -> None:
        """Another session is in review, or none."""
        session = None if worker is None else worker.opened.session
        self._dialogs.reviewed.begin(session)
        if session is not None and self._erased is not None:
            self._follow_name(self._erased, session.folder)
            self._erased = None

    def _subject(self, page: str) -> FormSubject:
        opened, control = self._review.open, self._dialogs.worklist
        if page == REVIEW and opened is not None:
            return self._of_review(opened.session)
        pipeline = control.pipeline
        if page == LIVE and pipeline is not None and (control.running or pipeline.session is not None):
            return FormSubject(
                "the scan that runs" if control.running else "the scan that was made",
                control.current,
                lambda examination: control.choose_for(pipeline, examination),
                control.question,
                why_not=erase_in_review(),
            )
        return FormSubject("the next scan", control.next, control.choose, control.question)

    def _of_review(self, session: Session) -> FormSubject:
        reviewed = self._dialogs.reviewed
        saved = len(self._review.snapshot.planes)

        def question(examination: Examination) -> str:
            return reassigning(reviewed.examination, examination, saved, THE_SESSION)

        def keep(examination: Examination | None) -> None:
            reviewed.set(session, examination)
            if self._is_scanned(session.folder):
                self._dialogs.worklist.current = examination

        return FormSubject(
            "the session in review",
            reviewed.examination,
            keep,
            question,
            self._erase,
        )

    def _erase(self) -> None:
        """Close the session, erase in it what may name the patient, and open it again."""
        opened, request = self._review.open, self._review.request
        if opened is None or request is None or opened.looking_only:
            return
        self._erased = folder = opened.session.folder
        self._dialogs.worklist.forget(self._dialogs.reviewed.examination)
        self._review.begin(replace(request, path=folder), lambda: forget(folder).folder)

    def _follow_name(self, before: Path, now: Path) -> None:
        """The scan's session may have got another name."""
        pipeline = self._dialogs.worklist.pipeline
        if self._is_scanned(before) and pipeline is not None and pipeline.session is not None:
            # It is closed: only its place is still asked for.
            pipeline.session.folder = now

    def _is_scanned(self, folder: Path) -> bool:
        """Whether this is the session of the scan that was made last."""
        pipeline = self._dialogs.worklist.pipeline
        session = None if pipeline is None else pipeline.session
        return session is not None and session.folder == folder
