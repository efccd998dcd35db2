"""What is seen beside the picture at the playhead: a second frame, linked with it or not, or a reference."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.display.reference import ReferenceBeside
from app.keys import first_key
from app.review.commands import ReviewCommands
from app.review.compare import Compared, compared, compared_badge
from app.review.frames import ReviewReader
from app.widgets.colours import ON_PICTURE
from app.widgets.forms import side_by_side
from app.widgets.image_view import LiveView
from app.widgets.magnified import Magnified
from semc_core.labels import NON_STANDARD
from semc_core.language import N_, _

_NONE_YET = N_("There is no second picture: {key} shows one.")
_NOT_THERE = N_("The loop is not there, so no second frame of it can be shown.")


class BesideView:
    """Called by the window's thread.

    Attributes:
        view: The second picture; hidden while there is none.
        reference: The protocol's picture of the plane, in the same place.
    """

    def __init__(self, main: LiveView, say: Callable[[str], None], seen_plane: Callable[[], str]) -> None:
        """Of one page.

        Args:
            main: The picture that it is beside.
            say: Shows a sentence in the status line.
            seen_plane: The plane that the model sees at the playhead, its class name; "" for none.
        """
        self._main, self._say, self._seen_plane = main, say, seen_plane
        self.reference = ReferenceBeside()
        self._compared: Compared | None = None
        self.view = LiveView()
        self.view.setAccessibleName(_("Second picture in review"))
        self.view.hide()
        main.seen.connect(lambda seen: self._see(self.view, seen))
        self.view.seen.connect(lambda seen: self._see(main, seen))

    def row(self, tools: QWidget) -> QHBoxLayout:
        """The tools and the pictures, which share what is left."""
        row = side_by_side(tools, self._main, self.view, self.reference.view, stretch=1)
        row.setStretch(2, 1)
        row.setStretch(3, 1)
        return row

    def keys(self, commands: Callable[[], ReviewCommands]) -> dict[str, Callable[[], object]]:
        """What the keys do; `commands` is asked for when one is pressed."""
        return {
            "compare": lambda: self.toggle(commands()),
            "link": lambda: self.toggle_link(commands()),
            "reference": self.toggle_reference,
        }

    def name_actions(self, actions: dict[str, QAction]) -> None:
        """Say which of them is on."""
        actions["compare"].setChecked(self.on)
        actions["link"].setChecked(self.linked)

    @property
    def on(self) -> bool:
        """Whether there is a second picture."""
        return self._compared is not None

    @property
    def linked(self) -> bool:
        """Whether it moves, and is zoomed, with the first."""
        return self._compared is not None and self._compared.linked

    def toggle(self, commands: ReviewCommands) -> None:
        """Show a second picture: the chosen plane's, or the one shown now; or show none."""
        if self.on:
            self.leave()
            return
        if not commands.has_picture:
            self._say(_(_NOT_THERE))
            return
        self.reference.leave()
        head, chosen = commands.playhead, commands.chosen
        self._compared = compared(head.index, None if chosen is None else head.at(chosen.time_s))
        self.view.show_seen(self._main.magnified_to)
        self.view.show()
        if not self._compared.linked:
            self._say(_("This frame stays on the right; go to another one. Ctrl+B links both."))

    def toggle_link(self, commands: ReviewCommands) -> None:
        """Let the second picture stay, or move with the first again."""
        if self._compared is None:
            self._say(_(_NONE_YET, key=first_key("compare")))
            return
        head = commands.playhead
        self._compared = self._compared.turned(head.index, head.count)
        if self.linked:
            self.view.show_seen(self._main.magnified_to)

    def toggle_reference(self) -> None:
        """Show the reference picture of the plane, or one picture only."""
        if not self.reference.on:
            self.leave()
        self.reference.toggle()

    def leave(self) -> bool:
        """Show one picture only. Returns whether there were two."""
        was, self._compared = self.on or self.reference.on, None
        self.reference.leave()
        self.view.hide()
        self.view.show_picture(None, None, None, None)
        return was

    def tick(self, reader: ReviewReader, commands: ReviewCommands) -> None:
        """Show the frame that it is about, or the reference of the plane: to be called often."""
        chosen = commands.chosen
        named = "" if chosen is None or chosen.plane == NON_STANDARD else chosen.plane
        self.reference.tick(named or self._seen_plane())
        if self._compared is None:
            return
        head = commands.playhead
        packet = reader.beside(self._compared.index(head.index, head.count))
        if packet is not None and packet is not self.view.packet:
            self.view.show_picture(packet, None, None, None)
        if packet is not None:
            colour = ON_PICTURE.accent if self.linked else ON_PICTURE.dim
            self.view.show_texts(((compared_badge(self._compared, packet.pts_s), colour),), "", None)

    def _see(self, other: LiveView, seen: Magnified) -> None:
        if self.linked:
            other.show_seen(seen)
