"""How numbers, times and notices are worded everywhere in the window. No Qt here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from semc_core.labels import BRAIN_PLANES
from semc_core.language import N_, _, decimal
from semc_core.text import scan_time

if TYPE_CHECKING:
    from semc_core.types import Quality

UNLIKE: Final = N_("Unlike the training data.")
UNLIKE_FETAL: Final = N_("This does not look like a fetal scan.")

RESEARCH_NOTICE: Final = N_("Research use only. Not a medical device.")


def unlike_text(classes: Collection[str]) -> str:
    """Of a picture, live or in review, with a novelty above 1, by the classes of the model that was asked.

    Planes of the head are those of a fetus: no other model names them.
    """
    return _(UNLIKE if set(classes).isdisjoint(BRAIN_PLANES) else UNLIKE_FETAL)


def own_model(number: int) -> str:
    """What one of the user's models is called, wherever it is named and before its file was looked at."""
    return _("Your model, version {number}", number=number)


class Tone(Enum):
    """How a text is coloured."""

    PLANE = "plane"
    NEUTRAL = "neutral"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Banner:
    """A sentence across the window, and the ways out of it.

    Attributes:
        text: One or two sentences.
        fault: True for an error, False for a notice.
        actions: Names of what its buttons do.
        more: What else is to be said, less urgent; it is shown when this is put away or over.
    """

    text: str
    fault: bool
    actions: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


def percent(share: float) -> str:
    """ "97%". Never 100% unless it is."""
    return "100%" if share >= 1.0 else f"{min(99, round(share * 100))}%"


def quality_text(quality: Quality | None) -> str:
    """ "Quality 87", with what helps most where something does; or ""."""
    if quality is None:
        return ""
    from semc_core.imaging.score.parts import sentences  # the window opens without it

    score = _("Quality {score}", score=decimal(quality.score, 0))
    return " · ".join((score, *map(_, sentences(quality)[:1])))


def when_text(time_s: float, fetus: str = "") -> str:
    """A time in a scan; of several fetuses with the letter of the one that is meant before it."""
    time = scan_time(time_s)
    return _("{letter}, {time}", letter=fetus, time=time) if fetus else time


def duration(seconds: float) -> str:
    """A short time in words, at least 10 ms."""
    if seconds < 0.995:
        return f"{max(1, round(seconds * 100)) * 10} ms"
    return f"{decimal(seconds, 1)} s" if seconds < 60 else f"{seconds / 60:.0f} min"


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One number of the status line: its name, its value, whether it is worrying, and what it contains."""

    name: str
    value: str
    worrying: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class StatusText:
    """What the status line and the window's title say.

    Attributes:
        numbers: Shown where there is no sentence.
        sentence: In the place of the numbers; None for the numbers.
        title: Of the window; None leaves it as it is.
        model: The model with its device, and what it says of itself; None leaves them as they are.
    """

    numbers: tuple[StatusItem, ...] = ()
    sentence: str | None = None
    title: str | None = None
    model: tuple[str, str] | None = None
