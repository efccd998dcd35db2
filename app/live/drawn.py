"""The scan that runs as something that is written and drawn on while it is held. No Qt."""

from __future__ import annotations

from collections.abc import Callable

from app.live.measured import LiveSubject, ended
from app.view_data import Asking
from semc_core.errors import SessionError
from semc_core.pipeline.live import LivePipeline
from semc_core.session.annotations import Annotations
from semc_core.session.session import Session
from semc_core.types import FramePacket


class LiveDrawn:
    """What `app.annotating.subject.Subject` promises, of one scan.

    What is drawn is saved with its plane, as what is measured: see `LiveSubject`.
    """

    def __init__(
        self,
        measured: LiveSubject,
        pipeline: LivePipeline[Session],
        held: Callable[[], FramePacket | None],
    ) -> None:
        """Of one scan.

        Args:
            measured: The same scan as something that is measured.
            pipeline: Of the scan.
            held: Gives the frame that is held; None while the picture goes on.
        """
        self._measured, self._pipeline, self._held = measured, pipeline, held

    @property
    def asking(self) -> Asking | None:
        """What the user is to type, or None."""
        return self._measured.asking

    @asking.setter
    def asking(self, asking: Asking | None) -> None:
        self._measured.asking = asking

    @property
    def looking_only(self) -> bool:
        """Never: the scan is this window's own."""
        return False

    @property
    def packet(self) -> FramePacket | None:
        """The frame that is held."""
        return self._held()

    @property
    def mark(self) -> object:
        """How all else of the session stands."""
        return self._measured.mark

    def plane_of(self, index: int) -> int | None:
        """The plane that a person captured of this frame."""
        return self._measured.plane_of(index)

    def save(self, index: int) -> bool:
        """Capture the frame, unless a person captured it before."""
        return self._measured.save(index)

    @property
    def ready(self) -> bool:
        """Whether there is a session, and each frame that was drawn on is saved in it."""
        return self._pipeline.session is not None and not self._measured.saving

    def read(self) -> Annotations:
        """What the session holds. Raises SemcError."""
        session = self._pipeline.session
        return Annotations() if session is None else session.annotations

    def write(self, wanted: Annotations) -> None:
        """Keep all of this. Raises SemcError."""
        session = self._pipeline.session
        if session is not None:
            try:
                session.set_annotations(wanted)
            except SessionError as error:
                raise ended(error, self._pipeline) from error
