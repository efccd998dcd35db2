"""The table of differences, which a third person fills in: CSV, as any spreadsheet opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from semc_core.errors import UsageError
from semc_core.io.regular import read_regular
from semc_core.review.raters.units import NO_MARK, Unit

COLUMNS: Final = ("loop", "kind", "number", "time_s", "frame", "first", "second", "decision")
_LOOP_DIGITS: Final = 16
_MOST_BYTES: Final = 8_000_000

Key = tuple[str, str, int]
"""Loop, kind and number of a unit."""


def key_of(loop: str, unit: Unit[Any]) -> Key:
    """How the table names a unit."""
    return loop[:_LOOP_DIGITS], unit.kind, unit.number


def differences_csv(units: Iterable[tuple[str, Unit[Any]]]) -> bytes:
    """The table of the units in which the answers differ, each with its loop; the decisions are empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for loop, unit in units:
        if not unit.agreed:
            there = unit.first if unit.first is not None else unit.second
            frame = getattr(there, "frame_index", "")
            said = [_cell(name) for name in unit.labels]
            table.writerow([*key_of(loop, unit), f"{unit.time_s:.3f}", frame, *said, ""])
    return text.getvalue().encode()


def read_decisions(path: Path) -> dict[Key, tuple[tuple[str, str], str]]:
    """For each row its two answers and the decision, "" where there is none.

    Raises:
        UsageError: It cannot be read, or is no such table.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); check its name.") from error
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError("it is too large")
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
            raise ValueError(f"it has no column {missing[0]}")
        return dict(map(_row, rows))
    except (ValueError, TypeError, csv.Error) as error:
        raise UsageError(
            f"{path.name} is no table of differences ({error}); write it with semc session compare --out, "
            "and fill in the column decision alone."
        ) from error


def _row(row: Mapping[str, str]) -> tuple[Key, tuple[tuple[str, str], str]]:
    said = _plain(row["first"]), _plain(row["second"])
    return (row["loop"], row["kind"], int(row["number"])), (said, _plain(row["decision"].strip()))


def decided(
    loop: str,
    units: Sequence[Unit[Any]],
    decisions: Mapping[Key, tuple[tuple[str, str], str]],
    known: set[str],
) -> dict[Key, str]:
    """What holds of each unit: what both say, or what the third decided.

    Raises:
        UsageError: Something is not decided, or decided of what the sessions do not say any more, or nothing
            that can be.
    """
    settled: dict[Key, str] = {}
    open_still = []
    for unit in units:
        key = key_of(loop, unit)
        said, decision = decisions.get(key, (unit.labels, ""))
        if unit.agreed:
            settled[key] = unit.labels[0]
        elif said != unit.labels:
            raise UsageError(
                f"The {unit.kind} {unit.number} is {' and '.join(unit.labels)} in the sessions, and "
                f"{' and '.join(said)} in the table; compare them again."
            )
        elif not decision:
            open_still.append(unit)
        else:
            settled[key] = _checked(unit, decision, known)
    if open_still:
        first = open_still[0]
        raise UsageError(
            f"{len(open_still)} of {len(units)} are not decided, first the {first.kind} at "
            f"{first.time_s:.1f} s ({' or '.join(first.labels)}); write the table with semc session compare "
            "--out, and have a third person fill in the column decision."
        )
    return settled


def _checked(unit: Unit[Any], decision: str, known: set[str]) -> str:
    allowed = {*unit.labels, *known} | ({NO_MARK} if unit.kind == "mark" else set())
    if decision not in allowed:
        raise UsageError(
            f"The {unit.kind} {unit.number} is decided to be {decision[:40]!r}, which is none of "
            f"{', '.join(sorted(allowed))}; write one of them."
        )
    return decision


def _cell(text: str) -> str:
    """A name that a spreadsheet would take for a formula gets a sign before it."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) and text != NO_MARK else text


def _plain(text: str) -> str:
    return text.removeprefix("'")
