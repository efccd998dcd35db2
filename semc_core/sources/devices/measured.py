"""What a device really gives, measured from its pictures, beside what it was asked for."""

from __future__ import annotations

from typing import Final

from semc_core.language import _
from semc_core.sources.devices.modes import Wish

WINDOW_S: Final = 2.0
_LEAST_FRAMES: Final = 2
_DIFFERENT: Final = 0.1


class RateMeter:
    """Size and rate of the pictures, over windows of two seconds. Called by one thread.

    Attributes:
        size: Width and height of the last picture; None before the first.
        rate: Frames per second over the last whole window; None before the first.
    """

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        self.rate: float | None = None
        self._start_s: float | None = None
        self._frames = 0

    def arrived(self, width: int, height: int, now_s: float) -> bool:
        """Count a picture that came at `now_s`, seconds of any clock. Whether size or rate are new."""
        changed, self.size = self.size != (width, height), (width, height)
        if self._start_s is None:
            self._start_s = now_s
            return changed
        self._frames += 1
        passed_s = now_s - self._start_s
        if passed_s < WINDOW_S or self._frames < _LEAST_FRAMES:
            return changed
        self.rate = self._frames / passed_s
        self._start_s, self._frames = now_s, 0
        return True

    def pause(self) -> None:
        """The device was away: the time until the next picture says nothing of its rate."""
        self._start_s, self._frames = None, 0


def differs(asked: float, given: float) -> bool:
    """Whether they are apart by a tenth of `asked`."""
    return abs(given - asked) > _DIFFERENT * asked


def alike(told: tuple[int, int, float | None], now: tuple[int, int, float | None]) -> bool:
    """Whether width, height and rate `now` are as `told` before, but for what need not be told again."""
    if told[:2] != now[:2] or told[2] is None or now[2] is None:
        return told == now
    return not differs(told[2], now[2])


def notice(name: str, asked: Wish, width: int, height: int, rate: float | None) -> str:
    """A sentence where what is given is not what was asked for; else "".

    Args:
        name: Of the camera, to begin the sentence with.
        asked: What it was asked for.
        width: Given, pixels; 0 where that is not known.
        height: As `width`.
        rate: Given, frames per second; None where that is not known.
    """
    if min(width, height) < 1:
        return ""
    same_size = asked.width in (None, width) and asked.height in (None, height)
    same_rate = not asked.rate or (rate is not None and not differs(asked.rate, rate))
    if same_size and same_rate:
        return ""
    size = f"{asked.width or 'any'}x{asked.height or 'any'}"
    wanted = _("{size} at {rate} frames/s", size=size, rate=f"{asked.rate:g}") if asked.rate else size
    return _(
        "{name} was asked for {wanted} and gives {given}.",
        name=name,
        wanted=wanted,
        given=in_words(width, height, rate),
    )


def in_words(width: int, height: int, rate: float | None) -> str:
    """ "1280x720 at 30 frames/s"."""
    size = f"{width}x{height}"
    return _("{size} at {rate} frames/s", size=size, rate=f"{round(rate, 1):g}") if rate else size
