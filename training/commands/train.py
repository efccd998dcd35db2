"""`semc train`: train a network on a rendered set and write its model file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from semc_core.commands.arguments import count, new_file, positive
from semc_core.errors import UsageError
from semc_core.model.presets import PRESETS

if TYPE_CHECKING:
    from training.data.dataset import FrameSet
    from training.loop import Training
    from training.options import TrainOptions

_LEAST_PICTURES: Final = 8

HELP = "train a model on simulated patients (render them first with `python -m training render`)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--data", type=Path, required=True, help="folder of the rendered set")
    parser.add_argument("--out", type=new_file, required=True, help="model file to write (.safetensors)")
    parser.add_argument(
        "--preset", default="semc_live", help=f"one of {', '.join(PRESETS)} (default: semc_live)"
    )
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--minutes", type=positive, help="train this long (default 45)")
    end.add_argument("--steps", type=count, help="train this many steps; repeats exactly")
    parser.add_argument("--batch", type=count, default=48, help="pictures per step (default: 48)")
    parser.add_argument("--optimiser", choices=("adamw", "sgd"), default="adamw")
    parser.add_argument("--rate", type=positive, default=2e-3, help="greatest learning rate (default: 0.002)")
    parser.add_argument(
        "--alpha", default="0.5", help="share of the classification loss, 0-1, or 'learned' (default: 0.5)"
    )
    parser.add_argument("--full-size", action="store_true", help="no smaller pictures at first")
    parser.add_argument("--validations", type=count, default=15, help="how often to validate (default: 15)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=count, default=2, help="CPU threads (default: 2)")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint of the same --out"
    )


def run(args: argparse.Namespace) -> int:
    """Train. Returns the exit code."""
    # Read when PyTorch is loaded. Threads that wait by spinning make training several times slower as soon as
    # anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from semc_core.labels import LIVER_CLASSES
    from training.data.dataset import load_split
    from training.data.splits import Split
    from training.finish import finish
    from training.loop import Training

    if args.out.suffix != ".safetensors":
        raise UsageError(f"{args.out} must end in .safetensors; choose another name.")
    options = _options(args)
    train = load_split(args.data, Split.TRAIN, LIVER_CLASSES)
    validation = load_split(args.data, Split.VALIDATION, LIVER_CLASSES)
    print(f"{len(train.rows)} frames of {len(train.patients)} patients to train on,", end=" ")
    print(f"{len(validation.rows)} of {len(validation.patients)} to validate on.")
    _check_enough(train)
    training = Training(options, train, validation, args.out.with_suffix(".run"))
    if args.resume and training.resume():
        print(f"Goes on at step {training.step}.")
    _train(training)
    facts = {"steps": training.step, "seconds": round(training.elapsed_s)}
    spec = finish(training.best_network(), options, train, validation, args.out, facts)
    measured = spec.metrics["validation"]
    before, after = measured["calibration_error_before"], measured["calibration_error"]
    print(f"Wrote {args.out}: accuracy {measured['accuracy']:.3f}, F1 {measured['f1']:.3f}", end=", ")
    print(f"calibration error {before:.3f} -> {after:.3f}.")
    return 0


def _check_enough(train: FrameSet) -> None:
    """Say before the work, not after it, that too little is there to learn what a plane looks like.

    Raises:
        UsageError: A plane has hardly any pictures.
    """
    counts = {name: sum(row.plane == name for row in train.rows) for name in train.classes}
    scarce = min(counts, key=lambda name: counts[name])
    if counts[scarce] < _LEAST_PICTURES:
        raise UsageError(
            f"There are {counts[scarce]} training pictures of {scarce}, and {_LEAST_PICTURES} are the least; "
            "render more patients."
        )


def _options(args: argparse.Namespace) -> TrainOptions:
    from training.losses.total import LossOptions
    from training.options import TrainOptions
    from training.schedule import Budget

    try:
        alpha = None if args.alpha == "learned" else float(args.alpha)
    except ValueError:
        raise UsageError(f"--alpha {args.alpha!r} is neither a number nor 'learned'; choose one.") from None
    if alpha is not None and not 0 <= alpha <= 1:
        raise UsageError(f"--alpha {args.alpha} must lie between 0 and 1, or be 'learned'.")
    minutes = 45.0 if args.minutes is None and args.steps is None else args.minutes
    return TrainOptions(
        budget=Budget(args.steps, minutes),
        preset=args.preset,
        batch=args.batch,
        optimiser=args.optimiser,
        rate=args.rate,
        progressive=not args.full_size,
        validations=args.validations,
        seed=args.seed,
        threads=args.threads,
        losses=LossOptions(alpha=alpha),
    )


def _train(training: Training) -> None:
    """Train with a progress bar, and one line per validation."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("Training", total=1.0)

        def tell(progress: float, loss: float) -> None:
            bar.update(task, completed=progress, description=f"Training, loss {loss:.3f}")

        def told(values: dict[str, float]) -> None:
            bar.console.print(
                f"step {values['step']:.0f}  {values['elapsed_s'] / 60:.1f} min  side {values['side']:.0f}  "
                f"{values['images_per_s']:.0f} images/s  loss {values['loss']:.3f} (moe {values['moe']:.3f}, "
                f"supcon {values['supcon']:.2f})  train {values['train_accuracy']:.3f}  "
                f"validation {values['validation_accuracy']:.3f}  F1 {values['validation_f1']:.3f}"
            )

        training.run(tell, told)
