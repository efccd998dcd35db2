"""`semc bench`: measurements that anyone can repeat."""

from __future__ import annotations

import argparse

from semc_core.cli.bench import live, network

HELP = "Measure speed and memory: of the networks, or of a live scan."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command per measurement; without one, the networks are measured."""
    network.add_arguments(parser)
    kinds = parser.add_subparsers(dest="kind", metavar="KIND")
    for name, module in (("network", network), ("live", live)):
        module.add_arguments(kinds.add_parser(name, help=module.HELP, description=module.HELP))


def run(args: argparse.Namespace) -> int:
    """Run the measurement that was asked for."""
    return live.run(args) if args.kind == "live" else network.run(args)
