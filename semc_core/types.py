"""What travels from the source to the screen. Frozen, shared by reference, arrays read-only.

Shapes: H, W the frame's pixels; K classes; h, w cells of the class activation maps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from semc_core.language import in_both
from semc_core.picture import Picture
from semc_core.picture_options import PictureOptions
from semc_core.pose import Pose
from semc_core.text import readable


@dataclass(frozen=True, slots=True, eq=False)
class FramePacket:
    """One frame and where it came from. Passed between threads by reference, never copied.

    Attributes:
        source_id: Name of the source, as shown to the user and written to exports.
        index: Position in the source, from 0. A gap means frames were dropped.
        pts_s: Presentation time within the source, seconds.
        captured_s: When it was taken, on the clock of `time.monotonic()`: by its driver's stamp, or else when
            it arrived in the program (see `SourceInfo.timed_by`); latency is measured from here.
        picture: What the decoder gave; its gray and its pixels are made when first asked for.
        poses: Where it and what is tracked were in space, where a sender says so: the picture's own first.
    """

    source_id: str
    index: int
    pts_s: float
    captured_s: float
    picture: Picture
    poses: tuple[Pose, ...] = ()

    @property
    def gray(self) -> NDArray[np.uint8]:
        """uint8 (H, W), 0-255, read-only: what the model and all judgement of the picture see."""
        return self.picture.gray

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 (H, W) gray or (H, W, 3) RGB, 0-255, read-only: what is shown and saved."""
        return self.picture.pixels

    def bare(self) -> FramePacket:
        """The same frame without what was made of its picture; see `Picture.bare`."""
        return replace(self, picture=self.picture.bare())


@dataclass(frozen=True, slots=True)
class Crop:
    """The region of interest: the part of the frame that holds the ultrasound picture, in pixels.

    `left`, `top` are inside, `left + width`, `top + height` are the first pixels outside.
    """

    left: int
    top: int
    width: int
    height: int

    def cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The view of `pixels` inside this crop, clipped to the frame."""
        return pixels[max(0, self.top) : self.top + self.height, max(0, self.left) : self.left + self.width]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model says of one frame, calibrated, without smoothing.

    Attributes:
        probabilities: float32 (K,), sums to 1, read-only. Includes the class NSP, to which the share
            taken away by `novelty` was given.
        novelty: Distance from what the model was trained on, 1.0 at the limit of what it accepts; 0.0
            where the model file has no such measure.
        maps: float32 (K, h, w), class activation maps: the mean over (h, w) plus the class's bias is its
            logit. Read-only. Cells cover the crop's letterbox (see `preprocess.Fitted`).
        expert_weights: float32 (E,), the gate's shares, sums to 1.
        device: What ran the model, where that is no longer what it began with; else "".
    """

    probabilities: NDArray[np.float32]
    novelty: float
    maps: NDArray[np.float32]
    expert_weights: NDArray[np.float32]
    device: str = ""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a picture is; see `imaging.score.parts`, also for the reasons' sentences.

    Attributes:
        score: 0-100, more is better.
        reasons: Names of the weightiest reasons why it is not more, at most two.
    """

    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """A frame together with everything that was concluded from it.

    Attributes:
        packet: The frame.
        prediction: Of this frame alone; None if the picture was not classified (black, for example).
        smoothed: float32 (K,), probabilities smoothed over time (seconds), what the label is made from.
        label: Class name of the steady label; NSP when no plane is sure enough, whatever the model's own
            name for that.
        confidence: Smoothed probability of `label`, 0-1.
        crop: Region that was classified.
        picture: State of the picture: "live", "frozen", "black", "flat" (a test pattern or one colour) or "no
            signal" (what a capture card shows by itself).
        classified_s: `time.monotonic()` when the result was ready.
        moving: Whether the picture differs from the one before.
        quality: Of the picture as one of the named plane, or of the closest where none is named; of the
            frames of a hold the detector keeps the best. None where it was not classified.
        outline: Corners of the picture's sector in `crop`, (x, y) in pixels of the frame; () where only the
            box is known.
    """

    packet: FramePacket
    prediction: Prediction | None
    smoothed: NDArray[np.float32]
    label: str
    confidence: float
    crop: Crop
    picture: str
    classified_s: float
    moving: bool = True
    quality: Quality | None = None
    outline: tuple[tuple[int, int], ...] = ()


def read_only(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`pixels` as a contiguous array that nobody can write to. Copies only if it is not contiguous."""
    kept = np.ascontiguousarray(pixels)
    kept.flags.writeable = False
    return kept


