"""`semc calibrate`: a model's temperature and thresholds from a data set's validation pictures."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from semc_core.cli.arguments import IN_USE, count, model_file, new_file
from semc_core.errors import UsageError

if TYPE_CHECKING:
    from training.calibration import ThresholdChoice

HELP = "fit a model's temperature, and thresholds for a stated precision, on validation pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("model", type=model_file, help=f"model file, or {IN_USE} for the one in use")
    parser.add_argument("data", help="data set as `semc data check` reads it, with a validation split")
    parser.add_argument("--out", type=new_file, required=True, help="model file to write (.safetensors)")
    parser.add_argument(
        "--precision", type=float, default=0.97, help="wanted of the frames that are found (default: 0.97)"
    )
    parser.add_argument("--groups", default="", help="regular expression that finds a patient in a file name")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "torch-cpu"))
    parser.add_argument("--threads", type=count, help="most CPU threads of the model")


def run(args: argparse.Namespace) -> int:
    """Calibrate. Returns 0, or 1 if no threshold is as precise as wanted; the file is written anyway."""
    if not 0 < args.precision <= 1:
        raise UsageError(f"--precision {args.precision:g} must lie above 0 and not above 1.")
    if args.out.suffix != ".safetensors":
        raise UsageError(f"{args.out} must end in .safetensors; choose another name.")

    from training.data.loading import load_frames
    from training.data.readers import ReadOptions, open_data
    from training.evaluation.evaluate import matched
    from training.evaluation.predictions import open_predictor
    from training.evaluation.recalibrate import recalibrate

    with open_predictor(args.model, args.device, args.threads) as judged:
        index = matched(open_data(args.data, ReadOptions(groups=args.groups)), judged.spec)
        # Never on the test split: what is chosen on it cannot be judged on it.
        data = load_frames(index, "validation", judged.spec.preprocessing)
        answers = judged.answer(data.frames)
    about = {"data": index.name, "split": "validation"}
    done = recalibrate(args.model, args.out, answers, data, args.precision, about)
    choice, calibration = done.choice, done.spec.calibration
    print(f"Calibration error {done.before} -> {done.after}; temperature {calibration.temperature:.3f}.")
    print(found_in_words(choice, args.precision))
    print(f"Wrote {args.out}.")
    return 0 if choice.reached else 1


def found_in_words(choice: ThresholdChoice, wanted: float) -> str:
    """What the chosen threshold finds of the frames that it was chosen on, and how precisely."""
    if choice.precision is None:
        return "No frame reaches any threshold: the model finds nothing here."
    text = (
        f"A plane is entered at {choice.thresholds.enter:g}: {choice.precision:.1%} of the frames found are "
        f"right, {choice.found or 0:.1%} of the frames of planes are found."
    )
    if choice.reached:
        return text
    return f"{text}\nNo threshold reaches a precision of {wanted:.1%}; this is the most precise one."
