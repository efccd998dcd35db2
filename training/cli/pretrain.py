"""`semc pretrain`: teach an encoder by contrast, on frames that need no labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
from typer import Option

from semc_core.cli.shared.options import PLACE, POSITIVE, planes_of
from semc_core.cli.shared.tree import Commands
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
from training.pretrain.config import METHODS, PARTNERS

if TYPE_CHECKING:
    from training.data.index import DataIndex
    from training.pretrain.config import PretrainOptions
    from training.pretrain.module import PretrainModule
    from training.trainer.loggers import Progress
    from training.trainer.trainer import Trainer

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
            click_type=click.Choice(METHODS),
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
    encoder: Annotated[
        Path | None,
        Option(
            "--encoder",
            click_type=PLACE,
            metavar="FILE",
            help="start from this encoder or model file, instead of from scratch",
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
            click_type=click.Choice(PARTNERS),
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
    from training.initialization import read_encoder
    from training.models import described
    from training.pretrain.module import PretrainModule, read_coarse
    from training.schedule import Budget
    from training.trainer.trainer import Trainer

    options = _options(args)
    coarse = None if args.coarse is None else read_coarse(args.coarse)
    if args.encoder is not None:
        read_encoder(args.encoder)  # What cannot be used is known before the work, not after it.
    index = load_index(args.data, args.seed, args.groups, planes_of(args.of))
    preprocessing = described(options.network, options.preset).preprocessing
    with reading_bar("Reading pictures") as tell:
        train = load_frames(index, "train", preprocessing, progress=tell)
        validation = load_frames(index, "validation", preprocessing, progress=tell)
    usual = Budget(steps=max(1, round(10 * len(train.rows) / options.batch)))  # ten epochs, as AWCL
    options = replace(options, budget=budget_of(args, len(train.rows), options.batch, usual))
    module = PretrainModule(options, train, validation, coarse, args.encoder)
    trainer = Trainer(module, folder)
    used = f"{module.labelled:.0%} of them with an anatomy that is used"
    opening = (
        f"{counted(len(train.rows), 'frame')} of {counted(len(train.groups), 'patient')} to learn from, "
        f"{used if options.method == 'awcl' else 'whose labels are not used'}."
    )

    def finish(progress: Progress) -> float:
        return _finish(trainer, args, {"data": index.name, "frames": len(train.rows)}, index)

    return carry_out(trainer, args, progress, Saying("Pretraining", opening, _line), finish)


def _finish(
    trainer: Trainer[PretrainModule], args: PretrainArguments, facts: dict[str, object], index: DataIndex
) -> float:
    """Write the encoder file. Returns its loss."""
    from training.config import plain
    from training.held_out.learned_from import learned_arrays
    from training.initialization import read_encoder, write_encoder

    module, loss = trainer.module, -trainer.best_score
    facts |= {
        "method": module.options.method,
        "network": module.options.network,
        "preset": module.options.preset,
        "options": plain(module.options),
        "steps": trainer.step,
        "validation_loss": loss,
        "labelled": module.labelled,
    }
    if module.encoder:
        facts["encoder"] = module.encoder
    before = None if args.encoder is None else read_encoder(args.encoder)[0]
    write_encoder(args.out, trainer.best_network(), facts, learned_arrays(index, before))
    print(f"Wrote {args.out}: loss {loss:.3f} on the validation frames.")
    return loss


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
