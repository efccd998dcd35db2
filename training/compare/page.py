"""The files of a comparison: JSON and CSV for programs, a page with charts for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from semc_core.export.report.html import html_page
from semc_core.io.atomic import write_atomically
from semc_core.text import counted, readable
from training.compare.tables import DECIDES, FURTHER, MEASURES, PAPER, as_csv, sentences
from training.evaluation.report.charts import cost_chart, intervals_chart
from training.evaluation.report.report import write_json

RESULT: Final = "compare.json"
TABLE: Final = "compare.csv"
PAGE: Final = "report.html"
_TEMPLATE: Final = "comparison.html.j2"


def save(out: Path, found: Mapping[str, Any]) -> None:
    """Write all three, each whole or not at all.

    Args:
        out: Folder of the comparison.
        found: See `training.compare.tables.summary`.

    Raises:
        SaveError: A file cannot be written.
    """
    write_json(out / RESULT, dict(found))
    write_atomically(out / TABLE, readable(as_csv(found)).encode())
    write_atomically(out / PAGE, html_report(found))


def html_report(found: Mapping[str, Any]) -> bytes:
    """The page, UTF-8. Whatever comes from the data is escaped."""
    rows: Sequence[Mapping[str, Any]] = found["methods"]
    done = [row for row in rows if row["seeds"]]
    return html_page(
        _TEMPLATE,
        found=found,
        done=done,
        failed=[row for row in rows if row["problem"]],
        sentences=sentences(found),
        paper=PAPER,
        further=FURTHER,
        charts=_charts(done, found["against"]),
        made=_made(found),
    )


def _charts(rows: Sequence[Mapping[str, Any]], against: str | None) -> dict[str, bytes]:
    name = MEASURES[DECIDES]
    apart = [row for row in rows if row["differences"] is not None]
    return {
        "scores": intervals_chart(
            [(row["method"], *_scaled(row[DECIDES])) for row in rows], f"{name}, per cent, with its interval"
        ),
        "differences": intervals_chart(
            [(row["method"], *_scaled(row["differences"][DECIDES])) for row in apart],
            f"{name} against {against}, points",
            around=0.0,
        ),
        "cost": cost_chart(
            [
                (row["method"], row["milliseconds"], 100 * row[DECIDES]["mean"])
                for row in rows
                if row[DECIDES]["mean"] is not None
            ],
            f"{name}, per cent",
        ),
    }


def _scaled(of: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    mean, low, high = (None if of[end] is None else 100 * of[end] for end in ("mean", "low", "high"))
    return mean, low, high


def _made(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(title, value) of how it was made."""
    data, choices = found["data"], found["choices"]
    splits = ", ".join(
        f"{split} {counted(each['frames'], 'picture')} of {each['groups']}"
        for split, each in data["splits"].items()
    )
    named = (f"{key} {value}" for key, value in choices.items() if value not in ("", None))
    rows = [
        ("Data", data["name"]),
        ("Pictures, and of how many patients or videos", splits),
        ("Classes", ", ".join(data["classes"])),
        ("Choices, alike for all", "; ".join(named)),
        ("Intervals", f"{counted(found['draws'], 'draw')}, percentiles 2.5, 97.5"),
        *((title, value) for title, value in found["machine"].items()),
    ]
    return [(title, str(value)) for title, value in rows]
