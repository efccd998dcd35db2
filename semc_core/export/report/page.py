"""The report as one HTML page, made to be printed too."""

from __future__ import annotations

from typing import Final

from semc_core.export.report.data import NO_PLANE, REGION_TITLES, RESEARCH_NOTICE, ReportData
from semc_core.export.report.html import html_page

_TEMPLATE: Final = "report.html.j2"


def html_report(data: ReportData) -> bytes:
    """The page, UTF-8. What a person typed is escaped."""
    return html_page(
        _TEMPLATE,
        report=data,
        research_notice=RESEARCH_NOTICE,
        no_plane=NO_PLANE,
        region_titles=REGION_TITLES,
    )
