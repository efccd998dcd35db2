"""When the frames of a DICOM loop were taken, and what had to be assumed to say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Final

from semc_core.language import _
from semc_core.sources.dicom.elements import Elements

_DEFAULT_RATE: Final = 30.0
_FRAME_TIME: Final = [0x0018, 0x1063]
"""As FrameIncrementPointer names it: group, element."""
_LEAST_MS: Final = 1.0
"""Between two frames. What is less was written in seconds: no loop has over 1000 frames a second."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of all frames.

    Attributes:
        times_s: Seconds from the first frame.
        rate: Nominal, frames/s; None of a single picture.
        notices: What was assumed.
    """

    times_s: list[float]
    rate: float | None
    notices: tuple[str, ...] = ()


def frame_times(elements: Elements, count: int, own_rate: float | None = None) -> Times:
    """The times of `count` frames; see `DicomSource` for where they come from.

    Args:
        elements: Of the file.
        count: Frames.
        own_rate: What the video inside the file says, frames/s; taken where the header says nothing.
    """
    if count == 1:
        return Times([0.0], None)
    passed_over: list[str] = []
    for read in _readers(elements):
        found = read(elements, count)
        if found.times_s and found.times_s[-1] > 0:
            rate = (count - 1) / found.times_s[-1]
            return Times(found.times_s, rate, (*passed_over, *found.notices))
        passed_over.extend(found.notices)
    if own_rate:
        return Times([index / own_rate for index in range(count)], own_rate, tuple(passed_over))
    even = [index / _DEFAULT_RATE for index in range(count)]
    assumed = _("The file does not say its frame rate; 30 frames per second is assumed.")
    return Times(even, _DEFAULT_RATE, (*passed_over, assumed))


_Reader = Callable[[Elements, int], Times]
_NOTHING: Final = Times([], None)


def _readers(elements: Elements) -> list[_Reader]:
    readers: list[_Reader] = [_from_vector, _from_frame_time, _from_rate]
    if [int(one) for one in elements.numbers("FrameIncrementPointer")] == _FRAME_TIME:
        readers.sort(key=lambda reader: reader is not _from_frame_time)
    return readers


def _from_vector(elements: Elements, count: int) -> Times:
    """FrameTimeVector: milliseconds since the frame before, the first of them 0."""
    steps = elements.numbers("FrameTimeVector")
    if not steps:
        return _unread("Frame Time Vector", "FrameTimeVector", elements)
    notices = []
    if len(steps) == count - 1:
        steps = [0.0, *steps]
        notices.append(
            _(
                "The header's Frame Time Vector has one time too few; it is taken as the times after "
                "the first frame."
            )
        )
    elif len(steps) > count:
        notices.append(
            _("The header's Frame Time Vector has more times than there are frames; the rest is left out.")
        )
    steps = steps[1:count]
    if len(steps) != count - 1 or min(steps) < 0 or sum(steps) <= 0:
        return Times([], None, (_("The header's Frame Time Vector does not fit its frames; it is ignored."),))
    if _in_seconds(median([one for one in steps if one > 0]), elements):
        steps = [one * 1000 for one in steps]
        notices.append(
            _("The header's Frame Time Vector is taken as seconds; milliseconds would be too short.")
        )
    return Times(list(accumulate((one / 1000 for one in steps), initial=0.0)), None, tuple(notices))


def _from_frame_time(elements: Elements, count: int) -> Times:
    step = elements.number("FrameTime")
    if step is None:
        return _unread("Frame Time", "FrameTime", elements)
    if step <= 0:
        return _NOTHING
    notices: tuple[str, ...] = ()
    if _in_seconds(step, elements):
        notices = (
            _(
                "The header's Frame Time of {step} ms is taken as seconds; it would be too short.",
                step=f"{step:g}",
            ),
        )
        step *= 1000
    return Times([index * step / 1000 for index in range(count)], None, notices)


def _from_rate(elements: Elements, count: int) -> Times:
    rate = _rate(elements)
    return Times([index / rate for index in range(count)], None) if rate else _NOTHING


def _rate(elements: Elements) -> float | None:
    """Frames per second, as the header says beside the times."""
    rates = (elements.number(name) for name in ("CineRate", "RecommendedDisplayFrameRate"))
    return next((rate for rate in rates if rate and rate > 0), None)


def _in_seconds(step: float, elements: Elements) -> bool:
    """Whether the time between two frames is not in milliseconds, as it should be, but in seconds."""
    if step >= _LEAST_MS:
        return False
    rate = _rate(elements)
    return rate is None or abs(1 / step - rate) < abs(1000 / step - rate)


def _unread(name: str, keyword: str, elements: Elements) -> Times:
    """There is nothing, or nothing that could be read, which is told."""
    return (
        Times([], None, (_("The header's {name} is no number; it is ignored.", name=name),))
        if keyword in elements
        else _NOTHING
    )
