"""Languages that tests make up: what is said in them is a function of the English text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gettext import NullTranslations

from semc_core import language


class MadeUp(NullTranslations):
    """Says each text as `say` does; of two forms that for the number."""

    def __init__(self, say: Callable[[str], str]) -> None:
        super().__init__()
        self._say = say

    def gettext(self, message: str) -> str:
        """The text in this language."""
        return self._say(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The form for `n` in this language."""
        return self._say(msgid1 if n == 1 else msgid2)


@contextmanager
def speaking(say: Callable[[str], str]) -> Iterator[None]:
    """Numbers are written as in German, texts are as `say` says them; afterwards all is English."""
    language.use_catalogue("de", MadeUp(say))
    try:
        yield
    finally:
        language.use(language.ENGLISH)


def shouted(message: str) -> str:
    """The text in capital letters, but for the names of its values."""
    parts = message.replace("{", "\0{").replace("}", "}\0").split("\0")
    return "".join(part if part.startswith("{") else part.upper() for part in parts)
