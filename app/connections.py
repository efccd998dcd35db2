"""What one feature of the window is told of another. The window makes the features; none knows the others."""

from __future__ import annotations

from collections.abc import Callable

from app.checklist.controller import ChecklistController
from app.live.page import LivePage
from app.review.controller import ReviewController
from app.review.page import ReviewPage
from app.settings import Choices
from app.start.page import StartPage


def connect_checklists(
    checklists: ChecklistController,
    start: StartPage,
    live: LivePage,
    page: ReviewPage,
    review: ReviewController,
    show_plane: Callable[[int], None],
    report: Callable[[str], None],
) -> None:
    """Show the checklists on the pages, and do what is chosen in them.

    Args:
        checklists: Of the scan and of the session in review.
        start: Where a protocol is chosen.
        live: Where that of the scan is.
        page: Where that of the review is.
        review: Takes what is said of a plane.
        show_plane: Shows the plane of that number as large as the window.
        report: Tells what went wrong.
    """
    choice = checklists.choice
    start.protocol_chosen.connect(checklists.follow)
    checklists.live_plane_wanted.connect(show_plane)
    checklists.review_row_chosen.connect(page.choose_row)
    checklists.add_wanted.connect(page.add_as)
    checklists.word_given.connect(review.apply)
    checklists.message.connect(report)
    checklists.folded.connect(lambda _: live.fit_checklist())
    checklists.note_changed.connect(start.show_protocol_note)
    checklists.protocol_changed.connect(lambda key: start.show_protocols(choice.choices, key))
    start.show_protocols(choice.choices, choice.choice)
    for problem in choice.problems:
        report(problem)


def connect_choices(start: StartPage, choices: Choices) -> None:
    """Remember what is chosen on the start page of how to scan."""
    start.device_chosen.connect(choices.use_device)
    start.recording.show_choices(choices.quality, choices.clips)
    start.recording.quality_chosen.connect(choices.use_quality)
    start.recording.clips_chosen.connect(choices.use_clips)
