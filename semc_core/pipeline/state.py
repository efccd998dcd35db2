"""What the pipeline tells whoever watches it: settings in, state and numbers out. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from semc_core.io.video_quality import Quality
from semc_core.types import Thresholds


class Phase(Enum):
    """Where a scan is in its life. FAULT and the two ends are final."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    STOPPED = "stopped"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class PipelineState:
    """Phase, and the sentence to show.

    For FAULT the message says why; for STARTING what is being waited for; in the other phases it is "" or
    says what could not be saved, while the scan goes on. With `model_fault` another model file may help.
    """

    phase: Phase
    message: str = ""
    model_fault: bool = False


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """What the user can choose for a scan.

    Attributes:
        thresholds: None takes the model file's.
        paced: Play a source that would wait (a file, the simulated scan) at its own speed, as if live. Off,
            such a source waits for the model, and no frame is dropped.
        save: Whether planes found are written.
        record: Record the whole scan in this quality; None records once the user says so.
        keep_durations: Keep every frame's, for `LivePipeline.whole_run`; 16 bytes a frame.
    """

    thresholds: Thresholds | None = None
    paced: bool = True
    save: bool = True
    record: Quality | None = None
    keep_durations: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a duration, milliseconds; 0.0 before the first value."""

    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counters since start and rates over the last seconds.

    At any moment `frames_in == classified + skipped + dropped + in_flight`.

    Attributes:
        frames_in: Frames read from the source.
        classified: Frames the model has answered.
        skipped: Frames not given to the model because the picture was black, flat, frozen
            or a card's own without a signal.
        dropped: Frames replaced by a newer one before the model was free.
        in_flight: Frames in the queue or in the model now.
        capture_rate: Frames per second from the source.
        classify_rate: Frames per second through the model.
        model: Time in preprocessing and model, over the last 10 s.
        latency: Capture to classified, over the last 10 s. The window adds its own: capture to overlay.
        planes_saved: Saved by itself and by hand.
        interruptions: Stretches of time without a live picture, or with too few; those that are over.
    """

    frames_in: int = 0
    classified: int = 0
    skipped: int = 0
    dropped: int = 0
    in_flight: int = 0
    capture_rate: float = 0.0
    classify_rate: float = 0.0
    model: Spread = field(default_factory=Spread)
    latency: Spread = field(default_factory=Spread)
    planes_saved: int = 0
    interruptions: int = 0
