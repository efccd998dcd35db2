"""What was the matter with the signal during a scan, from when to when: for the session's log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semc_core.imaging.quality import LIVE
from semc_core.io.slept import asleep_s, slept_sentence
from semc_core.language import english
from semc_core.types import FramePacket, FrameResult, SourceInfo

_WATCHED: Final = ("camera", "stream")
_NO_PICTURES_S: Final = 1.0
_NO_PICTURES: Final = "no pictures"
_SLEPT_S: Final = 1.0
_SLEPT: Final = "machine slept"
_MOST_BEFORE: Final = 8
"""Pictures that may wait to be looked at. A stream that counts its own time shows no jump at all."""


@dataclass(frozen=True, slots=True)
class SignalGap:
    """A stretch of a scan without a live picture, or with too few.

    Attributes:
        cause: "no pictures", "machine slept", "slow", or what the picture was: "no signal", "frozen",
            "black", "flat", "colour".
        start_s: Presentation time of the last frame before it, seconds.
        end_s: Of the first frame after it, or of the end of the scan.
        why: The sentence that the user was shown, or "".
    """

    cause: str
    start_s: float
    end_s: float
    why: str = ""


class _Spells:
    """From a word for each moment: the spells in which it was the same, and not ""."""

    def __init__(self) -> None:
        self._word = self._why = ""
        self._start_s = self._last_s = 0.0

    def update(self, word: str, time_s: float, why: str = "") -> SignalGap | None:
        """The spell that ended at `time_s`, if one did; `why` is what is shown now of one that begins."""
        over = None
        if word != self._word:
            over = SignalGap(self._word, self._start_s, time_s, self._why) if self._word else None
            self._word, self._start_s, self._why = word, time_s, why if word else ""
        self._last_s = time_s
        return over

    def finish(self) -> SignalGap | None:
        """The spell that still lasts at the end."""
        return SignalGap(self._word, self._start_s, self._last_s, self._why) if self._word else None


class PictureWatch:
    """Of the pictures that came: when they were no live ones. Called by the inference thread."""

    def __init__(self) -> None:
        self._spells = _Spells()

    def update(self, result: FrameResult) -> SignalGap | None:
        """What ended with this frame."""
        return self._spells.update("" if result.picture == LIVE else result.picture, result.packet.pts_s)

    def finish(self) -> SignalGap | None:
        """What was not over when the scan ended."""
        return self._spells.finish()


class ArrivalWatch:
    """Of a camera or a stream: when no pictures came, or too few. Called by the capture thread."""

    def __init__(self) -> None:
        self._last: FramePacket | None = None
        self._asleep_s = asleep_s()
        self._before = 0
        self._spells = _Spells()

    def _slept_s(self, last: FramePacket | None, packet: FramePacket) -> float:
        """How long the machine slept between these two, seconds.

        A picture that was taken before it slept may be looked at after: the one whose time jumps is the next.
        """
        now_s = asleep_s()
        slept_s = now_s - self._asleep_s
        jumped_s = 0.0 if last is None else packet.pts_s - last.pts_s
        if slept_s > _SLEPT_S and jumped_s < slept_s / 2 and self._before < _MOST_BEFORE:
            self._before += 1
            return 0.0
        self._asleep_s, self._before = now_s, 0
        return slept_s

    def update(self, packet: FramePacket, info: SourceInfo) -> list[SignalGap]:
        """What ended with this frame; `info` is the source's now."""
        last, self._last = self._last, packet
        slept_s = self._slept_s(last, packet)
        if info.kind not in _WATCHED or last is None:
            return []
        gaps = []
        usual_s = 3 / info.frame_rate if info.frame_rate else 0.0
        if slept_s > _SLEPT_S:
            gaps.append(SignalGap(_SLEPT, last.pts_s, packet.pts_s, english(slept_sentence(slept_s))))
        elif packet.captured_s - last.captured_s > max(_NO_PICTURES_S, usual_s):
            gaps.append(SignalGap(_NO_PICTURES, last.pts_s, packet.pts_s, info.outage))
        trouble = "" if info.trouble == _NO_PICTURES else info.trouble
        slow = self._spells.update(trouble, packet.pts_s, info.outage)
        return gaps if slow is None else [*gaps, slow]

    def finish(self, info: SourceInfo, now_s: float) -> list[SignalGap]:
        """What was not over when the scan ended at `now_s`, `time.monotonic()`."""
        if self._last is None or info.kind not in _WATCHED:
            return []
        gaps = []
        silent_s = now_s - self._last.captured_s
        if silent_s > _NO_PICTURES_S:
            start_s = self._last.pts_s
            gaps.append(SignalGap(_NO_PICTURES, start_s, start_s + silent_s, info.outage))
        slow = self._spells.finish()
        return gaps if slow is None else [*gaps, slow]
