"""What the window says beside its pages: which keys work, the banner, the status line, the title.

What the banner says: the most urgent of what went wrong that was not put away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from app.commands import REVIEW, Situation
from app.formatting import Banner, StatusItem, StatusText
from app.instrumentation import TickGaps
from app.keys import given_keys
from app.live.controller import ScanController
from app.live.page import LivePage
from app.live.presenter import banner, ended_items, model_text, status_items, status_of, with_card, with_delay
from app.review.controller import ReviewController
from app.review.page import ReviewPage
from app.review.session import OpenReview
from app.send.controller import SendController
from app.send.presenter import sending_now
from app.start.page import StartPage
from app.widgets.accessible import announce
from app.widgets.panels import BannerBar, StatusLine
from app.widgets.tool_bars import show_checked, show_situation
from semc_core.language import _
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.sink import RecordingState
from semc_core.pipeline.state import PipelineState, Spread, Statistics
from semc_core.session.session import Session
from semc_core.types import SourceInfo

TITLE = "SEMC Live"


_LINE_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Features:
    """The parts of the features that something is said of."""

    scan: ScanController
    review: ReviewController
    sending: SendController
    start: StartPage
    live: LivePage
    review_page: ReviewPage


def scan_numbers(
    statistics: Statistics,
    recording: RecordingState | None,
    running: bool,
    latency: Spread,
    pause_ms: float,
) -> tuple[StatusItem, ...]:
    """The numbers of a scan, and of its recording."""
    numbers = status_items(statistics, latency, pause_ms) if running else ended_items(statistics)
    return (*status_of(recording), *numbers)


def scan_status(
    scan: LivePipeline[Session], model_name: str, numbers: tuple[StatusItem, ...], sentence: str = ""
) -> StatusText:
    """What is said of a scan; `sentence` takes the place of the numbers."""
    spec, info = scan.spec, scan.source_info
    # While it is loaded, too: not the model of the scan or the review before.
    model = (
        (model_name, "")
        if spec is None
        else (model_text(model_name, spec.sha256, scan.device_name), spec.notice)
    )
    title = TITLE if info is None else f"{info.source_id} · {TITLE}"
    return StatusText(numbers, sentence or None, title, model)


def review_status(opened: OpenReview | None, sentence: str) -> StatusText:
    """What is said of the session in review."""
    if opened is None:
        return StatusText(sentence=sentence)
    model = opened.session.model
    return StatusText(
        sentence=sentence,
        title=" · ".join((opened.session.source.source_id, _("Review"), TITLE)),
        model=(model_text(model.preset, model.sha256, model.device), model.notice),
    )


class StatusDisplay:
    """Shows it. Takes the features' parts that it speaks of, and the widgets that it is shown on.

    Attributes:
        messages: What went wrong outside of the scan and of the review.
        gaps: Whether the window keeps up.
    """

    def __init__(
        self, features: Features, actions: dict[str, QAction], bar: BannerBar, line: StatusLine
    ) -> None:
        self.messages = Messages()
        self.gaps = TickGaps()
        self._of = features
        self._actions, self._bar, self._line = actions, bar, line
        self._said = "", ""
        self._situation: tuple[Situation, Mapping[str, tuple[str, ...]]] | None = None
        self._shown_s = 0.0

    def tick(self, now_s: float, page: str, covered: bool) -> None:
        """Show all of it: to be called often.

        Args:
            now_s: `time.monotonic()`.
            page: Which is shown.
            covered: Whether a large view of a saved plane lies over it.
        """
        self.show_actions(page, covered)
        self._show_banner(page)
        if now_s - self._shown_s >= _LINE_EVERY_S:
            self.show_line(page)

    def begin(self) -> None:
        """Something new is begun: what was said before is over."""
        self.messages.begin()
        self._said = "", ""

    def say(self, sentence: str, of_page: str, page: str) -> None:
        """Say this in the status line, at once; "" where it is over.

        Args:
            sentence: What there is to say.
            of_page: Whose matter it is: it is said there only, and is over when that page is left.
            page: Which is shown.
        """
        self._said = of_page, sentence
        self.show_line(page)
        announce(self._line, sentence)

    def leave(self, page: str) -> None:
        """This page is shown from now on: what was said on others is over."""
        if self._said[0] != page:
            self._said = "", ""

    def show_actions(self, page: str, covered: bool) -> None:
        """Which keys and buttons work, and what they say."""
        scan, live, review_page, opened = (
            self._of.scan,
            self._of.live,
            self._of.review_page,
            self._of.review.open,
        )
        now = Situation(
            page=page,
            dialog_open=QApplication.activeModalWidget() is not None,
            covered=covered,
            typing=(review_page if page == REVIEW else live.held).typing,
            review_open=opened is not None,
            looking_only=opened is not None and opened.looking_only,
            scan_to_review=scan.over and live.session_folder is not None,
            running=scan.running,
            can_start=scan.options is not None or bool(self._of.start.last_opened),
            stopping=scan.stopping,
            region_by_hand=scan.region_by_hand,
            can_record=live.can_record,
            recording=live.recording,
            frozen=live.frozen,
            earlier=live.kept.earlier.there,
            naming=live.kept.naming.asks,
            choosing_region=live.view.choosing_region,
            heat_map=live.heat.on,
            checklist_open=(review_page if page == REVIEW else live).checklist.is_open,
            reference=(review_page.beside if page == REVIEW else live.held).reference.on,
        )
        shown = now, given_keys()
        if shown != self._situation:
            self._situation = shown
            show_situation(self._actions, now)
        show_checked(self._actions, now)
        review_page.name_actions(self._actions)
        live.held.measuring.name_actions(self._actions)

    def _show_banner(self, page: str) -> None:
        """The most urgent thing to say."""
        # What went wrong in a scan is over when its review begins.
        scan = None if page == REVIEW else self._of.scan.pipeline
        review = self._of.review
        faults = (
            (self._of.scan.fault, "source"),
            (self.messages.of_review(review.fault, page == REVIEW), review.way_out),
            (self._of.sending.fault, "sending"),
        )
        state, info = (None, None) if scan is None else (scan.state, scan.source_info)
        notice = "" if review.open is None else review.open.notice
        self._bar.show_banner(self.messages.banner(state, info, *faults, notice=notice))

    def show_line(self, page: str) -> None:
        """The status line and the title of the page that is shown."""
        self._shown_s = time.monotonic()
        scan, pipeline, live = self._of.scan, self._of.scan.pipeline, self._of.live
        said_on, said = self._said
        sentence = said if page == said_on else ""
        if page == REVIEW:
            self._line.show_status(review_status(self._of.review.open, sentence))
        elif pipeline is None:
            # What waited in the queue is sent from the start of the program on: it does not leave unseen.
            waits = sending_now(self._of.sending.snapshot)
            self._line.show_status(StatusText(sentence=waits, title=TITLE, model=("", "")))
        else:
            latency, pause_ms = live.latency.spread(), self.gaps.recent_ms
            numbers = scan_numbers(
                pipeline.statistics(), live.recording_state, scan.running, latency, pause_ms
            )
            if scan.running:
                info = pipeline.source_info
                measured = None if scan.options is None else scan.options.delay_of(info)
                numbers = with_delay(with_card(numbers, info), info, measured)
            model = "" if scan.options is None else scan.options.model_name or scan.options.model.stem
            self._line.show_status(scan_status(pipeline, model, numbers, "" if scan.running else sentence))


class Messages:
    """What went wrong, and what of it the user has put away."""

    def __init__(self) -> None:
        self._seen_in_review = ""
        self._fault = self._told = ""
        self._read: set[str] = set()

    def begin(self) -> None:
        """Something new is begun: what was said before does not matter any more."""
        self._fault = self._told = ""
        self._read.clear()

    def report(self, sentence: str) -> None:
        """Something went wrong outside of the scan and of the review."""
        self._fault = sentence
        self._read.discard(sentence)

    def tell(self, sentence: str) -> None:
        """Something the user asked for was done; told until it is put away, or something else is told."""
        self._told = sentence
        self._read.discard(sentence)

    def of_review(self, fault: str, on_its_page: bool) -> str:
        """What to say of a fault of the review; on other pages only what came after it was left."""
        if on_its_page:
            self._seen_in_review = fault
        elif fault == self._seen_in_review:
            return ""
        return fault

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

        A fault is a sentence, and the name of the way out of it; "" where its sentence says that.
        """
        known = ((self._fault, ""), *faults)
        unread = (one for one in known if one[0] and one[0] not in self._read)
        fault, way = next(unread, ("", ""))
        shown = banner(state, info, fault, self._read, way)
        if shown is not None:
            return shown
        text = next((one for one in (self._told, notice) if one and one not in self._read), "")
        return Banner(text, False) if text else None
