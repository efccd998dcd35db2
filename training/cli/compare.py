"""`semc compare`: train every method alike, over several seeds, and say which of them is better."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from typer import Option

from semc_core.cli.shared.options import COUNT, FOLDER, PLACE, POSITIVE, Groups, Of, planes_of, print_json
from semc_core.cli.shared.tree import Commands
from semc_core.errors import SaveError, SemcError, UsageError
from semc_core.model.comparison import run_folder
from semc_core.text import counted
from training.cli.common import INTERRUPTED, telling_failure
from training.cli.train import TrainArguments, chosen_options, train_on

if TYPE_CHECKING:
    from training.compare.plan import Run, RunResult
    from training.data.index import DataIndex

_EXAMPLES = """\b
Examples:
    semc compare --methods all --data FOLDER --epochs 20 --out compared
    semc compare --methods semc,resnet,supcon --data FOLDER --more-seeds 5 --out compared --keep"""
_DEAL_SEED: Final = 1
_USUAL_EPOCHS: Final = 20.0

app = Commands()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareArguments:
    """What `semc compare` takes."""

    methods: Annotated[
        str, Option("--methods", metavar="A,B", help="networks, or all; a wrong name lists them")
    ] = "all"
    data: Annotated[
        list[str],
        Option(
            "--data",
            metavar="DIR",
            help='folder of a data set, or "simulated:20" for simulated patients; give it again for more',
        ),
    ]
    groups: Groups = ""
    of: Of = ""
    out: Annotated[
        Path, Option("--out", click_type=FOLDER, metavar="DIR", help="folder of the results; goes on there")
    ]
    seeds: Annotated[
        str, Option("--seeds", metavar="N|A,B", help="how many for each method, or the seeds themselves")
    ] = "3"
    more_seeds: Annotated[
        int | None,
        Option("--more-seeds", click_type=COUNT, help="so many for the best on validation, and for semc"),
    ] = None
    best: Annotated[
        int, Option("--best", click_type=COUNT, help="how many methods are the best, for --more-seeds")
    ] = 2
    against: Annotated[
        str | None,
        Option(
            "--against",
            metavar="METHOD",
            help="whom the others are held against, or best: the best on validation",
            show_default="the first named",
        ),
    ] = None
    recipe: Annotated[str, Option("--recipe", metavar="RECIPE", help="of all; as of semc train")] = "live"
    config: Annotated[
        Path | None,
        Option("--config", click_type=PLACE, metavar="FILE", help="choices of all, in a file"),
    ] = None
    set: Annotated[
        list[str],
        Option("--set", metavar="KEY=VALUE", help="one choice of all, as batch=16; can be given again"),
    ] = field(default_factory=list)
    encoder: Annotated[
        Path | None,
        Option("--encoder", click_type=PLACE, metavar="FILE", help="start every training from this encoder"),
    ] = None
    steps: Annotated[int | None, Option("--steps", click_type=COUNT, help="of each training")] = None
    epochs: Annotated[
        float | None,
        Option("--epochs", click_type=POSITIVE, help="of each training", show_default="the recipe's, or 20"),
    ] = None
    patience: Annotated[
        int | None,
        Option("--patience", click_type=COUNT, help="end after so many validations without a better result"),
    ] = None
    validations: Annotated[
        int | None, Option("--validations", click_type=COUNT, help="how often to validate")
    ] = None
    keep: Annotated[
        bool, Option("--keep", help="keep the model file of each method's best seed, for semc model use")
    ] = False
    threads: Annotated[int, Option("--threads", click_type=COUNT, help="CPU threads")] = 2
    json: Annotated[
        bool, Option("--json", help="print JSON instead of tables; what is told goes to stderr")
    ] = False


@app.add(epilog=_EXAMPLES)
def compare(args: CompareArguments) -> int:
    """Train what is missing, and write the tables. Returns the exit code."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see `training.cli.common.prepare`

    from training.compare.plan import methods_of, seeds_of
    from training.run_folder import writing_alone

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("Methods are trained one after the other by one process; start it without torchrun.")
    methods, seeds = methods_of(args.methods), seeds_of(args.seeds)
    _check(args, methods, seeds)
    with (
        redirect_stdout(sys.stderr) if args.json else nullcontext(),
        writing_alone(args.out),
    ):
        comparing = _Comparing(args, methods, seeds)
        code = comparing.train()
        found = comparing.written() if code == 0 else None
        if found is not None and args.keep:
            comparing.hold_against_current()
    if found is None:
        print(
            f"Stopped; the same command goes on in {args.out}.", file=sys.stderr if args.json else sys.stdout
        )
        return code
    if args.json:
        print_json(found)
    else:
        _tell(found, args.out)
    return 1 if comparing.problems else 0


