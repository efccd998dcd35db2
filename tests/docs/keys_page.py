"""docs/keys.md, made of the window's keys: `python -m tests.docs.keys_page` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.commands import LIVE, REVIEW, START, TRAIN, bindings_of

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "keys.md"
_INTRODUCTION: Final = """\
# Keys

Written by `python -m tests.docs.keys_page` from `app/commands.py`; a test holds it against that. In the
window `?` shows the keys of the page.

Foot pedals and presenters usually send F2 to F8, PgUp and PgDown, or F13 to F24. Every command but those that
name planes can have other keys, a second one for a pedal say: in the preferences (`Ctrl+,`), under *Keys*.
This page lists those that they have at first.
"""
_PAGES: Final = {
    LIVE: "During a scan",
    REVIEW: "In review",
    START: "On the start page",
    TRAIN: "On the Train page",
}


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *(line for name in _PAGES for line in _section(name))]) + "\n"


def _section(name: str) -> Iterator[str]:
    yield f"## {_PAGES[name]}\n"
    yield "| key | does |\n|---|---|"
    for binding in bindings_of(name):
        keys = binding.shown or ", ".join(f"`{key}`" for key in binding.keys)
        yield f"| {keys} | {binding.help} |"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
