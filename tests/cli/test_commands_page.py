"""The page that lists the commands is what the commands say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.commands import all_commands
from tests.cli.commands_page import PAGE, page

ROOT = PAGE.parents[1]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.cli.commands_page"


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_commands_in_the_documents_are_commands(path: Path) -> None:
    """Every line of a code block that begins with `semc` names a command, and options that it has."""
    commands = all_commands()
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w*)\n(.*?)```", text, re.S)
    typed = [line for language, block in blocks if language in ("", "sh") for line in block.splitlines()]
    for line in typed:
        for part in line.partition("#")[0].split(";"):
            words = shlex.split(part)
            if words[:1] != ["semc"]:
                continue
            name = "semc"
            while len(words) > 1 and f"{name} {words[1]}" in commands:
                name = f"{name} {words.pop(1)}"
            has = {option for param in commands[name].params for option in param.opts} | {"--help"}
            assert {
                word.strip("[]").partition("=")[0] for word in words if word.strip("[").startswith("--")
            } <= has, line
            assert name != "semc" or len(words) == 1 or words[1].startswith("-"), line
