"""The protocol's reference picture beside the one that is looked at: shown or not, and of which plane."""

from __future__ import annotations

from collections.abc import Callable

from app.view_data import Reference
from app.widgets.reference_view import ReferenceView
from semc_core.labels import NON_STANDARD


def _unknown(plane: str) -> Reference:
    """Where nobody knows of a protocol."""
    return Reference()


class ReferenceBeside:
    """Called by the window's thread.

    Attributes:
        view: Where it is; hidden while it is not wanted.
        find: Gives that of a plane by its class name, or of "" why there is none: to be set by who knows
            the protocol. It is asked often.
    """

    def __init__(self) -> None:
        self.view = ReferenceView()
        self.view.hide()
        self.find: Callable[[str], Reference] = _unknown
        self._on = False
        self._plane = ""

    @property
    def on(self) -> bool:
        """Whether it is shown."""
        return self._on

    def toggle(self) -> None:
        """Show it, or no longer."""
        if self._on:
            self.leave()
        else:
            self._on, self._plane = True, ""

    def leave(self) -> bool:
        """Show it no longer. Returns whether it was shown."""
        was, self._on = self._on, False
        self.view.hide()
        return was

    def tick(self, plane: str) -> None:
        """This plane is looked at, or none ("" or the class for none): to be called often.

        While none is, that of the last one stays: it is what the hand goes on to look for.
        """
        if not self._on:
            return
        if plane not in ("", NON_STANDARD):
            self._plane = plane
        self.view.show_reference(self.find(self._plane))
        self.view.show()
