"""Pages that are made of the program say what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from app.commands import BINDINGS
from semc_core.version import VERSION
from tests.docs.keys_page import PAGE, page

ROOT: Final = Path(__file__).resolve().parents[2]


def test_the_list_of_keys_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.keys_page"


def test_every_key_with_a_help_is_in_the_list() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = [binding for binding in BINDINGS if binding.help]
    assert len(listed) > 30
    assert [binding.name for binding in listed if f"| {binding.help} |" not in text] == []


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(VERSION)}$", text, re.M)
