"""Deciding again: the same planes from the log, and from the recording.

From the log alone, the detections are made again out of the logged probabilities, picture states, times and
quality, by the code of the live scan. From the pictures, exactly the frames that were classified are
classified again in the region of interest that the log gives, and the detections are made of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from semc_core.errors import SessionError
from semc_core.imaging.crop import outline_in
from semc_core.imaging.preprocess import prepare
from semc_core.language import _
from semc_core.picture import Picture
from semc_core.pipeline.stages import DecisionStage, PreparedFrame, classify
from semc_core.runtime.base import Runtime
from semc_core.session.audit_log import Hold, hold_of, logged_holds
from semc_core.session.records import PICTURES, FrameTable
from semc_core.session.session import Session
from semc_core.sources.base import FrameSource
from semc_core.text import counted
from semc_core.types import Crop, FramePacket, Prediction, Quality

_NO_PICTURE: Final = Picture(np.zeros((1, 1), np.uint8))
_NO_MAPS: Final = np.zeros((0, 0, 0), np.float32)
_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Replay:
    """The planes as they were logged, and as they were found again.

    Attributes:
        logged: The model's holds as the log has them, before any correction.
        again: The holds found again.
        differences: Sentences, at most a few; empty if the lists are identical.
        same: How many logged holds were found again with the same plane at overlapping times.
    """

    logged: tuple[Hold, ...]
    again: tuple[Hold, ...]
    differences: tuple[str, ...]
    same: int

    @property
    def identical(self) -> bool:
        """Whether every hold was found again with the same plane, frame and times, and no other."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Reclassified:
    """What classifying the pictures again gave.

    Attributes:
        replay: The planes.
        classified: Frames that were classified again.
        missing: Frames that were classified in the scan but are not among the pictures; their logged
            probabilities were used.
        largest_difference: Of any probability to the logged one.
        agreement: Share of the frames whose most probable class is the logged one, 0-1; 1 if there is none.
    """

    replay: Replay
    classified: int
    missing: int
    largest_difference: float
    agreement: float


def replay_log(session: Session) -> Replay:
    """Make the detections again from the log alone.

    Raises:
        SessionError: The log is damaged.
    """
    table = session.frames()
    log = _Log(table)
    frames = ((log.looked(row), log.prediction(row)) for row in range(len(table)))
    return _concluded(session, log, frames, exact=True)


