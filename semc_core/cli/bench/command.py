"""`semc bench`: measurements that anyone can repeat."""

from __future__ import annotations

import typer

from semc_core.cli.bench.options import AnalyseOptions, LiveOptions, NetworkOptions
from semc_core.cli.shared.groups import grouped
from semc_core.cli.shared.tree import Commands, within

_NETWORK = "Speed and agreement of the networks in every runtime and precision. Takes about four minutes."
_LIVE = "A live scan without the window: frames, drops, latency, memory, CPU time."
_ANALYSE = (
    "The analysis of a file: frames a second, processor time of each stage, share of the machine's limit."
)
_EXAMPLES = """\b
Examples:
    semc bench --out speed.md
    semc bench network --presets semc_live --rounds 3 --json
    semc bench live --seconds 60
    semc bench analyse scan.mp4
    semc bench glass camera:0
    semc bench window --runs 5 --seconds 60"""

app = Commands(epilog=_EXAMPLES)


def bench(context: typer.Context, options: NetworkOptions) -> int:
    """Without a sub-command, the networks are measured."""
    if context.invoked_subcommand is not None:
        return 0
    with within(context):
        return network(options)


app.callback(invoke_without_command=True)(grouped(bench))


@app.add("network", help=_NETWORK)
def network(options: NetworkOptions) -> int:
    """Measure the networks."""
    from semc_core.cli.bench.network import run

    return run(options)


@app.add("live", help=_LIVE)
def live(options: LiveOptions) -> int:
    """Measure a live scan. Returns 1 if frames were lost."""
    from semc_core.cli.bench.live import run

    return run(options)


@app.add("analyse", help=_ANALYSE)
def analyse(options: AnalyseOptions) -> int:
    """Measure the analysis of a file."""
    from semc_core.cli.bench.analyse import run

    return run(options)
