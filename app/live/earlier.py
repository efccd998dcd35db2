"""The scan before, where this one goes on with its examination: its planes stay in the strip. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from app.keys import first_key
from semc_core.language import _, plural
from semc_core.types import SavedPlane

NO_LETTERS: Final[Mapping[int, str]] = MappingProxyType({})
"""Where there is one fetus only, or none."""
_NEWEST: Final = -2
"""Number of the newest plane of the scans before; older ones count down. From 1 on they are this scan's."""


def as_earlier(planes: Sequence[SavedPlane]) -> tuple[SavedPlane, ...]:
    """The planes of a scan under numbers that no plane of the next one has."""
    last = len(planes) - 1
    return tuple(replace(plane, hold_id=_NEWEST - last + at) for at, plane in enumerate(planes))


class EarlierScan:
    """What is asked about it, once, and what was answered; until then it is another examination.

    Attributes:
        planes: Those that count beside this scan's own.
        asks: Whether nobody has answered yet.
        letters: Of several fetuses the letter of each of those planes, by its number; else none.
    """

    def __init__(self) -> None:
        """There is none."""
        self.planes: tuple[SavedPlane, ...] = ()
        self.asks = False
        self._offered: tuple[SavedPlane, ...] = ()
        self._letters: Mapping[int, str] = {}

    @property
    def there(self) -> bool:
        """Whether there is a scan that this one may go on with."""
        return bool(self._offered)

    @property
    def letters(self) -> Mapping[int, str]:
        """See above; none where this scan does not go on with them."""
        return self._letters if self.planes else {}

    def offer(self, planes: tuple[SavedPlane, ...], letters: Mapping[int, str] = NO_LETTERS) -> None:
        """Ask whether this scan goes on with the one that found these; of none nothing is asked.

        `letters` are those of their fetuses, where there are several.
        """
        self.planes, self._offered, self.asks = (), planes, bool(planes)
        self._letters = letters

    def answer(self, same: bool) -> None:
        """It is the same examination, or a new one."""
        self.asks = False
        self.planes = self._offered if same else ()

    def question(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What is asked, and the answers with their keys: the first is that it is the same."""
        asked = plural(
            "Does this scan go on with the examination before ({count} plane)?",
            "Does this scan go on with the examination before ({count} planes)?",
            len(self._offered),
        )
        return asked, ((first_key("same_examination"), _("Same examination")), ("", _("New examination")))
