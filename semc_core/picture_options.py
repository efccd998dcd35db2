"""How the user wants pictures to be read: the options, and how they are typed, kept and told.

Imports little: commands say what they take before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args, get_type_hints

from semc_core.errors import UsageError
from semc_core.language import N_, _, joined

Range = Literal["auto", "full", "limited"]
Aspect = Literal["auto", "4:3", "16:9"]
Deinterlace = Literal["auto", "on", "off"]
Flip = Literal["none", "horizontal", "vertical", "180"]


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """How the user wants the pictures of a source to be read; "auto" is as the source says itself.

    The one model of it: command line, settings, window, sessions, files, streams and cards share it.

    Attributes:
        range: "full": black is 0 and white 255; "limited": 16 and 235.
        aspect: Width to height of the whole picture as it is shown, whatever its pixels are.
        deinterlace: "auto" removes combs from the frames that are marked as interlaced, "on" from all.
        flip: "horizontal" changes left and right, "vertical" top and bottom, "180" both.
    """

    range: Range = "auto"
    aspect: Aspect = "auto"
    deinterlace: Deinterlace = "auto"
    flip: Flip = "none"


AS_IT_IS: Final = PictureOptions()
BEFORE_OPTIONS: Final = PictureOptions(deinterlace="off")
"""How every picture was read before anyone could choose."""
_FLIPPED: Final = {
    "horizontal": N_("flipped horizontally"),
    "vertical": N_("flipped vertically"),
    "180": N_("turned by 180 degrees"),
}
_SAID: Final[dict[str, Callable[[str], str]]] = {
    "range": lambda value: _("full range") if value == "full" else _("limited range"),
    "aspect": lambda value: _("shown at {aspect}", aspect=value),
    "deinterlace": lambda value: _("deinterlaced") if value == "on" else "",  # off: said where combs stay
    "flip": lambda value: _(_FLIPPED[value]),
}

PICTURE_HELP: Final = {
    "range": "levels of the pictures: full (black 0, white 255) or limited (16, 235); auto: as they say",
    "aspect": "width to height of the whole picture as it is shown; auto: as it says",
    "deinterlace": "remove combs: from frames that are marked as interlaced (auto), from all (on), or not",
    "flip": "show the pictures mirrored, upside down, or turned by 180 degrees",
}
"""What each is, for the help of commands."""


def choices(name: str) -> tuple[str, ...]:
    """What a field of `PictureOptions` can be, the default first."""
    return tuple(get_args(get_type_hints(PictureOptions)[name]))


def picture_options(values: Mapping[str, Any]) -> PictureOptions:
    """The options that `values` say by name; what they leave out is as the source says.

    Raises:
        UsageError: There is no such option, or it cannot be that.
    """
    names = [each.name for each in fields(PictureOptions)]
    for name, value in values.items():
        if name not in names:
            raise UsageError(
                _("There is no picture option {name}; there are {names}.", name=name, names=", ".join(names))
            )
        if value not in choices(name):
            raise UsageError(
                _(
                    "The picture option {name} is {choices}, not {value}.",
                    name=name,
                    choices=", ".join(choices(name)),
                    value=repr(value),
                )
            )
    return PictureOptions(**values)


def to_text(options: PictureOptions) -> str:
    """What differs from the default, "range=full flip=180"; "" for nothing. `from_text` reads it."""
    return " ".join(f"{name}={value}" for name, value in _chosen(options))


def from_text(text: str) -> PictureOptions:
    """What `to_text` wrote. Raises UsageError."""
    return picture_options(dict(word.partition("=")[::2] for word in text.split()))


def picture_sentence(options: PictureOptions) -> str:
    """What the user chose, in a sentence; "" for nothing."""
    said = [text for name, value in _chosen(options) if (text := _SAID[name](value))]
    return _("By the picture options: {options}.", options=joined(said, ", ")) if said else ""


def _chosen(options: PictureOptions) -> list[tuple[str, str]]:
    values = ((each.name, str(getattr(options, each.name))) for each in fields(options))
    return [(name, value) for name, value in values if value != getattr(AS_IT_IS, name)]
