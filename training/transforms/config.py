"""How far this program's own recipe changes training pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AugmentOptions:
    """How far frames are changed. Ranges are even around no change.

    Attributes:
        turn_deg: Rotation.
        scale: Least and greatest size.
        shift: Of the side.
        stretch: Difference between the two axes.
        gamma: Exponent, as a factor either way.
        gain: Factor on the gray levels, either way.
        tilt: Gain difference between top and bottom.
        noise: Deviation, in parts of white.
        erase: Share of frames that lose a rectangle.
        shadow: Share of frames that get a dark wedge below the probe.
        blur: Share of frames that lose sharpness.
    """

    turn_deg: float = 8.0
    scale: tuple[float, float] = (0.85, 1.1)
    shift: float = 0.05
    stretch: float = 0.08
    gamma: float = 1.5
    gain: float = 1.35
    tilt: float = 0.4
    noise: float = 0.05
    erase: float = 0.2
    shadow: float = 0.25
    blur: float = 0.3
