"""The report as one HTML page: pictures inside, nothing fetched from anywhere, made to be printed too."""

from __future__ import annotations

import base64
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from semc_core.export.report_data import RESEARCH_NOTICE, ReportData
from semc_core.paths import ASSETS
from semc_core.version import VERSION

_TEMPLATE: Final = "report.html.j2"


def html_report(data: ReportData) -> bytes:
    """The page, UTF-8. What a person typed is escaped."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS / "report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    page = environment.get_template(_TEMPLATE)
    return page.render(report=data, research_notice=RESEARCH_NOTICE, version=VERSION).encode()


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
