"""What the review tells whoever watches it. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from semc_core.types import FramePacket


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
        sharpness: The detector's measure, NaN where it was not needed. Only differences within a hold mean
            anything.
    """

    packet: FramePacket
    score: float
    sharpness: float
