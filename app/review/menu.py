"""What the other mouse button offers on a plane's card."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.commands import ONLY_LOOKED_AT
from app.review.commands import ReviewCommands
from app.review.presenter import REASONS
from semc_core.language import _
from semc_core.session.fetuses import ONE


def show_plane_menu(commands: ReviewCommands, plane_id: int, at: QPoint, parent: QWidget) -> QMenu:
    """Choose this plane and offer what can be done with it; `at` is on the screen."""
    commands.choose(plane_id)
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    chosen = commands.chosen
    if chosen is not None and chosen.rejected:
        menu.addAction(_("Take it back"), commands.reject)
    for reason in REASONS:
        menu.addAction(_("Reject: {reason}", reason=_(reason)), partial(commands.reject_for, reason))
    menu.addAction(_("Reject: other words …"), partial(commands.reject_for, ""))
    for letter in (commands.snapshot.fetuses or ONE).letters:
        if chosen is not None and letter != chosen.fetus:
            menu.addAction(
                _("Move to fetus {letter}", letter=letter), partial(commands.move_to_fetus, letter)
            )
    menu.addSeparator()
    menu.addAction(_("Note …"), commands.ask_note)
    if commands.looking_only:
        for action in menu.actions():
            action.setEnabled(False)
        menu.insertAction(menu.actions()[0], QAction(_(ONLY_LOOKED_AT), menu, enabled=False))
    menu.popup(at)
    return menu
