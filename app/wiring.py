"""Which key does what in the window, and which signal goes where."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.window import MainWindow


def what_keys_do(window: MainWindow) -> dict[str, Callable[[], object]]:
    """What each key binding does, by its name."""
    page = window.scan_page
    return {
        **window.review_page.does(),
        "export": window.export,
        "source": window.show_sources,
        "review": window.review_this,
        "open_file": lambda: window.choose.loop_to_play(window.open_source),
        "start_stop": window.start_stop,
        "freeze": lambda: page.freeze(not page.frozen),
        "capture": page.capture,
        "heat_map": window.toggle_heat_map,
        "region": lambda: page.choose_region(not page.view.choosing_region),
        "auto_region": lambda: window.set_region(None),
        "last_saved": window.show_last_saved,
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
    page.back_wanted.connect(window.go_back)
    page.review_file_wanted.connect(lambda: choose.loop_to_review(window.open_review))
    page.review_folder_wanted.connect(lambda: choose.folder_to_review(window.open_review))
    page.session_wanted.connect(window.open_review)
    window.banner.wanted.connect(lambda name: _follow_banner(window, name))
    window.banner.put_away.connect(lambda: window.messages.put_away(window.banner.shown))
    window.scan_page.view.region_chosen.connect(window.set_region)
    window.scan_page.view.automatic_region.connect(lambda: window.set_region(None))
    strip = window.scan_page.strip
    strip.opened.connect(window.viewer.show_plane)
    strip.folder_wanted.connect(window.show_folder)
    strip.change_folder_wanted.connect(lambda: _choose_output(window))


def _use_model(window: MainWindow, path: str) -> None:
    window.choices.use_model(path)
    window.source_page.show_model(window.choices.model, window.choices.device)


def _choose_output(window: MainWindow) -> None:
    def use(folder: str) -> None:
        window.choices.use_output(folder)
        window.scan_page.strip.show_folder(f"{folder} (from the next scan on)")

    window.choose.output(use)


def _follow_banner(window: MainWindow, name: str) -> None:
    window.messages.put_away(window.banner.shown)
    if name == "change_folder":
        _choose_output(window)
    else:
        window.actions_by_name[name].trigger()
