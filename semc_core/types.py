"""What travels from the source to the screen. Frozen, shared by reference, arrays read-only.

Shapes: H, W the frame's pixels; K classes; h, w cells of the class activation maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FramePacket:
    """One frame and where it came from. Passed between threads by reference, never copied.

    Attributes:
        source_id: Name of the source, as shown to the user and written to exports.
        index: Position in the source, from 0. A gap means frames were dropped.
        pts_s: Presentation time within the source, seconds.
        captured_s: `time.monotonic()` at arrival; latency is measured from here.
        pixels: uint8 (H, W) gray or (H, W, 3) RGB, 0-255, read-only.
    """

    source_id: str
    index: int
    pts_s: float
    captured_s: float
    pixels: NDArray[np.uint8]


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
        picture: State of the picture: "live", "frozen", "black" or "flat" (a test pattern or one colour).
        classified_s: `time.monotonic()` when the result was ready.
        moving: Whether the picture differs from the one before.
        sharpness: The detector's measure (`engine.sharpness`); None where no plane was named, and it was not
            needed.
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
    sharpness: float | None = None


def read_only(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`pixels` as a contiguous array that nobody can write to. Copies only if it is not contiguous."""
    kept = np.ascontiguousarray(pixels)
    kept.flags.writeable = False
    return kept
