"""The scan that runs as something that is corrected and, while it is held, measured. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from app.keys import first_key
from app.measuring.heads import HeadProposal, HeadProposals
from app.tasks import Background, Post, fault_of
from app.view_data import Asking, ReviewSnapshot
from semc_core.errors import SessionError
from semc_core.labels import BRAIN_PLANES
from semc_core.language import N_, _
from semc_core.measure.calibration import NO_SOURCE_SCALE, SourceScale
from semc_core.pipeline.live import LivePipeline
from semc_core.pipeline.state import Phase
from semc_core.session.correcting.changes import (
    AddMeasurement,
    Change,
    MeasureChange,
    Reject,
    Relabel,
    Restore,
)
from semc_core.session.correcting.sentences import done_sentence, seen_words
from semc_core.session.session import Session
from semc_core.types import FramePacket, FrameResult, SavedPlane

_OVER = N_("The scan is over, so nothing more is changed in it here; press {key} to go on in review.")
_NOTHING = N_("This picture was not classified, so it cannot be saved; hold another one.")


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told, on the window's thread.

    Attributes:
        message: The sentence about what was done.
        fault: The sentence about what went wrong.
        changed: What is shown is not what it should be.
    """

    message: Callable[[str], None]
    fault: Callable[[str], None]
    changed: Callable[[], None]


