"""Pages that are made of the program say what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from app.commands import BINDINGS
from semc_core.version import VERSION
from tests.docs import training_keys_page
from tests.docs.keys_page import PAGE, page

ROOT: Final = Path(__file__).resolve().parents[2]


def test_the_list_of_keys_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.keys_page"


def test_every_key_with_a_help_is_in_the_list() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = [binding for binding in BINDINGS if binding.help]
    assert len(listed) > 30
    assert [binding.name for binding in listed if f"| {binding.help} |" not in text] == []


def test_every_page_can_be_reached_from_the_first_by_links_alone() -> None:
    """Where files are shown as they are, as on GitHub, there is no other way to find one."""
    reached, to_read = set(), [ROOT / "README.md"]
    while to_read:
        page_read = to_read.pop()
        reached.add(page_read)
        links = re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", page_read.read_text(encoding="utf-8"))
        places = {(page_read.parent / link).resolve() for link in links if "://" not in link}
        to_read += [place for place in places - reached if place.is_file() and place not in to_read]
    pages = set((ROOT / "docs").glob("*.md"))
    assert len(pages) > 20
    assert sorted(page.name for page in pages - reached) == []


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(VERSION)}$", text, re.M)


def test_the_page_of_choices_of_a_training_is_as_they_are() -> None:
    written = training_keys_page.PAGE.read_text(encoding="utf-8")
    assert written == training_keys_page.page(), "write it anew: python -m tests.docs.training_keys_page"
