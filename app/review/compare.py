"""Which frame is seen beside the one at the playhead: pure arithmetic. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

from semc_core.language import _
from semc_core.text import scan_time


@dataclass(frozen=True, slots=True)
class Compared:
    """A second frame of the same loop.

    Attributes:
        offset: So many frames behind the playhead, or before it if negative; it keeps this distance.
        stays: The frame at which it stays, whatever the playhead does; None while both are linked.
    """

    offset: int = 0
    stays: int | None = None

    @property
    def linked(self) -> bool:
        """Whether it moves with the playhead."""
        return self.stays is None

    def index(self, at: int, count: int) -> int:
        """The frame, with the playhead at frame `at` of `count`."""
        wanted = at + self.offset if self.stays is None else self.stays
        return min(max(wanted, 0), max(0, count - 1))

    def turned(self, at: int, count: int) -> Compared:
        """Linked if it was not, at the distance that it has now; or the other way round."""
        now = self.index(at, count)
        return Compared(stays=now) if self.linked else Compared(offset=now - at)


def compared(at: int, chosen: int | None) -> Compared:
    """What to begin with at frame `at`: the chosen plane's frame beside it, linked.

    Where that is this very frame, or none is chosen, this frame stays, and the user goes on to another.
    """
    return Compared(stays=at) if chosen is None or chosen == at else Compared(offset=chosen - at)


def compared_badge(compared: Compared, time_s: float) -> str:
    """ "LINKED 0:05.1" or "STAYS 0:05.1", over the second picture."""
    at = scan_time(time_s)
    return _("LINKED {time}", time=at) if compared.linked else _("STAYS {time}", time=at)
