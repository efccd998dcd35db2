"""The language of the program's texts: English where they are written, others from catalogues (GNU gettext).

A text is marked where it is written, so that it comes into the catalogues:

- `_("{name} is not there; choose another.", name=name)` is translated at once;
- `N_("Freeze")` is only marked, for tables of modules; `_(title)` translates it where it is shown;
- `plural("{count} frame", "{count} frames", count)` takes the form of the number.

What is stored, logged, compared or read by programs is never translated: a translated text keeps what it is
in English, and `english` gives that.
"""

from __future__ import annotations

import datetime
import gettext
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from string import Formatter
from typing import Final

from semc_core.paths import ASSETS

ENGLISH: Final = "en"
LANGUAGES: Final = {
    ENGLISH: "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "zh": "简体中文",
}
"""Codes (ISO 639-1) and what each language calls itself."""
CATALOGUES: Final = ASSETS / "languages"
_COMMA: Final = ("de", "fr", "es")
_MONTHS: Final = {
    ENGLISH: ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "de": (
        "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.",
    ),
    "fr": (
        "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
    ),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
}  # fmt: skip
"""Short names of the months. Python's own depend on the machine's settings, not on the window's language."""
_ENGLISH_TEXTS: Final = gettext.NullTranslations()


class _Shown(str):
    """A translated text that knows what it is in English."""

    english: str


class _Now:
    code: str = ENGLISH
    catalogue: gettext.NullTranslations = gettext.NullTranslations()


_in_english: ContextVar[bool] = ContextVar("in_english", default=False)


def use(code: str) -> None:
    """From now on, texts are in this language; one that is none of `LANGUAGES` is English."""
    path = CATALOGUES / f"{code}.mo"
    if code not in LANGUAGES or code == ENGLISH or not path.exists():
        use_catalogue(ENGLISH, gettext.NullTranslations())
        return
    with path.open("rb") as file:
        use_catalogue(code, gettext.GNUTranslations(file))


def use_catalogue(code: str, catalogue: gettext.NullTranslations) -> None:
    """From now on, texts are taken from this catalogue."""
    _Now.code, _Now.catalogue = code, catalogue


def current() -> str:
    """The code of the language in use."""
    return ENGLISH if _in_english.get() else _Now.code


@contextmanager
def in_english() -> Iterator[None]:
    """Texts are English all through the context, in this thread alone: for what is stored."""
    token = _in_english.set(True)
    try:
        yield
    finally:
        _in_english.reset(token)


def best_of(wanted: Sequence[str]) -> str:
    """The first of these that there is, by codes such as "de-AT" or "zh_CN"; English if there is none."""
    for code in wanted:
        language = code.replace("_", "-").split("-")[0].lower()
        if language in LANGUAGES:
            return language
    return ENGLISH


def _(text: str, /, **values: object) -> str:
    """The text in the language in use, with `values` in place of {names}."""
    return _filled(_catalogue().gettext(text) if text else "", text, values)


def N_(text: str) -> str:  # noqa: N802 - gettext's name
    """The text as it is, marked for the catalogues."""
    return text


def plural(one: str, many: str, count: int, **values: object) -> str:
    """The form for `count`, which is {count} in it, in the language in use."""
    source = one if count == 1 else many
    return _filled(_catalogue().ngettext(one, many, count), source, {"count": count, **values})


def decimal(value: float, digits: int, *, grouped: bool = False) -> str:
    """The number with so many digits, with the decimal sign of the language in use.

    Where it is `grouped`, the thousands stand apart.
    """
    text = f"{value:{',' if grouped else ''}.{digits}f}"
    if current() not in _COMMA:
        return text
    return _shown(text.replace(",", "\N{NO-BREAK SPACE}").replace(".", ","), text)


def day_text(day: datetime.date, *, year: bool = True) -> str:
    """The day as the language in use writes it, with the month as a word: "21 Nov 2026", or "21 Nov"."""
    number, month, ending = f"{day:%d}", _MONTHS[ENGLISH][day.month - 1], f" {day.year}" if year else ""
    plain, code = f"{number} {month}{ending}", current()
    if code == "zh":
        return _shown(f"{f'{day.year}年' if year else ''}{day.month}月{day.day}日", plain)
    if code not in _MONTHS or code == ENGLISH:
        return plain
    number = f"{day.day}." if code == "de" else str(day.day)
    return _shown(f"{number} {_MONTHS[code][day.month - 1]}{ending}", plain)


def english(text: str) -> str:
    """What is stored of a text that is shown: the same in English."""
    return text.english if isinstance(text, _Shown) else text


def said_again(
    stored: str, forms: Iterable[str], within: Mapping[str, Callable[[str], str]] | None = None
) -> str:
    """A sentence that was stored in English, in the language in use.

    Args:
        stored: The sentence.
        forms: Texts marked with `N_`, with {names} for values; the first that fits is taken.
        within: Says values of these names again.

    Returns:
        The sentence as it is where no form fits.
    """
    for form in () if current() == ENGLISH else forms:
        if found := _pattern(form).fullmatch(stored):
            again = within or {}
            values = {name: again.get(name, str)(value) for name, value in found.groupdict().items()}
            return _(form, **values)
    return stored


@cache
def _pattern(form: str) -> re.Pattern[str]:
    parts = Formatter().parse(form)
    return re.compile(
        "".join(re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, _spec, _how in parts),
        re.DOTALL,
    )


def in_both(change: Callable[[str], str], text: str) -> str:
    """`change` done to the text, and to what it is in English."""
    return _shown(change(text), change(english(text)))


def replaced(text: str, old: str, new: str) -> str:
    """The text with `new` in place of `old`, one sentence of it."""
    return _shown(text.replace(old, new), english(text).replace(english(old), english(new)))


def joined(texts: Iterable[str], between: str = " ") -> str:
    """Those of the texts that are not empty, one after the other."""
    kept = [text for text in texts if text]
    return _shown(between.join(kept), between.join(map(english, kept)))


def _catalogue() -> gettext.NullTranslations:
    return _ENGLISH_TEXTS if _in_english.get() else _Now.catalogue


def _filled(translated: str, source: str, values: dict[str, object]) -> str:
    plain = {name: _plain(each) for name, each in values.items()}
    said = source.format(**plain) if values else source
    if _in_english.get() or (translated == source and plain == values):
        return said
    try:
        return _shown(translated.format(**values) if values else translated, said)
    except (LookupError, ValueError):  # a catalogue's fault must not hide what is to be said
        return said


def _plain(value: object) -> object:
    """The value as it is in English; an error as its sentence."""
    if isinstance(value, Exception):
        value = str(value)
    return english(value) if isinstance(value, str) else value


def _shown(text: str, plain: str) -> str:
    if text == plain:
        return plain
    shown = _Shown(text)
    shown.english = plain
    return shown
