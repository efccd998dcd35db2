"""The session in review as something that is written and drawn on. No Qt."""

from __future__ import annotations

from collections.abc import Callable

from app.review.commands import ReviewCommands
from app.review.worker import SessionWorker
from app.view_data import Asking
from semc_core.session.annotations import Annotations
from semc_core.session.records import PERSON
from semc_core.types import FramePacket


class ReviewDrawn:
    """What `app.annotating.subject.Subject` promises, of one session."""

    def __init__(
        self, worker: SessionWorker, commands: ReviewCommands, shown: Callable[[], FramePacket | None]
    ) -> None:
        """`shown` gives the frame that the page shows."""
        self._worker, self._commands, self._shown = worker, commands, shown

    @property
    def asking(self) -> Asking | None:
        """What the user is to type, or None."""
        return self._commands.asking

    @asking.setter
    def asking(self, asking: Asking | None) -> None:
        self._commands.asking = asking

    @property
    def looking_only(self) -> bool:
        """Whether nothing can be changed here."""
        return self._worker.looking_only

    @property
    def packet(self) -> FramePacket | None:
        """The frame that is shown."""
        return self._shown()

    @property
    def mark(self) -> object:
        """How all else of the session stands."""
        shown = self._worker.snapshot
        # What an analysis that still runs finds, or saves later, is no step of undo.
        decided = tuple(
            (each.plane_id, each.plane, each.frame_index, each.rejected, each.reason, each.note)
            for each in shown.planes
            if each.chosen_by == PERSON or each.rejected or each.note
        )
        corrected = decided, shown.regions, shown.note, shown.items
        return *corrected, shown.measurements, shown.scales, shown.age, shown.fetuses

    def plane_of(self, index: int) -> int | None:
        """The plane that shows this frame; the first of several."""
        planes = self._worker.snapshot.planes
        there = [each.plane_id for each in planes if each.frame_index == index and not each.rejected]
        return there[0] if there else None

    def save(self, index: int) -> bool:
        """It is found again in what is reviewed."""
        return True

    @property
    def ready(self) -> bool:
        """Always."""
        return True

    def read(self) -> Annotations:
        """What the session holds. Raises SemcError."""
        return self._worker.opened.session.annotations

    def write(self, wanted: Annotations) -> None:
        """Keep all of this. Raises SemcError."""
        self._worker.opened.session.set_annotations(wanted)
