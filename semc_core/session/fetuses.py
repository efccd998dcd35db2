"""Of how many fetuses a session is, and which of them was scanned when. Plain data, no database here.

The first fetus is A. From the time of a turn on another one is scanned, until the next turn; a plane belongs
to the fetus that was scanned at the time of its frame, unless a person moved it to another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

from typing_extensions import TypedDict

from semc_core.io.documents import STRICT, configured
from semc_core.io.rules import held_as, one_of, within

LETTERS: Final = ("A", "B", "C", "D")
"""What fetuses are called, in order."""
FIRST: Final = LETTERS[0]

_Letter = Annotated[str, one_of(*LETTERS)]
_Number = Annotated[int, within(-(2**63), 2**63 - 1)]
_Rows = Mapping[int | str, Mapping[str, Any]]


@configured(STRICT)
class TurnRow(TypedDict):
    """From `time_s` on this fetus is scanned."""

    turn_id: _Number
    time_s: Annotated[float, held_as(int | float)]
    fetus: _Letter


@configured(STRICT)
class FetusRow(TypedDict):
    """A person said that this plane is of this fetus, whenever it was seen."""

    plane_id: _Number
    fetus: _Letter


@dataclass(frozen=True, slots=True)
class Fetuses:
    """The fetuses of a session.

    Attributes:
        turns: From when on (seconds) which one is scanned, by rising time.
        moved: The fetus of each plane that a person moved, by its number.
    """

    turns: tuple[tuple[float, str], ...] = ()
    moved: Mapping[int, str] = field(default_factory=dict)

    @property
    def letters(self) -> tuple[str, ...]:
        """All of them, from A to the last that was named; none where there is one only."""
        named = {letter for _, letter in self.turns} | set(self.moved.values())
        most = max((LETTERS.index(letter) for letter in named), default=0)
        return LETTERS[: most + 1] if most else ()

    @property
    def newest(self) -> str:
        """The letter of the one that is scanned at the end; "" where there is one only."""
        return self.at(math.inf)

    def at(self, time_s: float) -> str:
        """The letter of the fetus that was scanned then; "" where there is one only."""
        if not self.letters:
            return ""
        return next((letter for from_s, letter in reversed(self.turns) if from_s <= time_s), FIRST)

    def of_plane(self, plane_id: int | None, time_s: float) -> str:
        """The letter of the fetus that a plane seen at `time_s` is of; "" where there is one only."""
        moved = None if plane_id is None else self.moved.get(plane_id)
        return moved or self.at(time_s)

    def after(self, letter: str) -> str:
        """The next one: after the last the first again, and where there is one only, B."""
        known = self.letters or LETTERS[:2]
        return known[(known.index(letter or FIRST) + 1) % len(known)]

    @property
    def one_more(self) -> str:
        """The letter of one more fetus; "" where there are as many as can be."""
        return "".join(LETTERS[len(self.letters) or 1 :][:1])


ONE: Final = Fetuses()
"""As in any session of which nobody said otherwise."""


def with_earlier(fetuses: Fetuses, letters: Mapping[int, str]) -> Fetuses:
    """The fetuses of a scan that goes on with one whose planes, by number, are of these letters."""
    return replace(fetuses, moved={**letters, **fetuses.moved}) if letters else fetuses


def fetuses_of(turns: _Rows, moved: _Rows) -> Fetuses:
    """From the rows of the tables `turns` and `fetuses`."""
    by_time = sorted(turns.values(), key=lambda row: (row["time_s"], row["turn_id"]))
    return Fetuses(
        tuple((row["time_s"], row["fetus"]) for row in by_time),
        {row["plane_id"]: row["fetus"] for row in moved.values()},
    )
