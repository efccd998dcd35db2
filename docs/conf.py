"""The site of the documents: `make docs` writes it into build/docs, to be read from there or from any server.

Its source is the whole checkout, so that links between documents are the same here and where the files are
shown as they are. Pages of the interface are made from the docstrings, one a package, into docs/api. Whatever
Sphinx warns of stops the build: a link that leads nowhere, a page that nothing leads to.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from docs.api_pages import write_api_pages
from semc_core.version import VERSION

ROOT = Path(__file__).resolve().parents[1]

project = "SEMC Live"
author = "The SEMC Live authors"
copyright = author
release = version = VERSION
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/decisions/*.md",
    "docs/api/*.rst",
    "assets/models/*.md",
    "assets/measure/*.md",
    "assets/demonstration/*.md",
    "assets/protocols/*.md",
]
exclude_patterns = [".*", ".*/**", "build/**", "shared/**", "runs/**", "out/**"]
templates_path = ["site/templates"]

myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_use_type_comments = False
# Where two packages have a name and the annotation does not say whose, nothing is wrong with the link's text.
suppress_warnings = ["ref.python"]
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# A name in backticks is a link where there is such a name, and code where not.
default_role = "py:obj"

html_theme = "pydata_sphinx_theme"
html_title = project
html_additional_pages = {"index": "to_first_page.html"}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
}

NAVIGATION = {
    "README": [
        "Watch </docs/watch>",
        "Review </docs/review>",
        "Hand over </docs/handover>",
        "Train </docs/training>",
        "Script </docs/scripting>",
        "How it is built </docs/architecture>",
    ],
    "docs/watch": ["/docs/install", "/docs/keys", "/docs/capture", "/docs/phantom", "/docs/protocols"],
    "docs/review": ["/docs/sessions", "/docs/proof", "/docs/quality"],
    "docs/handover": [
        "/docs/dicom", "/docs/fhir", "/docs/pacs", "/docs/dicomweb", "/docs/conformance", "/docs/privacy",
    ],
    "docs/training": [
        "/docs/models", "/docs/fetal", "/assets/models/fetal", "/assets/models/semc_live", "/docs/benchmarks",
    ],
    "docs/measuring": ["/assets/measure/head"],
    "docs/fetal": ["/assets/demonstration/LICENCE"],
    "docs/protocols": ["/assets/protocols/LICENCE"],
    "docs/scripting": [
        "/docs/measuring", "/docs/python", "/docs/scaling", "/docs/serve", "/docs/http", "/docs/interchange",
        "/docs/plugins", "/docs/commands", "/docs/json",
        "/docs/api/semc_core", "/docs/api/training",
    ],
    "docs/architecture": [
        "/docs/decisions/README", "/docs/design", "/CONTRIBUTING", "/SECURITY", "/CHANGELOG", "/THIRD_PARTY",
        "/docs/api/app",
    ],
    "docs/hospital": [
        "/docs/hazards", "/docs/requirements", "/docs/security", "/docs/change_control", "/docs/usability",
    ],
    "docs/decisions/README": ["/docs/decisions/0*"],
}  # fmt: skip
"""For a page: the pages below it."""
REST = "docs/architecture"
"""Pages of docs/ that are named nowhere stand below this one."""
LISTED = "docs/decisions/README"
"""The page that shows what is below it."""


def add_navigation(app: Sphinx, page: str, text: list[str]) -> None:
    """Give a page the tree of the pages below it, which is of no use where files are shown as they are."""
    children = [*NAVIGATION.get(page, ()), *(_rest() if page == REST else ())]
    if children:
        hidden = "" if page == LISTED else ":hidden:\n"
        entries = "\n".join(children)
        text[0] += f"\n\n```{{toctree}}\n:maxdepth: 1\n:glob:\n{hidden}\n{entries}\n```\n"


def _rest() -> list[str]:
    named = "\n".join(child for children in NAVIGATION.values() for child in children)
    pages = (f"/docs/{path.stem}" for path in sorted((ROOT / "docs").glob("*.md")))
    return [page for page in pages if page not in named]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", lambda _: write_api_pages(ROOT))
    app.connect("source-read", add_navigation)
