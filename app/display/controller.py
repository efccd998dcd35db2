"""What the keys change of how pictures are shown, on all pages alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.display.heat import next_style
from app.widgets.image_view import LiveView
from app.widgets.levels import NEUTRAL, STEP, Levels
from app.widgets.levels_control import LevelsControl
from semc_core.imaging.heatmap import HeatStyle


class DisplayMemory(Protocol):
    """Remembers how pictures are shown."""

    heat_style: HeatStyle | None


class PageWithPicture(Protocol):
    """A page with a picture."""

    @property
    def view(self) -> LiveView:
        """Where the picture is."""
        ...

    def show_heat(self, style: HeatStyle | None) -> None:
        """Draw heat maps so from now on, also over a picture that is held; None draws none."""
        ...


class PictureDisplay:
    """Called by the window's thread. Brightness and contrast begin neutral with each start of the program.

    Attributes:
        controls: For brightness and contrast, over the picture of each page.
    """

    def __init__(
        self, pages: Sequence[PageWithPicture], memory: DisplayMemory, others: Sequence[LiveView] = ()
    ) -> None:
        """Show everything as it was remembered; `others` are as bright as the pictures of `pages`."""
        self._pages, self._memory, self._others = pages, memory, others
        self._heat = memory.heat_style
        self._levels = NEUTRAL
        self.controls = tuple(LevelsControl() for _ in pages)
        for page, control in zip(pages, self.controls, strict=True):
            page.view.put_in_corner(control)
            control.wanted.connect(self.show_levels)
            page.show_heat(self._heat)

    def does(self) -> dict[str, Callable[[], object]]:
        """What the keys do."""
        return {
            "heat_map": self.next_heat,
            "brighter": lambda: self.show_levels(self._levels.changed(brightness=STEP)),
            "darker": lambda: self.show_levels(self._levels.changed(brightness=-STEP)),
            "more_contrast": lambda: self.show_levels(self._levels.changed(contrast=STEP)),
            "less_contrast": lambda: self.show_levels(self._levels.changed(contrast=-STEP)),
            "neutral": lambda: self.show_levels(NEUTRAL),
        }

    def next_heat(self) -> None:
        """Another style of heat map; after the last none."""
        # Turns what is shown here, whatever another window remembered meanwhile.
        self.use_heat(next_style(self._heat))

    @property
    def heat(self) -> HeatStyle | None:
        """How the heat map is shown; None: it is not."""
        return self._heat

    def use_heat(self, style: HeatStyle | None) -> None:
        """Show the heat map so on every page, and remember it; None shows none."""
        self._heat = self._memory.heat_style = style
        for page in self._pages:
            page.show_heat(self._heat)

    def show_levels(self, levels: Levels) -> None:
        """Paint the pictures of all pages so; nothing else than what is painted changes."""
        self._levels = levels
        for view in self._others:
            view.show_levels(levels)
        for page, control in zip(self._pages, self.controls, strict=True):
            page.view.show_levels(levels)
            control.show_levels(levels)
            page.view.place_corner()