def replay_pictures(
    session: Session,
    source: FrameSource,
    runtime: Runtime,
    *,
    batch: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Reclassified:
    """Classify the scan's frames again and make the detections of that.

    Args:
        session: Its log says which frames were classified, and where.
        source: The same frames with the same indices: a `RecordedSource`, or the file that was reviewed.
        runtime: The session's model.
        batch: Frames per call of the model; a live scan has one.
        on_progress: Told how many frames of the log are done, now and then.

    Raises:
        SessionError: The model is not the one of the session, or the log is damaged.
        SourceError: The source broke.
    """
    if runtime.spec.sha256 != session.model.sha256:
        raise SessionError(
            _("This is not the model of the session; give the model file that the scan was made with.")
        )
    log = _Log(session.frames())
    seen = _Seen()
    steps = _classified(log, _pictured(log, source, runtime), runtime, batch, seen, on_progress)
    replay = _concluded(session, log, steps, exact=False)
    agreement = seen.agreed / seen.classified if seen.classified else 1.0
    return Reclassified(replay, seen.classified, seen.missing, seen.largest, agreement)


def compare(logged: list[Hold], again: list[Hold], announced: list[Hold], *, exact: bool) -> Replay:
    """Compare the planes of the log with those found again.

    Args:
        logged: The last word on each hold. One that is not final (the scan was broken off) must be among
            what was announced again.
        again: The final holds.
        announced: Everything that was announced on the way, and the final holds.
        exact: Whether the confidence must be the same to the last digit, too.
    """

    def key(hold: Hold) -> Hold:
        return hold if exact else replace(hold, confidence=0.0)

    differences = []
    known = {key(hold) for hold in announced}
    open_starts = {hold.start_s for hold in logged if not hold.final}
    for hold in logged:
        if key(hold) not in known:
            differences.append(f"{_named(hold)} is in the log and was not found again so.")
    told = {key(hold) for hold in logged}
    for hold in again:
        if key(hold) not in told and hold.start_s not in open_starts:
            differences.append(f"{_named(hold)} was found and is not in the log so.")
    same = sum(
        any(
            hold.plane == other.plane and hold.start_s <= other.end_s and other.start_s <= hold.end_s
            for other in again
        )
        for hold in logged
    )
    if (more := len(differences) - _TOLD) > 0:
        differences[_TOLD:] = [f"And {counted(more, 'more difference')}."]
    return Replay(tuple(logged), tuple(again), tuple(differences), same)


class _Log:
    """The logged frames, one by one."""

    def __init__(self, table: FrameTable) -> None:
        self.table = table
        self.classified = np.asarray(np.isfinite(table.probabilities).all(axis=1), np.bool_)
        self.rows = {int(index): row for row, index in enumerate(table.index)}

    def looked(self, row: int) -> PreparedFrame:
        """The frame as the log has it, without its picture."""
        table = self.table
        packet = FramePacket("", int(table.index[row]), float(table.pts_s[row]), 0.0, _NO_PICTURE)
        left, top, width, height = (int(value) for value in table.crop[row])
        crop = Crop(left, top, width, height)
        return PreparedFrame(packet, PICTURES[int(table.picture[row])], bool(table.moving[row]), crop, None)

    def prediction(self, row: int) -> Prediction | None:
        """What the model said of it in the scan."""
        if not self.classified[row]:
            return None
        table = self.table
        return Prediction(
            table.probabilities[row], float(table.novelty[row]), _NO_MAPS, table.expert_weights[row]
        )

    def quality_of(self, looked: PreparedFrame) -> Quality | None:
        """By which the scan chose, also where there is a picture: of what is recorded it may be another."""
        merit = float(self.table.merit[self.rows[looked.packet.index]])
        return None if np.isnan(merit) else Quality(merit)


@dataclass(slots=True)
class _Seen:
    """What was noticed while classifying again."""

    classified: int = 0
    missing: int = 0
    agreed: int = 0
    largest: float = 0.0

    def note(self, logged: NDArray[np.float32], again: NDArray[np.float32]) -> None:
        self.classified += 1
        self.agreed += int(logged.argmax() == again.argmax())
        self.largest = max(self.largest, float(np.abs(logged - again).max()))


def _pictured(log: _Log, source: FrameSource, runtime: Runtime) -> Iterator[PreparedFrame]:
    """Every logged frame in order, with its picture and the model's input where it was classified."""
    row = 0
    while row < len(log.table):
        packet = source.read()
        found = None if packet is None else log.rows.get(packet.index)
        if packet is not None and (found is None or found < row):
            continue
        for missing in range(row, len(log.table) if found is None else found):
            yield log.looked(missing)
        if packet is None or found is None:
            return
        looked = log.looked(found)
        if log.classified[found]:
            # The exact time is the log's.
            shown = replace(packet, pts_s=looked.packet.pts_s)
            spec = runtime.spec.preprocessing
            outline = outline_in(packet.picture, looked.crop, spec)
            inputs = prepare(packet.gray, looked.crop, spec, outline)
            looked = replace(looked, packet=shown, inputs=inputs)
        yield looked
        row = found + 1


def _classified(
    log: _Log,
    frames: Iterator[PreparedFrame],
    runtime: Runtime,
    batch: int,
    seen: _Seen,
    on_progress: Callable[[int], None] | None,
) -> Iterator[tuple[PreparedFrame, Prediction | None]]:
    """Each frame with what the model says of it now, or said then where there is no picture."""
    for done, waiting in enumerate(_batches(frames, batch), start=1):
        for looked, answer in zip(waiting, classify(runtime, waiting), strict=True):
            row = log.rows[looked.packet.index]
            logged = log.prediction(row)
            if answer is not None and logged is not None:
                seen.note(logged.probabilities, answer.probabilities)
            elif logged is not None:
                seen.missing += 1
            yield looked, answer or logged
        if on_progress is not None:
            on_progress(min(done * batch, len(log.table)))


def _batches(frames: Iterator[PreparedFrame], size: int) -> Iterator[list[PreparedFrame]]:
    waiting: list[PreparedFrame] = []
    for looked in frames:
        waiting.append(looked)
        if len(waiting) == size:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _concluded(
    session: Session, log: _Log, frames: Iterator[tuple[PreparedFrame, Prediction | None]], *, exact: bool
) -> Replay:
    """Draw the conclusions as the scan did, and compare."""
    model = session.model
    conclusions = DecisionStage(
        model.classes, model.thresholds, none_class=model.none_class, quality_of=log.quality_of
    )
    announced: list[Hold] = []
    for looked, prediction in frames:
        announced += [hold_of(event) for event in conclusions.conclude(looked, prediction).events]
    announced += [hold_of(event) for event in conclusions.finish()]
    again = sorted(
        (hold for hold in announced if hold.final), key=lambda hold: (hold.start_s, hold.frame_index)
    )
    return compare(logged_holds(session.audit()), again, announced, exact=exact)


def _named(hold: Hold) -> str:
    return f"{hold.plane} at {hold.time_s:.2f} s (frame {hold.frame_index})"
