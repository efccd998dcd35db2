"""Which changes can be taken back, and which made again: read from the log, so it outlives the program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from semc_core.session.records import AuditEntry
from semc_core.session.state import Edit, Row


@dataclass(frozen=True, slots=True)
class Step:
    """A change that was made (or taken back) by entry `seq`, with the edits that it made there."""

    seq: int
    text: str
    edits: tuple[Edit, ...]

    def brings_back(self, table: str) -> list[Row]:
        """What taking the step back gives to rows of a table: whole ones, or the fields that it changed."""
        found = (edit["before"] for edit in self.edits if edit["table"] == table)
        return [row for row in found if row is not None]


class UndoStack:
    """Two stacks of steps. Not for several threads at once.

    Attributes:
        highest: Per table the highest number that a person's change ever gave, removed ones too: numbers are
            not used again.
    """

    def __init__(self) -> None:
        self.highest: dict[str, int] = {}
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @classmethod
    def from_entries(cls, entries: Iterable[AuditEntry]) -> UndoStack:
        """The stacks after a person's entries, in order."""
        stack = cls()
        for entry in entries:
            text, edits = entry.payload.get("text"), tuple(entry.payload.get("edits", ()))
            if text is None:
                continue
            if entry.kind in ("undo", "redo"):
                stack.swapped(entry.kind, entry.seq, edits)
            else:
                stack.done(entry.seq, text, edits)
        return stack

    @property
    def count(self) -> int:
        """How many changes stand."""
        return len(self._done)

    @property
    def last_done(self) -> Step | None:
        """What `undo` takes back."""
        return self._done[-1] if self._done else None

    @property
    def last_undone(self) -> Step | None:
        """What `redo` makes again."""
        return self._undone[-1] if self._undone else None

    def steps(self) -> tuple[Step, ...]:
        """Everything that can be taken back or made again."""
        return (*self._done, *self._undone)

    def done(self, seq: int, text: str, edits: tuple[Edit, ...]) -> None:
        """A new change: what was taken back before cannot be made again."""
        self._done.append(Step(seq, text, edits))
        self._undone.clear()
        for edit in edits:
            if isinstance(edit["id"], int):
                self.highest[edit["table"]] = max(self.highest.get(edit["table"], 0), edit["id"])

    def swapped(self, kind: str, seq: int, edits: tuple[Edit, ...]) -> None:
        """An "undo" or "redo" was written by entry `seq` with `edits`."""
        source, target = (self._done, self._undone) if kind == "undo" else (self._undone, self._done)
        target.append(Step(seq, source.pop().text, edits))
