"""The program's commands, for tests: each by the words that a user types, and how to run one by itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
import typer
from typer.main import get_command

import main
from semc_core.cli.shared.tree import invoke
from training.__main__ import app as training_app


def all_commands() -> dict[str, click.Command]:
    """Every command and group, by its whole name: "semc", "semc model", "semc model list", ..."""
    return dict(
        pair
        for name, top in (("semc", main.command_line()), ("python -m training", get_command(training_app)))
        for pair in _below(name, top)
    )


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _below(f"{name} {each}", found)


def run(app: typer.Typer, *arguments: str) -> int:
    """Run a command of `app` as if typed; what it raises comes through, wrong usage as SystemExit."""
    return invoke(get_command(app), arguments, "semc")
