"""The session in review as something that is measured. No Qt here."""

from __future__ import annotations

from datetime import date, datetime

from app.measuring.heads import HeadProposal
from app.review.commands import ReviewCommands
from app.review.worker import SessionWorker
from app.view_data import Asking, ReviewSnapshot
from semc_core.labels import BRAIN_PLANES
from semc_core.measure.calibration import SourceScale
from semc_core.session.correcting.changes import MeasureChange
from semc_core.session.records import PlaneEntry
from semc_core.types import FramePacket


class ReviewSubject:
    """What `app.measuring.subject.Subject` promises, of one session."""

    def __init__(self, worker: SessionWorker, commands: ReviewCommands) -> None:
        self._worker, self._commands = worker, commands

    @property
    def asking(self) -> Asking | None:
        """What the user is to type, or None."""
        return self._commands.asking

    @asking.setter
    def asking(self, asking: Asking | None) -> None:
        self._commands.asking = asking

    @property
    def snapshot(self) -> ReviewSnapshot:
        """How the session stands."""
        return self._worker.snapshot

    @property
    def looking_only(self) -> bool:
        """Whether nothing can be changed here."""
        return self._worker.looking_only

    @property
    def settled(self) -> bool:
        """Whether every change that was asked for is made or refused."""
        return self._worker.waiting == 0

    @property
    def playing(self) -> bool:
        """Whether the loop plays."""
        return self._commands.playhead.playing

    @property
    def scale(self) -> SourceScale:
        """What the loop's file says of its millimetres."""
        return self._worker.opened.scale

    @property
    def scanned(self) -> date | None:
        """Of a live scan the day on which it was made; a loop may be of any day."""
        session = self._worker.opened.session
        if not session.source.live:
            return None
        return datetime.fromisoformat(session.created_utc).astimezone().date()

    @property
    def source(self) -> str:
        """A device's own; of loops those of one kind."""
        source = self._worker.opened.session.source
        return source.device or source.kind

    def hold(self) -> None:
        """Play no further."""
        self._commands.playhead.playing = False

    def apply(self, change: MeasureChange) -> None:
        """Make this change."""
        self._worker.apply(change)

    def plane_of(self, index: int) -> int | None:
        """The plane that shows this frame; the chosen one of several."""
        there = [plane.plane_id for plane in self._planes_of(index)]
        chosen = self._commands.chosen
        if chosen is not None and chosen.plane_id in there:
            return chosen.plane_id
        return there[0] if there else None

    def is_brain(self, index: int) -> bool:
        """Whether it is saved as one of the brain planes."""
        return any(plane.plane in BRAIN_PLANES for plane in self._planes_of(index))

    def head_of(self, packet: FramePacket) -> HeadProposal | None:
        """What is proposed for a frame; None while it is looked for."""
        return self._worker.heads.of(packet)

    def _planes_of(self, index: int) -> list[PlaneEntry]:
        planes = self._worker.snapshot.planes
        return [plane for plane in planes if plane.frame_index == index and not plane.rejected]
