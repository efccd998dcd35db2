"""The main window: puts the parts together, gives every action its keys, and ticks."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.checklist.controller import Protocols
from app.checklist.panel import ChecklistPanel
from app.commands import LIVE, REVIEW, START, TRAIN
from app.dialogs import DialogHost
from app.file_dialogs import Chooser, dropped, show_folder
from app.instrumentation import GapMeter
from app.live.controller import ScanController
from app.live.page import LivePage
from app.review.controller import ReviewController
from app.review.page import ReviewPage
from app.review.session import OpenReview, ReviewRequest, open_review
from app.settings import Choices, Overrides, Settings
from app.start.page import SourceLists, StartPage
from app.status import Messages, show_actions, show_banner, show_status
from app.train.controller import TrainController
from app.train.page import TrainPage
from app.widgets import theme
from app.widgets.panels import BannerBar, HelpOverlay, StatusLine
from app.widgets.saved_strip import PlaneViewer
from app.widgets.tool_bars import ToolBars, make_actions
from app.wiring import connect_parts, follow_protocol, show_model, what_keys_do
from semc_core.errors import SemcError
from semc_core.pipeline.live import LivePipeline
from semc_core.session.session import Session, is_session
from semc_core.types import Crop

_log = logging.getLogger(__name__)
_TICK_MS: Final = 16
_STATUS_EVERY_S: Final = 0.5
_OPENING: Final = "Opening …"
_BANNER_TITLES: Final = {
    "source": "Choose another source  (N)",
    "start_stop": "Try again  (S)",
    "change_folder": "Choose another folder",
    "model": "Choose another model",
    "sending": "Look  (Ctrl+E)",
}


class MainWindow(QWidget):
    """Everything the user sees."""

    def __init__(
        self, settings: Settings, overrides: Overrides | None = None, keep_latencies: bool = False
    ) -> None:
        super().__init__()
        self.setWindowTitle("SEMC Live")
        self.setAcceptDrops(True)
        self.settings = settings
        self.choices = Choices(settings, overrides or Overrides())
        self.choose = Chooser(self)
        self.messages = Messages()
        self.protocols = Protocols(self.choices, self.report)
        self.control = ScanController()
        self.review = ReviewController(open_review)
        self.gaps = GapMeter()
        self.scan_page = LivePage(self.protocols, keep_latencies)
        self.source_page = StartPage()
        self.review_page = ReviewPage(self.review, self.protocols)
        self.banner = BannerBar(_BANNER_TITLES)
        self.status = StatusLine()
        self.pages = QStackedWidget()
        self.shown_pipeline: LivePipeline[Session] | None = None
        self.shown_review: OpenReview | None = None
        self.lists = SourceLists(self.source_page, self.report)
        self.dialogs = DialogHost(self)
        self.train_page = TrainPage()
        self.train = TrainController(self.train_page, self.choices, lambda: show_model(self))
        self._crop_pending = False
        self.said = ""
        self._status_at_s = 0.0
        self._make_actions()
        self._build()
        self.help = HelpOverlay(self)
        self.viewer = PlaneViewer(self)
        connect_parts(self)
        self._restore()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self.review_page.changed.connect(self.tick)
        self._timer.start(_TICK_MS)

    # What the user can do.

    def open_source(self, text: str) -> None:
        """Scan from `text`; what runs is ended first."""
        path = Path(text).expanduser()
        if path.exists():
            text = str(path.resolve())
        self.settings.remember_source(text)
        self._begin(text)

    def start_stop(self) -> None:
        """End the scan that runs; or scan the same again, or what was opened last; or choose a source."""
        options = self.control.options
        if self.control.running:
            self.control.stop()
        elif options is not None:
            self._begin(options.source)
        elif self.settings.recent_sources:
            self.open_source(self.settings.recent_sources[0])
        else:
            self.show_sources()

    def open_review(self, path: str | Path) -> None:
        """Review this loop or session; a scan that runs is ended, a session that is open is closed."""
        if self.control.running:
            self.control.stop()
        self.messages.begin()
        self.said = _OPENING
        choices = self.choices
        self.review.begin(ReviewRequest(Path(path), choices.model, choices.device, choices.output))
        self._show_review(None)
        self._show_page(self.review_page)

    def review_this(self) -> None:
        """Review the scan that was made; or what is open in review; or ask for a loop."""
        page = self.pages.currentWidget()
        if page is self.scan_page and self.scan_page.session_folder is not None:
            self.open_review(self.scan_page.session_folder)
        elif page is not self.review_page and self.shown_review is not None:
            self._show_page(self.review_page)
        else:
            self.choose.loop_to_review(self.open_review)

    def show_sources(self) -> None:
        """Show the start page; a scan that runs goes on."""
        self.source_page.show_recent(self.settings.recent_sources)
        show_model(self)
        self.source_page.show_back(self._way_back()[0])
        self._show_page(self.source_page)
        self.lists.look_for_cameras()
        self.lists.look_for_sessions(self.choices.output)

    def show_training(self) -> None:
        """Show the page for training; a scan that runs goes on."""
        self.train.open()
        self._show_page(self.train_page)

    def set_region(self, crop: Crop | None) -> None:
        """Use this region of interest from now on; None finds it."""
        engine = self.shown_pipeline
        if engine is None:
            return
        engine.set_crop(crop)
        self.scan_page.choose_region(False)
        self.scan_page.region_by_hand = crop is not None
        info = engine.source_info
        if info is not None:
            self.settings.remember_crop(info.kind, info.width, info.height, crop)

    def export(self) -> None:
        """Export the session in review, or what the last scan found."""
        opened, folder = self.shown_review, self.scan_page.session_folder
        if opened is not None and self.page_name == REVIEW:
            self.dialogs.export(opened.session.folder, opened.session)
        elif folder is not None and self.control.over:
            self.dialogs.export(folder)

    def record(self) -> None:
        """Record the scan from now on, or no further."""
        try:
            self.scan_page.toggle_recording(self.choices.quality)
        except SemcError as error:
            self.report(str(error))

    def toggle_heat_map(self) -> None:
        """Lay the heat map over the picture, live and in review, or take it away."""
        on = not self.settings.heat_map
        self.scan_page.toggle_heat_map(on)
        self.review_page.heat_map_on = self.settings.heat_map = on

    def show_last_saved(self) -> None:
        """Show the plane saved last as large as the window."""
        if self.scan_page.saved:
            self.viewer.show_plane(self.scan_page.saved[-1])

    def show_folder(self) -> None:
        """Show the folder of the session, or of the scan."""
        folder = self.scan_page.session_folder or self.choices.output
        if self.page_name == REVIEW and self.shown_review is not None:
            folder = self.shown_review.session.folder
        if fault := show_folder(folder):
            self.report(fault)

    def go_back(self) -> None:
        """From the start page to the review or the scan, if there is one."""
        if self._way_back()[0]:
            self._show_page(self._way_back()[1])

    def escape(self) -> None:
        """Leave what is in the way: one thing at each press."""
        if self.help.isVisible():
            self.help.hide()
        elif self.viewer.isVisible():
            self.viewer.hide()
        elif self.scan_page.view.choosing_region:
            self.scan_page.choose_region(False)
        elif self.page_name == REVIEW and self.review_page.escape():
            self.setFocus()
        elif self.page_name == START and self._way_back()[0]:
            self.go_back()
        elif self.page_name == TRAIN:
            self.show_sources()
        elif self.isFullScreen():
            self.toggle_full_screen()

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back."""
        self.showNormal() if self.isFullScreen() else self.showFullScreen()

    def tick_once_more(self) -> None:
        """After the close: take what the scan wrote at its end."""
        self.scan_page.tick(time.monotonic(), False)

    def report(self, sentence: str) -> None:
        """Tell the user of something that went wrong outside of the scan."""
        self.messages.report(sentence)

    # Building.

    def _make_actions(self) -> None:
        self.actions_by_name = make_actions(self, what_keys_do(self))
        self.review_page.set_actions(self.actions_by_name)
        self.tool_bars = ToolBars(self.actions_by_name)

    def _build(self) -> None:
        self.pages.addWidget(self.source_page)
        self.pages.addWidget(self.scan_page)
        self.pages.addWidget(self.review_page)
        self.pages.addWidget(self.train_page)
        layout = QVBoxLayout(self)
        gap = round(0.5 * theme.em(self))
        layout.setContentsMargins(gap, gap, gap, gap)
        layout.setSpacing(gap)
        layout.addWidget(self.tool_bars)
        layout.addWidget(self.banner)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.status)

    def _restore(self) -> None:
        self.resize(QSize(1280, 800))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(*(round(lines * theme.em(self)) for lines in theme.LEAST_EM))
        self.restoreGeometry(self.settings.geometry)
        self.scan_page.toggle_heat_map(self.settings.heat_map)
        self.review_page.heat_map_on = self.settings.heat_map
        self.scan_page.strip.show_folder(str(self.choices.output))
        self.show_sources()
        self.dialogs.sending.go_on()

    def _begin(self, source: str) -> None:
        self.messages.begin()
        self._show_review(None)
        self.review.release()
        self.control.begin(self.choices.options(source))
        self._show_page(self.scan_page)

    @property
    def checklist(self) -> ChecklistPanel:
        """That of the page which is shown."""
        return (self.review_page if self.page_name == REVIEW else self.scan_page).checklist

    @property
    def page_name(self) -> str:
        """Which page is shown."""
        pages: dict[QWidget, str] = {
            self.source_page: START,
            self.scan_page: LIVE,
            self.review_page: REVIEW,
            self.train_page: TRAIN,
        }
        return pages[self.pages.currentWidget()]

    def _way_back(self) -> tuple[str, QWidget]:
        """From the start page: what to call it, and where it is."""
        if self.shown_review is not None:
            return "review", self.review_page
        return ("scan" if self.shown_pipeline is not None else ""), self.scan_page

    def _show_review(self, opened: OpenReview | None) -> None:
        self.shown_review = opened
        self.review_page.show_review(opened)

    def _show_page(self, page: QWidget) -> None:
        if page is not self.train_page:
            self.train.hide()
        self.pages.setCurrentWidget(page)
        self.tool_bars.show_page(self.page_name)
        self._status_at_s = 0.0
        self.setFocus()
        show_actions(self)

    # Every few milliseconds.

    def tick(self) -> None:
        """Take what the engine has, and show it."""
        now_s = time.monotonic()
        self.gaps.tick(now_s)
        self.control.poll()
        engine = self.control.engine
        if engine is not None and engine is not self.shown_pipeline:
            self.shown_pipeline = engine
            self._crop_pending = True
            self.scan_page.begin(engine)
            self.scan_page.strip.show_folder(str(self.choices.output))
        self._use_remembered_crop()
        self.scan_page.tick(now_s, self.control.stopping)
        self.review.poll(now_s)
        if self.review.open is not self.shown_review:
            self._show_review(self.review.open)
            self.said = "" if self.review.open is None else self.review.open.greeting
        elif self.said == _OPENING and not self.review.opening:
            self.said = ""  # It could not be opened; the banner says why.
        self.review_page.tick(now_s)
        if said := self.review_page.take_said():
            self.said, self._status_at_s = said, 0.0
        self.lists.poll()
        self.dialogs.tick()
        self.train.tick(now_s)
        follow_protocol(self)
        show_actions(self)
        show_banner(self)
        if now_s - self._status_at_s >= _STATUS_EVERY_S:
            self._status_at_s = now_s
            show_status(self)

    def _use_remembered_crop(self) -> None:
        info = None if self.shown_pipeline is None else self.shown_pipeline.source_info
        if self.shown_pipeline is None or info is None or not self._crop_pending:
            return
        self._crop_pending = False
        crop = self.settings.crop(info.kind, info.width, info.height)
        if crop is not None:
            self.shown_pipeline.set_crop(crop)
            self.scan_page.region_by_hand = True

    # What Qt calls.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files and addresses can be dropped."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first thing that was dropped: in review if that is shown or it is a session."""
        text = dropped(event)
        if text and (self.page_name == REVIEW or is_session(Path(text))):
            self.open_review(text)
        elif text:
            self.open_source(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The list of keys and the large view lie over the window."""
        if self.viewer.isVisible():
            self.viewer.setGeometry(self.rect())
        self.help.hide()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the scan, write what is left, remember the settings."""
        self._timer.stop()
        self.settings.geometry = self.saveGeometry()
        self.settings.write()
        self.hide()
        # The scan first: it must not be recorded on while a server is waited for. An export and what was sent
        # may still write to the session in review.
        for part in (self.control, self.train, self.dialogs, self.review, self.lists, self.protocols):
            try:
                part.close()
            except SemcError as error:
                # There is no window left to show it in.
                _log.error("%s", error)
            except Exception:  # noqa: BLE001 - whatever became of one, the others are closed
                _log.exception("A fault while the window was closed.")
        event.accept()
