"""A worklist: how it is asked for on the command line, and how it is listed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from typer import Option

from semc_core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.pacs.worklist import Worklist, WorklistQuestion
    from semc_core.session.examination import Examination

WORKLIST_EXAMPLES: Final = """\b
Examples:
    semc pacs worklist ris
    semc pacs worklist ris --day any --modality any --json"""
_ANY: Final = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistOptions:
    """Which examinations are asked for, as it is typed."""

    day: Annotated[
        str, Option("--day", metavar="DAY", help="for which they are scheduled: 2026-11-30, today, or any")
    ] = "today"
    modality: Annotated[str, Option("--modality", metavar="KIND", help="such as US; any for all")] = "US"
    station: Annotated[
        str, Option("--station", metavar="AE_TITLE", help="that they are scheduled for; any for all")
    ] = _ANY

    def question(self) -> WorklistQuestion:
        """The same, checked.

        Raises:
            UsageError: The day is none.
        """
        from semc_core.pacs.worklist import WorklistQuestion

        return WorklistQuestion(self._day(), _or_any(self.modality).upper(), _or_any(self.station))

    def _day(self) -> datetime.date | None:
        if self.day == "today":
            return datetime.date.today()
        try:
            return datetime.date.fromisoformat(self.day) if _or_any(self.day) else None
        except ValueError as error:
            raise UsageError("Give the day as 2026-11-30, or today, or any.") from error


def _or_any(text: str) -> str:
    return "" if text.casefold() == _ANY else text


def plain_worklist(found: Worklist) -> dict[str, Any]:
    """A worklist as JSON."""
    rows = [asdict(row) for row in found.rows]
    return {"examinations": rows, "left_out": found.left_out, "whole": found.whole, "notice": found.notice}


def print_worklist(rows: Sequence[Examination], console: Console) -> None:
    """On screen, a row for each. Nothing is cut: two numbers that are alike at their beginnings differ."""
    from rich.table import Column, Table

    from semc_core.cli.shared.shown import escape
    from semc_core.session.examination import day_and_time, plain_name

    numbers = {"Patient ID", "Accession"}
    names = ("When", "Patient", "Patient ID", "Born", "Accession", "Procedure")
    table = Table(*(Column(each, overflow="fold", no_wrap=each in numbers) for each in names))
    for row in rows:
        born = f"{day_and_time(row.birth_date, '')} {row.sex}".strip()
        what = f"{row.what} ({row.step_id})" if row.step_id else row.what
        told = (day_and_time(row.date, row.time), plain_name(row.patient_name), row.patient_id, born)
        table.add_row(*map(escape, (*told, row.accession_number, what)))
    console.print(table)