def _check(args: CompareArguments, methods: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    """What cannot be used is known before the work."""
    from training.initialization import read_encoder

    if args.steps is not None and args.epochs is not None:
        raise UsageError("--steps is not allowed with --epochs; choose one of them.")
    if args.more_seeds is not None and args.more_seeds <= len(seeds):
        raise UsageError(
            f"--more-seeds {args.more_seeds} is not more than the {len(seeds)} seeds that every method has; "
            "give more."
        )
    if args.against not in (None, "best", *methods):
        raise UsageError(
            f"--against {args.against!r} is none of the methods, {', '.join(methods)}; name one."
        )
    for each in args.set:
        if (key := each.partition("=")[0].strip()) in ("method", "seed", "threads", "minutes"):
            raise UsageError(
                f"--set {key} cannot be a choice of all methods alike; see --methods, --seeds, --threads and "
                "--steps."
            )
    if args.encoder is not None:
        read_encoder(args.encoder)


class _Comparing:
    """A comparison in its folder, where nobody else writes.

    Raises:
        UsageError: The data cannot be compared on, or the folder holds another comparison.
    """

    def __init__(self, args: CompareArguments, methods: tuple[str, ...], seeds: tuple[int, ...]) -> None:
        from training.compare.plan import begin, plan_of

        self._args, self._methods, self._seeds = args, methods, seeds
        self._ends, length = _length(args)
        options = chosen_options(self._asked(None, 1, args.out))
        self._index = _index(args)
        self._plan = plan_of(options, length, args.encoder, self._index)
        self._digest = begin(args.out, self._plan)
        self.results: dict[str, dict[int, RunResult]] = {}
        self.problems: dict[str, str] = {}

    def train(self) -> int:
        """Do what is missing. Returns 0, or the code of a training that was interrupted."""
        from training.compare.plan import further_runs, planned

        code = self._through(planned(self._methods, self._seeds))
        more = self._args.more_seeds
        if code == 0 and more is not None:
            code = self._through(further_runs(self.results, self._seeds, more, self._args.best))
        return code

    def _through(self, runs: Iterable[Run]) -> int:
        from training.compare.plan import read_result
        from training.compare.runs import settle

        out = self._args.out
        for run in runs:
            result = read_result(run, self._digest, out)
            was_there = result is not None
            if not was_there and run.method not in self.problems:
                code = self._done(run)
                if code:
                    return code
                result = read_result(run, self._digest, out)
            if result is not None:
                of = self.results.setdefault(run.method, {})
                of[run.seed] = result
                settle(run, of, out, keep=self._args.keep)
            if not was_there:
                self.written(draws=0)
        return 0

    def _done(self, run: Run) -> int:
        """Train and judge one; what fails is remembered. Returns 0, or the code of an interruption."""
        from training.compare.runs import write_result

        out, args = self._args.out, self._args
        model = run.model(out)
        print(f"{run.title}:")
        try:
            if not model.exists():
                asked = self._asked(run.method, run.seed, model, resume=run_folder(model).exists())
                with telling_failure(run_folder(model)) as progress:
                    code = train_on(self._index, asked, progress)
                if code or not model.exists():
                    return code or INTERRUPTED
            write_result(run, out, self._index, self._digest, args.threads)
        except SaveError:
            raise
        except (SemcError, ImportError, RuntimeError) as error:
            self.problems[run.method] = _reason(error)
            print(f"{run.title} failed: {self.problems[run.method]}")
        return 0

    def _asked(self, method: str | None, seed: int, model: Path, *, resume: bool = False) -> TrainArguments:
        args = self._args
        return TrainArguments(
            data=args.data,
            out=model,
            recipe=args.recipe,
            config=args.config,
            set=args.set,
            encoder=args.encoder,
            method=method,
            patience=args.patience,
            validations=args.validations,
            seed=seed,
            threads=args.threads,
            resume=resume,
            **self._ends,
        )

    def written(self, draws: int | None = None) -> dict[str, Any]:
        """Write JSON, CSV and page of what is done; gives what they say.

        With `draws` 0 without intervals, which take a while.
        """
        from semc_core.cli.bench.peak import machine_in_words
        from semc_core.groups.bootstrap import DRAWS
        from training.compare.page import save
        from training.compare.runs import kept_seed
        from training.compare.tables import summary

        args, index = self._args, self._index
        about = {
            "data": _about(index),
            "choices": {**self._plan, "threads": args.threads},
            "machine": machine_in_words("cpu", args.threads),
            "notes": list(index.notes),
            "kept": {name: seed for name in self._methods if (seed := kept_seed(args.out, name)) is not None},
        }
        against = args.against or self._methods[0]
        found = summary(
            self._methods, self.results, self.problems, against, about, DRAWS if draws is None else draws
        )
        save(args.out, found)
        return found

    def hold_against_current(self) -> None:
        """Compare each kept model with the one in use, so that it can take its place. A fault is told."""
        from semc_core.model.registry import current_model
        from training.compare.plan import kept_model
        from training.promotion import compare as held
        from training.promotion import write_comparison

        for method in self._methods:
            path = kept_model(self._args.out, method)
            if not path.exists():
                continue
            try:
                comparison = held(path, current_model(), self._index, self._args.threads, run_folder(path))
                write_comparison(run_folder(path), comparison)
                print(f"{method}: {comparison.sentence}")
            except SemcError as error:
                print(f"{method} could not be compared with the model in use. {error}")


def _index(args: CompareArguments) -> DataIndex:
    """The data set, dealt by patient; dealt once, and then as it was.

    Raises:
        UsageError: It is too little to train on, has no test pictures, or nobody knows its patients.
    """
    from semc_core.model.registry import current_model
    from training.data.checks import what_is_lacking
    from training.data.enough import too_little
    from training.data.loading import for_classification, load_index
    from training.data.readers.class_folders import NO_GROUPS
    from training.held_out.apart import dealt_apart, keep_deal, kept_deal

    def deal(found: DataIndex) -> DataIndex:
        kept = kept_deal(args.out, found)
        if kept is None:
            kept = dealt_apart(found, current_model(), _DEAL_SEED)
            keep_deal(args.out, kept)
        return kept

    found = load_index(args.data, _DEAL_SEED, args.groups, planes_of(args.of), deal)
    if any(f"{NO_GROUPS}:" in note for note in found.notes):
        raise UsageError(
            f"{NO_GROUPS} in {found.name}, so methods cannot be compared on it: put the pictures of each "
            "patient into a folder, or find patients in file names with --groups."
        )
    index = for_classification(found)
    if lacking := what_is_lacking(index):
        raise too_little(index, lacking)
    if not index.of_split("test"):
        raise UsageError(f"{index.name} has no test pictures; deal it anew with `semc data split --anew`.")
    return index


def _length(args: CompareArguments) -> tuple[dict[str, Any], str]:
    """How long each training is: what `semc train` is given, and the same in words.

    Raises:
        UsageError: It would be in minutes, which no two machines, nor two runs, fill alike.
    """
    from training.config import train_recipe
    from training.config_file import budget_in, read_settings

    if args.steps is not None:
        return {"steps": args.steps}, counted(args.steps, "step")
    asked = budget_in(read_settings(args.config, args.set))
    if args.epochs is None and asked is not None:
        if asked.steps is None:
            raise UsageError("The settings end a training by minutes; give --steps or --epochs.")
        return {"steps": asked.steps}, counted(asked.steps, "step")
    epochs = args.epochs or train_recipe(args.recipe).epochs or _USUAL_EPOCHS
    return {"epochs": epochs}, f"{epochs:g} epochs"


def _about(index: DataIndex) -> dict[str, Any]:
    splits = {name: index.of_split(name) for name in ("train", "validation", "test")}
    return {
        "name": index.name,
        "classes": list(index.classes),
        "splits": {
            name: {"frames": len(of), "groups": len({sample.group for sample in of})}
            for name, of in splits.items()
        },
    }


def _reason(error: Exception) -> str:
    """Why a method failed, in one line."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return first if isinstance(error, SemcError) else f"{type(error).__name__}: {first}"


def _tell(found: Mapping[str, Any], out: Path) -> None:
    from rich.console import Console

    from training.compare.tables import sentences, tables

    console = Console()
    console.print(found["headline"], markup=False, highlight=False, soft_wrap=True)
    for table in tables(found):
        console.print(table)
    for sentence in sentences(found):
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    console.print(f"Wrote {out}.", markup=False, highlight=False, soft_wrap=True)
