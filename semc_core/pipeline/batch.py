"""A whole file through the stages: every frame, in batches, or an error.

One thread reads and prepares while the caller's classifies; a waiting queue of two batches lies between, so
memory stays flat however long the file is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Final

from semc_core.errors import UsageError
from semc_core.language import _
from semc_core.pipeline.queues import BoundedQueue, QueueClosed
from semc_core.pipeline.stages import (
    DecisionStage,
    PreparationStage,
    PreparedFrame,
    chosen_thresholds,
    classify,
    inside,
)
from semc_core.runtime.base import Runtime
from semc_core.sources.base import FrameSource
from semc_core.types import Crop, FramePacket, FrameResult, HoldEvent, Thresholds

_BATCHES_AHEAD: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Reviewed:
    """One batch of results in order, and what the detector made of them."""

    results: list[FrameResult] = field(default_factory=list)
    events: list[HoldEvent] = field(default_factory=list)


def review(
    source: FrameSource,
    runtime: Runtime,
    thresholds: Thresholds | None = None,
    *,
    batch: int = 8,
    crop: Crop | None = None,
    give_way: Callable[[], None] = lambda: None,
) -> Generator[Reviewed, None, None]:
    """Classify every frame of a source that waits for its reader, and close it.

    Closing the generator before its end ends the reading thread.

    Args:
        source: Open, and not live.
        runtime: The model.
        thresholds: None takes the model file's.
        batch: Frames per call of the model; the results do not depend on it.
        crop: Region of interest; None finds it.
        give_way: Called after each frame that is read, on the reading thread; may wait.

    Yields:
        Batch after batch; the last has no results, only what became final at the end.

    Raises:
        SourceError: The source broke; what was yielded is not the whole.
        RuntimeFault: The model could not be run.
        UsageError: The batch is not at least 1, or `crop` lies outside the first picture.
    """
    if batch < 1:
        raise UsageError(_("The batch must be at least 1; give a larger number."))
    spec = runtime.spec
    look = PreparationStage(spec.preprocessing, stills=source.info.stills)
    hint = crop or source.hinted_crop
    if hint is not None:
        look.fix_crop(hint)
    chosen = chosen_thresholds(spec, thresholds, source.info)
    conclusions = DecisionStage(spec.classes, chosen, none_class=spec.none_class)
    reader = _Reader(source, look, batch, crop, give_way)
    try:
        for prepared in reader:
            predictions = classify(runtime, prepared)
            decisions = [conclusions.conclude(*pair) for pair in zip(prepared, predictions, strict=True)]
            yield Reviewed(
                [one.result for one in decisions], [event for one in decisions for event in one.events]
            )
        yield Reviewed(events=conclusions.finish())
    finally:
        reader.stop()


class _Reader:
    """The thread that reads and prepares."""

    def __init__(
        self,
        source: FrameSource,
        look: PreparationStage,
        batch: int,
        asked: Crop | None,
        give_way: Callable[[], None],
    ) -> None:
        self._source = source
        self._look = look
        self._batch = batch
        self._asked = asked
        self._give_way = give_way
        self._queue: BoundedQueue[list[PreparedFrame]] = BoundedQueue(_BATCHES_AHEAD)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="review-reader")
        self._thread.start()

    def __iter__(self) -> Iterator[list[PreparedFrame]]:
        while True:
            try:
                prepared = self._queue.get()
            except QueueClosed:
                break
            yield prepared
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the thread, wherever it is."""
        self._queue.close()
        self._source.interrupt()
        self._thread.join()

    def _run(self) -> None:
        try:
            try:
                self._read_all()
            finally:
                self._source.close()
        except Exception as error:  # noqa: BLE001 - handed to the caller's thread
            self._error = error
        finally:
            self._queue.finish()

    def _read_all(self) -> None:
        prepared: list[PreparedFrame] = []
        while (packet := self._source.read()) is not None:
            self._check_first(packet)
            prepared.append(self._look.look(packet))
            self._give_way()
            if len(prepared) == self._batch:
                self._queue.put(prepared)
                prepared = []
        if prepared:
            self._queue.put(prepared)

    def _check_first(self, packet: FramePacket) -> None:
        """Refuse a region that was mistyped; later pictures may be of another size."""
        asked, self._asked = self._asked, None
        if asked is not None and inside(asked, packet.gray) is None:
            height, width = packet.picture.height, packet.picture.width
            raise UsageError(
                _(
                    "The region of interest lies outside the picture of {width}x{height} pixels; "
                    "give one that overlaps it.",
                    width=width,
                    height=height,
                )
            )
