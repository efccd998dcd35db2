"""What is measured: a session that keeps it, and what a page knows of the frame that is shown. No Qt here."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from app.measuring.heads import HeadProposal
from app.view_data import Asking, ReviewSnapshot
from semc_core.measure.calibration import SourceScale
from semc_core.session.correcting.changes import MeasureChange
from semc_core.types import FramePacket


class Subject(Protocol):
    """Called by the window's thread; nothing waits.

    Attributes:
        asking: What the user is to type, or None.
    """

    asking: Asking | None

    @property
    def snapshot(self) -> ReviewSnapshot:
        """How the session stands: measurements and scales."""
        ...

    @property
    def looking_only(self) -> bool:
        """Whether nothing can be changed here."""
        ...

    @property
    def settled(self) -> bool:
        """Whether every change that was asked for is made or refused."""
        ...

    @property
    def playing(self) -> bool:
        """Whether the frame that is shown is gone in a moment."""
        ...

    @property
    def scale(self) -> SourceScale:
        """What the source says of its millimetres."""
        ...

    @property
    def scanned(self) -> date | None:
        """The day of the examination, where it is known."""
        ...

    @property
    def source(self) -> str:
        """Whose scale is remembered: a device's own; of loops those of one kind."""
        ...

    def hold(self) -> None:
        """Stay at the frame that is shown."""
        ...

    def apply(self, change: MeasureChange) -> None:
        """Make this change."""
        ...

    def plane_of(self, index: int) -> int | None:
        """The plane that shows this frame; the chosen one of several."""
        ...

    def is_brain(self, index: int) -> bool:
        """Whether this frame is of a brain plane, so that a head is to be expected."""
        ...

    def head_of(self, packet: FramePacket) -> HeadProposal | None:
        """What is proposed for a frame; None while it is looked for, which this begins."""
        ...
