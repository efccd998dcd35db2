"""`semc eval`: hold a model against labelled frames, or against simulated test patients."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import click
from typer import Argument, Option

from semc_core.cli.shared.arguments import new_file
from semc_core.cli.shared.options import (
    COUNT,
    PLACE,
    POSITIVE,
    Device,
    Groups,
    ModelOrInUse,
    Precision,
    Threads,
    Value,
    print_json,
)
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from training.evaluation.predictions import Predictor
    from training.evaluation.result import Result

_SPLITS: Final = ("test", "validation", "train", "all")
_SIMULATED: Final = "Simulated patients"
_EXAMPLES: Final = """\b
Examples:
    semc eval my.safetensors FOLDER --out report
    semc eval in-use --patients 2000:2004 --json"""

app = Commands()


def _place(text: str) -> Path:
    """A folder, there or to be made, or a file to write.

    Raises:
        UsageError: It would lie in a folder that is not there, or is of the other kind.
    """
    path = Path(text)
    if path.is_dir() and not _numbers_only(path):
        return path
    if path.exists() and not _numbers_only(path):
        raise UsageError(f"{path} is a file; name a folder, or a file ending in .json")
    return new_file(text)


PLACE_TO_WRITE: Final = Value("path", _place, completes="file")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalArguments:
    """What `semc eval` takes."""

    model: ModelOrInUse
    data: Annotated[
        str | None, Argument(help="data set as `semc data check` reads it; without one, simulated patients")
    ] = None
    split: Annotated[
        str | None,
        Option(
            "--split",
            click_type=click.Choice(_SPLITS),
            help="which pictures",
            show_default="test, or all if none is split",
        ),
    ] = None
    groups: Groups = ""
    no_planes: Annotated[
        list[Path],
        Option(
            "--no-planes",
            click_type=PLACE,
            metavar="PATH",
            help="videos or pictures that show none of the planes, to count false alarms; can be given again",
        ),
    ] = field(default_factory=list)
    out: Annotated[
        Path | None,
        Option(
            "--out",
            click_type=PLACE_TO_WRITE,
            metavar="PATH",
            help="folder for report.html, result.json and predictions.csv; or a name ending in .json for the "
            "numbers alone",
        ),
    ] = None
    draws: Annotated[int, Option("--draws", click_type=COUNT, help="of the bootstrap")] = 1000
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Threads = None
    json: Annotated[
        bool, Option("--json", help="print result.json instead of tables; what is told goes to stderr")
    ] = False
    patients: Annotated[
        str,
        Option(
            "--patients",
            metavar="FIRST:END",
            help="FIRST:END, or one; from 2000 on test patients",
            rich_help_panel=_SIMULATED,
        ),
    ] = "2000:2020"
    seconds: Annotated[
        float, Option("--seconds", click_type=POSITIVE, help="of each scan", rich_help_panel=_SIMULATED)
    ] = 60.0
    frame_rate: Annotated[
        float, Option("--frame-rate", click_type=POSITIVE, help="of each scan", rich_help_panel=_SIMULATED)
    ] = 25.0
    size: Annotated[
        str, Option("--size", metavar="WIDTHxHEIGHT", help="of the frames", rich_help_panel=_SIMULATED)
    ] = "640x480"
    processes: Annotated[
        int, Option("--processes", click_type=COUNT, help="patients side by side", rich_help_panel=_SIMULATED)
    ] = 2
    record: Annotated[
        bool,
        Option(
            "--record",
            help="write the holds into the model file and its card, too",
            rich_help_panel=_SIMULATED,
        ),
    ] = False


@app.add(epilog=_EXAMPLES)
def evaluate(args: EvalArguments) -> int:
    """Evaluate. Returns the exit code."""
    from rich.console import Console

    console = Console(stderr=args.json)
    if args.data is None:
        return _on_patients(args, console)
    if args.record:
        raise UsageError("--record is for simulated patients; leave it out, or leave out the data set.")
    return _on_data(args, args.data, console)


def _on_data(args: EvalArguments, data_set: str, console: Console) -> int:
    from training.data.loading import load_frames
    from training.data.readers import ReadOptions, open_data
    from training.evaluation.evaluate import chosen_split, evaluate_answers, matched
    from training.evaluation.predictions import open_predictor
    from training.evaluation.report.report import make_report, save_evaluation, write_json
    from training.held_out.readings import told_reading

    with (
        open_predictor(args.model, args.device, args.threads, args.precision) as judged,
        _Bar(console) as bar,
    ):
        index = matched(
            open_data(data_set, ReadOptions(groups=args.groups, of=judged.spec.planes)), judged.spec
        )
        split, doubt = chosen_split(index, args.split)
        data = load_frames(index, split, judged.spec.preprocessing, progress=bar.named("Reading"))
        answers = judged.answer(data.frames, bar.named("Classifying"))
        looked = told_reading(index) if split == "test" else ""
        about = {
            "name": index.name,
            "split": split or "all",
            "notes": [each for each in (doubt, looked, *index.notes) if each],
        }
        result = evaluate_answers(
            answers, data, judged.spec, draws=args.draws, about=about, ran_on=judged.runtime.device_name
        )
        result = _with_alarms(result, judged, args.no_planes, bar)
        if args.out is not None and _numbers_only(args.out):
            write_json(args.out, result.as_json())
        elif args.out is not None:
            samples = index.of_split(split) if split else index.samples
            save_evaluation(args.out, make_report(result, (judged, data, answers)), data, answers, samples)
    if args.json:
        print_json(result.as_json())
    _tell(args, console, result)
    return 0


def _on_patients(args: EvalArguments, console: Console) -> int:
    import numpy as np

    from semc_core.labels import LIVER_CLASSES
    from semc_core.model.file import read_spec
    from training.data.splits import parse_patients
    from training.evaluation.evaluate import evaluate_answers
    from training.evaluation.predictions import Predictions, open_predictor
    from training.evaluation.report.report import make_report, save_evaluation, write_json
    from training.evaluation.scans import EvaluationOptions, labelled, scan_patients, summary, tables

    try:
        width, height = (int(part) for part in args.size.split("x"))
    except ValueError:
        raise UsageError(f"{args.size!r} is no size; write WIDTHxHEIGHT, for example 640x480.") from None
    options = EvaluationOptions(args.seconds, width, height, args.frame_rate)
    spec = read_spec(args.model)
    if unknown := [name for name in LIVER_CLASSES if name not in spec.classes]:
        raise UsageError(
            f"The simulated patients show {', '.join(unknown)}, which the model does not know; "
            "name a data set."
        )
    scans = scan_patients(args.model, list(parse_patients(args.patients)), options, args.processes)
    found = summary(spec, scans, options)
    if not args.json:
        for table in tables(found):
            console.print(table)
    data = labelled(scans, spec.classes)
    answers = Predictions(np.concatenate([scan.probabilities for scan in scans]))
    doubt = "Not all of these are test patients (2000 and up): the model may know them."
    about = {
        "name": f"simulated patients {args.patients}",
        "split": "",
        "notes": [] if found["all_test_patients"] else [doubt],
    }
    result = evaluate_answers(answers, data, spec, draws=args.draws, about=about, ran_on="CPU, OpenVINO")
    if args.no_planes:
        with (
            open_predictor(args.model, args.device, args.threads, args.precision) as judged,
            _Bar(console) as bar,
        ):
            result = _with_alarms(result, judged, args.no_planes, bar)
    numbers = result.as_json() | {"simulated": found}
    if args.json:
        print_json(numbers)
    if args.out is not None and _numbers_only(args.out):
        write_json(args.out, numbers)
    elif args.out is not None:
        save_evaluation(args.out, make_report(result, simulated=found), data, answers)
    _tell(args, console, result)
    if args.record:
        from training.model_card import restate

        facts = {name: found[name] for name in ("patients", "seconds", "frame_rate", "holds")}
        restate(args.model, {"test_holds": facts})
        console.print(f"Recorded in {args.model} and its card.")
    return 0


def _with_alarms(result: Result, judged: Predictor, places: list[Path], bar: _Bar) -> Result:
    from training.evaluation.false_positives import false_positives

    if not places:
        return result
    return replace(result, alarms=false_positives(judged, places, bar.named("Looking where no plane is")))


def _numbers_only(out: Path) -> bool:
    return out.suffix == ".json"


def _tell(args: EvalArguments, console: Console, result: Result) -> None:
    from training.evaluation.report.report import result_tables

    if not args.json:
        for table in result_tables(result):
            console.print(table)
    for sentence in (*result.data.get("notes", ()), *result.notes):
        console.print(sentence, markup=False, soft_wrap=True)
    if args.out is not None:
        console.print(f"Wrote {args.out}.", markup=False, soft_wrap=True)


class _Bar:
    """A progress bar for one thing after another."""

    def __init__(self, console: Console) -> None:
        from rich.progress import Progress

        self._progress = Progress(console=console, transient=True)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def named(self, name: str) -> Callable[[int, int], None]:
        """Tell how many are done, of how many."""
        task = self._progress.add_task(name, total=None)
        return lambda done, total: self._progress.update(task, completed=done, total=total)
