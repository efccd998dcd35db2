"""`semc train`: train a network on any data set and write its model file."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import click
from click.core import ParameterSource
from typer import Option

from semc_core.cli.shared.options import COUNT, MODEL_FILE, PLACE, POSITIVE, planes_of
from semc_core.cli.shared.tree import Commands
from semc_core.errors import SemcError, UsageError
from semc_core.io.atomic import write_atomically
from semc_core.model.comparison import COMPARISON_NAME, run_folder
from semc_core.text import counted
from training.cli.common import (
    Row,
    Saying,
    TrainingOptions,
    budget_of,
    carry_out,
    given,
    given_options,
    out_option,
    prepare,
    preset_option,
    reading_bar,
    telling_failure,
)
from training.config import OPTIMISERS, SECOND_TASKS, train_recipe
from training.losses.config import CLASS_WEIGHTS, CONTRASTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.config import TrainOptions
    from training.data.index import DataIndex
    from training.data.loading import Given
    from training.trainer.loggers import Progress
    from training.trainer.semc import SemcModule
    from training.trainer.trainer import Trainer

_TYPED: Final = ParameterSource.COMMANDLINE
_EXAMPLES = """\b
Examples:
    semc train --data FOLDER --out my.safetensors
    semc train --data simulated:20 --minutes 30 --out my.safetensors
    semc train --data FOLDER --out my.safetensors --resume"""

*_FIRST, _LAST = ("none", *CONTRASTS)
_CONTRAST_HELP: Final = f"contrastive loss: {', '.join(_FIRST)} or {_LAST}"

app = Commands()


@dataclass(frozen=True, kw_only=True)
class TrainArguments(TrainingOptions):
    """What `semc train` takes. Without a value they follow the recipe."""

    out: Annotated[Path, out_option("model file")]
    preset: Annotated[str | None, preset_option("the recipe's")] = None
    augment: Annotated[
        str | None,
        Option(
            "--augment",
            metavar="RECIPE",
            help="how pictures are changed: live, paper, released, simclr or none",
        ),
    ] = None
    recipe: Annotated[
        str,
        Option(
            "--recipe",
            metavar="RECIPE",
            help="live (this program's), paper (arXiv 2511.12559), or released (its code)",
        ),
    ] = "live"
    config: Annotated[
        Path | None,
        Option(
            "--config",
            click_type=PLACE,
            metavar="FILE",
            help="choices in a file, as config.toml of an earlier run; other options go before it",
        ),
    ] = None
    set: Annotated[
        list[str],
        Option(
            "--set", metavar="KEY=VALUE", help="one choice, as losses.temperature=0.1; can be given again"
        ),
    ] = field(default_factory=list)
    method: Annotated[
        str | None,
        Option(
            "--method",
            metavar="NETWORK",
            help="network: semc, resnet18, sononet16, supcon, ...; a wrong name lists all",
            show_default="semc",
        ),
    ] = None
    encoder: Annotated[
        Path | None,
        Option(
            "--encoder",
            click_type=PLACE,
            metavar="FILE",
            help="start from this encoder (`semc pretrain`) or model file",
        ),
    ] = None
    unlabelled: Annotated[
        list[str],
        Option(
            "--unlabelled",
            metavar="FOLDER",
            help="learn also from these pictures, loops or sessions, whose labels are not used; can be given "
            "again",
        ),
    ] = field(default_factory=list)
    accumulate: Annotated[
        int | None,
        Option(
            "--accumulate",
            click_type=COUNT,
            help="learn each step's frames in so many parts, to need less memory",
        ),
    ] = None
    optimiser: Annotated[str | None, Option("--optimiser", click_type=click.Choice(OPTIMISERS))] = None
    alpha: Annotated[
        str | None,
        Option("--alpha", metavar="SHARE", help="share of the classification loss, 0-1, or 'learned'"),
    ] = None
    contrast: Annotated[
        str | None,
        Option("--contrast", metavar="LOSS", help=_CONTRAST_HELP),
    ] = None
    class_weights: Annotated[
        str | None,
        Option(
            "--class-weights",
            click_type=click.Choice(CLASS_WEIGHTS),
            help="of the classification loss, by frequency or by the area of features",
        ),
    ] = None
    second_task: Annotated[
        str | None,
        Option(
            "--second-task",
            click_type=click.Choice(SECOND_TASKS),
            help="learn SimCLR together with the classes",
        ),
    ] = None
    second_weight: Annotated[
        float | None,
        Option("--second-weight", click_type=POSITIVE, help="of the second task", show_default="0.5"),
    ] = None
    full_size: Annotated[bool, Option("--full-size", help="no smaller pictures at first")] = False
    folds: Annotated[
        int | None,
        Option(
            "--folds",
            click_type=COUNT,
            metavar="K",
            help="train K models, each tested on other patients; the table goes to the folder FILE.folds",
        ),
    ] = None
    compare_with: Annotated[
        Path | None,
        Option(
            "--compare-with",
            click_type=MODEL_FILE,
            metavar="FILE",
            help="hold the new model against this one, by its name or file",
            show_default="the one in use",
        ),
    ] = None
    promote: Annotated[bool, Option("--promote", help="use the new model from now on, if it is no worse")] = (
        False
    )
    force: Annotated[bool, Option("--force", help="use the new model even if it is worse")] = False


@app.add(epilog=_EXAMPLES)
def train(args: TrainArguments) -> int:
    """Train. Returns the exit code."""
    prepare(args)
    args = _with_own(args)
    if args.folds is not None:
        from training.cli.folds import train_folds

        _check_fits_folds(args)
        _check_first(args)
        return train_folds(args, args.folds, train_on)

    from training.run_folder import saving_to

    folder = run_folder(args.out)
    with telling_failure(folder) as progress:
        with saving_to(folder):
            (folder / COMPARISON_NAME).unlink(missing_ok=True)
        code = _train(args, folder, progress)
    if progress is not None and (folder / COMPARISON_NAME).exists():
        _promote(args)
    return code


def _with_own(args: TrainArguments) -> TrainArguments:
    """Seed and threads as the settings say, where the command line does not."""
    from training.config_file import changed, read_settings

    context = click.get_current_context(silent=True)
    settings = read_settings(args.config, args.set)
    own = [
        name
        for name in ("seed", "threads")
        if name in settings and not (context and context.get_parameter_source(name) is _TYPED)
    ]
    options = changed(train_recipe(args.recipe).options, settings)
    return replace(args, **{name: getattr(options, name) for name in own})


def _check_fits_folds(args: TrainArguments) -> None:
    for name in ("compare_with", "promote", "force"):
        if getattr(args, name):
            raise UsageError(
                f"--{name.replace('_', '-')} says nothing to folds, which make no model to use; leave it out."
            )


def _promote(args: TrainArguments) -> None:
    """Use the new model from now on, if that is wanted; else say how.

    Raises:
        UsageError: It is refused.
    """
    from semc_core.cli.model import comparison_of, in_words, promoted

    comparison = comparison_of(args.out)
    if args.promote or args.force:
        print(in_words(promoted(args.out, comparison, "trained", force=args.force)))
    elif comparison is not None and comparison.verdict in ("better", "as good"):
        print(f"To use it from now on: semc model use {args.out}")
    elif comparison is not None:
        print(f"To use it all the same: semc model use {args.out} --force")


def _train(args: TrainArguments, folder: Path, progress: Progress | None) -> int:
    from training.data.loading import for_classification, load_index

    _check_first(args)
    wanted = planes_of(args.of)
    index = load_index(args.data, args.seed, args.groups, wanted, lambda found: _dealt(args, found, folder))
    index = for_classification(index)
    return train_on(index, args, progress, lambda told: _compare(args, index, folder, told))


def _dealt(args: TrainArguments, index: DataIndex, folder: Path) -> DataIndex:
    """A set without splits, dealt: as the run in `folder` had it, where that goes on."""
    from semc_core.model.registry import current_model
    from training.held_out.apart import dealt_apart, keep_deal, kept_deal

    if args.resume and (kept := kept_deal(folder, index)) is not None:
        return kept
    found = dealt_apart(index, args.compare_with or current_model(), args.seed)
    if os.environ.get("RANK", "0") == "0":
        keep_deal(folder, found)
    return found


def _check_first(args: TrainArguments) -> None:
    """What cannot be used is known before the work, not after it."""
    from semc_core.model.file import read_spec
    from training.initialization import read_encoder

    chosen_options(args)
    if args.compare_with is not None:
        read_spec(args.compare_with)
    if args.encoder is not None:
        read_encoder(args.encoder)


def train_on(
    index: DataIndex,
    args: TrainArguments,
    progress: Progress | None,
    then: Callable[[Progress], None] = lambda progress: None,
) -> int:
    """Train on a data set with splits, and write the model file. Returns the exit code.

    Args:
        index: The data set, for classification.
        args: Of the command.
        progress: Where to tell of what comes after the steps; None in a process that does not speak.
        then: Called when the model file is there.
    """
    from training.config_file import CONFIG_NAME, as_toml
    from training.data.loading import given as given_frames
    from training.models import preset_of
    from training.trainer.trainer import Trainer

    options = chosen_options(args)
    preprocessing = preset_of(options).preprocessing
    others = _without_labels(args, index)
    with reading_bar("Reading pictures") as tell:
        data = given_frames(index, preprocessing, tell)
    options = replace(
        options, budget=budget_of(args, len(data.train.rows), options.batch, _usual(args, data, options))
    )
    trainer = Trainer(_module(options, data, args.encoder, others), run_folder(args.out))
    if progress is not None:
        write_atomically(run_folder(args.out) / CONFIG_NAME, as_toml(options).encode())

    def finish(progress: Progress) -> float:
        _finish(trainer, data, args, progress, others)
        then(progress)
        return math.nan

    opening = "\n".join([_opening(data), *(() if others is None else others.notes)])
    return carry_out(trainer, args, progress, Saying("Training", opening, _line), finish)


def _without_labels(args: TrainArguments, index: DataIndex) -> DataIndex | None:
    """What `--unlabelled` names; None without it."""
    from training.data.unlabelled import unlabelled_index

    return unlabelled_index(args.unlabelled, args.groups, index) if args.unlabelled else None


def _module(options: TrainOptions, data: Given, encoder: Path | None, others: DataIndex | None) -> SemcModule:
    from training.data.loading import load_frames
    from training.models import preset_of
    from training.trainer.semc import SemcModule
    from training.trainer.students import StudentsModule

    if others is None:
        return SemcModule(options, data.train, data.validation, encoder)
    with reading_bar("Reading pictures without labels") as tell:
        frames = load_frames(others, "train", preset_of(options).preprocessing, progress=tell)
    return StudentsModule(options, data.train, data.validation, frames, encoder)


def _opening(data: Given) -> str:
    train, validation = data.train, data.validation
    frames = (
        f"{counted(len(train.rows), 'frame')} of {counted(len(train.groups), 'patient')} to train on, "
        f"{len(validation.rows)} of {len(validation.groups)} to validate on."
    )
    return "\n".join([*data.index.notes, frames])


def _compare(args: TrainArguments, index: DataIndex, folder: Path, progress: Progress) -> None:
    """Hold the new model against the one in use. A fault here does not undo the training: it is told."""
    from semc_core.model.registry import current_model
    from training.promotion import compare, write_comparison

    try:
        current = current_model() if args.compare_with is None else args.compare_with
        comparison = compare(args.out, current, index, args.threads, folder)
    except SemcError as error:
        progress.tell("compared", f"The new model could not be compared with the one in use. {error}")
        print(f"The new model could not be compared with the one in use. {error}")
        return
    write_comparison(folder, comparison)
    new = comparison.candidate
    progress.tell("compared", comparison.sentence, f1=new.f1, accuracy=new.accuracy)
    print(comparison.sentence)


def _finish(
    trainer: Trainer[SemcModule],
    data: Given,
    args: TrainArguments,
    progress: Progress,
    others: DataIndex | None,
) -> None:
    """Calibrate and write the model file."""
    from training.held_out.learned_from import learned_arrays
    from training.initialization import read_encoder
    from training.publish import finish

    facts: dict[str, Any] = {"steps": trainer.step, "seconds": round(trainer.elapsed_s)}
    if trainer.module.encoder:
        facts["encoder"] = trainer.module.encoder
    network, options = trainer.best_network(), trainer.module.options
    before = None if args.encoder is None else read_encoder(args.encoder)[0]
    if others is not None:
        before = learned_arrays(others, before)
        facts["frames_without_labels"] = len(others.samples)
    learned = learned_arrays(data.index, before)
    spec = finish(network, options, data.train, data.validation, args.out, data.index.name, facts, learned)
    measured: dict[str, Any] = spec.metrics["validation"]
    before, after = measured["calibration_error_before"], measured["calibration_error"]
    scores = {"f1": measured["f1"], "accuracy": measured["accuracy"]}
    progress.tell("calibrated", f"Calibration error {before:.3f} -> {after:.3f}", **scores)
    print(f"Wrote {args.out}: accuracy {measured['accuracy']:.3f}, F1 {measured['f1']:.3f}", end=", ")
    print(f"calibration error {before:.3f} -> {after:.3f}.")


def _usual(args: TrainArguments, data: Given, options: TrainOptions) -> Any:
    """The end that the settings name, or the recipe's."""
    from training.config_file import budget_in, read_settings
    from training.schedule import Budget

    if (asked := budget_in(read_settings(args.config, args.set))) is not None:
        return asked
    epochs = train_recipe(args.recipe).epochs
    if epochs is None:
        return Budget(minutes=45.0)
    return Budget(steps=max(1, round(epochs * len(data.train.rows) / options.batch)))


