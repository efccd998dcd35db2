"""`semc pretrain`: teach an encoder by contrast, on frames that need no labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
from typer import Option

from semc_core.cli.options import PLACE, POSITIVE
from semc_core.cli.tree import Commands
from semc_core.model.comparison import run_folder
from semc_core.text import counted
from training.cli.common import (
    Row,
    Saying,
    TrainingOptions,
    budget_of,
    carry_out,
    given_options,
    out_option,
    prepare,
    preset_option,
    reading_bar,
    telling_failure,
)

if TYPE_CHECKING:
    from training.pretrain.config import PretrainOptions
    from training.pretrain.trainer import Pretraining
    from training.trainer.loggers import Progress

_EXAMPLES = """\b
Example:
    semc pretrain --data FOLDER --out encoder.safetensors
    semc train --data FOLDER --encoder encoder.safetensors --out my.safetensors"""

app = Commands()


@dataclass(frozen=True, kw_only=True)
class PretrainArguments(TrainingOptions):
    """What `semc pretrain` takes."""

    out: Annotated[Path, out_option("encoder file")]
    preset: Annotated[str | None, preset_option("semc_live")] = None
    augment: Annotated[
        str | None, Option("--augment", metavar="RECIPE", help="how views are made", show_default="simclr")
    ] = None
    method: Annotated[
        str,
        Option(
            "--method",
            click_type=click.Choice(("simclr", "awcl")),
            help="simclr uses no labels; awcl pulls frames of one anatomy together (arXiv 2208.10642)",
        ),
    ] = "simclr"
    network: Annotated[
        str | None,
        Option(
            "--network",
            metavar="NETWORK",
            help="whose encoder",
            show_default="resnet, which can start semc and resnet alike",
        ),
    ] = None
    coarse: Annotated[
        Path | None,
        Option(
            "--coarse",
            click_type=PLACE,
            metavar="CSV",
            help="awcl: coarse anatomies, columns label and anatomy",
        ),
    ] = None
    anatomy_ratio: Annotated[
        float | None,
        Option("--anatomy-ratio", help="awcl: how often the labels are used, 0-1", show_default="1"),
    ] = None
    partners: Annotated[
        str | None,
        Option(
            "--partners",
            click_type=click.Choice(("other", "same")),
            help="awcl: the second view is of another frame of the anatomy, or of the same frame",
            show_default="other",
        ),
    ] = None
    temperature: Annotated[
        float | None, Option("--temperature", click_type=POSITIVE, help="of the contrast", show_default="0.5")
    ] = None


@app.add(epilog=_EXAMPLES)
def pretrain(args: PretrainArguments) -> int:
    """Pretrain. Returns the exit code."""
    prepare(args)
    folder = run_folder(args.out)
    with telling_failure(folder) as progress:
        return _pretrain(args, folder, progress)


def _pretrain(args: PretrainArguments, folder: Path, progress: Progress | None) -> int:
    from training.data.loading import load_frames, load_index
    from training.models import described
    from training.pretrain.module import read_coarse
    from training.pretrain.trainer import Pretraining
    from training.schedule import Budget

    options = _options(args)
    coarse = None if args.coarse is None else read_coarse(args.coarse)
    index = load_index(args.data, args.seed, args.groups)
    preprocessing = described(options.network, options.preset).preprocessing
    with reading_bar("Reading pictures") as tell:
        train = load_frames(index, "train", preprocessing, progress=tell)
        validation = load_frames(index, "validation", preprocessing, progress=tell)
    usual = Budget(steps=max(1, round(10 * len(train.rows) / options.batch)))  # ten epochs, as AWCL
    options = replace(options, budget=budget_of(args, len(train.rows), options.batch, usual))
    training = Pretraining(options, train, validation, folder, coarse)
    used = f"{training.labelled:.0%} of them with an anatomy that is used"
    opening = (
        f"{counted(len(train.rows), 'frame')} of {counted(len(train.groups), 'patient')} to learn from, "
        f"{used if options.method == 'awcl' else 'whose labels are not used'}."
    )

    def finish(progress: Progress) -> float:
        return _finish(training, args.out, {"data": index.name, "frames": len(train.rows)})

    return carry_out(training, args, progress, Saying("Pretraining", opening, _line), finish)


def _finish(training: Pretraining, out: Path, facts: dict[str, object]) -> float:
    """Write the encoder file. Returns its loss."""
    from training.config import plain
    from training.initialization import write_encoder

    facts |= {
        "method": training.options.method,
        "network": training.options.network,
        "preset": training.options.preset,
        "options": plain(training.options),
        "steps": training.step,
        "validation_loss": training.best_loss,
        "labelled": training.labelled,
    }
    write_encoder(out, training.best_network(), facts)
    print(f"Wrote {out}: loss {training.best_loss:.3f} on the validation frames.")
    return training.best_loss


def _options(args: PretrainArguments) -> PretrainOptions:
    from training.pretrain.config import PretrainOptions
    from training.schedule import Budget

    changed = given_options(args, "network", "temperature", "anatomy_ratio", "partners")
    return PretrainOptions(Budget(steps=1), method=args.method, **changed)


def _line(row: Row) -> str:
    """A validation in words."""
    return (
        f"step {row['step']:.0f}  {row['elapsed_s'] / 60:.1f} min  {row['images_per_s']:.0f} images/s  "
        f"loss {row['loss']:.3f}  validation {row['validation_loss']:.3f}"
    )
