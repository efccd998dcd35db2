"""What one feature of the window is told of another. The window makes the features; none knows the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.preferences.presenter import BY_SITE
from semc_core.language import _
from semc_core.paths import DEMONSTRATION, FETAL_MODEL

if TYPE_CHECKING:
    from app.annotating.controller import Annotating
    from app.checklist.controller import ChecklistController
    from app.choices import Choices
    from app.dialogs import DialogHost
    from app.file_dialogs import Chooser
    from app.live.controller import ScanController
    from app.live.page import LivePage
    from app.live.tone import Tone
    from app.review.controller import ReviewController
    from app.review.page import ReviewPage
    from app.review.worker import SessionWorker
    from app.settings import Settings
    from app.start.page import StartPage
    from app.tasks import Post
    from semc_core.types import Crop


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

    def name_in_review(*said: object) -> None:
        if page.commands is not None:
            page.commands.name_plane(*said)  # type: ignore[arg-type]  # as the signal has them

    checklists.live_plane_named.connect(lambda *said: live.kept.naming.name_plane(*said))
    checklists.review_plane_named.connect(name_in_review)
    checklists.live.can_name = lambda: live.can_record
    live.strip.drag.dragging.connect(checklists.live.show_targets)
    page.planes.drag.dragging.connect(checklists.review.show_targets)
    live.held.reference.find = checklists.reference_of_scan
    page.beside.reference.find = checklists.reference_of_review
    checklists.message.connect(report)
    checklists.folded.connect(lambda _on: live.fit_checklist())
    checklists.note_changed.connect(start.show_protocol_note)
    checklists.protocol_changed.connect(lambda key: start.show_protocols(choice.choices, key))
    live.kept.of_protocol = checklists.names_of_scan
    start.show_protocols(choice.choices, choice.choice)
    for problem in choice.problems:
        report(problem)


def connect_live(
    live: LivePage,
    set_region: Callable[[Crop | None], None],
    redraw: Callable[[], None],
    say: Callable[[str], None],
    report: Callable[[str], None],
) -> None:
    """Do what is done in the picture of a scan.

    Args:
        live: Where it is.
        set_region: Uses this region of interest; None finds it.
        redraw: Shows what was changed.
        say: Shows a sentence in the status line.
        report: Tells what went wrong.
    """
    live.view.region_chosen.connect(set_region)
    live.view.automatic_region.connect(lambda: set_region(None))
    live.held.measuring.changed.connect(redraw)
    live.held.measuring.message.connect(say)
    live.held.annotating.changed.connect(redraw)
    live.held.annotating.message.connect(say)
    live.held.annotating.fault.connect(report)


def annotated(
    page: ReviewPage, post: Post, redraw: Callable[[], None], say: Callable[[str], None]
) -> Annotating:
    """What is written and drawn on the picture in review.

    Args:
        page: Where it is.
        post: See `app.tasks`.
        redraw: Shows what was changed.
        say: Shows a sentence in the status line.
    """
    from app.annotating.controller import Annotating

    measuring = page.measuring
    made = Annotating(page.view, measuring.layer, measuring.leave, post)
    made.changed.connect(redraw)
    made.message.connect(say)
    made.fault.connect(say)
    return made


def draw_in_review(annotating: Annotating, page: ReviewPage, worker: SessionWorker | None) -> None:
    """Write and draw in the session that the page shows; None for none."""
    from app.review.drawn import ReviewDrawn

    commands = page.commands
    drawn = None
    if worker is not None and commands is not None:
        drawn = ReviewDrawn(worker, commands, lambda: page.view.packet)
    annotating.begin(drawn)


def toned(
    live: LivePage, scan: ScanController, settings: Settings, post: Post, tell: Callable[[str], None]
) -> Tone:
    """What is heard when a plane is saved, by itself or by hand, while a scan runs; never in review.

    Args:
        live: Where planes come in.
        scan: That runs.
        settings: Whether it is wanted.
        post: See `app.tasks`.
        tell: Shows the sentence that there is no sound.
    """
    from app.live.tone import Tone

    made = Tone(lambda: settings.tone and scan.running, post, tell)
    live.kept.on_begin, live.kept.on_take = made.begin, made.saved
    return made


def connect_files(
    start: StartPage,
    dialogs: DialogHost,
    choose: Chooser,
    play: Callable[[str], None],
    review: Callable[..., None],
) -> None:
    """Ask for the files that the start page wants played or reviewed, and open them.

    Args:
        start: Where it is asked for.
        dialogs: Where a session, or a picture of an earlier study, is chosen.
        choose: Asks which.
        play: Scans from a source.
        review: Reviews a loop or a session; takes its path, and a model where it is not the one in use.
    """
    start.chosen.connect(play)
    dialogs.review_wanted.connect(lambda path: review(path))
    start.file_wanted.connect(lambda: choose.loop_to_play(play))
    start.folder_wanted.connect(lambda: choose.images_to_play(play))
    take = dialogs.loops.take
    start.review_file_wanted.connect(lambda: choose.loops_to_review(lambda paths: take(paths, review)))
    start.review_folder_wanted.connect(lambda: choose.folder_to_review(lambda path: take([path], review)))
    start.loops_wanted.connect(dialogs.show_loops)
    start.demonstration_wanted.connect(lambda: review(DEMONSTRATION, FETAL_MODEL))
    start.session_wanted.connect(lambda folder: review(folder))
    start.sessions_wanted.connect(dialogs.show_sessions)


def connect_loops(dialogs: DialogHost, scan: ScanController, review: ReviewController) -> None:
    """Let the list of loops wait while a scan runs, or review analyses a loop, and review what it wants.

    Args:
        dialogs: Where the list is.
        scan: That runs.
        review: What is open there.
    """

    def busy() -> str:
        if scan.running:
            return _("The rest waits for the end of the scan.")
        opened = review.open
        # What is only looked at may be the very loop that the list analyses.
        analysing = opened is not None and not opened.looking_only and review.progress.running
        if review.opening or analysing:
            return _("The rest waits until the loop in review is analysed.")
        return ""

    dialogs.loops.busy, dialogs.loops.give_way = busy, review.give_way


def connect_choices(start: StartPage, choices: Choices, settings: Settings) -> None:
    """Remember what is chosen on the start page of how to scan, and of how long sessions are kept."""
    show_choices(start, choices, settings)
    for key, field in start.set_by_settings.items():
        if settings.is_set_by_site(key):
            field.setEnabled(False)
            field.setToolTip(_(BY_SITE))
    start.keeping.chosen.connect(settings.keep_sessions)
    start.device_chosen.connect(choices.use_device)
    start.recording.quality_chosen.connect(choices.use_quality)
    start.recording.clips_chosen.connect(choices.use_clips)


def show_choices(start: StartPage, choices: Choices, settings: Settings) -> None:
    """Show on the start page how the next scan is recorded, and how long sessions are kept."""
    start.keeping.show_rule(settings.retention)
    start.recording.show_choices(choices.quality, choices.clips)
