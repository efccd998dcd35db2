"""`semc label-next`: which frames without a label would teach the model most."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from semc_core.cli.shared.options import COUNT, NEW_FILE, PLACE, RuntimeOptions, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.io.atomic import write_atomically

_EXAMPLES = """\b
Examples:
    semc label-next loops/ --labelled FOLDER --budget 100 --out next.csv
    semc label-next FOLDER --budget 20 --json"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def label_next(
    folder: Annotated[
        Path,
        Argument(
            click_type=PLACE,
            help="folder of pictures and loops; or a data set with a folder `unlabelled` beside those of its "
            "classes",
        ),
    ],
    runtime: RuntimeOptions,
    budget: Annotated[
        int, Option("--budget", click_type=COUNT, metavar="N", help="how many frames can be labelled")
    ] = 50,
    labelled: Annotated[
        list[str] | None,
        Option(
            "--labelled",
            metavar="DATA",
            help="data set whose frames have labels, as `semc data check` reads it; can be given again",
        ),
    ] = None,
    out: Annotated[
        Path | None, Option("--out", click_type=NEW_FILE, metavar="CSV", help="table to write")
    ] = None,
    as_json: Annotated[
        bool, Option("--json", help="print the queue as JSON; what is told goes to stderr")
    ] = False,
) -> int:
    """Rank, print and write. Returns 0."""
    from rich.console import Console

    from training.active.queue import asked, queue
    from training.evaluation.predictions import open_predictor

    what = asked(folder, labelled or ())
    told = Console(stderr=True)
    with (
        open_predictor(runtime.model, runtime.device, runtime.threads, runtime.precision) as predictor,
        _bar(told) as bar,
    ):
        task = bar.add_task("Looking at new frames", total=None)
        found = queue(
            what, predictor, budget, lambda done, total: bar.update(task, completed=done, total=total)
        )
    for note in found.notes:
        told.print(note, markup=False, soft_wrap=True)
    if out is not None:
        write_atomically(out, _table(found.rows).encode())
        told.print(f"Wrote {out}.", markup=False, soft_wrap=True)
    if as_json:
        print_json(list(found.rows))
    else:
        _print(found.rows, folder)
    return 0


def _bar(console: Any) -> Any:
    from rich.progress import Progress

    return Progress(console=console, transient=True)


def _table(rows: tuple[dict[str, Any], ...]) -> str:
    from training.active.queue import COLUMNS

    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _print(rows: tuple[dict[str, Any], ...], folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from semc_core.cli.shared.shown import escape
    from training.active.queue import in_words

    table = Table(title="To label next")
    for name in ("", "file", "frame", "why"):
        table.add_column(name, overflow="fold")
    for row in rows:
        path = Path(row["file"])
        shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else row["file"]
        table.add_row(str(row["rank"]), escape(shown), str(row["frame"]), in_words(row))
    Console().print(table)
