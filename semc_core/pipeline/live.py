"""A live scan: one thread reads the source, one runs the model, and the window watches.

The live image never waits for the model: the queue of frames holds one, the newest wins, and what it
replaces is counted. The same frame object goes to `preview`.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

from semc_core.errors import SemcError, SourceInterrupted
from semc_core.language import N_, _
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.capture_tap import CaptureTap
from semc_core.pipeline.course import Lifecycle
from semc_core.pipeline.queues import LatestQueue, QueueClosed
from semc_core.pipeline.signal import ArrivalWatch, PictureWatch, SignalGap
from semc_core.pipeline.sink import MemorySink, PlaneSink, SinkFactory
from semc_core.pipeline.stages import DecisionStage, LastAnswer, PreparationStage, chosen_thresholds
from semc_core.pipeline.state import Phase, PipelineSettings, PipelineState, Spread, Statistics
from semc_core.pipeline.statistics import FrameCounter
from semc_core.runtime.base import Runtime
from semc_core.sources.base import FrameSource, PacedSource
from semc_core.types import Crop, FramePacket, FrameResult, HoldEvent, SavedPlane, SourceInfo

S = TypeVar("S")
_log = logging.getLogger(__name__)

_OPENING = N_("Opening the source. A capture card may take some seconds for each change of its mode.")


class LivePipeline(Generic[S]):
    """One scan, from start to end. Not used again after it.

    All methods and properties are for any thread and return at once, except `stop`.

    Attributes:
        preview: Every frame as it comes; of a live source also while the model is still loading (a file waits
            for the model). Keeps the last.
        results: What was concluded, with the frame it was concluded from. Keeps the last.
        tap: Starts and stops recordings, and says how they stand.
    """

    def __init__(
        self,
        source_factory: Callable[[], FrameSource],
        runtime_factory: Callable[[], Runtime],
        sink_factory: SinkFactory[S] | None,
        settings: PipelineSettings | None = None,
    ) -> None:
        """Prepare a scan; nothing is opened yet.

        Args:
            source_factory: Opens the source. Called on the capture thread.
            runtime_factory: Loads the model. Called on the inference thread.
            sink_factory: Makes the store for what is found (`session.sink.session_sink`); None, or
                `settings.save` off, writes nothing. Called on the inference thread.
            settings: The user's choices.
        """
        self._source_factory = source_factory
        self._runtime_factory = runtime_factory
        self._sink_factory = sink_factory
        self._settings = settings or PipelineSettings()
        self.preview: LatestQueue[FramePacket] = LatestQueue()
        self.results: LatestQueue[FrameResult] = LatestQueue()
        self._frames: LatestQueue[FramePacket] = LatestQueue()
        self.tap = CaptureTap()
        self._counter = FrameCounter(keep_all=self._settings.keep_durations)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._course = Lifecycle()
        self._ending = False
        self._opened = threading.Event()
        self._model_ready = threading.Event()
        self._source: FrameSource | None = None
        self._spec: ModelSpec | None = None
        self._device_name = ""
        self._sink: PlaneSink[S] | None = None
        self._arrivals = ArrivalWatch()
        self._gaps: list[SignalGap] = []
        self._latest: FrameResult | None = None
        self._crop: Crop | None = None
        self._asked_crops: list[Crop | None] = []
        self._capture_thread = threading.Thread(target=self._capture, name="capture")
        self._inference_thread = threading.Thread(target=self._infer, name="inference")

    @property
    def state(self) -> PipelineState:
        """Phase and the sentence to show: why it failed, what it waits for, or what could not be saved."""
        state = self._course.state
        with self._lock:
            sink, opened = self._sink, self._source is not None
        if state.phase is Phase.STARTING:
            return replace(state, message=_("Loading the model.") if opened else _(_OPENING))
        return state if state.message or sink is None else replace(state, message=sink.fault)

    @property
    def source_info(self) -> SourceInfo | None:
        """What is known of the source; None until it is open. Its notice may grow while frames are read."""
        with self._lock:
            source = self._source
        return None if source is None else source.info

    @property
    def spec(self) -> ModelSpec | None:
        """What is known of the model; None until it is loaded."""
        with self._lock:
            return self._spec

    @property
    def device_name(self) -> str:
        """What the model runs on; "" until it is loaded."""
        with self._lock:
            return self._device_name

    @property
    def session(self) -> S | None:
        """Where the scan is kept; None before there is something to keep, or if nothing is written.

        It is closed when the scan ends, on the pipeline's thread.
        """
        with self._lock:
            sink = self._sink
        return None if sink is None else sink.session

    @property
    def crop(self) -> Crop | None:
        """The region of interest now; None before the first frame."""
        with self._lock:
            return self._crop

    def statistics(self) -> Statistics:
        """Counters and rates at this moment."""
        with self._lock:
            sink = self._sink
        return replace(self._counter.statistics(), planes_saved=0 if sink is None else sink.kept)

    def whole_run(self, skip: int = 0) -> tuple[Spread, Spread]:
        """`Statistics.model` and `.latency` over the whole scan, without the first `skip` frames classified.

        Only with `settings.keep_durations`.
        """
        return self._counter.whole_run(skip)

    def start(self) -> None:
        """Open the source and the model, and begin. Once."""
        with self._lock:
            self._course.begin()
            self._capture_thread.start()
            self._inference_thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the scan: what was held becomes final, and everything is written. May be called twice.

        Raises:
            SemcError: The source or the model did not answer in time; `stop` can be tried again.
        """
        deadline_s = time.monotonic() + timeout_s
        self._end()
        for thread in (self._capture_thread, self._inference_thread):
            if thread.ident is not None:
                thread.join(max(0.0, deadline_s - time.monotonic()))
        stuck = [t.name for t in (self._capture_thread, self._inference_thread) if t.is_alive()]
        if stuck:
            raise SemcError(
                _(
                    "The scan did not stop within {seconds} s (waiting for {threads}); wait until it has, or "
                    "restart the program.",
                    seconds=f"{timeout_s:g}",
                    threads=_(" and ").join(stuck),
                )
            )
        self._course.end(Phase.STOPPED)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the scan has come to its end by itself: all is classified and written.

        Returns:
            False if it has not within `timeout_s`.
        """
        self._inference_thread.join(timeout_s)
        return not self._inference_thread.is_alive()

    def set_crop(self, crop: Crop | None) -> None:
        """Set the region of interest by hand; None finds it automatically."""
        with self._lock:
            self._asked_crops.append(crop)
            if crop is not None:
                self._crop = crop

    def capture_now(self, shown: FrameResult | None = None) -> bool:
        """Save a classified frame, whatever it shows, with its label.

        Args:
            shown: A result of this scan, where the picture is held; None takes the newest.

        Returns:
            False if there is no such frame yet, or the scan is over.
        """
        with self._lock:
            result, sink = shown or self._latest, self._sink
        if result is None or sink is None:
            return False
        time_s = result.packet.pts_s
        number = next(self._numbers)
        return sink.submit(
            HoldEvent(number, result.label, result, result.confidence, time_s, time_s, True, by_hand=True)
        )

    def take_saved(self) -> list[SavedPlane]:
        """Planes that are new or changed since the last call. Also after the end."""
        with self._lock:
            sink = self._sink
        return [] if sink is None else sink.take_saved()

    def wait_saved(self, timeout_s: float) -> bool:
        """Wait until `take_saved` has something to give. Whether it has."""
        with self._lock:
            sink = self._sink
        return sink is not None and sink.wait_saved(timeout_s)

    # The capture thread.

    def _capture(self) -> None:
        try:
            source = self._open_source()
            if source is not None:
                try:
                    self._read_all(source)
                finally:
                    source.close()
        except (SourceInterrupted, QueueClosed):
            _log.debug("The capture was ended.")
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._fail(error)
        finally:
            self._opened.set()
            self._frames.finish()
            self.preview.finish()

    def _open_source(self) -> FrameSource | None:
        source = self._source_factory()
        waits = not source.info.live
        # The header of a DICOM loop may say where the picture is.
        hint = source.hinted_crop
        if self._settings.paced and not source.info.live:
            source = PacedSource(source)
        with self._lock:
            if self._ending:
                ended = True
            else:
                ended, self._source = False, source
                if hint is not None:
                    self._asked_crops.insert(0, hint)
                self._run_if_ready()
        if ended:
            source.close()
            return None
        self._opened.set()
        if waits:
            # A loop that is played would be half over before the first answer.
            self._model_ready.wait()
        return source

    def _read_all(self, source: FrameSource) -> None:
        """Hand on every frame until the end. Only a source that is not live waits for the model."""
        live, watch = source.info.live, self._arrivals
        while (packet := source.read()) is not None:
            if not live:
                self._frames.wait_until_empty()
            self.tap.captured(packet)
            for gap in watch.update(packet, source.info):
                self._interrupted(gap)
            self._counter.arrived(packet, self._frames)
            self.preview.put(packet)

    # The inference thread.

    def _infer(self) -> None:
        runtime: Runtime | None = None
        try:
            runtime = self._runtime_factory()
            spec = runtime.spec
            device_name = runtime.device_name
            with self._lock:
                self._spec, self._device_name = spec, device_name
                self._run_if_ready()
            self._model_ready.set()
            self._opened.wait()
            sink = self._make_sink(spec)
            if sink is not None:
                info = self.source_info
                assert info is not None, "there is a sink only where there is a source"
                self._classify_all(runtime, sink, info)
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._fail(error)
        finally:
            self._counter.close(self._frames)
            self.results.finish()
            self._close(runtime)
        with self._lock:
            ending = self._ending
        # Also where `stop` gave up waiting: nobody may be told that this scan is still starting.
        self._course.end(Phase.STOPPED if ending else Phase.ENDED)

    def _make_sink(self, spec: ModelSpec) -> PlaneSink[S] | None:
        """The store, or None if the source was never opened."""
        info, device = self.source_info, self.device_name
        if info is None:
            return None
        sink: PlaneSink[S]
        if self._sink_factory is None or not self._settings.save:
            sink = MemorySink()
        else:
            thresholds = chosen_thresholds(spec, self._settings.thresholds, info)
            sink = self._sink_factory(info, spec, thresholds, device)
            if self._settings.record is not None:
                sink.start_recording(self._settings.record)
        self.tap.connect(sink)
        with self._lock:
            self._sink = sink
        return sink

    def _classify_all(self, runtime: Runtime, sink: PlaneSink[S], info: SourceInfo) -> None:
        spec = runtime.spec
        look = PreparationStage(spec.preprocessing, stills=info.stills)
        thresholds = chosen_thresholds(spec, self._settings.thresholds, info)
        conclusions = DecisionStage(spec.classes, thresholds, self._numbers, spec.none_class)
        pictures, answers = PictureWatch(), LastAnswer(runtime)
        try:
            while True:
                result = self._classify_one(self._frames.get(), look, runtime, answers, conclusions, sink)
                if (gap := pictures.update(result)) is not None:
                    self._interrupted(gap)
                self._log_gaps(sink)
        except QueueClosed:
            _log.debug("No more frames.")
        finally:
            # Also after a fault: what was held until then was held.
            for event in conclusions.finish():
                sink.submit(event)
            if (gap := pictures.finish()) is not None:
                self._interrupted(gap)
            for gap in self._arrivals.finish(self.source_info or info, time.monotonic()):
                self._interrupted(gap)
            self._log_gaps(sink)

    def _interrupted(self, gap: SignalGap) -> None:
        """From both threads: before there is a sink, and in the order in which things happened."""
        with self._lock:
            self._gaps.append(gap)
        self._counter.interrupted()

    def _log_gaps(self, sink: PlaneSink[S]) -> None:
        with self._lock:
            gaps, self._gaps = self._gaps, []
        for gap in gaps:
            sink.interrupted(gap)

    def _classify_one(
        self,
        packet: FramePacket,
        look: PreparationStage,
        runtime: Runtime,
        answers: LastAnswer,
        conclusions: DecisionStage,
        sink: PlaneSink[S],
    ) -> FrameResult:
        with self._lock:
            asked, self._asked_crops = self._asked_crops, []
        for crop in asked:
            look.fix_crop(crop)
        begun_s = time.monotonic()
        try:
            prepared = look.look(packet)
            prediction = answers.of(prepared)
            model_s = time.monotonic() - begun_s
            decision = conclusions.conclude(prepared, prediction)
        except Exception:
            self._counter.failed()
            raise
        result = decision.result
        if prediction is None:
            self._counter.skipped()
        else:
            self._counter.classified(model_s, result.classified_s - packet.captured_s)
        sink.classified(result)
        for event in decision.events:
            sink.submit(event)
        with self._lock:
            self._latest = result
            self._device_name = runtime.device_name  # a GPU may have fallen back to full precision
            if not self._asked_crops:
                self._crop = result.crop
        self.results.put(result)
        return result

    def _close(self, runtime: Runtime | None) -> None:
        """Write what is left and release the device; the second even if the first fails."""
        with self._lock:
            sink = self._sink
        try:
            try:
                if sink is not None:
                    sink.close()
            finally:
                if runtime is not None:
                    runtime.close()
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._fail(error)

    # Both.

    def _run_if_ready(self) -> None:
        """With the lock held: the scan runs when both the source and the model are there."""
        if self._source is not None and self._spec is not None:
            self._course.run()

    def _end(self) -> None:
        """Let both threads come to their end; does not wait for them."""
        with self._lock:
            self._ending = True
            source = self._source
        self._counter.close(self._frames)
        self._opened.set()
        self._model_ready.set()
        if source is not None:
            source.interrupt()

    def _fail(self, error: Exception) -> None:
        """A thread broke off: say why, and end the other."""
        self._course.fail(error)
        if threading.current_thread() is self._inference_thread:
            self._end()