def chosen_options(args: TrainArguments) -> TrainOptions:
    """The recipe's, with what the user gave."""
    from training.config_file import changed, read_settings

    options = changed(train_recipe(args.recipe).options, read_settings(args.config, args.set))
    losses = replace(options.losses, **given(args, "contrast", "class_weights"))
    if args.alpha is not None:
        losses = replace(losses, alpha=_alpha(args.alpha))
    own = given_options(args, "method", "accumulate", "optimiser", "second_task", "second_weight")
    if args.full_size:
        own["progressive"] = False
    options = replace(options, losses=losses, **own)
    _check_losses_fit(args, options)
    return options


def _check_losses_fit(args: TrainArguments, options: TrainOptions) -> None:
    """Refuse a part of the loss that the network is not trained with, instead of leaving it out unsaid."""
    from training.models import fitting_losses, preset_of

    preset_of(options)
    used = fitting_losses(options.method, options.losses)
    for name, differs in (
        ("contrast", used.contrast != options.losses.contrast),
        ("class_weights", used.class_weights != options.losses.class_weights),
        ("alpha", not options.method.startswith("semc")),
    ):
        if getattr(args, name) is not None and differs:
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} {getattr(args, name)} says nothing to the network {options.method}, which has "
                "its own loss; leave it out, or choose --method semc."
            )


def _alpha(text: str) -> float | None:
    try:
        return None if text == "learned" else float(text)
    except ValueError:
        raise UsageError(f"--alpha {text!r} is neither a number nor 'learned'; choose one.") from None


def _line(row: Row) -> str:
    """A validation in words."""
    return (
        f"step {row['step']:.0f}  {row['elapsed_s'] / 60:.1f} min  side {row['side']:.0f}  "
        f"{row['images_per_s']:.0f} images/s  loss {row['loss']:.3f} (moe {row['moe']:.3f}, "
        f"supcon {row['supcon']:.2f})  train {row['train_accuracy']:.3f}  "
        f"validation {row['validation_accuracy']:.3f}  F1 {row['validation_f1']:.3f}"
    )
