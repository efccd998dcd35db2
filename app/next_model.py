"""Which model the next scan uses: chosen, shown on the start page, told where it was changed elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

from app.checklist.controller import ChecklistController
from app.choices import Choices
from app.start.controller import SourceLists
from app.start.models import ModelChoice
from app.start.page import StartPage

_PAINTED_MS: Final = 150


class NextModel(QObject):
    """Of one window."""

    def __init__(
        self,
        choices: Choices,
        page: StartPage,
        checklists: ChecklistController,
        sources: SourceLists,
        tell: Callable[[str], None],
        parent: QObject,
    ) -> None:
        """Nothing is shown yet.

        Args:
            choices: What the next scan will use.
            page: Where it is shown.
            checklists: What the model knows of the protocol.
            sources: Lists the models there are.
            tell: Says that the model was changed outside of this window.
            parent: The window.
        """
        super().__init__(parent)
        self._choices, self._page = choices, page
        self._protocols, self._sources, self._tell = checklists.choice, sources, tell
        self._follow = checklists.follow
        # When the window is painted: the first look at a model file loads what checks it.
        self._look = QTimer(self, singleShot=True, interval=_PAINTED_MS)
        self._look.timeout.connect(self._look_at_models)

    def use(self, path: str) -> None:
        """Use this file in the next scan."""
        self._choices.use_model(path)
        self.show()

    def use_choice(self, chosen: ModelChoice) -> None:
        """Use what was chosen on the start page, with the protocol that comes with it, in the next scan."""
        self.use(str(chosen.path))
        brought = self._protocols.brought(chosen.planes, chosen.protocol)
        if brought != self._protocols.choice:
            self._follow(brought)

    def show(self) -> None:
        """Show it on the start page."""
        choices = self._choices
        self._page.show_model(choices.model, choices.model_title, choices.device)
        self._look.start()

    def notice_changes(self) -> None:
        """Tell if the next scan uses another model than the one told of before, as another window wants."""
        if told := self._choices.look_again():
            self._tell(told)
            self.show()

    def close(self) -> None:
        """Look at no model any more."""
        self._look.stop()

    def _look_at_models(self) -> None:
        """Learn what the chosen model knows of the protocol, and which others there are."""
        self._protocols.look_at_model(self._choices.model)
        self._sources.look_for_models(self._choices.registry, self._protocols.book)
