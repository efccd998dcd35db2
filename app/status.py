"""What the window shows at this moment: which keys work, the banner, the status line.

What the banner says: the most urgent of what went wrong that was not put away. No Qt here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from app.commands import LIVE, REVIEW, Situation, correcting_tips, enabled_actions, start_title
from app.live.presenter import ended_items, model_text, status_items, status_of
from app.send.presenter import sending_now

if TYPE_CHECKING:
    from app.main_window import MainWindow
from app.formatting import Banner
from app.live.presenter import banner
from semc_core.pipeline.state import PipelineState
from semc_core.types import SourceInfo


def show_actions(window: MainWindow) -> None:
    """Which keys and buttons work, and what they say."""
    page, actions = window.scan_page, window.actions_by_name
    over = window.control.over and page.session_folder is not None
    now = Situation(
        page=window.page_name,
        asked=QApplication.activeModalWidget() is not None,
        covered=window.viewer.isVisible(),
        typing=window.review_page.typing,
        review_open=window.shown_review is not None,
        looking_only=window.shown_review is not None and window.shown_review.looking_only,
        scan_to_review=over,
        running=window.control.running,
        stopping=window.control.stopping,
        region_by_hand=page.region_by_hand,
        can_record=page.can_record,
        frozen=page.frozen,
    )
    for name, on in enabled_actions(now).items():
        actions[name].setEnabled(on)
    for name, tip in correcting_tips(now).items():
        actions[name].setToolTip(tip)
    window.review_page.name_actions(actions)
    actions["freeze"].setChecked(page.frozen)
    actions["heat_map"].setChecked(window.settings.heat_map)
    actions["checklist"].setChecked(window.checklist.is_open)
    actions["region"].setChecked(page.view.choosing_region)
    actions["record"].setChecked(page.recording)
    actions["start_stop"].setText(start_title(now))


def show_banner(window: MainWindow) -> None:
    """The most urgent thing to say."""
    # What went wrong in a scan is over when its review begins.
    engine = None if window.page_name == REVIEW else window.shown_pipeline
    state = None if engine is None else engine.state
    info = None if engine is None else engine.source_info
    notice = "" if window.shown_review is None else window.shown_review.notice
    faults = (
        (window.control.fault, "source"),
        (_review_fault(window), window.review.way_out),
        (window.dialogs.fault, "sending"),
    )
    window.banner.show_banner(window.messages.banner(state, info, *faults, notice=notice))


def _review_fault(window: MainWindow) -> str:
    """What went wrong in review. On other pages only what the user has not seen there: it came later."""
    fault, messages = window.review.fault, window.messages
    if window.page_name == REVIEW:
        messages.seen_in_review = fault
        return fault
    return "" if fault == messages.seen_in_review else fault


def show_status(window: MainWindow) -> None:
    """The status line and the title of the page that is shown."""
    if window.page_name == REVIEW:
        _show_review_status(window)
        return
    engine = window.shown_pipeline
    if engine is None:
        # What waited in the queue is sent from the start of the program on: it does not leave unseen.
        window.status.show_sentence(sending_now(window.dialogs.sending.snapshot))
        return
    page = window.scan_page
    if window.said and window.page_name == LIVE and not window.control.running:
        window.status.show_sentence(window.said)
    else:
        if window.control.running:
            numbers = status_items(engine.statistics(), page.latency.spread(), window.gaps.recent_ms)
        else:
            numbers = ended_items(engine.statistics())
        window.status.show_numbers((*status_of(page.recording_state), *numbers))
    spec, info = engine.spec, engine.source_info
    window.setWindowTitle("SEMC Live" if info is None else f"{info.source_id} · SEMC Live")
    if spec is None:
        # Not that of the scan or the review before.
        window.status.show_model("", "")
    else:
        options = window.control.options
        name = window.choices.model.stem if options is None else options.model.stem
        window.status.show_model(model_text(name, spec.sha256, engine.device_name), spec.notice)


def _show_review_status(window: MainWindow) -> None:
    opened = window.shown_review
    window.status.show_sentence(window.said)
    if opened is not None:
        window.setWindowTitle(f"{opened.session.source.source_id} · Review · SEMC Live")
        model = opened.session.model
        window.status.show_model(model_text(model.preset, model.sha256, model.device), model.notice)


class Messages:
    """Called by one thread.

    Attributes:
        seen_in_review: The fault that the page of the review showed last, or "".
    """

    def __init__(self) -> None:
        self.seen_in_review = ""
        self._fault = ""
        self._read: set[str] = set()

    def begin(self) -> None:
        """Something new is begun: what was said before does not matter any more."""
        self._fault = ""
        self._read.clear()

    def report(self, sentence: str) -> None:
        """Something went wrong outside of the scan and of the review."""
        self._fault = sentence
        self._read.discard(sentence)

    def put_away(self, shown: Banner | None) -> None:
        """The user has read this."""
        if shown is not None:
            self._read.add(shown.text)
        self._fault = ""

    def banner(
        self,
        state: PipelineState | None,
        info: SourceInfo | None,
        *faults: tuple[str, str],
        notice: str = "",
    ) -> Banner | None:
        """What to say: of the window, of `faults` in order, of the scan and its source; or the notice.

        A fault is a sentence, and the name of the way out of it.
        """
        known = ((self._fault, "source"), *faults)
        unread = (one for one in known if one[0] and one[0] not in self._read)
        fault, way = next(unread, ("", ""))
        said = banner(state, info, fault, self._read, way)
        if said is None and notice and notice not in self._read:
            return Banner(notice, False)
        return said
