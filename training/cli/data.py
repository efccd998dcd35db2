"""`semc data`: look at a data set, deal it to splits, or download a public one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from typer import Argument, Option

from semc_core.cli.shared.options import FOLDER, NEW_FILE, PLACE, SEED, AsJson, Of, planes_of, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from training.data.index import DataIndex

_CHECK = "report classes, sizes, groups, and pictures that are unreadable, duplicated or in two splits"
_SPLIT = "deal patients or videos to training, validation and test; the same seed deals alike"
_GET = "download a public data set, after its licence was shown; a broken download goes on"
_LAYOUTS = (
    "Layouts: a folder of pictures per class, with or without train/validation/test above; LP2025, FPUS23, "
    "CAMUS (NIfTI or MHD), FETAL_PLANES_DB, HC18; index.csv with columns file, label, source, group, split; "
    "sessions and exports of this program; rendered patients; or simulated:20, which renders 20 patients."
)


_STANDARD_OUTPUT: Final = Path("-")

app = Commands()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """Which data set, and how it is read."""

    data: Annotated[str, Argument(help="folder of the data set, or a table of its pictures")]
    groups: Annotated[
        str,
        Option(
            "--groups",
            metavar="REGEX",
            help="finds the patient or video in the pictures' names",
            show_default=False,
        ),
    ] = ""
    fine: Annotated[bool, Option("--fine", help="use the finer classes, where there are some")] = False
    stills: Annotated[bool, Option("--stills", help="use stills, not all frames of loops (CAMUS)")] = False
    of: Of = ""
    splits: Annotated[
        Path | None,
        Option("--splits", click_type=PLACE, metavar="FILE", help="table of splits, if it lies elsewhere"),
    ] = None

    def open(self) -> DataIndex:
        """The data set's index; what lies in two splits is allowed, to be reported.

        Raises:
            UsageError: It is no data set that can be read.
        """
        from training.data.readers import ReadOptions, open_data

        how = ReadOptions(
            self.groups, self.fine, self.splits, sequences=not self.stills, of=planes_of(self.of)
        )
        return open_data(self.data, how, leaks_allowed=True)


@app.add("check", help=_CHECK, epilog=_LAYOUTS)
def check(
    reading: ReadingOptions,
    json_file: Annotated[
        Path | None,
        Option(
            "--json",
            click_type=NEW_FILE,
            metavar="FILE",
            help="write the report as JSON, too; - prints it instead of the tables",
        ),
    ] = None,
) -> int:
    """Report. Returns 1 where the data set must not be trained on as it is."""
    import json

    from rich.console import Console
    from rich.progress import Progress

    from semc_core.io.atomic import write_atomically
    from training.data.checks import inspect, print_report

    printed = json_file == _STANDARD_OUTPUT
    console = Console(stderr=printed)
    index = reading.open()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Reading pictures", total=len(index.samples))
        report = inspect(index, lambda done, total: bar.update(task, completed=done))
    if printed:
        print_json(report.as_json())
        return 0 if report.ok else 1
    print_report(report, console)
    if json_file is not None:
        write_atomically(json_file, json.dumps(report.as_json(), indent=2).encode())
    return 0 if report.ok else 1


@app.add("split", help=_SPLIT, epilog=_LAYOUTS)
def split(
    reading: ReadingOptions,
    seed: Annotated[int, Option("--seed", click_type=SEED, help="decides who goes where")] = 1,
    shares: Annotated[
        str, Option("--shares", metavar="A/B/C", help="of train/validation/test, in percent")
    ] = "70/15/15",
    anew: Annotated[bool, Option("--anew", help="forget the splits that are there")] = False,
    alike: Annotated[
        bool, Option("--alike", help="keep groups together whose pictures look the same; reads every picture")
    ] = False,
    out: Annotated[
        Path | None,
        Option(
            "--out",
            click_type=NEW_FILE,
            metavar="FILE",
            help="table to write, where the folder may not be written to",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Deal, and write the table. Returns 0.

    Raises:
        UsageError: The shares are none, or it is not known where to write.
    """
    from rich.console import Console

    from training.data.checks import groups_with_same_files, print_index
    from training.data.index import SPLIT_FILE

    index = reading.open()
    if out is None and index.folder is None:
        raise UsageError("These are several data sets; name the table to write with --out.")
    same = _groups_alike(index) if alike else groups_with_same_files(index)
    dealt = index.split(seed, _shares(shares), anew=anew, together=same)
    dealt.check()
    assert index.folder is not None
    target = out or reading.splits or index.folder / SPLIT_FILE
    dealt.save(target)
    if as_json:
        together = len(set().union(*same))
        print_json(
            {
                "name": dealt.name,
                "classes": dealt.counts(),
                "groups": len(dealt.groups),
                "kept_together": together,
                "file": str(target),
            }
        )
        return 0
    console = Console()
    print_index(dealt, console)
    _tell_togetherness(same, console)
    console.print(f"Wrote {target}.", markup=False, soft_wrap=True)
    return 0


def _groups_alike(index: DataIndex) -> list[set[str]]:
    """Sets of groups with pictures that are the same, or look the same."""
    from training.data.checks import inspect

    report = inspect(index)
    found = [{sample.group for sample in each} for each in (*report.exact, *report.near)]
    return [groups for groups in found if len(groups) > 1]


def _tell_togetherness(same: list[set[str]], console: Console) -> None:
    if same:
        console.print(
            f"{len(set().union(*same))} groups share pictures with others; those were kept together."
        )


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, validation, test = (float(part) for part in text.split("/"))
    except ValueError:
        raise UsageError(f"{text!r} are no shares; write TRAIN/VALIDATION/TEST, as in 70/15/15.") from None
    return train, validation, test


@app.add("get", help=_GET)
def download(
    name: Annotated[
        str | None, Argument(help="a name from the list, zenodo:RECORD, or hf:OWNER/NAME[@REVISION]")
    ] = None,
    out: Annotated[
        Path, Option("--out", click_type=FOLDER, metavar="DIR", help="folder above that of the data set")
    ] = Path("data"),
    yes: Annotated[bool, Option("--yes", help="you have read the licence and agree to it")] = False,
    as_json: Annotated[bool, Option("--json", help="print the list of names as JSON")] = False,
) -> int:
    """Without a name the list; else download. Returns 1 where the licence is not agreed to."""
    from rich.console import Console

    from training.data.hub.catalogue import KNOWN, find
    from training.data.hub.hubs import get, is_complete, look_up

    console = Console(soft_wrap=True, markup=False, highlight=False)
    if name is None and as_json:
        print_json([{"name": each.name, "about": each.about, "licence": each.licence} for each in KNOWN])
        return 0
    if name is None:
        for known in KNOWN:
            console.print(f"{known.name}: {known.about} Licence: {known.licence}.")
        return 0
    entry = find(name)
    folder = out / entry.name
    if is_complete(folder):
        console.print(f"{entry.name} is in {folder} already.")
        return 0
    offered = look_up(entry)
    stated = offered.licence or entry.licence or "not stated; ask its authors before you use it"
    files = counted(len(offered.files), "file")
    console.print(f"{offered.title}: {files}, {offered.size / 1e9:.2f} GB, {offered.page}")
    console.print(f"Licence: {stated}. Name the authors wherever a result is published.")
    if not yes:
        console.print("Read the licence; if you agree to it, run the same command with --yes.")
        return 1
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(entry.name, total=offered.size)
        get(entry, offered, folder, lambda done, total: bar.update(task, completed=done))
    console.print(f"{entry.name} is in {folder}; look at it with `semc data check {folder}`.")
    return 0
