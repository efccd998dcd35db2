"""A list of what can be opened, on a card of the start page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.widgets.fitted import FittedButton
from app.widgets.forms import empty_out, side_by_side
from app.widgets.plain import PlainLabel, plain_tip
from semc_core.language import _


class LinkList(QVBoxLayout):
    """A button for each; a sentence where there is none."""

    def __init__(self, empty: str) -> None:
        """Nothing is listed yet, as `empty` says."""
        super().__init__()
        self.setSpacing(0)
        self._empty = PlainLabel(empty)
        self._empty.setObjectName("dim")
        self._empty.setWordWrap(True)

    def show_links(
        self,
        links: Iterable[tuple[str, str, Callable[[], object]]],
        favourites: Collection[str] = (),
        keep: Callable[[str, bool], object] | None = None,
    ) -> None:
        """List these.

        Args:
            links: Text, tool tip, and what a click does.
            favourites: Texts of those that stay listed.
            keep: Told which one shall, or no longer; None: that is not asked.
        """
        empty_out(self, self._empty)
        rows = list(links)
        if not rows:
            self.addWidget(self._empty)  # first: a label without a parent would be shown as a window
        self._empty.setVisible(not rows)
        for text, tip, do in rows:
            button = FittedButton(text)
            button.setToolTip(plain_tip(tip))
            button.clicked.connect(lambda _on=False, do=do: do())
            if keep is None:
                self.addWidget(button)
                continue
            row = QWidget()
            line = side_by_side(_star(text, text in favourites, keep), button, stretch=1)
            line.setContentsMargins(0, 0, 0, 0)
            row.setLayout(line)
            self.addWidget(row)


def _star(text: str, on: bool, keep: Callable[[str, bool], object]) -> QPushButton:
    """What makes a line one that stays."""
    star = QPushButton("★" if on else "☆")
    star.setObjectName("flat")
    if on:
        star.setAccessibleName(_("{name} stays listed; let it go", name=text))
    else:
        star.setAccessibleName(_("Keep {name} listed", name=text))
    star.setToolTip(plain_tip(star.accessibleName()))
    star.clicked.connect(lambda _on=False: keep(text, not on))
    return star