@dataclass(frozen=True, slots=True, eq=False)
class HoldEvent:
    """What is known of one hold at one moment.

    Attributes:
        hold_id: Number within the scan, from 1. A later event with the same number replaces this one.
        plane: Class name.
        best: The best frame so far, with its prediction.
        confidence: Smoothed probability of `plane` at that frame, 0-1.
        start_s: Presentation time at which the hold began.
        end_s: Presentation time of its newest frame.
        final: Whether the hold is over.
        by_hand: Captured with the key, not found by the detector.
    """

    hold_id: int
    plane: str
    best: FrameResult
    confidence: float
    start_s: float
    end_s: float
    final: bool
    by_hand: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SavedPlane:
    """One saved standard plane, or a frame captured by hand.

    Attributes:
        hold_id: Number of the hold within the scan, from 1. A later `SavedPlane` with the same number
            replaces this one: a better frame of the same hold was found.
        plane: Class name.
        confidence: Smoothed probability of `plane` at the saved frame, 0-1.
        frame_index: Index of the saved frame in its source.
        time_s: Its presentation time, seconds.
        hold_start_s: Time at which the hold began.
        hold_end_s: Time of the newest frame of the hold.
        final: True when the hold is over and this will not change again.
        by_hand: Captured with the key, not found by the detector.
        png: The saved frame; None if nothing is written (saving is off).
        thumbnail: uint8 (h, w) or (h, w, 3), at most 160 px wide, made from the saved frame. Read-only.
        quality: Of the saved frame; None where it was not judged.
    """

    hold_id: int
    plane: str
    confidence: float
    frame_index: int
    time_s: float
    hold_start_s: float
    hold_end_s: float
    final: bool
    by_hand: bool
    png: Path | None
    thumbnail: NDArray[np.uint8]
    quality: Quality | None = None


TimedBy = Literal["arrival", "driver"]
STILLS_RATE: Final = 0.5
"""Pictures per second of a folder of stills: further apart than the detector remembers, and time to look."""


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """A capture device: what it was asked for, and what was measured.

    Attributes:
        device: Its identity, the same whatever its number is.
        asked: The mode that it was asked for, "1920x1080@60,mjpg".
        sets: How many calls of its driver that took.
        width: Measured, pixels; 0 before the first picture.
        height: As `width`.
        rate: Measured, frames per second; None before two seconds have passed.
    """

    device: str
    asked: str = ""
    sets: int = 0
    width: int = 0
    height: int = 0
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source when it is open.

    Attributes:
        source_id: Short name for people and exports: a file's name, never its path; "camera 0".
        kind: "video", "dicom", "camera", "stream", "images" or "simulated".
        width: Pixels.
        height: Pixels.
        frame_rate: Nominal frames per second; None where the source does not say.
        frame_count: Number of frames; None where unknown (live, or a container that does not say).
        live: True if frames are lost unless read in time; False if the source waits for its reader.
        notice: A sentence the user should see (a header that contradicts itself, say), or "".
        capture: Of a camera or capture card; else None.
        trouble: Of a live source at the moment: "no pictures", "slow" (far less than its rate), or "".
        outage: The sentence that says why too few pictures come, or said last why none came; or "".
        picture_options: How its pictures are read; None where nobody says, as in sessions made before there
            were any options.
        timed_by: What `FramePacket.captured_s` is at the moment: "driver", the stamp that a card's driver
            puts on a picture; or "arrival", when it came into the program, without what card and driver took.
    """

    source_id: str
    kind: str
    width: int
    height: int
    frame_rate: float | None
    frame_count: int | None
    live: bool
    notice: str = ""
    capture: CaptureInfo | None = field(default=None, kw_only=True)
    trouble: str = field(default="", kw_only=True)
    outage: str = field(default="", kw_only=True)
    picture_options: PictureOptions | None = field(default=None, kw_only=True)
    timed_by: TimedBy = field(default="arrival", kw_only=True)

    def __post_init__(self) -> None:
        """A file's name need not be UTF-8; what is kept and written of it must."""
        for name in ("source_id", "notice"):
            object.__setattr__(self, name, in_both(readable, getattr(self, name)))

    @property
    def device(self) -> str:
        """Identity of the capture device; "" of what is none."""
        return "" if self.capture is None else self.capture.device

    @property
    def known_by(self) -> str:
        """What is remembered of a scanner is kept under this.

        The identity of its capture card, or the address of its stream without what is secret; "" of others.
        """
        return self.device or (self.source_id if self.kind == "stream" else "")

    @property
    def stills(self) -> bool:
        """Whether its pictures are stills, so far apart that each stands for itself; else it is a loop."""
        return self.kind == "images" and self.frame_rate is not None and self.frame_rate <= STILLS_RATE


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a plane counts as held. Times in seconds, so that the frame rate does not matter.

    Attributes:
        enter: Smoothed probability at which a hold begins.
        leave: Below this it ends; less than `enter`.
        min_hold_s: Shorter holds are not planes.
        smoothing_s: Time constant of the smoothing.
        merge_gap_s: A hold of the same plane that begins within this time of the last is the same hold.
    """

    enter: float = 0.8
    leave: float = 0.5
    min_hold_s: float = 0.5
    smoothing_s: float = 0.25
    merge_gap_s: float = 1.0
