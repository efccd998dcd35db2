"""Templates of `assets/report` as HTML pages: pictures inside, nothing fetched from anywhere.

The report as one HTML page, made to be printed too.
"""

from __future__ import annotations

import base64
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from semc_core.export.report.data import (
    CHECKLIST_TITLES,
    MEASURE_TITLES,
    NO_PLANE,
    REGION_TITLES,
    RESEARCH_NOTICE,
    ReportData,
)
from semc_core.language import _, current
from semc_core.paths import ASSETS
from semc_core.text import readable
from semc_core.version import VERSION


def html_page(template: str, **shown: object) -> bytes:
    """A page, UTF-8. Whatever is shown is escaped.

    The filters `jpeg_uri` and `svg_uri` put pictures (bytes) into the page, `said` says a marked text in the
    language in use; `version` is the program's.

    Args:
        template: Name of its file.
        shown: What the template names; a name that it uses and that is not given is an error.
    """
    environment = Environment(
        loader=FileSystemLoader(ASSETS / "report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: readable(value) if type(value) is str else value,
    )
    environment.filters["jpeg_uri"] = _jpeg_uri
    environment.filters["svg_uri"] = _svg_uri
    environment.filters["said"] = _
    return environment.get_template(template).render(version=VERSION, **shown).encode()


def _jpeg_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _svg_uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


_TEMPLATE: Final = "report.html.j2"


def html_report(data: ReportData) -> bytes:
    """The page, UTF-8. What a person typed is escaped."""
    return html_page(
        _TEMPLATE,
        report=data,
        language=current(),
        words={
            "title": _("Standard planes"),
            "planes": _("Planes"),
            "measurements": _("Measurements"),
            "times": _("Marked times"),
            "made": _("How this was made"),
        },
        research_notice=_(RESEARCH_NOTICE),
        no_plane=_(NO_PLANE),
        checklist_titles=CHECKLIST_TITLES,
        region_titles=REGION_TITLES,
        measure_titles=MEASURE_TITLES,
    )
