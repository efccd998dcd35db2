"""`semc pretrain`: teach an encoder by contrast, on frames that need no labels."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from semc_core.commands.arguments import new_file, positive
from semc_core.model.presets import PRESETS
from training.commands.running import (
    INTERRUPTED,
    Row,
    add_common,
    budget_of,
    given,
    prepare,
    reading_bar,
    run_with_bar,
    stopping_on_signals,
    telling_failure,
)

if TYPE_CHECKING:
    from training.pretrain.loop import Pretraining
    from training.pretrain.options import PretrainOptions
    from training.progress import Progress

HELP = "pretrain an encoder by SimCLR or AWCL, on frames with few labels or none (in a folder `unlabelled`)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_common(parser)
    parser.add_argument("--out", type=new_file, required=True, help="encoder file to write (.safetensors)")
    parser.add_argument(
        "--method",
        choices=("simclr", "awcl"),
        default="simclr",
        help="simclr (default) uses no labels; awcl pulls frames of one anatomy together (arXiv 2208.10642)",
    )
    parser.add_argument(
        "--network", help="whose encoder (default: resnet, which can start semc and resnet alike)"
    )
    parser.add_argument("--preset", help=f"one of {', '.join(PRESETS)} (default: semc_live)")
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
    parser.add_argument("--augment", help="how views are made (default: simclr)")
    parser.add_argument(
        "--ultrasound", metavar="A,B", help="further changes: gain, time-gain, speckle, shadow, haze"
    )


def run(args: argparse.Namespace) -> int:
    """Pretrain. Returns the exit code."""
    prepare(args)
    folder = args.out.with_suffix(".run")
    with telling_failure(folder) as progress:
        return _pretrain(args, folder, progress)


def _pretrain(args: argparse.Namespace, folder: Path, progress: Progress | None) -> int:
    from training.data.frames import load_frames
    from training.given import load_index
    from training.networks import described
    from training.parallel import leave
    from training.pretrain.anatomy import read_coarse
    from training.pretrain.loop import Pretraining
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
    if training.first:
        print(f"{len(train.rows)} frames of {len(train.groups)} patients to learn from,", end=" ")
        print(f"{training.labelled:.0%} of them with an anatomy that is used.")
    if args.resume and training.resume() and training.first:
        print(f"Goes on at step {training.step}.")
    with stopping_on_signals(folder) as signals:
        ended = run_with_bar(training, "Pretraining", _line)
    leave()
    if progress is None:
        return 0
    if not ended:
        print(f"Stopped at step {training.step}; --resume goes on from there.")
        return INTERRUPTED if signals else 0
    _finish(training, args.out, {"data": index.name, "frames": len(train.rows)}, progress)
    return 0


def _finish(training: Pretraining, out: Path, facts: dict[str, object], progress: Progress) -> None:
    """Write the encoder file."""
    from training.options import plain
    from training.pretrain.encoder import write_encoder

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
    progress.tell("finished", step=training.step, progress=1.0, eta_s=0.0, loss=training.best_loss)


def _options(args: argparse.Namespace) -> PretrainOptions:
    from training.pretrain.options import PretrainOptions
    from training.schedule import Budget

    changed = given(
        args, "network", "preset", "batch", "precision", "rate", "validations", "patience", "temperature",
        "anatomy_ratio", "partners",
    )  # fmt: skip
    if args.augment is not None:
        changed["recipe"] = args.augment
    if args.ultrasound is not None:
        changed["ultrasound"] = tuple(args.ultrasound.split(","))
    return PretrainOptions(
        Budget(steps=1), method=args.method, seed=args.seed, threads=args.threads, **changed
    )


def _line(row: Row) -> str:
    """A validation in words."""
    return (
        f"step {row['step']:.0f}  {row['elapsed_s'] / 60:.1f} min  {row['images_per_s']:.0f} images/s  "
        f"loss {row['loss']:.3f}  validation {row['validation_loss']:.3f}"
    )
