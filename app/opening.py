"""The window as it opens: with its start page, before anything else is loaded."""

from __future__ import annotations

from collections.abc import Callable

from app.choices import Choices
from app.commands import START, Situation
from app.connections import connect_choices
from app.file_dialogs import Chooser
from app.scan_options import Overrides
from app.settings import Settings
from app.shell import WindowShell
from app.start.page import StartPage
from app.widgets.tool_bars import show_situation


class OpeningWindow(WindowShell):
    """What is seen first. What it imports is waited for by everybody who opens the window: keep it small."""

    def __init__(
        self,
        settings: Settings,
        overrides: Overrides | None = None,
        keep_latencies: bool = False,
        first: Callable[[], object] | None = None,
    ) -> None:
        """Make the window.

        Args:
            settings: What is remembered.
            overrides: What the command line says instead.
            keep_latencies: Whether all are kept, for a measurement.
            first: What is to be done before the rest is loaded, which is then done when the start page is
                painted or in `complete`; None: all is made at once.
        """
        super().__init__()
        self.settings = settings
        self.keep_latencies, self._first = keep_latencies, first
        self.choices = Choices(settings, overrides or Overrides())
        self.choose = Chooser(self, settings)
        self.start_page = StartPage()
        self._does: dict[str, Callable[[], object]] = {}
        self.build(START, self.start_page, lambda name: self._does[name]())
        self.restore(settings.geometry)
        self._show_start()
        if first is None:
            self.complete()

    def make_rest(self) -> None:
        """Load and make what is not on the start page, and begin."""
        if self._first is not None:
            self._first()

    def show_opened(self) -> None:
        """Show on the start page what was opened lately; or what to try, where nothing ever was."""
        self.start_page.show_recent(self.settings.recent_sources, self.settings.favourites)
        self.start_page.first_run.setVisible(not self.settings.opened_once)

    def _show_start(self) -> None:
        """The start page, as far as it is known now."""
        page, choices = self.start_page, self.choices
        connect_choices(page, choices, self.settings)
        self.show_opened()
        page.show_model(choices.model, choices.model_title, choices.device)
        page.show_back("")
        show_situation(self.actions_by_name, Situation(START, can_start=bool(page.last_opened)))