class LiveSubject:
    """What `app.measuring.subject.Subject` promises, of the scan that runs. Only `close` waits.

    A measurement is saved with its plane: the frame that is held is captured when the first thing is drawn
    on it, unless a person captured it before. A plane of the model's is not enough: it may yet get a better
    frame.

    Attributes:
        asking: What the user is to type, or None.
        post: See `app.tasks`.
    """

    def __init__(self, post: Post, told: Told) -> None:
        self.asking: Asking | None = None
        self.post = post
        self._told = told
        self._work = Background("live-measuring", post)
        self._heads = HeadProposals(post, told.changed)
        self._clear()

    def _clear(self) -> None:
        self._pipeline: LivePipeline[Session] | None = None
        self._path = Path()
        self._held: FrameResult | None = None
        self._captured: dict[int, SavedPlane] = {}
        self._capturing: set[int] = set()
        self._made: list[Change] = []
        self._unmade: list[Change] = []
        self._waits: list[AddMeasurement] = []
        self._working = 0
        self._snapshot = ReviewSnapshot()
        self._scale: SourceScale | None = None
        self.asking = None

    def begin(self, pipeline: LivePipeline[Session], source: str) -> None:
        """Measure in this scan from now on; `source` is what the user opened."""
        self._clear()
        self._pipeline, self._path = pipeline, Path(source)
        self._heads.forget()

    def hold_frame(self, result: FrameResult | None) -> None:
        """This is what was concluded from the frame that is held; None lets it go."""
        self._held, self.asking = result, None

    def take(self, saved: tuple[SavedPlane, ...]) -> None:
        """These planes are written, or could not be: what waits for one of them goes on."""
        for plane in saved:
            if plane.by_hand:
                self._capturing.discard(plane.frame_index)
            if plane.by_hand and plane.png is not None:
                self._captured[plane.frame_index] = plane
            lost = plane.by_hand and plane.png is None
            mine = [each for each in self._waits if each.frame_index == plane.frame_index]
            if mine and (lost or plane.frame_index in self._captured):
                self._waits = [each for each in self._waits if each not in mine]
                for change in mine:
                    if lost:  # why it could not be written, the scan says
                        self._forget(change)
                    else:
                        self._do(replace(change, plane_id=plane.hold_id), change)

    def correct(self, change: Change) -> None:
        """Make this change of a plane, which is written."""
        self._count(change)
        self._do(change, change)

    def refuse(self, sentence: str) -> None:
        """Tell what could not be done."""
        self._told.message(sentence)

    @property
    def waiting(self) -> bool:
        """Whether something was measured, or drawn, on a plane that is not written yet."""
        return bool(self._waits) or self.saving

    @property
    def saving(self) -> bool:
        """Whether a frame that was drawn on is captured, and not written yet."""
        return bool(self._capturing)

    def save(self, index: int) -> bool:
        """Capture the frame that is held, unless a person captured it before. False if it cannot be."""
        return index in self._captured or index in self._capturing or self._capture(index)

    @property
    def mark(self) -> object:
        """Which changes stand that were made here, whatever of them is written yet."""
        return tuple(self._made)

    def undo(self) -> None:
        """Take back what a person changed last."""
        if self._made:
            self._unmade.append(self._made.pop())
        self._step(Session.undo, N_("Undone: {what}"), N_("There is nothing to undo."))

    def redo(self) -> None:
        """Do it again."""
        if self._unmade:
            self._made.append(self._unmade.pop())
        self._step(Session.redo, N_("Done again: {what}"), N_("There is nothing to do again."))

    def close(self) -> None:
        """Make the changes that wait, and end; for any thread."""
        self._work.close()
        self._heads.close()

    # What a subject is.

    @property
    def snapshot(self) -> ReviewSnapshot:
        """What was measured and corrected in this scan; planes that were saved since are not in it."""
        return self._snapshot

    @property
    def looking_only(self) -> bool:
        """Never: the scan is this window's own."""
        return False

    @property
    def settled(self) -> bool:
        """Whether every change that was asked for is made or refused."""
        return not self._waits and self._working == 0

    @property
    def playing(self) -> bool:
        """Never: only what is held is measured."""
        return False

    @property
    def scale(self) -> SourceScale:
        """What the source says of its millimetres: only a DICOM loop that is played says anything."""
        info = None if self._pipeline is None else self._pipeline.source_info
        if info is None:
            return NO_SOURCE_SCALE
        if self._scale is None:
            self._scale = NO_SOURCE_SCALE
            if info.kind == "dicom":
                self._start(partial(_source_scale, self._path), self._take_scale)
        return self._scale

    @property
    def scanned(self) -> date | None:
        """Today, unless it is a loop that is played: that may be of any day."""
        info = None if self._pipeline is None else self._pipeline.source_info
        return date.today() if info is not None and info.live else None

    @property
    def source(self) -> str:
        """A device's own; of others those of one kind."""
        info = None if self._pipeline is None else self._pipeline.source_info
        return "" if info is None else info.device or info.kind

    def hold(self) -> None:
        """It is held already."""

    def apply(self, change: MeasureChange) -> None:
        """Make this change; of a frame that is not captured yet, when it is."""
        if isinstance(change, AddMeasurement) and change.plane_id is None:
            if self.save(change.frame_index):
                self._waits.append(change)
                self._count(change)
            return
        self.correct(change)

    def plane_of(self, index: int) -> int | None:
        """The plane that a person captured of this frame."""
        plane = self._captured.get(index)
        return None if plane is None else plane.hold_id

    def is_brain(self, index: int) -> bool:
        """Whether the frame that is held is named a brain plane."""
        held = self._held
        return held is not None and held.packet.index == index and held.label in BRAIN_PLANES

    def head_of(self, packet: FramePacket) -> HeadProposal | None:
        """What is proposed for a frame; None while it is looked for."""
        return self._heads.of(packet)

    # Inside.

    def _capture(self, index: int) -> bool:
        held, pipeline = self._held, self._pipeline
        if held is None or pipeline is None or held.packet.index != index:
            self._told.fault(_(_NOTHING))
            return False
        if not pipeline.capture_now(held):
            self._told.fault(_(_OVER, key=first_key("review")))
            return False
        self._capturing.add(index)
        return True

    def _count(self, change: Change) -> None:
        """It is what is taken back next."""
        self._made.append(change)
        self._unmade.clear()

    def _forget(self, change: Change) -> None:
        """It could not be made."""
        for stack in (self._made, self._unmade):
            if change in stack:
                stack.remove(change)

    def _do(self, change: Change, counted: Change) -> None:
        def make(session: Session) -> str:
            before = None
            if isinstance(change, Relabel | Reject | Restore):
                before = session.plane(change.plane_id)
            session.apply(change)
            return done_sentence(change, before)

        self._change(make, partial(self._forget, counted))

    def _step(self, step: Callable[[Session], str | None], done: str, nothing: str) -> None:
        def make(session: Session) -> str:
            text = step(session)
            times = {plane.plane_id: plane.time_s for plane in session.planes(rejected=True)}
            return _(nothing) if text is None else _(done, what=seen_words(text, times.get))

        self._change(make, lambda: None)

    def _change(self, make: Callable[[Session], str], failed: Callable[[], None]) -> None:
        pipeline = self._pipeline
        session = None if pipeline is None else pipeline.session
        if pipeline is None or session is None:
            failed()
            self._told.message(_("Nothing was saved in this scan yet."))
            return

        def work() -> tuple[str, ReviewSnapshot]:
            try:
                said = make(session)
            except SessionError as error:
                raise ended(error, pipeline) from error
            return said, ReviewSnapshot(
                planes=session.planes(rejected=True),
                measurements=session.measurements(),
                scales=session.scales(),
                age=session.age(),
                fetuses=session.fetuses(),
            )

        self._working += 1
        self._start(work, partial(self._changed, failed))

    def _start(self, work: Callable[[], object], then: Callable[[Future[object]], None]) -> None:
        of = self._pipeline
        self._work.start(work, lambda future: then(future) if self._pipeline is of else None)

    def _changed(self, failed: Callable[[], None], future: Future[object]) -> None:
        self._working -= 1
        if error := future.exception():
            failed()
            self._told.fault(fault_of(error))
        else:
            done = future.result()
            assert isinstance(done, tuple)
            said, self._snapshot = done
            self._told.message(said)
        self._told.changed()

    def _take_scale(self, future: Future[object]) -> None:
        told = None if future.exception() else future.result()
        if isinstance(told, SourceScale):
            self._scale = told
            self._told.changed()


def ended(error: SessionError, pipeline: LivePipeline[Session]) -> SessionError:
    """What to say of a session that took no change: with the scan it is closed."""
    running = pipeline.state.phase is Phase.RUNNING
    return error if running else SessionError(_(_OVER, key=first_key("review")))


def _source_scale(path: Path) -> SourceScale:
    from semc_core.measure.dicom_scale import source_scale  # the window opens without pydicom

    return source_scale(path)
