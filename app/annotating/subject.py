"""What is written and drawn on: a frame that is shown, and a session that keeps it. No Qt here."""

from __future__ import annotations

from typing import Protocol

from app.view_data import Asking
from semc_core.session.annotations import Annotations
from semc_core.types import FramePacket


class Subject(Protocol):
    """Called by the window's thread, which it does not let wait; but `read` and `write` by any.

    Attributes:
        asking: What the user is to type, or None.
    """

    asking: Asking | None

    @property
    def looking_only(self) -> bool:
        """Whether nothing can be changed here."""
        ...

    @property
    def packet(self) -> FramePacket | None:
        """The frame that is shown and stands still; None without one."""
        ...

    @property
    def mark(self) -> object:
        """How all else of the session stands: what was changed in it later is taken back before."""
        ...

    def plane_of(self, index: int) -> int | None:
        """The plane that shows this frame."""
        ...

    def save(self, index: int) -> bool:
        """Have the frame kept, so that it is found again with what is drawn on it.

        Returns:
            False where it cannot be; why, the user is told.
        """
        ...

    @property
    def ready(self) -> bool:
        """Whether what is drawn can be written now; where not, it is once this says so."""
        ...

    def read(self) -> Annotations:
        """What the session holds. Raises SemcError."""
        ...

    def write(self, wanted: Annotations) -> None:
        """Keep all of this. Raises SemcError."""
        ...
