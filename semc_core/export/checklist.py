"""A protocol's checklist as the report and the structured report show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semc_core.language import _, joined
from semc_core.protocols.checklist import Checklist as State
from semc_core.protocols.checklist import ChecklistItem, progress_words, session_checklists
from semc_core.protocols.protocol import Protocol
from semc_core.session.records import ItemEntry, ModelEntry, PlaneEntry


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One line of a protocol's checklist, as the report shows it.

    Attributes:
        title: The item in words.
        planes: Class names that fulfil it.
        status: "found", "weak", "missing", "not possible" or "unknown to the model".
        reason: A person's words on it, if free text is wanted; or "".
        fetus: Letter of the one that it is of; "" where there is one only.
    """

    title: str
    planes: tuple[str, ...]
    status: str
    reason: str = ""
    fetus: str = ""

    @property
    def words(self) -> str:
        """The title, of one of several fetuses with its letter before it."""
        return _("Fetus {letter}: {title}", letter=self.fetus, title=self.title) if self.fetus else self.title


@dataclass(frozen=True, slots=True)
class Checklist:
    """A protocol's checklist as it stood at the export.

    Attributes:
        title: Of the protocol.
        rows: In its order.
        progress: How far it is, in words, or "".
    """

    title: str
    rows: tuple[ChecklistRow, ...]
    progress: str = ""


def export_checklist(
    protocol: Protocol,
    model: ModelEntry,
    planes: Sequence[PlaneEntry],
    words: Sequence[ItemEntry],
    letters: Sequence[str] = (),
) -> Checklist:
    """How far the examination is with its protocol.

    Args:
        protocol: The user's choice.
        model: Of the session.
        planes: Those that are exported: one that is left out is not found by who reads the export.
        words: A person's, on items that were not possible.
        letters: Of the fetuses, whose rows follow one another; none where there is one only.
    """
    found = session_checklists(protocol, model, planes, words, letters)
    rows = tuple(_row(protocol, row, model, state.fetus) for state in found for row in state.rows)
    return Checklist(_(protocol.title), rows, joined(map(_progress, found)))


def _progress(state: State) -> str:
    share, words = f"{state.completeness:.0%}", progress_words(state)
    if not state.fetus:
        return _("{share} complete: {words}.", share=share, words=words)
    return _("Fetus {letter}: {share} complete: {words}.", letter=state.fetus, share=share, words=words)


def _row(protocol: Protocol, row: ChecklistItem, model: ModelEntry, fetus: str) -> ChecklistRow:
    item = row.item
    # Other models' names for the plane say nothing to who reads the report.
    known = protocol.known_names(item, model.classes)
    planes = (row.best.plane,) if row.best is not None else known or item.planes[:1]
    title = _("{title} (optional)", title=_(item.title)) if item.optional else _(item.title)
    return ChecklistRow(title, planes, str(row.status), row.reason, fetus)
