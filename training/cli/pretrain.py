"""`semc pretrain`: teach an encoder by contrast, on frames that need no labels."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from semc_core.cli.arguments import positive
from semc_core.model.comparison import run_folder
from semc_core.text import counted
from training.cli.common import (
    Row,
    Saying,
    add_common,
    budget_of,
    carry_out,
    given_options,
    prepare,
    reading_bar,
    telling_failure,
)

if TYPE_CHECKING:
    from training.pretrain.config import PretrainOptions
    from training.pretrain.trainer import Pretraining
    from training.trainer.loggers import Progress

HELP = "pretrain an encoder by SimCLR or AWCL, on frames with few labels or none (in a folder `unlabelled`)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_common(parser, "encoder file", "semc_live", "how views are made (default: simclr)")
    parser.add_argument(
        "--method",
        choices=("simclr", "awcl"),
        default="simclr",
        help="simclr (default) uses no labels; awcl pulls frames of one anatomy together (arXiv 2208.10642)",
    )
    parser.add_argument(
        "--network", help="whose encoder (default: resnet, which can start semc and resnet alike)"
    )
    parser.add_argument(
        "--coarse", type=Path, metavar="CSV", help="awcl: coarse anatomies, columns label and anatomy"
    )
    parser.add_argument(
        "--anatomy-ratio", type=float, help="awcl: how often the labels are used, 0-1 (default: 1)"
    )
    parser.add_argument(
        "--partners",
        choices=("other", "same"),
        help="awcl: the second view is of another frame of the anatomy (default) or of the same frame",
    )
    parser.add_argument("--temperature", type=positive, help="of the contrast (default: 0.5)")


def run(args: argparse.Namespace) -> int:
    """Pretrain. Returns the exit code."""
    prepare(args)
    folder = run_folder(args.out)
    with telling_failure(folder) as progress:
        return _pretrain(args, folder, progress)


def _pretrain(args: argparse.Namespace, folder: Path, progress: Progress | None) -> int:
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


def _options(args: argparse.Namespace) -> PretrainOptions:
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
