"""`semc calibrate`: a model's temperature and thresholds from a data set's validation pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from semc_core.cli.shared.options import NEW_FILE, Device, Groups, ModelOrInUse, Threads
from semc_core.cli.shared.tree import Commands
from semc_core.errors import UsageError

if TYPE_CHECKING:
    from training.calibration import ThresholdChoice

_EXAMPLES = """\b
Example:
    semc calibrate my.safetensors FOLDER --out calibrated.safetensors"""

app = Commands()


@app.add(epilog=_EXAMPLES)
def calibrate(
    model: ModelOrInUse,
    data: Annotated[str, Argument(help="data set as `semc data check` reads it, with a validation split")],
    out: Annotated[
        Path, Option("--out", click_type=NEW_FILE, metavar="FILE", help="model file to write (.safetensors)")
    ],
    precision: Annotated[float, Option("--precision", help="wanted of the frames that are found")] = 0.97,
    groups: Groups = "",
    device: Device = "auto",
    threads: Threads = None,
) -> int:
    """Calibrate. Returns 0, or 1 if no threshold is as precise as wanted; the file is written anyway."""
    if not 0 < precision <= 1:
        raise UsageError(f"--precision {precision:g} must lie above 0 and not above 1.")
    if out.suffix != ".safetensors":
        raise UsageError(f"{out} must end in .safetensors; choose another name.")

    from training.data.loading import load_frames
    from training.data.readers import ReadOptions, open_data
    from training.evaluation.evaluate import matched
    from training.evaluation.predictions import open_predictor
    from training.evaluation.recalibrate import recalibrate

    with open_predictor(model, device, threads) as judged:
        index = matched(open_data(data, ReadOptions(groups=groups, of=judged.spec.planes)), judged.spec)
        # Never on the test split: what is chosen on it cannot be judged on it.
        held_out = load_frames(index, "validation", judged.spec.preprocessing)
        answers = judged.answer(held_out.frames)
    about = {"data": index.name, "split": "validation"}
    done = recalibrate(model, out, answers, held_out, precision, about)
    choice, calibration = done.choice, done.spec.calibration
    print(f"Calibration error {done.before} -> {done.after}; temperature {calibration.temperature:.3f}.")
    print(found_in_words(choice, precision))
    print(f"Wrote {out}.")
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
