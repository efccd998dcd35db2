"""The program's commands as Typer has them: loaded when they are called, and what each of them does alike.

Help is plain text that fits any terminal; wrong usage is one sentence. An option may be shortened as far as
it is not mistaken for another.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import click
import typer
from click.shell_completion import CompletionItem
from typer.core import TyperCommand, TyperGroup

from semc_core.cli.shared.entry import Entry
from semc_core.cli.shared.groups import grouped

_WITHIN: Final = "semc_core.within"
SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class _Sections(click.Command):
    """Help with a heading for each group of options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Positional arguments, options, and the options that have a heading of their own."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            usual = "Arguments" if isinstance(param, click.Argument) else "Options"
            if record is not None:
                sections.setdefault(getattr(param, "rich_help_panel", None) or usual, []).append(record)
        _write(formatter, sections)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with shortened options written out."""
        return super().parse_args(ctx, _written_out(self, ctx, args))


class SemcCommand(_Sections, TyperCommand):
    """A command that does something."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, within what `invoke` was given."""
        with within(ctx):
            return super().invoke(ctx)


class SemcGroup(_Sections, TyperGroup):
    """A command with sub-commands."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options, then sub-commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each sub-command with all of its help: it is short."""
        _write(formatter, {"Commands": [(name, each.help or "") for name, each in self.commands.items()]})


class Commands(typer.Typer):
    """One command, or some under one name."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            cls=SemcGroup,
            add_completion=False,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            suggest_commands=False,
            context_settings=SETTINGS,
            **settings,
        )

    def add(self, name: str = "", **settings: Any) -> Callable[[Callable[..., int]], Callable[..., int]]:
        """Make a command of a function, which stays as it is. It may take dataclasses of options."""

        def decorate(function: Callable[..., int]) -> Callable[..., int]:
            self.command(name or None, cls=SemcCommand, context_settings=SETTINGS, **settings)(
                grouped(function)
            )
            return function

        return decorate


class LazyGroup(SemcGroup):
    """All commands of the program. A command's module is imported when it is called, not before."""

    entries: Mapping[str, Entry]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the help."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one."""
        entry = self.entries.get(cmd_name)
        return None if entry is None else load(cmd_name, entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with.

        Raises:
            click.exceptions.NoSuchCommand: There is none; it suggests those of a similar name.
        """
        if args[0] not in self.entries and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=self.entries, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line for each, without loading it."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.entries.items():
            sections.setdefault(entry.section, []).append((name, entry.help))
        _write(formatter, sections)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands, without loading them; the program's own options."""
        names = [
            CompletionItem(name, help=entry.help)
            for name, entry in self.entries.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]


def load(name: str, entry: Entry) -> click.Command:
    """Import a command's module and make the command."""
    module, _, attribute = entry.place.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    command = typer.main.get_command(found) if isinstance(found, typer.Typer) else found()
    assert isinstance(command, click.Command)
    command.name, command.help = name, entry.help
    return command


def within(context: click.Context) -> AbstractContextManager[None]:
    """What a command's work stands in."""
    entered: AbstractContextManager[None] = context.meta.get(_WITHIN, nullcontext)()
    return entered


def invoke(
    command: click.Command,
    arguments: Sequence[str],
    name: str,
    surroundings: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> int:
    """Run a command as the user typed it.

    Args:
        command: With its sub-commands.
        arguments: What was typed.
        name: Of the program, for what is told.
        surroundings: Entered for the work alone, not for help or for what cannot be read.

    Returns:
        Its exit code.

    Raises:
        SystemExit: With code 2 after wrong usage, which is told in a sentence; with 0 after `--help`.
        SemcError: As the command raises it.
    """
    try:
        with command.make_context(name, list(arguments)) as context:
            context.meta[_WITHIN] = surroundings
            return int(command.invoke(context) or 0)
    except click.exceptions.Exit as ended:
        raise SystemExit(ended.exit_code) from ended
    except click.UsageError as error:
        where = name if error.ctx is None else error.ctx.command_path
        said = error.format_message()
        end = "" if said.endswith((".", "?", ")")) else "."
        print(f"{where}: {said}{end} See: {where} --help", file=sys.stderr)
        raise SystemExit(2) from error


def _write(formatter: click.HelpFormatter, sections: Mapping[str, list[tuple[str, str]]]) -> None:
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _written_out(command: click.Command, ctx: click.Context, args: Sequence[str]) -> list[str]:
    """`args` with every option by its whole name; up to the first positional of a group, or to `--`.

    Raises:
        click.UsageError: An option may be several, or stands where the value of another should.
    """
    options = {
        name: param
        for param in command.get_params(ctx)
        if isinstance(param, click.Option)
        for name in param.opts
    }
    written: list[str] = []
    waiting = ""
    for index, arg in enumerate(args):
        if arg == "--" or (not arg.startswith("-") and not waiting and not ctx.allow_interspersed_args):
            return [*written, *args[index:]]
        is_option = arg.startswith("-") and arg != "-" and not _is_number(arg)
        if is_option and waiting:
            raise click.BadOptionUsage(waiting, f"Option {waiting!r} requires an argument.", ctx)
        waiting = ""
        if is_option:
            name, equals, value = arg.partition("=")
            name = _whole_name(name, options, ctx)
            param = options.get(name)
            if param is not None and not param.is_flag and not equals and not param._flag_needs_value:
                waiting = name
            arg = f"{name}{equals}{value}"
        written.append(arg)
    return written


def _whole_name(name: str, options: Mapping[str, click.Option], ctx: click.Context) -> str:
    if name in options or not name.startswith("--"):
        return name
    meant = [each for each in options if each.startswith(name)]
    if len(meant) > 1:
        raise click.UsageError(
            f"Option {name!r} may be {' or '.join(map(repr, meant))}; write more of it.", ctx
        )
    return meant[0] if meant else name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
