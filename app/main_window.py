"""The main window: which features there are, what keys do, and which signal of one goes to another.

No feature knows the window or another feature; what one needs of another is handed over here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent

from app.commands import LIVE, REVIEW, START, TRAIN
from app.connections import annotated, connect_checklists, connect_files, connect_live, connect_loops, toned
from app.file_dialogs import show_folder
from app.main_thread import MainThread
from app.opening import OpeningWindow
from semc_core.errors import SemcError
from semc_core.language import _

if TYPE_CHECKING:
    from app.review.worker import SessionWorker
    from app.scan_options import ScanOptions
    from app.widgets.folding import FoldingPanel
    from semc_core.pipeline.live import LivePipeline
    from semc_core.session.session import Session
    from semc_core.types import Crop

TICK_MS: Final = 16


class MainWindow(OpeningWindow):
    """Everything the user sees. It opens with its start page; the rest is loaded when that is painted."""

    def make_rest(self) -> None:
        """Load and make what is not on the start page, and begin."""
        super().make_rest()
        self._make()
        self.add({LIVE: self.live_page, REVIEW: self.review_page, TRAIN: self.train_page})
        self._finish()

    def _make(self) -> None:
        from app.checklist.controller import ChecklistController
        from app.closing import Closing
        from app.consent import CameraConsent
        from app.dialogs import DialogHost
        from app.display.controller import PictureDisplay
        from app.examining import Examining
        from app.fetuses import FetusKeys
        from app.live.controller import ScanController
        from app.live.measured import LiveSubject, Told
        from app.live.page import LivePage
        from app.next_model import NextModel
        from app.picture_window import PictureWindow
        from app.read_ahead import ReadAhead
        from app.review.controller import ReviewController
        from app.review.page import ReviewPage
        from app.review.session import open_review
        from app.same_examination import SameExamination
        from app.start.controller import SourceLists
        from app.start.importing import ModelImport
        from app.train.controller import TrainController
        from app.train.page import TrainPage
        from semc_core.sources.devices.consent import this_privacy

        settings = self.settings
        self._main_thread = MainThread(self)
        post = self._main_thread.post
        # What each feature does ...
        self.scan = ScanController(post, settings)
        self.review = ReviewController(open_review, post)
        self.checklists = ChecklistController(settings, self.choices, post, self)
        self.dialogs = DialogHost(self, settings, self.choices, post, self._session_in_review)
        self.examining = Examining(self.dialogs, self.review)
        self.reading = ReadAhead(self.choices.data, post)
        self.dialogs.readings_for = self.reading.readings_of
        # ... and what it shows.
        self.measured = LiveSubject(post, Told(self._say_of(LIVE), self.report, lambda: self.tick()))
        self.live_page = LivePage(self.checklists.live, self.measured, self.keep_latencies)
        self.live_page.held.measuring.memory = settings
        of_scan = self.live_page, self.checklists, self.dialogs.worklist
        self.same = SameExamination(*of_scan, post, self._say_of(LIVE))
        self.review_page = ReviewPage(self.checklists.review)
        self.review_page.measuring.memory = settings
        self.annotating = annotated(self.review_page, post, lambda: self.tick(), self._say_of(REVIEW))
        pictures = self.live_page, self.review_page
        self.look = PictureDisplay(pictures, settings, (self.review_page.beside.view,))
        self.train_page = TrainPage()
        self.sources = SourceLists(self.start_page, post, self.report)
        self.next_model = NextModel(
            self.choices, self.start_page, self.checklists, self.sources, self._tell, self
        )
        self.imports = ModelImport(lambda: self.choices.registry, post, self._tell, self.report)
        self.train = TrainController(self.train_page, self.choices, post, self.next_model.show)
        self.closing = Closing(self.report)
        self.consent = CameraConsent(this_privacy(), post, self._tell)
        self.picture = PictureWindow(self, settings)
        told = self.live_page, self.review_page, self.review, self.checklists
        self.fetuses = FetusKeys(*told, self._tell, self._say_of(REVIEW))

    def _finish(self) -> None:
        from app.live.raw_signal import RawSignal
        from app.preferred import Preferred
        from app.status import Features, StatusDisplay

        self._does = self._what_keys_do()
        leave_review = self.dialogs.back_to_loops(self.annotating.leaving(self.review_page.escape))
        self._leaves = {REVIEW: leave_review, LIVE: self.live_page.escape}
        self.review_page.set_actions(self.actions_by_name)
        self.annotating.set_actions(self.actions_by_name, self.review_page.measuring.tools.add)
        self.live_page.held.set_actions(self.actions_by_name)
        features = Features(
            self.scan, self.review, self.dialogs.sending, self.start_page, self.live_page, self.review_page
        )
        self.display = StatusDisplay(features, self.actions_by_name, self.banner, self.status)
        self.dialogs.preferred = Preferred(
            self.settings, self.choices, self.start_page, self.checklists, self.look, self.next_model,
            self._use_output, self.dialogs.show_sending, self.show_training, self.use_keys,
        ).parts  # fmt: skip
        self.raw = RawSignal(self._main_thread.post, self.display.messages.tell, self.report)
        self.tone = toned(self.live_page, self.scan, self.settings, self._main_thread.post, self._tell)
        self._connect_start()
        self._connect_live()
        self._connect_review()
        shown = self.start_page, self.live_page, self.review_page
        connect_checklists(self.checklists, *shown, self.review, self._show_plane, self.report)
        for sentence in (*self.settings.faults, *self.use_keys(self.settings.keys)):
            self.report(sentence)
        self.live_page.strip.show_folder(str(self.choices.output))
        self.show_sources()
        kept = self.settings.output_folder, self.settings.retention
        self.sources.delete_old_sessions(*kept, self.choices.data)
        self.dialogs.go_on()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK_MS)

    # What goes where.

    def _what_keys_do(self) -> dict[str, Callable[[], object]]:
        """What each key binding does, by its name."""
        from app.review.recording_dialog import ask_to_delete_recording

        live = self.live_page
        return {
            **self.on_its_page({REVIEW: self.annotating.over(self.review_page.does()), LIVE: live.does()}),
            "delete_recording": lambda: ask_to_delete_recording(self.review, self, self._say_of(REVIEW)),
            "export": self.export,
            **self.dialogs.does(),
            "examination": lambda: self.examining.show(self.page_name),
            "record": self.record,
            "tap": lambda: self.raw.press(self.scan.options),
            "source": self.show_sources,
            "train": self.show_training,
            "review": self.review_this,
            "open_file": lambda: self.choose.loop_to_play(self.open_source),
            "start_stop": self.start_stop,
            "freeze": lambda: live.freeze(not live.frozen),
            **self.look.does(),
            **self.fetuses.does(lambda: self.page_name),
            "region": lambda: live.choose_region(not live.view.choosing_region),
            "auto_region": lambda: self.set_region(None),
            "last_saved": self.show_last_saved,
            "checklist": lambda: self.checklist.toggle(),
            "folder": self.show_folder,
            "full_screen": self.toggle_full_screen,
            "picture": self.picture.toggle,
            "large_words": self.picture.toggle_words,
            "help": lambda: self.help.toggle(self.page_name),
            "escape": self.escape,
            "quit": self.leave,
        }

    def _connect_start(self) -> None:
        from app.start.card_dialog import choose_for_card

        self.dropped.connect(self.open_dropped)
        self.keys_changed.connect(self.start_page.show_keys)
        self.came_back.connect(self.next_model.notice_changes)
        page, choose = self.start_page, self.choose
        connect_files(page, self.dialogs, choose, self.open_source, self.open_review)
        connect_loops(self.dialogs, self.scan, self.review)
        page.card_wanted.connect(
            lambda source, name: choose_for_card(source, name, self.settings, self.sources, self.scan, self)
        )
        page.cameras_wanted.connect(self.sources.look_for_cameras)
        self.dialogs.sessions.on_deleted = lambda: self.sources.look_for_sessions(self.choices.output)
        page.model_wanted.connect(lambda: self._choose_model(self.next_model.use))
        page.model_chosen.connect(self.next_model.use_choice)
        page.train_wanted.connect(self.show_training)
        page.kept_at_hand.connect(self.settings.keep_at_hand)
        page.kept_at_hand.connect(lambda _text, _on: self.show_opened())
        page.back_wanted.connect(self.go_back)
        self.train_page.folder_wanted.connect(lambda: choose.data(self.train.add_folder))

    def _connect_live(self) -> None:
        self.scan.on_begin, self.scan.on_open = self._show_scan, self.settings.remember_source
        connect_live(self.live_page, self.set_region, self.tick, self._say_of(LIVE), self.report)
        self.dialogs.sessions.scanned = lambda: self.live_page.session_folder
        strip = self.live_page.strip
        strip.opened.connect(self.viewer.show_plane)
        strip.folder_wanted.connect(self.show_folder)
        strip.change_folder_wanted.connect(lambda: self.choose.output(self._use_output))

    def _connect_review(self) -> None:
        self.review.on_open = self._show_review
        self.review.on_message = self._say_of(REVIEW)
        self.review.on_change = self.tick
        self.review_page.changed.connect(self.tick)
        self.review_page.message.connect(self._say_of(REVIEW))
        self.dialogs.close_wanted.connect(lambda dialog: self.closing.ask_of_export(self.dialogs, dialog))
        self.dialogs.message.connect(lambda sentence: self._say_of(self.page_name)(sentence))
        self.banner.action_chosen.connect(self._follow_banner)
        self.banner.put_away.connect(lambda: self.display.messages.put_away(self.banner.shown))

    # What the user can do.

    def open_source(self, text: str) -> None:
        """Scan from `text`; what runs is ended first."""
        path = Path(text).expanduser()
        if path.exists():
            text = str(path.resolve())
        self._begin(text)

    def open_dropped(self, texts: list[str]) -> None:
        """Open what was dropped: in review if that is shown or it is a session; several loops as a list."""
        from semc_core.session.listing import is_session

        self.complete()
        in_review = self.page_name == REVIEW or is_session(Path(texts[0]))
        self.dialogs.loops.take(texts, self.open_review if in_review else self.open_source)

    def start_stop(self) -> None:
        """End the scan that runs; or scan the same again; or what the start page says was opened last."""
        options = self.scan.options
        if self.scan.running:
            self.scan.stop()
        elif options is not None:
            self._begin(options.source)
        elif self.start_page.last_opened:
            self.open_source(self.start_page.last_opened)

    def open_review(self, path: str | Path, model: Path | None = None) -> None:
        """Review this loop or session, by `model` (None: the one in use); a scan that runs is ended."""
        from app.review.session import ReviewRequest

        if self.scan.running:
            self.scan.stop()
        self.display.begin()
        self.settings.remember_opened()
        use = self.choices
        how = (use.device, use.output, use.images, use.picture_options)
        self.review.begin(ReviewRequest(Path(path), model or use.model, *how))
        self.next_model.notice_changes()
        self.go_to(REVIEW)

    def review_this(self) -> None:
        """Review the scan that was made; or what is open in review; or ask for a loop."""
        if self.page_name == LIVE and self.live_page.session_folder is not None:
            self.open_review(self.live_page.session_folder)
        elif self.page_name != REVIEW and self.review.open is not None:
            self.go_to(REVIEW)
        else:
            self.choose.loops_to_review(lambda paths: self.dialogs.loops.take(paths, self.open_review))

    def show_sources(self) -> None:
        """Show the start page; a scan that runs goes on."""
        self.show_opened()
        self.next_model.notice_changes()
        self.next_model.show()
        self.start_page.show_back(self._way_back()[0])
        self.go_to(START)
        self.sources.look_for_cameras()
        self.sources.look_for_sessions(self.choices.output)

    def show_training(self) -> None:
        """Show the page for training; a scan that runs goes on."""
        self.train.open()
        self.go_to(TRAIN)

    def set_region(self, crop: Crop | None) -> None:
        """Use this region of interest from now on; None finds it."""
        self.scan.set_region(crop)
        self.live_page.choose_region(False)

    def export(self) -> None:
        """Export the session in review, or what the last scan found."""
        opened, folder = self.review.open, self.live_page.session_folder
        if opened is not None and self.page_name == REVIEW:
            self.dialogs.export(opened.session.folder, self.checklists.protocol_of_review, opened.session)
        elif folder is not None and self.scan.over:
            self.dialogs.export(folder, self.checklists.protocol_of_scan)

    def record(self) -> None:
        """Record the scan from now on, or no further."""
        try:
            self.live_page.toggle_recording(self.choices.quality)
        except SemcError as error:
            self.report(str(error))

    def show_last_saved(self) -> None:
        """Show the plane that is chosen, or saved last, as large as the window."""
        if (plane := self.live_page.kept.foremost) is not None:
            self.viewer.show_plane(plane)

    def show_folder(self) -> None:
        """Show the folder of the session, or of the scan."""
        folder = self.live_page.session_folder or self.choices.output
        if self.page_name == REVIEW and self.review.open is not None:
            folder = self.review.open.session.folder
        if fault := show_folder(folder):
            self.report(fault)

    def go_back(self) -> None:
        """From the start page to the review or the scan, if there is one."""
        name, page = self._way_back()
        if name:
            self.go_to(page)

    def escape(self) -> None:
        """Leave what is in the way: one thing at each press."""
        if self.picture.isVisible():
            self.picture.hide()
            return
        if self.close_overlay():
            return
        if self.live_page.view.choosing_region:
            self.live_page.choose_region(False)
        elif self.page_name in self._leaves and self._leaves[self.page_name]():
            self.setFocus()
        elif self.page_name == START and self._way_back()[0]:
            self.go_back()
        elif self.page_name == TRAIN:
            self.show_sources()
        elif self.isFullScreen():
            self.toggle_full_screen()

    def report(self, sentence: str) -> None:
        """Tell the user of something that went wrong outside of the scan."""
        self.display.messages.report(sentence)

    def leave(self) -> None:
        """Close, as a person does: asks first where something goes on."""
        if not self.closing.ask_of_all(self.dialogs, self.train, self):
            self.close()

    @property
    def checklist(self) -> FoldingPanel:
        """That of the page which is shown."""
        return (self.review_page if self.page_name == REVIEW else self.live_page).checklist

    # What follows.

    def _begin(self, source: str) -> None:
        self.consent.first(source, lambda: self._scan(source))

    def _scan(self, source: str) -> None:
        self.display.begin()
        self.review.release()
        self.scan.begin(self.dialogs.worklist.attached(self.choices.options(source)))
        self.next_model.notice_changes()
        self.go_to(LIVE)

    def _show_scan(self, pipeline: LivePipeline[Session], options: ScanOptions) -> None:
        from app.live.traces import load_curves

        offer = self.same.look(options.examination)
        self.dialogs.worklist.begin_scan(pipeline, options)
        self.checklists.begin_scan(pipeline, options.protocol)
        load_curves()
        self.live_page.begin(pipeline, options.source)
        offer()
        self.live_page.strip.show_folder(str(options.output))

    def _show_review(self, worker: SessionWorker | None) -> None:
        from app.connections import draw_in_review

        self.review_page.show_review(worker)
        self.examining.follow_review(worker)
        draw_in_review(self.annotating, self.review_page, worker)
        planes = () if worker is None else worker.opened.planes
        of_scan = worker is not None and worker.opened.session.folder == self.live_page.session_folder
        self.checklists.begin_review(planes, worker is not None and worker.looking_only, of_scan)

    def _show_plane(self, number: int) -> None:
        if (plane := self.live_page.plane(number)) is not None:
            self.viewer.show_plane(plane)

    def _choose_model(self, use: Callable[[str], object]) -> None:
        self.choose.model(lambda path: self.imports.take(path, use))

    def _try_model(self, path: str) -> None:
        """Take another model, and do again what failed with the last."""
        self.next_model.use(path)
        request, options = self.review.request, self.scan.options
        if self.page_name == REVIEW and request is not None:
            self.open_review(request.path)
        elif options is not None:
            self.open_source(options.source)

    def _use_output(self, folder: str) -> None:
        self.choices.use_output(folder)
        self.live_page.strip.show_folder(_("{folder} (from the next scan on)", folder=self.choices.output))
        request = self.review.request
        if self.page_name == REVIEW and self.review.unopened and request is not None:
            self.open_review(request.path)

    def _follow_banner(self, name: str) -> None:
        self.display.messages.put_away(self.banner.shown)
        if name == "change_folder":
            self.choose.output(self._use_output)
        elif name == "model":
            self._choose_model(self._try_model)
        elif name == "sending":
            self.dialogs.show_sending()
        else:
            self.actions_by_name[name].trigger()

    def _session_in_review(self) -> Session | None:
        """For any thread."""
        opened = self.review.open
        return None if opened is None else opened.session

    def _way_back(self) -> tuple[str, str]:
        """From the start page: what to call it, and which page it is."""
        if self.review.open is not None:
            return "review", REVIEW
        return ("scan" if self.scan.pipeline is not None else ""), LIVE

    def go_to(self, page: str) -> None:
        """Show this page, and what the window says of it."""
        if page != TRAIN:
            self.train.hide()
        self.show_page(page)
        self.display.leave(page)
        self.display.show_actions(page, self.viewer.isVisible())
        self.display.show_line(page)

    def tick(self) -> None:
        """Every few milliseconds: take what the streams have (picture, results, numbers), and show it."""
        now_s = time.monotonic()
        self.display.gaps.tick(now_s)
        self.dialogs.worklist.tick()
        self.same.tick()
        self.show_examination(self.examining.line(self.page_name))
        self.scan.tick()
        self.live_page.tick(now_s, self.scan.stopping, self.scan.region_by_hand)
        if self.scan.pipeline is not None:
            self.checklists.show_scan(self.live_page.kept.counted, self.live_page.spec)
        self.review.tick(now_s)
        self.review_page.tick(now_s)
        self.annotating.tick()
        if (opened := self.review.open) is not None:
            time_s = self.fetuses.review_time_s
            self.checklists.show_review(self.review.snapshot, opened.session.model, time_s)
        self.train.tick(now_s)
        self.reading.follow(now_s, self.scan, self.review, self.live_page, self.dialogs)
        page, live = self.page_name, self.live_page
        self.picture.follow(live if page == LIVE else self.review_page if page == REVIEW else None)
        self.display.tick(now_s, self.page_name, self.viewer.isVisible())

    def tick_once_more(self) -> None:
        """After the close: take what the scan wrote at its end."""
        self.live_page.tick(time.monotonic(), False, self.scan.region_by_hand)

    def _say_of(self, page: str) -> Callable[[str], None]:
        """Says what is the matter of this page."""
        return lambda sentence: self.display.say(sentence, page, self.page_name)

    def _tell(self, sentence: str) -> None:
        self.display.messages.tell(sentence)

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the scan, write what is left, remember the settings; a person is asked what is to be ended.

        Where the program itself closes the window, nobody may be there to answer.
        """
        self.complete()  # who made the window may ask for what it found
        if event.spontaneous() and self.closing.ask_of_all(self.dialogs, self.train, self):
            event.ignore()
            return
        self.closing.close()
        self._timer.stop()
        self.next_model.close()
        self.settings.geometry = self.saveGeometry()
        self.settings.write()
        self.hide()
        self.live_page.finish_measuring()
        # First the scan with what is measured in it: it must not be recorded on while a server is waited for.
        # An export and what was sent may still write to the session in review.
        parts = (
            self.train,
            self.imports,
            self.dialogs,
            self.annotating,
            self.review,
            self.sources,
            self.same,
            self.checklists,
        )
        from app.tasks import close_all

        close_all(self.measured, self.live_page.held, self.scan, self.raw, self.tone, self.reading, *parts)
        self._main_thread.close()
        event.accept()
