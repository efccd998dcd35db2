"""Earlier studies of a server: how they are looked for on the command line, and how they are listed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from typer import Option

from semc_core.errors import UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.pacs.priors.find import Studies, Study, StudyQuestion
    from semc_core.pacs.priors.get import Fetched

FIND_EXAMPLES: Final = """\b
Examples:
    semc pacs find archive --patient-id 4711
    semc pacs find archive --name Smith --date 2026-01-01..2026-06-30 --json"""
GET_EXAMPLES: Final = """\b
Examples:
    semc pacs get archive 1.2.276.0.7230010.3.2.101 --out prior
    semc analyse prior --out results"""
_ANY: Final = "any"
_BETWEEN: Final = ".."


@dataclass(frozen=True, slots=True, kw_only=True)
class FindOptions:
    """Which studies are looked for, as it is typed."""

    patient_id: Annotated[str, Option("--patient-id", metavar="ID", help="the whole number")] = ""
    name: Annotated[
        str, Option("--name", metavar="NAME", help="how it begins: Smith, or Smith^Jo; * and ? are taken")
    ] = ""
    date: Annotated[
        str, Option("--date", metavar="DAY", help="2026-11-30, today, or 2026-01-01..2026-06-30")
    ] = ""
    accession: Annotated[str, Option("--accession", metavar="N", help="the whole accession number")] = ""
    modality: Annotated[str, Option("--modality", metavar="KIND", help="such as US; any for all")] = "US"
    most: Annotated[int, Option("--most", metavar="N", help="studies that are listed, at most")] = 200

    def question(self) -> StudyQuestion:
        """The same, checked.

        Raises:
            UsageError: It says nothing of whose studies, or a day is none.
        """
        from semc_core.pacs.priors.find import StudyQuestion

        first, between, last = self.date.partition(_BETWEEN)
        begin = _day(first)
        return StudyQuestion(
            self.patient_id, self.name, begin, _day(last) if between else begin, self.accession,
            "" if self.modality.casefold() == _ANY else self.modality.upper(),
        )  # fmt: skip


def _day(text: str) -> datetime.date | None:
    if text == "today":
        return datetime.date.today()
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError("Give the day as 2026-11-30, or today, or 2026-01-01..2026-06-30.") from error


def plain_studies(found: Studies) -> dict[str, Any]:
    """What was found as JSON."""
    rows = [asdict(row) for row in found.rows]
    return {"studies": rows, "left_out": found.left_out, "whole": found.whole, "notice": found.notice}


def plain_fetched(fetched: Fetched) -> dict[str, Any]:
    """What came as JSON."""
    return {**asdict(fetched), "folder": str(fetched.folder), "whole": fetched.whole}


def print_studies(rows: Sequence[Study], console: Console) -> None:
    """On screen, a row for each."""
    from rich.table import Table

    from semc_core.cli.shared.shown import escape
    from semc_core.session.examination import day_and_time, plain_name

    table = Table("When", "Patient", "Study", "UID")
    # It is what is typed next.
    table.columns[-1].overflow = "fold"
    for row in rows:
        born, kinds = day_and_time(row.birth_date, ""), [row.modalities]
        if row.objects:
            kinds.append(counted(row.objects, "object"))
        patient = (plain_name(row.patient_name), row.patient_id, born)
        study = (row.description, row.accession_number, ", ".join(filter(None, kinds)))
        cells = ((day_and_time(row.date, row.time),), patient, study, (row.study_uid,))
        table.add_row(*("\n".join(escape(part) for part in each if part) for each in cells))
    console.print(table)
