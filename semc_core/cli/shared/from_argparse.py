"""A command that argparse reads, in the tree of the others: for its help, its completion and its errors.

The window's command is declared with argparse, which is there anyway: Typer would take longer to import than
the window may wait. Where argparse has refused what was typed, this says why, as every other command does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from typer.core import TyperArgument

from semc_core.cli.shared.options import PLACE, Value
from semc_core.cli.shared.tree import SemcCommand
from semc_core.errors import UsageError


def command_of(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> SemcCommand:
    """The same arguments and options, read by click."""

    def call(**values: Any) -> int:
        return run(argparse.Namespace(**values))

    # argparse has no other way to tell what was added to it.
    actions = [each for each in parser._actions if not isinstance(each, argparse._HelpAction)]
    return SemcCommand(None, params=[_param(each) for each in actions], callback=call, rich_markup_mode=None)


def _param(action: argparse.Action) -> click.Parameter:
    hidden = action.help is argparse.SUPPRESS
    said = None if hidden else action.help
    known: dict[str, Any] = {"metavar": action.metavar, "type": _type(action)}
    if not action.option_strings:
        required = action.nargs != "?"
        return TyperArgument(param_decls=[action.dest], required=required, help=said, **known)
    names = [action.dest, *action.option_strings]
    if action.nargs == 0:
        return click.Option(names, is_flag=True, help=said, hidden=hidden)
    if action.nargs == "?":
        known |= {"is_flag": False, "flag_value": action.const}
    return click.Option(names, default=action.default, help=said, hidden=hidden, **known)


def _type(action: argparse.Action) -> click.ParamType[Any]:
    if action.choices is not None:
        return click.Choice(list(action.choices))
    if action.type is None:
        return click.STRING
    if action.type is Path:
        return PLACE
    return Value(action.dest, _reading(action.type))


def _reading(read: Any) -> Callable[[str], Any]:
    def reader(text: str) -> Any:
        try:
            return read(text)
        except argparse.ArgumentTypeError as error:
            raise UsageError(str(error)) from error

    return reader
