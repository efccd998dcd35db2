"""`semc analyse --cluster`: an archive on many workers, its results as Parquet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from semc_core.errors import UsageError
from semc_core.extras import needed
from semc_core.text import counted, readable

if TYPE_CHECKING:
    from rich.console import Console

    from semc_core.archive.loop import How
    from semc_core.archive.page import Progress
    from semc_core.cli.shared.inputs import Wanted
    from semc_core.cli.shared.options import RuntimeOptions

_LISTED: Final = "@"


@dataclass(frozen=True, slots=True)
class Workers:
    """Where the workers are, how many, and how long each may take for a loop.

    Attributes:
        address: "local", or Ray's address of a cluster.
        count: None for as many as there is room for.
        limit_s: Seconds.
    """

    address: str
    count: int | None
    limit_s: float


def listed(inputs: list[str]) -> list[str]:
    """The inputs, with those of lists (`@loops.txt`, one path a line) in place of the lists.

    Raises:
        UsageError: A list cannot be read.
    """
    found: list[str] = []
    for text in inputs:
        if not text.startswith(_LISTED) or Path(text).exists():
            found.append(text)
            continue
        try:
            lines = (
                Path(text[1:]).expanduser().read_text(encoding="utf-8", errors="surrogateescape").splitlines()
            )
        except OSError as error:
            raise UsageError(f"The list {text[1:]} cannot be read; check its name.") from error
        found += [line for line in lines if line.strip()]
    return found


def analyse_archive(
    wanted: list[Wanted], out: Path, options: RuntimeOptions, workers: Workers, how: How, console: Console
) -> int:
    """Analyse all loops; those that have their row in `out` are passed over. Returns 0, or 1 if one failed.

    Raises:
        SemcError: It cannot be done, or no further.
    """
    try:
        import pyarrow  # noqa: F401
        import ray  # noqa: F401
    except ImportError as error:
        raise UsageError(needed(error.name, "An archive")) from error
    from semc_core.archive.cluster import Cluster, Model
    from semc_core.archive.page import PAGE_NAME
    from semc_core.archive.run import ArchiveRun
    from semc_core.archive.store import ArchiveStore, Made
    from semc_core.cli.shared.progress import progress_bar
    from semc_core.model.file import read_model
    from semc_core.version import VERSION

    spec, _ = read_model(options.model)
    content = options.model.read_bytes()
    made = Made(hashlib.sha256(content).hexdigest(), VERSION, how.text())
    store = ArchiveStore(out, made)
    try:
        model = Model(content, options.device, options.precision, options.threads)
        cluster = Cluster(workers.address, workers.count, model, how, workers.limit_s)
        try:
            if spec.notice:
                console.print(spec.notice, markup=False, soft_wrap=True)
            console.print(
                f"{counted(cluster.size, 'worker')}; see {out / PAGE_NAME}.", markup=False, soft_wrap=True
            )
            run = ArchiveRun(out, store, cluster, how, made)
            with progress_bar(console, "loops") as bar:
                shown = bar.add_task("Analysing", total=len(wanted))
                progress = run.run(
                    (each.path for each in wanted), len(wanted),
                    lambda now: bar.update(shown, completed=now.done),
                )  # fmt: skip
            for sentence in cluster.left_out:
                console.print(sentence, style="yellow", markup=False)
        finally:
            cluster.close()
    finally:
        store.close()
    return _conclude(progress, out, console)


def _conclude(progress: Progress, out: Path, console: Console) -> int:
    for path, problem in progress.problems:
        console.print(readable(f"{path}: {problem}"), style="red", markup=False, soft_wrap=True)
    wrong = progress.failed + progress.set_aside
    done = progress.analysed + progress.same
    line = f"{counted(progress.planes, 'plane')} in {counted(done, 'loop')}; results in {out}."
    if progress.passed_over:
        line = f"{counted(progress.passed_over, 'loop')} had been done before. {line}"
    if wrong:
        line = f"{wrong} of {counted(progress.total, 'loop')} could not be analysed. {line}"
    console.print(line, style="bold red" if wrong else "bold", markup=False, highlight=False, soft_wrap=True)
    return 1 if wrong else 0
