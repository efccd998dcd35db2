"""Which key does what in the window, and which signal goes where."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.checklist.panel import ChecklistPanel
from app.checklist.presenter import REASONS
from app.checklist.reason_dialog import ReasonDialog
from app.commands import REVIEW
from semc_core.protocols.protocol import Protocol

if TYPE_CHECKING:
    from app.main_window import MainWindow


def what_keys_do(window: MainWindow) -> dict[str, Callable[[], object]]:
    """What each key binding does, by its name."""
    page = window.scan_page
    return {
        **window.review_page.does(),
        "export": window.export,
        "sending": lambda: window.dialogs.show_sending(),
        "record": window.record,
        "source": window.show_sources,
        "train": window.show_training,
        "review": window.review_this,
        "open_file": lambda: window.choose.loop_to_play(window.open_source),
        "start_stop": window.start_stop,
        "freeze": lambda: page.freeze(not page.frozen),
        "capture": page.capture,
        "heat_map": window.toggle_heat_map,
        "region": lambda: page.choose_region(not page.view.choosing_region),
        "auto_region": lambda: window.set_region(None),
        "last_saved": window.show_last_saved,
        "checklist": lambda: window.checklist.toggle(),
        "folder": window.show_folder,
        "full_screen": window.toggle_full_screen,
        "help": lambda: window.help.toggle(window.page_name),
        "escape": window.escape,
        "quit": window.close,
    }


def connect_parts(window: MainWindow) -> None:
    """Connect the signals of the window's parts."""
    page, choose = window.source_page, window.choose
    page.chosen.connect(window.open_source)
    page.file_wanted.connect(lambda: choose.loop_to_play(window.open_source))
    page.folder_wanted.connect(lambda: choose.images_to_play(window.open_source))
    page.cameras_wanted.connect(window.lists.look_for_cameras)
    page.model_wanted.connect(lambda: choose.model(lambda path: _use_model(window, path)))
    page.device_chosen.connect(window.choices.use_device)
    page.train_wanted.connect(window.show_training)
    window.train_page.folder_wanted.connect(lambda: choose.data(window.train.add_folder))
    page.back_wanted.connect(window.go_back)
    page.review_file_wanted.connect(lambda: choose.loop_to_review(window.open_review))
    page.review_folder_wanted.connect(lambda: choose.folder_to_review(window.open_review))
    page.session_wanted.connect(window.open_review)
    page.recording.show_choices(window.choices.quality, window.choices.clips)
    page.recording.quality_chosen.connect(window.choices.use_quality)
    page.recording.clips_chosen.connect(window.choices.use_clips)
    window.banner.wanted.connect(lambda name: _follow_banner(window, name))
    window.banner.put_away.connect(lambda: window.messages.put_away(window.banner.shown))
    window.scan_page.view.region_chosen.connect(window.set_region)
    window.scan_page.view.automatic_region.connect(lambda: window.set_region(None))
    strip = window.scan_page.strip
    strip.opened.connect(window.viewer.show_plane)
    strip.folder_wanted.connect(window.show_folder)
    strip.change_folder_wanted.connect(lambda: _choose_output(window))
    _connect_checklists(window)


def _connect_checklists(window: MainWindow) -> None:
    live, review = window.scan_page, window.review_page
    for panel in (live.checklist, review.checklist):
        panel.fold(window.settings.checklist_folded)
        panel.protocol_chosen.connect(lambda key: _use_protocol(window, key))
        panel.toggled.connect(lambda shown=panel: _checklist_toggled(window, shown))
    live.checklist.row_chosen.connect(lambda item: live.show_item(item, window.viewer.show_plane))
    live.checklist.word_taken_back.connect(lambda item: live.say(item, None))
    live.checklist.word_wanted.connect(lambda item: _ask_why(window, live.words.protocol, item, live.say))
    review.checklist.word_wanted.connect(
        lambda item: _ask_why(window, review.words.protocol, item, review.say)
    )
    window.source_page.protocol_chosen.connect(lambda key: _use_protocol(window, key))
    _use_protocol(window, window.protocols.choice, remember=False)


def _use_protocol(window: MainWindow, key: str, remember: bool = True) -> None:
    if remember:
        window.protocols.choose(key)
    choices = window.protocols.choices
    window.source_page.show_protocols(choices, key)
    for panel in (window.scan_page.checklist, window.review_page.checklist):
        panel.show_choices(choices, key)


def _checklist_toggled(window: MainWindow, panel: ChecklistPanel) -> None:
    window.settings.checklist_folded = panel.closed_by_user
    for other in (window.scan_page.checklist, window.review_page.checklist):
        other.fold(panel.closed_by_user)
    window.scan_page.fit_checklist()


def _ask_why(
    window: MainWindow, protocol: Protocol | None, item_id: str, say: Callable[[str, str | None], None]
) -> None:
    item = None if protocol is None else protocol.item(item_id)
    if item is not None:
        dialog = ReasonDialog(item.title, REASONS, window)
        dialog.answered.connect(lambda words: say(item_id, words))
        # Not every desktop gives the keys back to the window by itself.
        dialog.finished.connect(lambda _: window.activateWindow())
        dialog.open()


def follow_protocol(window: MainWindow) -> None:
    """Called often: say on the start page what the model knows of the protocol; tell of words not taken."""
    window.protocols.poll()
    window.source_page.show_protocol_note(*window.protocols.note)
    if fault := window.scan_page.words.take_fault():
        window.report(fault)


def _use_model(window: MainWindow, path: str) -> None:
    window.choices.use_model(path)
    show_model(window)


def show_model(window: MainWindow) -> None:
    """Show on the start page which model the next scan uses."""
    choices = window.choices
    window.source_page.show_model(choices.model, choices.model_title, choices.device)
    window.protocols.look_at_model(choices.model)


def _try_model(window: MainWindow, path: str) -> None:
    """Take another model, and do again what failed with the last."""
    _use_model(window, path)
    request, options = window.review.request, window.control.options
    if window.page_name == REVIEW and request is not None:
        window.open_review(request.path)
    elif options is not None:
        window.open_source(options.source)


def _choose_output(window: MainWindow) -> None:
    def use(folder: str) -> None:
        window.choices.use_output(folder)
        window.scan_page.strip.show_folder(f"{folder} (from the next scan on)")
        request = window.review.request
        if window.page_name == REVIEW and window.shown_review is None and request is not None:
            window.open_review(request.path)

    window.choose.output(use)


def _follow_banner(window: MainWindow, name: str) -> None:
    window.messages.put_away(window.banner.shown)
    if name == "change_folder":
        _choose_output(window)
    elif name == "model":
        window.choose.model(lambda path: _try_model(window, path))
    elif name == "sending":
        window.dialogs.show_sending()
    else:
        window.actions_by_name[name].trigger()
