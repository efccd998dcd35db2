"""`semc data`: look at a data set, deal it to splits, or download a public one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from semc_core.cli.arguments import new_file, seed
from semc_core.errors import UsageError
from semc_core.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from training.data.index import DataIndex
    from training.data.readers import ReadOptions

HELP = "Check data sets, deal them to training, validation and test, and download public ones."
_CHECK = "report classes, sizes, groups, and pictures that are unreadable, duplicated or in two splits"
_SPLIT = "deal patients or videos to training, validation and test; the same seed deals alike"
_GET = "download a public data set, after its licence was shown; a broken download goes on"
_LAYOUTS = (
    "Layouts: a folder of pictures per class, with or without train/validation/test above; LP2025, FPUS23, "
    "CAMUS (NIfTI or MHD), FETAL_PLANES_DB, HC18; index.csv with columns file, label, source, group, split; "
    "sessions and exports of this program; rendered patients; or simulated:20, which renders 20 patients."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command for each action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help=_CHECK, description=_CHECK, epilog=_LAYOUTS)
    _add_reading(check)
    check.add_argument("--json", type=new_file, metavar="FILE", help="write the report as JSON, too")
    split = actions.add_parser("split", help=_SPLIT, description=_SPLIT, epilog=_LAYOUTS)
    _add_reading(split)
    split.add_argument("--seed", type=seed, default=1, help="decides who goes where (default: 1)")
    split.add_argument(
        "--shares", default="70/15/15", help="of train/validation/test, in percent (default: 70/15/15)"
    )
    split.add_argument("--anew", action="store_true", help="forget the splits that are there")
    split.add_argument(
        "--alike", action="store_true",
        help="keep groups together whose pictures look the same; reads every picture",
    )  # fmt: skip
    split.add_argument(
        "--out", type=new_file, metavar="FILE", help="table to write, where the folder may not be written to"
    )
    get = actions.add_parser("get", help=_GET, description=_GET)
    get.add_argument(
        "name", nargs="?", help="a name from the list, zenodo:RECORD, or hf:OWNER/NAME[@REVISION]"
    )
    get.add_argument(
        "--out", type=Path, default=Path("data"), help="folder above that of the data set (default: data)"
    )
    get.add_argument("--yes", action="store_true", help="you have read the licence and agree to it")


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", help="folder of the data set, or a table of its pictures")
    parser.add_argument(
        "--groups", default="", metavar="REGEX", help="finds the patient or video in the pictures' names"
    )
    parser.add_argument("--fine", action="store_true", help="use the finer classes, where there are some")
    parser.add_argument("--stills", action="store_true", help="use stills, not all frames of loops (CAMUS)")
    parser.add_argument("--splits", type=Path, metavar="FILE", help="table of splits, if it lies elsewhere")


def run(args: argparse.Namespace) -> int:
    """Do one action. Returns the exit code: 1 where a data set must not be trained on as it is."""
    if args.action == "check":
        return _check(args)
    if args.action == "split":
        return _split(args)
    return _get(args)


def _reading(args: argparse.Namespace) -> ReadOptions:
    from training.data.readers import ReadOptions

    return ReadOptions(groups=args.groups, fine=args.fine, splits=args.splits, sequences=not args.stills)


def _check(args: argparse.Namespace) -> int:
    import json

    from rich.console import Console
    from rich.progress import Progress

    from semc_core.io.atomic import write_atomically
    from training.data.checks import inspect, print_report
    from training.data.readers import open_data

    console = Console()
    index = open_data(args.data, _reading(args), leaks_allowed=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Reading pictures", total=len(index.samples))
        report = inspect(index, lambda done, total: bar.update(task, completed=done))
    print_report(report, console)
    if args.json is not None:
        write_atomically(args.json, json.dumps(report.as_json(), indent=2).encode())
    return 0 if report.ok else 1


def _split(args: argparse.Namespace) -> int:
    from rich.console import Console

    from training.data.checks import groups_with_same_files, print_index
    from training.data.index import SPLIT_FILE
    from training.data.readers import open_data

    index = open_data(args.data, _reading(args), leaks_allowed=True)
    if args.out is None and index.folder is None:
        raise UsageError("These are several data sets; name the table to write with --out.")
    same = _groups_alike(index) if args.alike else groups_with_same_files(index)
    dealt = index.split(args.seed, _shares(args.shares), anew=args.anew, together=same)
    dealt.check()
    assert index.folder is not None
    target = args.out or args.splits or index.folder / SPLIT_FILE
    dealt.save(target)
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


def _get(args: argparse.Namespace) -> int:
    from rich.console import Console

    from training.data.hub.catalogue import KNOWN, find
    from training.data.hub.hubs import get, is_complete, look_up

    console = Console(soft_wrap=True, markup=False, highlight=False)
    if args.name is None:
        for known in KNOWN:
            console.print(f"{known.name}: {known.about} Licence: {known.licence}.")
        return 0
    entry = find(args.name)
    folder = args.out / entry.name
    if is_complete(folder):
        console.print(f"{entry.name} is in {folder} already.")
        return 0
    offered = look_up(entry)
    stated = offered.licence or entry.licence or "not stated; ask its authors before you use it"
    files = counted(len(offered.files), "file")
    console.print(f"{offered.title}: {files}, {offered.size / 1e9:.2f} GB, {offered.page}")
    console.print(f"Licence: {stated}. Name the authors wherever a result is published.")
    if not args.yes:
        console.print("Read the licence; if you agree to it, run the same command with --yes.")
        return 1
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(entry.name, total=offered.size)
        get(entry, offered, folder, lambda done, total: bar.update(task, completed=done))
    console.print(f"{entry.name} is in {folder}; look at it with `semc data check {folder}`.")
    return 0
