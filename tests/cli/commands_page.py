"""docs/commands.md, made of the commands themselves: `python -m tests.cli.commands_page` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from semc_core.paths import default_output_folder, log_folder
from tests.cli.commands import all_commands

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
_INTRODUCTION: Final = """\
# Commands

Written by `python -m tests.cli.commands_page` from the commands themselves; a test holds it against them.
`semc COMMAND --help` says the same.

Without a command the window opens: `semc` is `semc live`. An option may be shortened as far as it is clear
(`--dev` for `--device`), and `--` ends the options. `semc --install-completion` teaches the shell (bash, zsh,
fish, PowerShell) the commands, options and values; `--show-completion` prints what it would install.

Exit codes: 0 done, 1 could not or found something wrong, 2 wrong usage, 130 interrupted, 141 nobody reads
what is printed, 143 terminated. Errors are one sentence on standard error. What `--json` prints:
[json.md](json.md).
"""


def page() -> str:
    """The whole page."""
    lines = [_INTRODUCTION]
    for name, command in all_commands().items():
        lines += _section(name, command)
    return "\n".join(lines).replace(str(default_output_folder()), "~/Documents/SEMC Live") + "\n"


def _section(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"## {name}"
    yield _cell((command.help or "").replace(str(log_folder()), ""))
    yield f"\n`{name} {usage}`\n"
    if isinstance(command, click.Group):
        names = command.list_commands(context)
        yield "Sub-commands: " + ", ".join(f"`{each}`" for each in names) + ".\n"
    params = [param for param in command.get_params(context) if "--help" not in param.opts]
    rows = [record for param in params if (record := param.get_help_record(context)) is not None]
    if rows:
        yield "| | |\n|---|---|"
        for written, help_ in rows:
            yield f"| `{_cell(written)}` | {_cell(help_)} |"
        yield ""
    examples = [line for line in (command.epilog or "").splitlines() if line.startswith("    ")]
    if examples:
        yield "\n".join(["```sh", *(line.strip() for line in examples), "```", ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")
