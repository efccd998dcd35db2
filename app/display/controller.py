"""What the keys change of how pictures are shown, on all pages alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.display.heat import next_style
from semc_core.imaging.heatmap import HeatStyle


class DisplayMemory(Protocol):
    """Remembers how pictures are shown."""

    heat_style: HeatStyle | None


class ShowsHeat(Protocol):
    """A page with a picture."""

    def show_heat(self, style: HeatStyle | None) -> None:
        """Draw heat maps so from now on, also over a picture that is held; None draws none."""
        ...


class PictureDisplay:
    """Called by the window's thread."""

    def __init__(self, pages: Sequence[ShowsHeat], memory: DisplayMemory) -> None:
        """Show everything as it was remembered."""
        self._pages, self._memory = pages, memory
        self._heat = memory.heat_style
        self._show()

    def does(self) -> dict[str, Callable[[], object]]:
        """What the keys do."""
        return {"heat_map": self.next_heat}

    def next_heat(self) -> None:
        """Another style of heat map; after the last none."""
        # Turns what is shown here, whatever another window remembered meanwhile.
        self._heat = self._memory.heat_style = next_style(self._heat)
        self._show()

    def _show(self) -> None:
        for page in self._pages:
            page.show_heat(self._heat)
