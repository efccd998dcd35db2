"""Asking an open device for a size, a rate and a format, in the order that its back end needs.

Each `set` may start the device anew, which takes seconds on some back ends: what is in force already is not
asked for, every `set` is counted, and what was not granted is followed by one other wish and no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2

from semc_core.sources.devices.base import Asked
from semc_core.sources.devices.modes import Mode, Wish, ranked

_FORMAT_FIRST: Final = ("format", "size", "rate")
_ORDER: Final = {cv2.CAP_DSHOW: ("rate", "format", "size")}
"""Video4Linux and most others take only the sizes of the format in force, and the rates of that size.
DirectShow keeps rate and format until the size comes and starts once with all; a rate that comes later
starts it again without the format."""

_UNKNOWN: Final = (Wish(1920, 1080, 60.0, "MJPG"), Wish(1280, 720))
"""Asked of a device whose modes the system does not tell, where the user wishes for nothing."""

_SHORT: Final = 0.9


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What came of it.

    Attributes:
        asked: The first wish.
        width: As the device says, pixels; 0 if it does not.
        height: As `width`.
        rate: As the device says, frames per second; None if it does not.
        sets: How often `set` was called.
    """

    asked: Wish
    width: int
    height: int
    rate: float | None
    sets: int


def wishes(modes: Sequence[Mode], bus_mbps: float | None, wish: Wish) -> list[Wish]:
    """What to ask for, one after the other until it is granted: at most two; [] if no mode fits the wish.

    Args:
        modes: The device's; () if they are not known.
        bus_mbps: See `CaptureDevice`.
        wish: The user's.
    """
    if not modes:
        if wish == Wish():
            return list(_UNKNOWN)
        # Uncompressed pictures do not fit through USB 2 at high rates; most cards then offer MJPEG.
        return [wish] if wish.fourcc else [wish, replace(wish, fourcc="MJPG")]
    best = ranked(modes, bus_mbps, wish)
    other = [mode for mode in best if mode.fourcc != best[0].fourcc] or best[1:]
    return [Wish(mode.width, mode.height, mode.rate or None, mode.fourcc) for mode in [*best[:1], *other[:1]]]


def negotiate(capture: Asked, back_end: int, asked: Sequence[Wish]) -> Negotiated:
    """Ask for the first of `asked`, and if that is not granted for the second."""
    sets = 0
    for wish in asked[:2]:
        sets += _ask(capture, _ORDER.get(back_end, _FORMAT_FIRST), wish)
        if _granted(capture, wish):
            break
    return Negotiated(asked[0] if asked else Wish(), *_size(capture), _rate(capture), sets)


def _ask(capture: Asked, order: Sequence[str], wish: Wish) -> int:
    """How often `set` was called for it."""
    sets = 0
    for part in order:
        if part == "format" and wish.fourcc and _format(capture) != _code(wish.fourcc):
            capture.set(cv2.CAP_PROP_FOURCC, float(_code(wish.fourcc)))
            sets += 1
        wanted = (wish.width, wish.height)
        if part == "size" and not _same_size(capture, wish):
            for key, value in zip((cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT), wanted, strict=True):
                if value is not None:
                    capture.set(key, float(value))
                    sets += 1
        if part == "rate" and wish.rate and abs((_rate(capture) or 0.0) - wish.rate) > 0.01:
            capture.set(cv2.CAP_PROP_FPS, wish.rate)
            sets += 1
    return sets


def _granted(capture: Asked, wish: Wish) -> bool:
    rate, code = _rate(capture), _format(capture)
    return (
        _same_size(capture, wish)
        and (not wish.rate or not rate or rate >= _SHORT * wish.rate)
        and (not wish.fourcc or code in (0, -1, _code(wish.fourcc)))
    )


def _same_size(capture: Asked, wish: Wish) -> bool:
    width, height = _size(capture)
    return wish.width in (None, width) and wish.height in (None, height)


def _size(capture: Asked) -> tuple[int, int]:
    return _whole(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), _whole(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


def _rate(capture: Asked) -> float | None:
    """None also of a rate that is none: a driver may say 0, or no number at all."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    return rate if 0 < rate < 10_000 else None


def _format(capture: Asked) -> int:
    return _whole(capture.get(cv2.CAP_PROP_FOURCC))


def _whole(value: float) -> int:
    """0 of what is no number."""
    return int(value) if math.isfinite(value) else 0


def _code(fourcc: str) -> int:
    return cv2.VideoWriter.fourcc(*fourcc)
