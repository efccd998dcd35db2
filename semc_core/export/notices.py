"""Sentences of an export that are stored in English, and shown in the language in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from semc_core.language import _


class Notice(str):
    """An English sentence that knows how it is said in other languages; `shown` says it."""

    _text: str
    _values: dict[str, object]

    def __new__(cls, text: str, /, **values: object) -> Self:
        """From a text that `N_` marks, with `values` in place of {names}; a tuple of texts is a list."""
        made = super().__new__(cls, text.format(**_said(values, str)) if values else text)
        made._text, made._values = text, values
        return made

    @property
    def shown(self) -> str:
        """In the language in use."""
        return _(self._text, **_said(self._values, shown))


def shown(sentence: str) -> str:
    """A sentence in the language in use: a `Notice`, or a text that is marked by `N_`; others as they are."""
    return sentence.shown if isinstance(sentence, Notice) else _(sentence)


def _said(values: dict[str, object], say: Callable[[str], str]) -> dict[str, object]:
    return {name: _one(value, say) for name, value in values.items()}


def _one(value: object, say: Callable[[str], str]) -> object:
    if isinstance(value, tuple):
        return ", ".join(say(each) for each in value)
    return say(value) if isinstance(value, Notice) else value
