"""SEMC Live: parse the arguments, start the window or a headless command; nothing else."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from semc_core.errors import SemcError, UsageError
from semc_core.extras import INSTALL_TRAINING
from semc_core.log import log_file
from semc_core.paths import log_folder
from semc_core.version import VERSION

# Each module has HELP, add_arguments(parser) and run(args) -> exit code, and imports what is slow inside run.
COMMANDS: Final = {
    "live": "app.cli",
    "analyse": "semc_core.cli.analyse",
    "phantom": "training.cli.phantom",
    "devices": "semc_core.cli.devices",
    "model": "semc_core.cli.model",
    "bench": "semc_core.cli.bench.command",
    "export": "semc_core.cli.export",
    "session": "semc_core.cli.session",
    "pacs": "semc_core.cli.pacs",
    "replay": "semc_core.cli.replay",
    "protocols": "semc_core.cli.protocols",
    "data": "training.cli.data",
    "train": "training.cli.train",
    "pretrain": "training.cli.pretrain",
    "eval": "training.cli.evaluate",
    "calibrate": "training.cli.calibrate",
    "ablate": "training.cli.ablate",
}


def build_parser() -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    """The whole command line, and the module behind each command."""
    parser = argparse.ArgumentParser(
        prog="semc",
        description="Finds ultrasound standard planes in live and recorded scans. Research software, "
        "not a medical device. Without a command, the window opens.",
        epilog=f"The log is in {log_folder()}",
    )
    parser.add_argument("--version", action="version", version=f"SEMC Live {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    modules = {}
    for name, path in COMMANDS.items():
        module = importlib.import_module(path)
        module.add_arguments(commands.add_parser(name, help=module.HELP, description=module.HELP))
        modules[name] = module
    return parser, modules


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 could not, 2 wrong usage, 130 interrupted."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str] | None) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser, modules = build_parser()
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given.insert(0, "live")
    args = parser.parse_args(given)
    try:
        with log_file(log_folder()):
            return int(modules[args.command].run(args))
    except SemcError as error:
        print(f"semc: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except ModuleNotFoundError as error:
        if not COMMANDS[args.command].startswith("training."):
            raise
        print(
            f"semc: {args.command} needs {error.name}; install it with: {INSTALL_TRAINING}", file=sys.stderr
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
