"""The report of an examination of several scans: the planes of all, each with the number of its scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semc_core.export.deidentified import DeidentifiedScan
from semc_core.export.options import stayed_out
from semc_core.export.report.data import ReportData, report_data
from semc_core.export.watch import Watch
from semc_core.language import _

Rows = tuple[tuple[str, str], ...]


def examination_report(scans: Sequence[DeidentifiedScan], watch: Watch) -> ReportData:
    """What the report says of all `scans`, in their order; `watch` is asked before each picture.

    What holds for all is said once, the rest with the number of the scan.
    """
    each = [report_data(scan, watch) for scan in scans]
    first = each[0]
    missing = [set(one.not_found) for one in each]
    return replace(
        first,
        subject=_rows([one.subject for one in each]),
        planes=tuple(
            replace(plane, scan=number) for number, one in enumerate(each, 1) for plane in one.planes
        ),
        not_found=tuple(name for name in first.not_found if all(name in names for names in missing)),
        regions=tuple(
            (_in_scan(number, when), label, note)
            for number, one in enumerate(each, 1)
            for when, label, note in one.regions
        ),
        measurements=tuple(
            (name, value, _in_scan(number, where))
            for number, one in enumerate(each, 1)
            for name, value, where in one.measurements
        ),
        note="\n".join(_in_scan(number, one.note) for number, one in enumerate(each, 1) if one.note),
        notices=tuple(dict.fromkeys(notice for one in each for notice in one.notices)),
        model=_rows([one.model for one in each]),
        made_by=_rows([one.made_by for one in each]),
        warning=next((one.warning for one in each if one.warning), ""),
        stayed_out=stayed_out(sum(scan.rejected for scan in scans), sum(scan.not_chosen for scan in scans)),
    )


def _rows(scans: Sequence[Rows]) -> Rows:
    """Rows that all scans share once, the others with the number of their scan."""
    shared = [row for row in scans[0] if all(row in rows for rows in scans)]
    own = [
        (_("Scan {number}: {text}", number=number, text=title), value)
        for number, rows in enumerate(scans, 1)
        for title, value in rows
        if (title, value) not in shared
    ]
    return (*shared, *own)


def _in_scan(number: int, text: str) -> str:
    return _("Scan {number}: {text}", number=number, text=text)
