"""A protocol's checklist as the report and the structured report show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from semc_core.export.options import Checklist, ChecklistRow
from semc_core.protocols.checklist import ChecklistItem, progress_words, session_checklist
from semc_core.protocols.protocol import Protocol
from semc_core.session.records import ItemEntry, ModelEntry, PlaneEntry


def export_checklist(
    protocol: Protocol, model: ModelEntry, planes: Sequence[PlaneEntry], words: Iterable[ItemEntry]
) -> Checklist:
    """How far the examination is with its protocol.

    Args:
        protocol: The user's choice.
        model: Of the session.
        planes: Those that are exported: one that is left out is not found by who reads the export.
        words: A person's, on items that were not possible.
    """
    state = session_checklist(protocol, model, planes, words)
    progress = f"{state.completeness:.0%} complete: {progress_words(state)}."
    return Checklist(protocol.title, tuple(_row(row, model) for row in state.rows), progress)


def _row(row: ChecklistItem, model: ModelEntry) -> ChecklistRow:
    item = row.item
    # Other models' names for the plane say nothing to who reads the report.
    known = tuple(name for name in item.planes if name in model.classes)
    planes = (row.best.plane,) if row.best is not None else known or item.planes[:1]
    title = f"{item.title} (optional)" if item.optional else item.title
    return ChecklistRow(title, planes, str(row.status), row.reason)
