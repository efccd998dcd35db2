"""`semc train --folds K`: K models, each tested on patients that it never saw, and one table of all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from semc_core.cli.shared.options import planes_of
from semc_core.errors import UsageError
from semc_core.io.atomic import write_atomically
from semc_core.model.comparison import run_folder
from training.cli.common import INTERRUPTED, TrainingOptions, reading_bar, telling_failure
from training.config import MAY_CHANGE

if TYPE_CHECKING:
    from training.data.index import DataIndex
    from training.trainer.loggers import Progress


_Args = TypeVar("_Args", bound=TrainingOptions)
_PLAN: Final = "plan.json"
_MAY_CHANGE: Final = (*MAY_CHANGE, "out", "nice", "resume", "minutes", "steps", "epochs")


def train_folds(args: _Args, count: int, train_on: Callable[[DataIndex, _Args, Progress | None], int]) -> int:
    """Train fold after fold, then judge all together. Returns the exit code.

    Args:
        args: Of the command.
        count: Folds.
        train_on: Trains on a data set with splits and writes the model file that its arguments name.

    Raises:
        UsageError: The data cannot be dealt, or the folder holds the folds of another training.
    """
    from rich.console import Console

    from training.data.folds import folds_of
    from training.data.loading import for_classification, open_index
    from training.evaluation.folds import judge_folds
    from training.evaluation.report.report import (
        RESULT,
        make_report,
        result_tables,
        save_evaluation,
        write_json,
    )
    from training.run_folder import writing_alone

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("Folds are trained one after the other by one process; start it without torchrun.")
    folder = args.out.with_suffix(".folds")
    with writing_alone(folder):
        folds = folds_of(
            for_classification(open_index(args.data, args.groups, planes_of(args.of))), count, args.seed
        )
        _begin(folder, args, folds)
        models = [folder / f"fold{number}.safetensors" for number in range(1, count + 1)]
        for number, (model, fold) in enumerate(zip(models, folds, strict=True), 1):
            if model.exists():
                print(f"Fold {number} of {count} is there.")
                continue
            print(f"Fold {number} of {count}:")
            # What a killed run of this fold left goes on.
            begun = replace(args, out=model, resume=run_folder(model).exists())
            with telling_failure(run_folder(model)) as progress:
                code = train_on(fold, begun, progress)
            if code or not model.exists():
                return code or INTERRUPTED
        with reading_bar("Judging") as tell:
            judged = judge_folds(models, folds, args.threads, lambda name: tell)
        save_evaluation(folder, make_report(judged.result), judged.data, judged.answers, judged.samples)
        write_json(folder / RESULT, judged.as_json())
    console = Console()
    for table in (*result_tables(judged.result), judged.table()):
        console.print(table)
    for sentence in (*judged.result.data["notes"], *judged.result.notes):
        console.print(sentence, markup=False, soft_wrap=True)
    console.print(
        f"Wrote {folder}. To train the model to use on all of them, give the command without --folds.",
        markup=False,
        soft_wrap=True,
    )
    return 0


def _begin(folder: Path, args: TrainingOptions, folds: list[DataIndex]) -> None:
    """Go on with what is there, or remove it.

    Raises:
        UsageError: It is of other folds, and shall go on.
    """
    plan = _plan(args, folds)
    path = folder / _PLAN
    if args.resume and path.exists():
        if path.read_text(encoding="utf-8") != plan:
            raise UsageError(
                f"{folder} holds folds of other data or options, which cannot go on; leave out --resume, or "
                "choose another --out."
            )
        return
    for number in range(1, len(folds) + 1):
        model = folder / f"fold{number}.safetensors"
        model.unlink(missing_ok=True)
        shutil.rmtree(run_folder(model), ignore_errors=True)
    write_atomically(path, plan.encode())


def _plan(args: TrainingOptions, folds: list[DataIndex]) -> str:
    """What must be the same for folds to go on: the options, and which pictures are in which fold."""
    from training.data.index import listing

    given: dict[str, Any] = {
        name: value if isinstance(value, (int, float, str, bool)) or value is None else str(value)
        for name, value in vars(args).items()
        if name not in _MAY_CHANGE
    }
    pictures = hashlib.sha256()
    for fold in folds:
        pictures.update(listing(fold.samples))
    return json.dumps({"options": given, "pictures": pictures.hexdigest()}, indent=2, sort_keys=True)
