"""A recorded loop in review: analysed in the background, looked at anywhere meanwhile.

The analysis goes through the loop from its beginning, in order, by the stages of `pipeline.batch`: what is
concluded from a frame (region of interest, frozen picture, smoothing, holds) depends on the frames before it,
and so the planes found are exactly those that `semc analyse` finds. It is faster than the loop plays, so it
stays ahead of a playhead that starts at the beginning. Where the user jumps ahead of it, `look_at` asks the
model about the frame that is shown, before the next batch of the analysis; that answer stands alone until the
analysis has come there.

What the review tells whoever watches it. Plain frozen data.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SemcError, SessionError
from semc_core.io.process import let_others_go_first
from semc_core.language import N_, _, english
from semc_core.picture_options import BEFORE_OPTIONS
from semc_core.pipeline.batch import Reviewed, review
from semc_core.review.inspect import best_frames, hold_span, is_known, look, scores
from semc_core.review.shared_runtime import ResumedRuntime, SharedRuntime
from semc_core.review.table import GrowingTable
from semc_core.review.viewer import PAINTING_S
from semc_core.runtime.base import Runtime
from semc_core.session.files import PlaneFiles, remove_plane, write_plane
from semc_core.session.records import PERSON, FrameTable, PlaneEntry
from semc_core.session.session import Session
from semc_core.sources.base import FrameSource
from semc_core.sources.open import open_source
from semc_core.sources.seek.base import SeekableSource
from semc_core.types import FramePacket, FrameResult, HoldEvent, Prediction

_log = logging.getLogger(__name__)

BATCH: Final = 8
GIVE_WAY_S: Final = 0.25
"""For so long at most the analysis holds at a time while somebody waits."""

_RATE_OVER_S: Final = 5.0
_OTHER_FRAMES: Final = N_(
    "This loop gives other frames now than when its analysis was begun; begin a new session of this loop."
)


class LoopAnalysis:
    """Analyses a session's loop as far as that was not done yet. For any thread.

    An analysis that was interrupted is taken up again: its frames are read once more, but the model is asked
    only about those that were not logged. A session that is complete, or of a live scan, is not analysed; its
    model is loaded only when `look_at` wants maps, and may be missing.
    """

    def __init__(
        self,
        session: Session,
        source: SeekableSource,
        load: Callable[[], Runtime],
        open_again: Callable[[], FrameSource] | None = None,
        *,
        batch: int = BATCH,
    ) -> None:
        """Begin, in the background.

        Args:
            session: Open for writing. Neither it nor `source` is closed here.
            source: The session's loop.
            load: Loads the model that the session was begun with. Called at most once, on another thread.
            open_again: Opens the loop for reading in order; by default the file that the session names.
            batch: Frames per call of the model; the results do not depend on it.
        """
        self._session = session
        self._source = source
        self._open_again = open_again or self._open_file
        self._batch = batch
        self._runtime = SharedRuntime(load)
        self._changed = threading.Condition()
        self._paused = False
        self._stopped = False
        self._others: Callable[[float], None] = lambda limit_s: None
        self._waiting = 0
        self._painted_s = 0.0
        self._rate: deque[tuple[float, float]] = deque()
        model = session.model
        self._growing = GrowingTable(model.classes, model.none_class, session.frames())
        analysed = session.complete or session.source.live or session.read_only
        self._seen = (-1, self._growing.table)
        done = len(self._growing) if analysed else 0
        if not session.source.live:
            table = self._growing.table
            source.confirm(table.index, table.pts_s, complete=session.complete)
        self._state = ReviewState(ReviewPhase.DONE if analysed else ReviewPhase.LOADING, done)
        self._thread: threading.Thread | None = None
        if not analysed:
            self._thread = threading.Thread(target=self._run, name="review-analysis")
            self._thread.start()

    @property
    def state(self) -> ReviewState:
        """How far the analysis is."""
        with self._changed:
            state, rate = self._state, list(self._rate)
        moving = state.phase is ReviewPhase.ANALYSING and len(rate) > 1 and rate[-1][0] > rate[0][0]
        speed_x = (rate[-1][1] - rate[0][1]) / (rate[-1][0] - rate[0][0]) if moving else 0.0
        total = max(state.done, self._source.count)
        return ReviewState(state.phase, state.done, total, speed_x, state.message)

    def table(self) -> FrameTable:
        """What was concluded so far. Returns at once, unless the session is only looked at.

        Then somebody else may be writing it, and its log is read.
        """
        if not self._session.read_only:
            return self._growing.table
        count = self._session.frame_count
        if count != self._seen[0]:
            self._seen = (count, self._session.frames())
        return self._seen[1]

    def look_at(self, index: int, *, maps: bool = True, seen: FrameResult | None = None) -> FrameResult:
        """One frame of the source, by its place there, with everything that can be said of it now.

        Waits for its decoding and for the model, ahead of the analysis. Without the session's model the maps
        are all zero, and of a frame that was not analysed there is no prediction.

        Args:
            index: Which.
            maps: Whether the maps are wanted; else the model is not asked about a frame that was analysed.
            seen: An earlier answer, given again if it is of this frame and that was not analysed since.

        Raises:
            SourceError: The frame cannot be read.
        """
        if seen is not None and self._holds(seen, index):
            return seen
        return self._looked(self._source.frame(index), maps)

    def candidates(self, plane_id: int, count: int) -> list[Candidate]:
        """The best frames of a hold for each of `count` equal stretches of its time, in order of time.

        Waits for their decoding.

        Raises:
            SessionError: There is no such plane.
            SourceError: A frame cannot be read.
        """
        with self.held():
            return self._best(plane_id, count)

    def _best(self, plane_id: int, count: int) -> list[Candidate]:
        plane, model = self._session.plane(plane_id), self._session.model
        best = best_frames(self.table(), plane, model, count)
        if not len(best):
            return self._spread(plane, count)
        score = scores(best, plane, model)
        return [
            Candidate(self._source.frame(self._source.at(time_s)), float(score[row]), float(best.merit[row]))
            for row, time_s in enumerate(best.pts_s.tolist())
        ]

    def pause(self, paused: bool) -> None:
        """Hold the analysis after its present batch, or go on."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def give_way_to(self, wait: Callable[[float], None]) -> None:
        """Hold the analysis for moments in which a user waits, so that every action is answered at once.

        Args:
            wait: Returns when nobody waits, or after so many seconds; called on the analysis's threads.
        """
        self._others = wait

    def give_way(self) -> None:
        """Wait while somebody waits for a frame or a correction, or for its painting; for moments only.

        For what nobody waits for, as the analysis itself does.
        """
        end_s = time.monotonic() + GIVE_WAY_S
        self._others(GIVE_WAY_S)
        with self._changed:
            left_s = max(0.0, end_s - time.monotonic())
            self._changed.wait_for(lambda: self._stopped or not self._waiting, left_s)
            rest_s = min(self._painted_s, end_s) - time.monotonic()
            if rest_s > 0:
                self._changed.wait_for(lambda: self._stopped, rest_s)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the analysis, for moments, while somebody waits for what is done inside and its painting."""
        with self._changed:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._painted_s = time.monotonic() + PAINTING_S
                self._changed.notify_all()

    def close(self) -> None:
        """Stop the analysis and release the model. What was logged stays. May be called twice."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self._runtime.close()

    # Looking

    def _holds(self, seen: FrameResult, index: int) -> bool:
        """Whether what was seen is of this frame, which was not analysed since."""
        packet, times_s = seen.packet, self._source.times_s
        if packet.index != self._source.number_of(index) or packet.pts_s not in times_s[index : index + 1]:
            return False
        return seen.prediction is not None and not is_known(self.table(), packet.index)

    def _looked(self, packet: FramePacket, maps: bool) -> FrameResult:
        table, model = self.table(), self._session.model
        needed = maps or not is_known(table, packet.index)
        try:
            return look(packet, table, model, self._classify_now if needed else None)
        except SemcError as error:
            # The loop can be reviewed without its model; that the maps are missing is told.
            self._told(str(error))
            return look(packet, table, model, None)

    def _classify_now(self, inputs: NDArray[np.float32]) -> Prediction:
        (answer,) = self._runtime.classify(inputs, urgent=True)
        return answer

    def _spread(self, plane: PlaneEntry, count: int) -> list[Candidate]:
        """Evenly spaced frames of a hold of which nothing was analysed."""
        times_s = np.linspace(*hold_span(plane), count)
        places = sorted({self._source.at(time_s) for time_s in times_s.tolist()})
        return [Candidate(self._source.frame(place), 0.0, float("nan")) for place in places]

    # The analysis; on its thread

    def _run(self) -> None:
        let_others_go_first()
        try:
            finished = self._analyse()
        except SemcError as error:
            self._tell(ReviewPhase.FAULT, str(error))
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            # The type only: an error may name a file, and a file may be named after a patient.
            _log.error("A loop could not be analysed: %s", type(error).__name__)
            self._tell(ReviewPhase.FAULT, _("The loop could not be analysed; see the log for details."))
        else:
            self._tell(ReviewPhase.DONE if finished else ReviewPhase.STOPPED)

    def _analyse(self) -> bool:
        """Analyse to the end; False if stopped before."""
        session = self._session
        known = self._growing.table
        runtime = ResumedRuntime(self._runtime, known, self.give_way)
        if runtime.spec.sha256 != session.model.sha256:
            text = N_("This session was begun with another model; choose that one, or begin anew.")
            raise SessionError(_(text))
        source = self._open_again()
        with (
            closing(source),
            closing(
                review(source, runtime, session.model.thresholds, batch=self._batch, give_way=self.give_way)
            ) as steps,
        ):
            self._tell(ReviewPhase.ANALYSING)
            left = known.index
            for reviewed in steps:
                left = self._take(reviewed, left)
                if not self._go_on():
                    session.flush()
                    return False
            if len(left):
                raise SessionError(_(_OTHER_FRAMES))
            notice = english(source.info.notice)
        if notice != session.source.notice:
            session.set_source_notice(notice)
        session.mark_complete()
        table = self._growing.table
        self._source.confirm(table.index, table.pts_s, complete=True)
        return True

    def _take(self, reviewed: Reviewed, known: NDArray[np.int64]) -> NDArray[np.int64]:
        """Log what is new of one batch.

        Args:
            reviewed: The batch.
            known: The frames that were logged before and have not come yet, ascending.

        Returns:
            Those that have not come now.

        Raises:
            SessionError: The frames are not those that were logged: of one that was left out then, or is left
                out now, the answers of the model would be given to its neighbours.
        """
        old, new = reviewed.results[: len(known)], reviewed.results[len(known) :]
        if [result.packet.index for result in old] != known[: len(old)].tolist():
            raise SessionError(_(_OTHER_FRAMES))
        self._growing.add(new)
        if new:
            self._session.add_frames(new)
            self._source.confirm(self._growing.table.index, self._growing.table.pts_s)
        for event in reviewed.events:
            self._record(event)
        if not reviewed.results:
            return known
        last = reviewed.results[-1].packet
        with self._changed:
            self._state = ReviewState(self._state.phase, last.index + 1, 0, 0.0, self._state.message)
            if new:
                now_s = time.monotonic()
                self._rate.append((now_s, last.pts_s))
                while now_s - self._rate[0][0] > _RATE_OVER_S:
                    self._rate.popleft()
        return known[len(old) :]

    def _record(self, event: HoldEvent) -> None:
        """Write a plane, unless a later state of it was written before an interruption."""
        there = next(
            (plane for plane in self._session.planes(rejected=True) if plane.plane_id == event.hold_id), None
        )
        if there is not None and (event.end_s, event.final) <= (there.end_s, there.final):
            return
        known = None
        if there is not None and there.png is not None and there.png_sha256 is not None:
            known = PlaneFiles(there.png, there.png_sha256)
        session = self._session
        if there is not None and there.chosen_by == PERSON:
            # A person's choice stays; only that the hold goes on, or is over, is news.
            session.record_plane(event, there.png or "", there.png_sha256 or "")
            return
        # Its frames first: after a kill, files that the log's frames do not bear out are not taken over.
        session.flush()
        written = write_plane(session.folder, event, session.source, session.model, known)
        session.record_plane(event, written.png, written.sha256, written.hashes)
        if known is not None and session.plane(event.hold_id).png == written.png != known.png:
            remove_plane(session.folder, known.png)

    def _go_on(self) -> bool:
        """Wait while paused; False when stopped."""
        with self._changed:
            if self._paused and not self._stopped:
                self._rate.clear()
                self._phase(ReviewPhase.PAUSED)
                self._changed.wait_for(lambda: self._stopped or not self._paused)
                self._phase(ReviewPhase.ANALYSING)
            return not self._stopped

    def _open_file(self) -> FrameSource:
        source = self._session.source
        path = source.path
        if path is None or not Path(path).exists():
            raise SessionError(_("The loop of this session is no longer where it was; open the file anew."))
        options = source.picture_options or BEFORE_OPTIONS
        return open_source(path, frame_rate=source.frame_rate, options=options)

    def _tell(self, phase: ReviewPhase, message: str = "") -> None:
        with self._changed:
            self._state = ReviewState(phase, self._state.done, 0, 0.0, message or self._state.message)

    def _phase(self, phase: ReviewPhase) -> None:
        """With the condition held."""
        self._state = ReviewState(phase, self._state.done, 0, 0.0, self._state.message)

    def _told(self, message: str) -> None:
        with self._changed:
            state = self._state
            if not state.message:
                self._state = ReviewState(state.phase, state.done, 0, 0.0, message)


class ReviewPhase(Enum):
    """Where the analysis of a loop is. DONE, STOPPED and FAULT are final."""

    LOADING = "loading"
    ANALYSING = "analysing"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class ReviewState:
    """How far the analysis is.

    Attributes:
        phase: See there.
        done: Frames concluded; those of an earlier, interrupted analysis count once they are gone through.
        total: Frames of the loop; an estimate until the source has settled.
        speed_x: Seconds of the loop analysed per second, over the last few; 0 before there is a rate.
        message: For FAULT why, else "" or a sentence that the user should see.
    """

    phase: ReviewPhase
    done: int = 0
    total: int = 0
    speed_x: float = 0.0
    message: str = ""

    @property
    def running(self) -> bool:
        """Whether more is to come, also after a pause."""
        return self.phase in (ReviewPhase.LOADING, ReviewPhase.ANALYSING, ReviewPhase.PAUSED)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A frame that would show a plane well.

    Attributes:
        packet: The frame.
        score: The detector's: the lesser of its own and its smoothed probability of the plane, 0-1; 0 where
            it was not analysed.
        merit: The number by which the detector chose (see `FrameTable.merit`), NaN where there is none. Only
            differences within a hold mean anything.
    """

    packet: FramePacket
    score: float
    merit: float
